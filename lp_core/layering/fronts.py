"""What is in front of a source's face, found by models and steadied over time; see lp_core.render.fronts."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face
from lp_core.faces.occluders import OccluderFinder, front_matte
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.frame import Frame
from lp_core.geometry.fill import filled_around
from lp_core.geometry.steady import MEMORY, SeenPatch, steadied
from lp_core.render.fronts import Front

UNCLEAR = 0.03
"""Part of the face that may be covered by something that cannot be separated, before the summary says so."""
_NOTE = (
    "something covers more than 3 % of the face and cannot be separated, so it moves with the face; give a matte of it "
    "(--holdout FILE)"
)


class SourceFronts:
    """What is in front of the face of each source frame; see lp_core.render.fronts.Fronts for the contract."""

    memory = MEMORY

    def __init__(self) -> None:
        """Opens the models.

        Raises:
            ModelMissing, ModelDamaged: one cannot be used.
        """
        self._stack = ExitStack()
        self._finder = self._stack.enter_context(OccluderFinder())
        self._before: deque[SeenPatch] = deque(maxlen=MEMORY)

    def covered(self, image: NDArray[np.uint8], face: Face) -> tuple[float, float, float]:
        """What is in front of a performer's face; see the contract."""
        if face.scheme != MEDIAPIPE478.name:
            return 0.0, 0.0, 0.0
        return self._finder.look(image, face.landmarks_frame).regions()

    def at(self, frame: Frame, face: Face | None) -> Front:
        """What is in front of the face; see the contract."""
        if face is None or face.scheme != MEDIAPIPE478.name:
            self._before.clear()
            return Front(None, frame)
        image = frame.as_rgb8()
        height, width = image.shape[:2]
        look = self._finder.look(image, face.landmarks_frame)
        seen = SeenPatch.of(image, look.patch)
        values = look.patch.values
        if values.any() or any(one.patch.values.any() for one in self._before):
            values = steadied(seen, tuple(self._before))
        self._before.appendleft(seen)
        matte = front_matte(values, look.patch.box, (width, height))
        note = _NOTE if look.unclear_share > UNCLEAR else ""
        if not matte.any():
            return Front(None, frame, note)
        return Front(matte, replace(frame, pixels=filled_around(frame.pixels, matte > 0)), note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
