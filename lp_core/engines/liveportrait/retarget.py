"""From driven key points to what the warp gets: driving option, eye and lip offsets, stitching, multiplier.

By default a setting does what its name says. ``official_compat`` gives the published pipeline's numbers,
whose surprises are: 'expression-friendly' changes nothing; eye or lip retargeting in relative mode throws
the driver's motion away; the eyes follow the driver's first eye only; offsets for resting lips and for the
eyes of a filmed source are dropped as soon as either kind of retargeting is on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.motion.implicit.motion import F64, ImplicitMotion, transform_keypoints
from lp_core.motion.implicit.regions import EYE_MASK, KEYPOINTS, LIP_MASK
from lp_core.motion.implicit.transfer import TransferOptions, transfer

RESTING_LIPS = 0.03
"""Lip ratio from which a source's mouth counts as open."""
CLOSED_EYES = 0.18
"""Eye ratio under which a filmed source's first frame counts as blinking."""
OPEN_EYES = 0.39
"""Eye ratio aimed at then."""


class KeypointNetworks(Protocol):
    """The three small networks, on flat float32 inputs of a batch."""

    def stitching(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 126) -> (B, 65)."""
        ...

    def eye(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 66) -> (B, 63)."""
        ...

    def lip(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 65) -> (B, 63)."""
        ...


@dataclass(frozen=True)
class RetargetOptions:
    """What happens to driven key points before the warp."""

    stitching: bool = True
    """Let the shoulders stay where they are."""
    eye_retargeting: bool = False
    """Open the eyes as far as the driver's, measured by ratios instead of by motion."""
    lip_retargeting: bool = False
    """The same for the lips."""
    normalise_lips: bool = False
    """Close the mouth of a source that was taken with open lips; relative motion only."""
    multiplier: float = 1.0
    """Strength of the whole motion."""
    official_compat: bool = False
    """The published pipeline's numbers, surprises included."""

    @property
    def is_retargeting(self) -> bool:
        """True where any ratio drives."""
        return self.eye_retargeting or self.lip_retargeting


@dataclass(frozen=True)
class Ratios:
    """Openness of eyes and lips over N frames."""

    eyes: F64
    """(N, 2) lid gap over eye width, first and second eye."""
    lips: F64
    """(N,) inner lip gap over mouth width."""


def _tensor(*parts: F64) -> torch.Tensor:
    rows = max(len(part) for part in parts)
    flat = [np.broadcast_to(part.reshape(len(part), -1), (rows, part[0].size)) for part in parts]
    return torch.from_numpy(np.concatenate(flat, axis=1).astype(np.float32))


def _points(offsets: torch.Tensor) -> F64:
    return offsets.numpy().astype(np.float64).reshape(-1, KEYPOINTS, 3)


def stitched(networks: KeypointNetworks, source: F64, driven: F64) -> F64:
    """Stitches driven key points to the source's.

    Args:
        networks: the small networks.
        source: (N or 1, 21, 3) transformed key points of the source.
        driven: (N, 21, 3).

    Returns:
        (N, 21, 3): the network's offsets added, and its common shift in x and y.
    """
    offsets = networks.stitching(_tensor(source, driven)).numpy().astype(np.float64)
    result = driven + offsets[:, :-2].reshape(-1, KEYPOINTS, 3)
    result[..., :2] += offsets[:, None, -2:]
    return result


def eye_offsets(networks: KeypointNetworks, source: F64, eyes: F64, target: F64) -> F64:
    """(N, 21, 3) offsets that open the eyes to a ratio.

    Args:
        networks: the small networks.
        source: (N or 1, 21, 3) transformed key points of the source.
        eyes: (N or 1, 2) the source's ratios.
        target: (N,) wanted ratio.
    """
    return _points(networks.eye(_tensor(source, eyes, target)))


def lip_offsets(networks: KeypointNetworks, source: F64, lips: F64, target: F64) -> F64:
    """(N, 21, 3) offsets that open the lips to a ratio; as ``eye_offsets``, ``lips`` (N or 1,)."""
    return _points(networks.lip(_tensor(source, lips, target)))


def steady_eye_target(first_eyes: NDArray[Any]) -> float:
    """Eye ratio that a filmed source keeps: its first frame's, or open eyes where it blinks there.

    Args:
        first_eyes: (2,) ratios of the first frame.
    """
    mean = float(np.mean(first_eyes))
    return OPEN_EYES if mean < CLOSED_EYES else mean


