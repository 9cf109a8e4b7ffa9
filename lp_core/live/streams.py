"""All live streams of a worker, by name: made over HTTP, or asked for by hosts that write files (mailbox)."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lp_core.contexts import ClosesOnExit
from lp_core.errors import NotThere, WorkerError
from lp_core.geometry.warp import reduce
from lp_core.link.ring import RingReader
from lp_core.live.config import StreamConfig
from lp_core.live.scenes import Rgba, over_color
from lp_core.live.stream import LiveStream

_BEAT_S = 0.1
MOST_STREAMS = 16
PREVIEW_SIDE = 640
_GROUND = "#2b2b2b"
_log = logging.getLogger(__name__)


class LiveStreams(ClosesOnExit):
    """Makes, finds and ends streams; keeps their heartbeats going."""

    def __init__(
        self,
        folder: Path,
        watch: Callable[[LiveStreams], None] | None = None,
        admit: Callable[[str], object] = str,
    ) -> None:
        """Begins with no stream.

        Args:
            folder: where rings are made; what dead workers left there is removed.
            watch: is called ten times a second next to the heartbeat.
            admit: is given each file's name before it is opened; raises NotAllowed for what may not be read.
        """
        self.folder = folder
        self._watch, self._admit = watch, admit
        self._streams: dict[str, LiveStream] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.used_at = time.monotonic()
        """When a stream was last there."""
        remove_orphans(folder)
        if watch is not None:
            self._keep()

    def create(self, config: StreamConfig, name: str | None = None) -> LiveStream:
        """Begins a stream.

        Raises:
            WorkerError: there are too many, or the name is taken.
            SettingError: something in the configuration is wrong.
        """
        name = name or secrets.token_hex(8)
        with self._lock:
            if len(self._streams) >= MOST_STREAMS:
                raise WorkerError(f"There are {MOST_STREAMS} live streams already; end one first.")
            if name in self._streams:
                raise WorkerError(f"There is a live stream {name} already; choose another name.")
            stream = LiveStream(name, config, self.folder / f"{name}.ring", self._admit)
            self._streams[name] = stream
            self._keep()
            return stream

    def get(self, name: str) -> LiveStream:
        """A stream by name.

        Raises:
            NotThere: there is none.
        """
        with self._lock:
            found = self._streams.get(name)
        if found is None:
            raise NotThere(f"There is no live stream {name}; list them to see which there are.")
        return found

    def all(self) -> list[LiveStream]:
        """Every stream."""
        with self._lock:
            return list(self._streams.values())

    def delete(self, name: str) -> None:
        """Ends a stream and waits for its threads.

        Raises:
            NotThere: there is none.
        """
        with self._lock:
            stream = self.get(name)
            del self._streams[name]
        stream.close()

    def close(self) -> None:
        """Ends all; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for stream in self.all():
            with contextlib.suppress(NotThere):  # it may be ending just now
                self.delete(stream.name)

    def _keep(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="live-keeper", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(_BEAT_S):
            streams = self.all()
            if streams:
                self.used_at = time.monotonic()
            for stream in streams:
                stream.beat()
            if self._watch is not None:
                try:
                    self._watch(self)
                except Exception:  # noqa: BLE001 - logged; without the thread every stream would seem dead
                    _log.exception("The files that ask for live streams cannot be read")


def remove_orphans(folder: Path) -> None:
    """Takes away the rings of workers that were killed."""
    for path in folder.glob("*.ring"):
        try:
            with RingReader(path) as ring:
                pid = ring.pid
        except WorkerError:
            continue
        if not is_running(pid):
            path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Whether a process is there; True where the system has no harmless way to ask."""
    if pid <= 0 or sys.platform == "win32":
        return pid > 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def preview(stream: LiveStream, quality: int = 80) -> bytes | None:
    """The newest image as JPEG over dark gray, at most PREVIEW_SIDE large; None before the first."""
    picture = stream.picture
    return None if picture is None else encode(picture, quality)


def encode(picture: Rgba, quality: int) -> bytes:
    """An image as JPEG over dark gray."""
    scale = PREVIEW_SIDE / max(picture.shape[:2])
    small = reduce(picture, scale) if scale < 1 else picture
    solid = small if int(small[..., 3].min()) == 255 else over_color(small, _GROUND)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(solid, cv2.COLOR_RGBA2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return bytes(np.asarray(data))


def previews(stream: LiveStream, is_wanted: Callable[[], bool], fps: float = 15.0) -> Iterator[bytes]:
    """New images as JPEG, at most so many a second, while they are wanted."""
    last: Any = None
    while is_wanted():
        picture = stream.picture
        if picture is not None and picture is not last:
            last = picture
            yield encode(picture, 75)
        time.sleep(1 / fps)
