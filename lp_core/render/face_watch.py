"""A landmarker that looks for as many faces as the moment needs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.geometry.cuts import Cuts

MANY_FACES = 4
"""Faces looked for while the chosen one is not alone: enough to tell it from the people around it."""


class FaceWatch(ClosesOnExit):
    """Analyzes a clip, looking for one face while the followed face is alone and for several otherwise.

    A landmarker searches every frame again for faces it may find and has not, which takes a sixth of its time;
    with one to find, and found, it only follows. Where the face is lost the next frame is searched for all
    faces again, so that it is not mistaken for another. The first frame after a cut is searched as the first of
    a clip: a landmarker that follows would look at the old place and find nothing before the next frame.
    """

    def __init__(self, open_analyzer: Callable[[int], FaceAnalyzer]) -> None:
        """Opens the first analyzer.

        Args:
            open_analyzer: opens one for at most so many faces.
        """
        self._open = open_analyzer
        self._limit = self._wanted = MANY_FACES
        self._analyzer = open_analyzer(MANY_FACES)
        self._cuts = Cuts()

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None) -> list[Face]:
        """The faces of the next frame; see ``FaceAnalyzer.analyze``."""
        is_new_shot = self._cuts.is_new_shot(picture)
        if is_new_shot:
            self._wanted = MANY_FACES
        if is_new_shot or self._wanted != self._limit:
            self._analyzer.close()
            self._analyzer = self._open(self._wanted)
            self._limit = self._wanted
        return self._analyzer.analyze(picture, time_ms)

    def tell(self, faces: list[Face], followed: Face | None) -> None:
        """Takes what came of the frame; decides how many faces the next one is searched for."""
        if followed is None:
            self._wanted = MANY_FACES
        elif len(faces) == 1:
            self._wanted = 1

    def start_over(self) -> None:
        """Searches the next frame as the first of a clip."""
        self._limit, self._wanted = 0, MANY_FACES

    def close(self) -> None:
        """Releases the analyzer; may be called twice."""
        self._analyzer.close()