def finish(
    networks: KeypointNetworks,
    source: F64,
    driven: F64,
    options: RetargetOptions,
    is_relative: bool,
    source_ratios: Ratios,
    driving_ratios: Ratios | None = None,
    eye_target: float | None = None,
) -> F64:
    """The key points that the warp gets.

    Args:
        networks: the small networks.
        source: (N or 1, 21, 3) transformed key points of the source.
        driven: (N, 21, 3) key points after the transfer; where a kind of retargeting is on, made of motion
            that ``held_for_retargeting`` has prepared.
        options: what is done.
        is_relative: the motion is relative.
        source_ratios: of the source, N or 1 frames.
        driving_ratios: of the performance, N frames; needed by retargeting.
        eye_target: of ``steady_eye_target``, for a filmed source whose eyes are to stay open.

    Raises:
        SettingError: retargeting is on and the performance carries no ratios.
    """
    before, after = np.zeros_like(driven), np.zeros_like(driven)
    is_dropped = options.official_compat and options.is_retargeting
    if options.is_retargeting:
        before = _retargeting(networks, source, options, source_ratios, driving_ratios)
    if options.normalise_lips and is_relative and not (options.lip_retargeting or is_dropped):
        is_open = source_ratios.lips >= RESTING_LIPS
        closing = lip_offsets(networks, source, source_ratios.lips, np.zeros(1))
        after = after + np.where(is_open[:, None, None], closing, 0.0)
    if eye_target is not None and not (options.eye_retargeting or is_dropped):
        after = after + eye_offsets(networks, source, source_ratios.eyes, np.array([eye_target]))
    base = np.broadcast_to(source, driven.shape) if is_dropped and is_relative else driven
    moved = base + before
    if options.stitching:
        moved = stitched(networks, source, moved)
    return source + (moved + after - source) * options.multiplier


def _retargeting(
    networks: KeypointNetworks,
    source: F64,
    options: RetargetOptions,
    source_ratios: Ratios,
    driving_ratios: Ratios | None,
) -> F64:
    if driving_ratios is None:
        raise SettingError(
            "Eye and lip retargeting need the performance's eye and lip ratios, which it does not carry; "
            "switch them off or extract the motion from the driving clip."
        )
    offsets = np.zeros((1, KEYPOINTS, 3))
    if options.eye_retargeting:
        eyes = driving_ratios.eyes
        target = eyes[:, 0] if options.official_compat else eyes.mean(axis=1)
        offsets = offsets + eye_offsets(networks, source, source_ratios.eyes, target)
    if options.lip_retargeting:
        offsets = offsets + lip_offsets(networks, source, source_ratios.lips, driving_ratios.lips)
    return offsets


def held_for_retargeting(
    moved: ImplicitMotion, source: ImplicitMotion, options: RetargetOptions
) -> ImplicitMotion:
    """Motion without the expression of what ratios will drive, so that nothing is moved twice.

    Args:
        moved: motion after the transfer.
        source: the source's own state.
        options: which retargeting is on; nothing is held with ``official_compat``.
    """
    if options.official_compat or not options.is_retargeting:
        return moved
    mask = np.zeros_like(EYE_MASK)
    if options.eye_retargeting:
        mask = mask | EYE_MASK
    if options.lip_retargeting:
        mask = mask | LIP_MASK
    return replace(moved, expression=np.where(mask, source.expression, moved.expression))


def expression_friendly(
    keypoints: F64,
    source: ImplicitMotion,
    driving: ImplicitMotion,
    reference: ImplicitMotion,
    options: TransferOptions,
) -> F64:
    """Driven key points under the driving option 'expression-friendly', for relative motion of a still.

    The performance is played in the driver's own pose, and what is laid onto the source is how far every
    point has gone from its place at the reference, scaled to the source's size: expressions keep their full
    reach whatever pose the source has. (The published pipeline measures against the already relative first
    frame, which leaves nothing to change; ``official_compat`` does the same.)

    Args:
        keypoints: (21, 3) canonical points of the source.
        source: the source's own state.
        driving: the performance at this frame.
        reference: the performance where it is neutral.
        options: of the transfer, relative.

    Returns:
        (21, 3).
    """
    played = options if options.official_compat else replace(options, is_relative=False)

    def place(performance: ImplicitMotion) -> F64:
        moved = transfer(source, performance, reference, played)
        if not options.official_compat and options.moves_head:
            moved = replace(moved, scale=source.scale * performance.scale / reference.scale)
        return transform_keypoints(keypoints, moved)

    at_rest = transform_keypoints(keypoints, source)
    start = place(reference)
    reach = np.sqrt(hull_volume(at_rest) / hull_volume(start))
    result: F64 = at_rest + (place(driving) - start) * reach
    return result


def hull_volume(points: F64) -> float:
    """Volume of the convex hull of a few points, by trying every triangle as a face.

    Args:
        points: (K, 3), K small; moved by a billionth of their extent so that no four are in one plane.
    """
    extent = np.ptp(points, axis=0).max()
    jitter = np.random.default_rng(0).uniform(-1e-9, 1e-9, points.shape)
    p = points - points.mean(axis=0) + jitter * extent
    a, b, c = np.array(list(combinations(range(len(p)), 3))).T
    normal = np.cross(p[b] - p[a], p[c] - p[a])
    side = np.einsum("fj,fkj->fk", normal, p[None] - p[a][:, None])
    own = np.zeros_like(side, dtype=bool)
    rows = np.arange(len(a))
    for corner in (a, b, c):
        own[rows, corner] = True
    is_face = ((side > 0) | own).all(axis=1) | ((side < 0) | own).all(axis=1)
    heights = np.abs(np.einsum("fj,fj->f", normal, p[a]))
    return float(heights[is_face].sum() / 6.0)
