"""The program that draws frames for a render in another process; ``helpers`` starts it.

Its input begins with the shared memory; then come settings, and requests to be drawn under the last of them. It says
``None`` when it is ready, and answers each request in order. The end of its input ends it.
"""

from __future__ import annotations

import mmap
import os
import sys
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np

from lp_core.engines.base import Animation, DrawRequest, Engine
from lp_core.engines.helping.arrays import NO_SLOT, receive, send
from lp_core.errors import LpError
from lp_core.motion.sequence import MotionFrame

_NO_MATTE, _NO_FLOW = np.zeros((0, 0), np.float32), np.zeros((0, 0, 2), np.float32)
"""Take the place of what would be handed over for nothing."""


@dataclass(frozen=True)
class Memory:
    """A file that both processes map."""

    path: str
    """Its name."""
    slots: tuple[slice, ...]
    """Bytes for the arrays of each request and of its answer, which take turns."""


@dataclass(frozen=True)
class DrawingSetup:
    """What requests are drawn with."""

    engine: Engine
    """Draws."""
    portrait: Any
    """Result of its ``prepare``; requests come without it."""
    reference: MotionFrame
    """The performance's reference frame."""


def main() -> None:
    """Draws until its input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    try:
        _draw(sys.stdin.buffer, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the render has ended


def _draw(asked: IO[bytes], answers: IO[bytes]) -> None:
    import cv2  # noqa: PLC0415 - the number of threads is this program's alone

    cv2.setNumThreads(1)  # the other helpers have the other cores
    memory: Memory = receive(asked, NO_SLOT)
    with open(memory.path, "r+b") as file:  # noqa: PTH123 - a file's number is needed
        shared = memoryview(mmap.mmap(file.fileno(), 0))
    send(answers, None, NO_SLOT)
    setup: DrawingSetup | None = None
    number = 0
    while True:
        slot = shared[memory.slots[number % len(memory.slots)]]
        message: DrawingSetup | DrawRequest = receive(asked, slot, own=lambda part: part)
        if isinstance(message, DrawingSetup):
            setup = message
            continue
        send(answers, _drawn(setup, message), slot)
        number += 1


def _drawn(setup: DrawingSetup | None, asked: DrawRequest) -> Animation | None:
    """The frame; None where it cannot be drawn: the render finds out why."""
    if setup is None:
        return None
    try:
        drawn = setup.engine.animate_all([replace(asked, portrait=setup.portrait)], setup.reference)[0]
    except LpError:
        return None
    return replace(drawn, region_matte=_NO_MATTE, region_flow=_NO_FLOW) if asked.pixels_alone else drawn
