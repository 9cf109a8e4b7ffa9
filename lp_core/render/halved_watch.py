"""The faces of a long clip: those of its second half are read at the same time as those of the first.

A landmarker that follows a face takes one frame after the other and keeps one core busy. So a second one begins in the
middle of the clip. It begins WARM_UP frames early: by then the window it looks into and its filter in time have
settled, and its readings differ from those of a single landmarker no more than they do later on
(benchmarks/landmarker_halves.py). Only a face that is alone is read like this. Who is who among several depends on the
frames before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.cores import usable_cores
from lp_core.errors import LpError
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.frame import ClipInfo
from lp_core.media.base import FrameSource
from lp_core.render.face_watch import FaceWatch
from lp_core.render.pipeline import ReadAhead

WARM_UP = 40
"""Frames that the second landmarker reads before those that count."""
LEAST_FRAMES = 4 * WARM_UP
"""Clips that are shorter are read by one landmarker."""
SMALL_PX = 640 * 480
"""Larger frames keep two cores busy with one landmarker and their decoding (benchmarks/landmarker_halves.py)."""
MOST_FRAMES = 1000
"""Frames whose faces wait in memory at most, 12 MB; of a longer clip so many at its end are read early."""


def gains_by_halves(info: ClipInfo) -> bool:
    """Whether reading a clip in two halves takes less time on this machine."""
    is_long = not info.is_still and (info.frame_count or 0) >= LEAST_FRAMES
    return is_long and usable_cores() >= (2 if info.width * info.height <= SMALL_PX else 3)


class HalvedWatch(ClosesOnExit):
    """A ``FaceWatch`` for the frames of a clip in order, of which another one reads the second half early."""

    def __init__(
        self,
        open_analyzer: Callable[[int], FaceAnalyzer],
        open_source: Callable[[], FrameSource],
        frame_count: int,
    ) -> None:
        """Begins to read both halves.

        Args:
            open_analyzer: opens a landmarker for at most so many faces.
            open_source: opens the clip.
            frame_count: its length; a wrong one makes the reading slower, not wrong.
        """
        self._watch = FaceWatch(open_analyzer)
        self._first = max((frame_count + WARM_UP) // 2, frame_count - MOST_FRAMES)
        self._stop = threading.Event()
        self._later = ReadAhead(self._read_later(open_analyzer, open_source), MOST_FRAMES, "later faces")
        self._number = 0
        self._is_later = False

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None) -> list[Face]:
        """The faces of the next frame; see ``FaceWatch.analyze``."""
        number, self._number = self._number, self._number + 1
        found = next(self._later, None) if number >= self._first else None
        if found is not None:
            self._is_later = True
            return found
        if self._is_later:  # this watch has not seen the frames before
            self._is_later = False
            self._watch.start_over()
        return self._watch.analyze(picture, time_ms)

    def tell(self, faces: list[Face], followed: Face | None) -> None:
        """Takes what came of the frame; see ``FaceWatch.tell``."""
        self._watch.tell(faces, followed)
        if self._is_later and followed is None:  # alone, but another person
            self._close_later()

    def close(self) -> None:
        """Releases the landmarkers; may be called twice."""
        self._close_later()
        self._watch.close()

    def _close_later(self) -> None:
        self._stop.set()
        self._later.close()

    def _read_later(
        self, open_analyzer: Callable[[int], FaceAnalyzer], open_source: Callable[[], FrameSource]
    ) -> Iterator[list[Face]]:
        """The faces of the second half's frames in order, up to the first frame that does not show one lone face."""
        try:
            with FaceWatch(open_analyzer) as watch, open_source() as source:
                for number, frame in enumerate(source):
                    if self._stop.is_set():
                        return
                    if number < self._first - WARM_UP:
                        continue
                    faces = watch.analyze(frame.as_rgb8(), frame.time_ms)
                    if number >= self._first:
                        yield faces
                    if len(faces) != 1:
                        return
                    watch.tell(faces, faces[0])
        except LpError:
            return  # reading goes on with the first landmarker, which meets and reports the same fault
