"""Processes that draw the frames of a render: an engine that runs in Python uses one core, however many there are.

The frames are those that the engine itself would draw, in the same order. A helper that ends early, whatever the
reason, slows the render down and does no more: its frames are drawn by the render's own process.
"""

from __future__ import annotations

import logging
import mmap
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from pickle import UnpicklingError
from queue import SimpleQueue
from typing import IO

from lp_core.contexts import ClosesOnExit
from lp_core.cores import usable_cores
from lp_core.engines.base import Animation, DrawRequest, Engine
from lp_core.engines.helping.arrays import NO_SLOT, receive, send
from lp_core.engines.helping.program import DrawingSetup, Memory
from lp_core.leftovers import temporary_prefix
from lp_core.link.runtime import without_token
from lp_core.motion.sequence import MotionFrame

_log = logging.getLogger(__name__)

MOST = 4
"""HelperProcesses of a render, at most: from there on finding the dense motion takes longer than drawing."""
AHEAD = 2
"""Frames that a helper has been asked for at a time: while one is handed over, the next is drawn."""
LEAST_FRAMES = 100
"""A shorter render is over before helpers are of any use."""
LARGEST_BYTES = 1 << 28
"""Shared memory of all helpers, at most; larger frames keep OpenCV's own threads busy."""
_FLOW_BYTES = 12
"""Flow and matte of a pixel."""
_MORE_BYTES = 1 << 20
"""Room for a frame's motion, and more than enough for the rest."""
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""Lets the C library (glibc; others do not look) keep the memory of one frame for the next: it costs a tenth of drawing
to give it back and to get it again."""
_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from lp_core.engines.helping.program import main; main()"


def helpers_for(pixels: int, frame_bytes: int, driving_pixels: int) -> HelperProcesses | None:
    """Processes for the cores that this one may use; None where they would not help.

    Args:
        pixels: of a frame of the source.
        frame_bytes: of the same.
        driving_pixels: of a frame of the driving video; 0: none.
    """
    slot = frame_bytes + pixels * _FLOW_BYTES + driving_pixels * 3 + _MORE_BYTES
    most = min(usable_cores(), MOST, LARGEST_BYTES // (slot * AHEAD))
    return HelperProcesses(most, slot) if most > 1 and _is_python() else None


def _is_python() -> bool:
    """Whether the running program is Python, and not a program that Python is built into."""
    return Path(sys.executable or "").stem.lower().startswith("python")


class HelperProcesses(ClosesOnExit):
    """Draws in other processes, which are started when they are needed."""

    def __init__(self, most: int, slot_bytes: int) -> None:
        """Starts nothing yet.

        Args:
            most: processes.
            slot_bytes: room for the arrays of a frame; what does not fit takes longer.
        """
        self._count, self._slot_bytes = most, slot_bytes
        self._running: list[_Helper] = []

    def start(self) -> None:
        """Starts those that do not run."""
        try:
            while len(self._running) < self._count:
                self._running.append(_Helper(self._slot_bytes))
        except OSError as error:  # too many processes, or a full disk
            _log.warning("no further process can be started to draw in: %s", error.strerror or error)
            self._count = len(self._running)

    def draw(
        self, engine: Engine, acts: Iterable[DrawRequest | None], reference: MotionFrame
    ) -> Iterator[Animation | None]:
        """The frames that are asked for, in order; None where nothing is asked for.

        Where no helper was started, the engine draws them in this process.

        Args:
            engine: a portable one.
            acts: read ahead by some frames.
            reference: the performance's reference frame.
        """
        running, waiting = self._running, deque[tuple[DrawRequest | None, _Helper | None]]()
        try:
            for number, act in enumerate(acts):
                helper = running[number % len(running)] if act is not None and running else None
                if act is not None and helper is not None:
                    helper.ask(engine, act, reference)
                waiting.append((act, helper))
                if len(waiting) >= AHEAD * len(running):
                    yield _answer(engine, *waiting.popleft(), reference)
            while waiting:
                yield _answer(engine, *waiting.popleft(), reference)
        finally:
            for _, helper in waiting:  # a reader that stops early leaves no answers to the next one
                if helper is not None:
                    helper.answer()

    def close(self) -> None:
        """Ends the processes."""
        while self._running:
            self._running.pop().close()


def _answer(
    engine: Engine, act: DrawRequest | None, helper: _Helper | None, reference: MotionFrame
) -> Animation | None:
    """The frame of a request, drawn here where its helper has not."""
    if act is None:
        return None
    return (helper and helper.answer()) or engine.animate_all([act], reference)[0]


class _Helper:
    """One process."""

    def __init__(self, slot_bytes: int) -> None:
        """Starts it.

        Raises:
            OSError: the system refuses, or the disk for temporary files is full.
        """
        size = -(-slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        handle, name = tempfile.mkstemp(prefix=temporary_prefix())
        self._path = Path(name)
        try:
            with os.fdopen(handle, "r+b") as file:
                for _ in range(AHEAD):
                    file.write(bytes(size))  # a file with holes would crash who maps it when the disk is full
                file.flush()
                shared = memoryview(mmap.mmap(file.fileno(), 0))
            slots = tuple(slice(size * number, size * (number + 1)) for number in range(AHEAD))
            self._slots = [shared[part] for part in slots]
            self._program = subprocess.Popen(  # noqa: S603 - this program's own Python
                [sys.executable, "-P", "-c", _BEGIN, *(name or str(Path.cwd()) for name in sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**without_token(), **_KEPT_MEMORY},
                start_new_session=True,  # Ctrl-C goes to the render, which closes it
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except BaseException:
            self._path.unlink()
            raise
        self._setup: DrawingSetup | None = None
        self._asked = 0
        self._is_wanted, self._has_ended = True, False
        self._answers: SimpleQueue[Animation | None] = SimpleQueue()
        self._say(Memory(name, slots), NO_SLOT)
        self._reader = threading.Thread(target=self._read, name="helper", daemon=True)
        self._reader.start()

    def ask(self, engine: Engine, act: DrawRequest, reference: MotionFrame) -> None:
        """Asks for a frame; at most AHEAD are asked for at a time."""
        setup = self._setup
        if setup is None or setup.portrait is not act.portrait or setup.reference is not reference:
            self._setup = DrawingSetup(engine, act.portrait, reference)
            self._say(self._setup, NO_SLOT)
        self._say(replace(act, portrait=None), self._slots[self._asked % AHEAD])
        self._asked += 1

    def answer(self) -> Animation | None:
        """The next frame that was asked for; None where the helper could not draw it or has ended."""
        if self._has_ended and self._answers.empty():
            return None
        return self._answers.get()

    def close(self) -> None:
        """Ends it."""
        self._is_wanted = False
        self._program.kill()
        self._program.wait()
        self._reader.join()
        for stream in (self._program.stdin, self._program.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._path.unlink(missing_ok=True)

    def _say(self, message: object, slot: memoryview) -> None:
        with suppress(OSError):  # it has ended, which is seen by what it answers
            send(self._pipe(self._program.stdin), message, slot)

    def _read(self) -> None:
        """Takes its answers as they come, so that neither side waits for the other."""
        pipe = self._pipe(self._program.stdout)
        with suppress(EOFError, OSError, UnpicklingError):
            receive(pipe, NO_SLOT)
            with suppress(OSError):  # Windows keeps the name of an open file
                self._path.unlink()
            for number in count():
                self._answers.put(receive(pipe, self._slots[number % AHEAD]))
        if self._is_wanted:
            _log.warning(
                "a process that draws has ended (code %s); this one draws its frames", self._program.wait()
            )
        self._has_ended = True
        self._answers.put(None)

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:
            raise BrokenPipeError
        return stream
