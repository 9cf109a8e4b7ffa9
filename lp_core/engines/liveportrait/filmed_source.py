"""What must be known of a filmed source before its first image: a plan, as plain arrays that can be stored.

Three settings need one. ``steady_eyes`` takes the first frame's eyes as its aim, ``lipsync`` the lips at rest.
``official_compat`` lays the performance onto all frames of the source together, for the
published smoother runs over the whole shot, and back; a plan then takes about a kilobyte a frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lp_core.engines.base import Tuning
from lp_core.motion.implicit.motion import F64, ImplicitMotion
from lp_core.motion.implicit.transfer import TransferOptions, transfer_filmed

FilmedPlan = Tuning
"""Name -> array, see below; empty for a still."""

EYE_TARGET = "eye_target"
"""() openness that the eyes keep."""
RESTING = "resting"
"""(21, 3) expression with the lips at rest, where another voice replaces the plate's mouth."""
FRAMES = "frames"
"""(N,) int64 numbers of the source's frames that are planned, rising."""
_MOTION = {"rotation": (3, 3), "expression": (21, 3), "scale": (), "translation": (3,)}


def plan_motion(
    frames: Sequence[int],
    sources: Sequence[ImplicitMotion],
    played: Iterable[tuple[ImplicitMotion, ImplicitMotion]],
    options: TransferOptions,
    is_clip: bool,
) -> FilmedPlan:
    """The motion of a filmed source by the published rule.

    Args:
        frames: numbers of the source's frames that show the face.
        sources: its own states there.
        played: the performance there, and its reference.
        options: of the transfer, official.
        is_clip: the performance is a clip; False: one image, which needs no smoothing.
    """
    pairs = list(played)
    reference = pairs[0][1]
    driving = [performance for performance, _ in pairs] if is_clip else [pairs[0][0]]
    moved = transfer_filmed(sources, driving, reference, options)
    arrays = {name: np.stack([np.asarray(getattr(m, name), np.float64) for m in moved]) for name in _MOTION}
    return {FRAMES: np.array(frames, np.int64), **arrays}


def planned_motion(plan: FilmedPlan, index: int) -> ImplicitMotion | None:
    """The planned motion of a frame of the source; None where there is no plan for it."""
    if FRAMES not in plan:
        return None
    row = int(np.searchsorted(plan[FRAMES], index))
    if row == len(plan[FRAMES]) or plan[FRAMES][row] != index:
        return None
    values: dict[str, F64] = {name: np.array(plan[name][row], np.float64) for name in _MOTION}
    return ImplicitMotion(
        values["rotation"], values["expression"], float(values["scale"]), values["translation"]
    )


def eye_target(plan: FilmedPlan) -> float | None:
    """The openness that the eyes keep; None where they follow the performance."""
    return float(plan[EYE_TARGET]) if EYE_TARGET in plan else None
