"""The contours of a face's regions that landmarks give; see ``lp_core.geometry.face_regions``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError
from lp_core.faces.schemes import IBUG68, Scheme, scheme_of
from lp_core.geometry.face_regions import FaceContours


def contours_of(points: NDArray[Any], scheme_name: str) -> FaceContours:
    """The contours that landmarks give.

    Args:
        points: (P, 2) or (P, 3) landmarks in pixels of the frame.
        scheme_name: their layout.

    Raises:
        FaceError: the layout has no outline of the face.
    """
    scheme, flat = scheme_of(scheme_name), np.asarray(points, np.float64)[:, :2]
    if not scheme.face_oval:
        raise FaceError(f"The landmark layout '{scheme.name}' has no outline of the face; leave regions out.")
    outline = [*scheme.face_oval, *_over_brows(scheme)]
    eyes = flat[list(scheme.eye_left)], flat[list(scheme.eye_right)]
    return FaceContours(flat[outline], eyes, flat[list(scheme.lips_inner)])


def _over_brows(scheme: Scheme) -> tuple[int, ...]:
    """What closes an open jaw line: back over the brows, because there are no points above."""
    if scheme is not IBUG68:
        return ()
    return (*scheme.brow_right, *reversed(scheme.brow_left))
