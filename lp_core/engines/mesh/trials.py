"""Trial images of a portrait: drawn, and read with the landmarker that read the performer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.engines.base import Animation, DrawRequest, TrialFrame
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.motion.landmarks.transfer import Nudge

READERS = 2
"""Images read at the same time, while others are drawn."""
UNRELATED_MS = 100_000
"""Time between trial images as the analyzer sees it: so far apart that it does not smooth across them."""


class Trials(ClosesOnExit):
    """Draws a portrait and reads its face."""

    def __init__(
        self,
        portrait: MeshPortrait,
        draw: Callable[[Iterable[DrawRequest]], Iterator[Animation]],
        open_analyzer: Callable[[], FaceAnalyzer],
    ) -> None:
        """Opens nothing yet.

        Args:
            portrait: the face that is drawn.
            draw: gives the images that are asked for, in order.
            open_analyzer: gives an analyzer of the kind that read the performance.
        """
        self._portrait, self._draw, self._open_analyzer = portrait, draw, open_analyzer
        self._readers: list[_Reader] = []

    def read(self, wanted: Sequence[tuple[TrialFrame, Nudge]]) -> list[Face | None]:
        """The largest face of each image, None where there is none.

        Args:
            wanted: frames of the performance, and what is added to each.
        """
        self._readers = self._readers or [_Reader(self._open_analyzer) for _ in range(READERS)]
        asked = (
            DrawRequest(self._portrait, frame.motion, frame.driving, pixels_alone=True, nudge=nudge)
            for frame, nudge in wanted
        )
        drawn = zip(cycle(self._readers), self._draw(asked), strict=False)
        reading = [reader.start(animation.pixels) for reader, animation in drawn]
        return [face.result() for face in reading]

    def close(self) -> None:
        """Closes the analyzers."""
        for reader in self._readers:
            reader.close()


class _Reader:
    """An analyzer in a thread that nothing else runs in; which images it reads does not depend on their pace."""

    def __init__(self, open_analyzer: Callable[[], FaceAnalyzer]) -> None:
        self._pool = ThreadPoolExecutor(1, "calibrate")
        self._analyzer = self._pool.submit(open_analyzer)
        self._times_ms = count(step=UNRELATED_MS)

    def start(self, pixels: NDArray[Any]) -> Future[Face | None]:
        """The largest face of an image (H, W, 3) uint8, once it is read."""
        return self._pool.submit(self._read, pixels)

    def _read(self, pixels: NDArray[np.uint8]) -> Face | None:
        faces = self._analyzer.result().analyze(pixels, next(self._times_ms))
        return max(faces, key=lambda face: face.box.area, default=None)

    def close(self) -> None:
        """Waits for what it was asked to read."""
        self._pool.shutdown()
        if self._analyzer.exception() is None:
            self._analyzer.result().close()
