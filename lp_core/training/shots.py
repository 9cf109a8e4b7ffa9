"""Cuts of a video, found by FFmpeg's scene change detector."""

from __future__ import annotations

from collections.abc import Sequence

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

THRESHOLD = 10.0
"""Of FFmpeg's filter ``scdet``, in percent."""
RATE = 25
"""Of the frames, for the filter; it does not matter."""


class CutFinder:
    """Finds the frames that begin a new shot, as the frames of a video are shown to it in order."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._graph: Graph | None = None
        self._count = 0

    def begins(self, picture: NDArray[np.uint8]) -> bool:
        """Whether a frame, (H, W, 3) RGB, begins a new shot; the first one does not."""
        gray = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        if self._graph is None:
            self._graph = self._opened(*gray.shape)
        frame = av.VideoFrame.from_ndarray(gray, format="gray")
        frame.pts = self._count
        self._graph.vpush(frame)
        is_cut = "lavfi.scd.time" in self._graph.vpull().metadata
        self._count += 1
        return is_cut and self._count > 1

    def _opened(self, height: int, width: int) -> Graph:
        graph = Graph()
        source = graph.add(
            "buffer", f"video_size={width}x{height}:pix_fmt=gray:time_base=1/{RATE}:pixel_aspect=1/1"
        )
        detector = graph.add("scdet", f"threshold={self._threshold}:sc_pass=0")
        graph.link_nodes(source, detector, graph.add("buffersink")).configure()
        return graph


def spans(cuts: Sequence[int], frames: int, most: int) -> list[range]:
    """Shots between cuts; those longer than ``most`` frames are split into equal parts."""
    edges = [0, *(cut for cut in cuts if 0 < cut < frames), frames]
    found = []
    for first, stop in zip(edges, edges[1:], strict=False):
        parts = -(-(stop - first) // most)
        marks = [first + (stop - first) * part // parts for part in range(parts + 1)]
        found += [range(a, b) for a, b in zip(marks, marks[1:], strict=False)]
    return found
