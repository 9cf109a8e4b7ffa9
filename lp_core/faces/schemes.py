"""Landmark layouts and their named groups of points.

Convention:
    "Left" and "right" are the image's, as the viewer sees them, never the person's. Groups named as
    contours are in the order in which a pen would draw them; closed contours do not repeat their first point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.geometry import facemesh
from lp_core.geometry.facemesh import LEFT_EYE, RIGHT_EYE

Indices = tuple[int, ...]


@dataclass(frozen=True)
class Scheme:
    """Where the parts of a face are in one landmark layout; a group it does not have is empty."""

    name: str
    """Name as in ``Face.scheme``."""
    count: int
    """Number of points."""
    face_oval: Indices
    """Outline of the face. 478: closed, from the top of the forehead over the image's right. 68: open, the
    jaw from
    the left ear over the chin to the right ear."""
    lips_outer: Indices
    """Outer lip line, closed, from the left corner along the lower lip."""
    lips_inner: Indices
    """Inner lip line, closed, from the left corner along the lower lip."""
    eye_left: Indices
    """Lid line of the left eye, closed, from its outer corner along the lower lid."""
    eye_right: Indices
    """Lid line of the right eye, closed, from its outer corner along the lower lid."""
    iris_left: Indices
    """Left iris: center, then four points on its rim."""
    iris_right: Indices
    """Right iris: center, then four points on its rim."""
    brow_left: Indices
    """Left brow from its outer end: lower edge, then (478 only) upper edge from the outer end again."""
    brow_right: Indices
    """Right brow from its outer end: lower edge, then (478 only) upper edge from the outer end again."""
    nose_bridge: Indices
    """Middle line of the nose from between the eyes to the tip."""
    nose_base: Indices
    """Lower edge of the nose from the left wing to the right."""
    rigid: Indices
    """Points that expression hardly moves: forehead, bridge, eye corners, temples."""
    eye_gaps_left: tuple[tuple[int, int], ...]
    """(upper, lower) lid points of the left eye whose mean distance is its gap."""
    eye_gaps_right: tuple[tuple[int, int], ...]
    """(upper, lower) lid points of the right eye whose mean distance is its gap."""
    eye_corners_left: tuple[int, int]
    """(outer, inner) corner of the left eye."""
    eye_corners_right: tuple[int, int]
    """(outer, inner) corner of the right eye."""
    lip_gap: tuple[int, int]
    """(upper, lower) middle of the inner lips."""
    lip_corners: tuple[int, int]
    """(left, right) corner of the mouth."""

    def groups(self) -> Mapping[str, Indices]:
        """The flat groups of points by name, without those the layout does not have."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: group for name, group in found.items() if group and name in GROUP_NAMES}


GROUP_NAMES = (
    "face_oval",
    "lips_outer",
    "lips_inner",
    "eye_left",
    "eye_right",
    "iris_left",
    "iris_right",
    "brow_left",
    "brow_right",
    "nose_bridge",
    "nose_base",
    "rigid",
)


def _closed(there: NDArray[np.intp], back: NDArray[np.intp]) -> Indices:
    """A closed contour of two lines that share their ends: along the one, back along the other."""
    return tuple(int(index) for index in [*there, *back[-2:0:-1]])


# fmt: off
MEDIAPIPE478 = Scheme(
    name="mediapipe478",
    count=478,
    face_oval=tuple(facemesh.OVAL.tolist()),
    lips_outer=_closed(facemesh.LIPS_OUTER_LOWER, facemesh.LIPS_OUTER_UPPER),
    lips_inner=_closed(facemesh.LIPS_INNER_LOWER, facemesh.LIPS_INNER_UPPER),
    eye_left=_closed(LEFT_EYE.lower, LEFT_EYE.upper),
    eye_right=_closed(RIGHT_EYE.lower[::-1], RIGHT_EYE.upper[::-1]),
    iris_left=tuple(LEFT_EYE.iris.tolist()),
    iris_right=tuple(RIGHT_EYE.iris.tolist()),
    brow_left=(46, 53, 52, 65, 55, 70, 63, 105, 66, 107),
    brow_right=(276, 283, 282, 295, 285, 300, 293, 334, 296, 336),
    nose_bridge=(168, 6, 197, 195, 5, 4, 1),
    nose_base=(48, 64, 98, 97, 2, 326, 327, 294, 278),
    rigid=tuple(facemesh.RIGID.tolist()),
    eye_gaps_left=((159, 145),),
    eye_gaps_right=((386, 374),),
    eye_corners_left=(33, 133),
    eye_corners_right=(263, 362),
    lip_gap=(13, 14),
    lip_corners=(61, 291),
)
"""MediaPipe Face Landmarker: the 468-point face mesh and two irises of five points."""

IBUG68 = Scheme(
    name="ibug68",
    count=68,
    face_oval=tuple(range(17)),
    lips_outer=(48, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49),
    lips_inner=(60, 67, 66, 65, 64, 63, 62, 61),
    eye_left=(36, 41, 40, 39, 38, 37),
    eye_right=(45, 46, 47, 42, 43, 44),
    iris_left=(),
    iris_right=(),
    brow_left=(17, 18, 19, 20, 21),
    brow_right=(26, 25, 24, 23, 22),
    nose_bridge=(27, 28, 29, 30),
    nose_base=(31, 32, 33, 34, 35),
    rigid=(27, 28, 29, 30, 36, 39, 42, 45),
    eye_gaps_left=((37, 41), (38, 40)),
    eye_gaps_right=((44, 46), (43, 47)),
    eye_corners_left=(36, 39),
    eye_corners_right=(45, 42),
    lip_gap=(62, 66),
    lip_corners=(48, 54),
)
"""The 68-point layout of the iBUG 300-W annotation."""
LIVEPORTRAIT203 = Scheme(
    name="liveportrait203",
    count=203,
    face_oval=(),
    lips_outer=(48, *range(83, 48, -1)),
    lips_inner=(84, *range(107, 84, -1)),
    eye_left=(0, *range(23, 0, -1)),
    eye_right=(24, *range(47, 24, -1)),
    iris_left=(),
    iris_right=(),
    brow_left=(),
    brow_right=(),
    nose_bridge=(),
    nose_base=(),
    rigid=(),
    eye_gaps_left=((6, 18),),
    eye_gaps_right=((30, 42),),
    eye_corners_left=(0, 12),
    eye_corners_right=(24, 36),
    lip_gap=(90, 102),
    lip_corners=(48, 66),
)
"""LivePortrait's own layout, as far as the published pipeline uses it. Gaps and corners are its own; how far the
contours reach and which way they run is inferred."""
# fmt: on

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {scheme.name: scheme for scheme in (MEDIAPIPE478, LIVEPORTRAIT203, IBUG68)}
)
"""Every known layout by name."""


def scheme_of(name: str) -> Scheme:
    """The layout of a name.

    Raises:
        SettingError: the name is not known.
    """
    if name not in SCHEMES:
        raise SettingError(
            f"The landmark layout '{name}' is not known; this version knows: {', '.join(SCHEMES)}."
        )
    return SCHEMES[name]
