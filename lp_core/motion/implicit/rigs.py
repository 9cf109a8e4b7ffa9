"""The conventions of the implicit key-point rigs, as data: code reads a rig's row and never asks for its name.

Convention:
    Key points are rows (x, y, z) in grid units, see ``lp_core.motion.implicit.motion``. Rotations act on rows from
    the right. With the right-handed column matrices Rx, Ry, Rz, a rig whose ``turns`` is 'zyx' has the column form
    R = Rz Ry Rx, one whose ``turns`` is 'xyz' has R = Rx Ry Rz.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.motion.implicit.regions import EXPRESSION_MASK, EYES, KEYPOINTS, LIPS

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class ImplicitRig:
    """How the numbers of one family of weights are meant."""

    name: str
    """Name in motion files; motion of one rig is never played by another."""
    keypoints: int
    """Number of key points K."""
    scales: int
    """Numbers of the head's size: 1, or 3 for x, y and z."""
    first_bin_degrees: float
    """Angle of bin 0 of the pose heads."""
    half_turn: float
    """What the weights were trained to take for pi."""
    turns: str
    """'zyx' or 'xyz', see the module."""
    is_expression_turned: bool
    """True: the expression is added before the rotation, in the face's own axes; False: after it."""
    gives_pose: bool
    """True: a performance moves the head; False: it changes the expression alone."""
    replacement: F64
    """(K, 3) share of the performance where it replaces the source's expression, 0..1."""
    groups: Mapping[str, tuple[int, ...]]
    """Region of the face -> its key points."""

    def mask(self, group: str) -> NDArray[np.bool_]:
        """(K, 3) True for the components of a group; all False where the rig has no such group."""
        mask = np.zeros((self.keypoints, 3), bool)
        mask[list(self.groups.get(group, ()))] = True
        return mask


def _fixed(array: NDArray[Any]) -> F64:
    wide = np.array(array, np.float64)
    wide.flags.writeable = False
    return wide


def _recast_shares() -> F64:
    """Shares of PerformRecast's replacement: the width of cheeks and jaw stays the plate's."""
    shares = np.ones((49, 3))
    shares[[31, 32, 33, 36, 37, 38]] = 0.7, 0.7, 0.0
    shares[44:47] = 0.0, 0.8, 0.0
    return _fixed(shares)


LIVEPORTRAIT21 = ImplicitRig(
    name="liveportrait21",
    keypoints=KEYPOINTS,
    scales=1,
    first_bin_degrees=-97.5,
    half_turn=math.pi,
    turns="zyx",
    is_expression_turned=False,
    gives_pose=True,
    replacement=_fixed(EXPRESSION_MASK),
    groups=MappingProxyType({"lips": LIPS, "eyes": EYES}),
)
ANIMALS21 = ImplicitRig(
    name="liveportrait21-animals",
    keypoints=KEYPOINTS,
    scales=1,
    first_bin_degrees=-97.5,
    half_turn=math.pi,
    turns="zyx",
    is_expression_turned=False,
    gives_pose=True,
    replacement=_fixed(np.ones((KEYPOINTS, 3))),
    groups=LIVEPORTRAIT21.groups,
)
PERFORMRECAST49 = ImplicitRig(
    name="performrecast49",
    keypoints=49,
    scales=3,
    first_bin_degrees=-99.0,
    half_turn=3.14,
    turns="xyz",
    is_expression_turned=True,
    gives_pose=False,
    replacement=_recast_shares(),
    groups=MappingProxyType(
        {
            "lips": (*range(8), 44, 45, 46),
            "eyes": (27, 28, 47, 48),
            "gaze": (47, 48),
            "brows": tuple(range(8, 27)),
            "cheeks": tuple(range(29, 39)),
            "nose": tuple(range(39, 44)),
        }
    ),
)
"""Source of the groups: the regions that the authors listed in their repository's first commits."""

IMPLICIT_RIGS = {rig.name: rig for rig in (LIVEPORTRAIT21, ANIMALS21, PERFORMRECAST49)}
"""All implicit rigs by name."""


def implicit_rig(name: str) -> ImplicitRig:
    """The rig of a name.

    Raises:
        MotionError: there is none.
    """
    if name not in IMPLICIT_RIGS:
        raise MotionError(f"The rig '{name}' is not known; choose one of: {', '.join(IMPLICIT_RIGS)}.")
    return IMPLICIT_RIGS[name]
