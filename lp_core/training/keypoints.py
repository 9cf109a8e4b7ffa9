"""Key points of a batch, differentiably: the same numbers as ``lp_core.motion.implicit.motion``.

Convention:
    As there: key points are rows (x, y, z) in grid units, a rotation acts on rows from the right, angles are degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lp_core.engines.liveportrait.motion_extractor import RawMotion
from lp_core.motion.implicit.motion import BIN_DEGREES
from lp_core.motion.implicit.rigs import LIVEPORTRAIT21


@dataclass(frozen=True)
class MotionBatch:
    """What M says about a batch of images."""

    canonical: Tensor
    """(B, K, 3) canonical key points."""
    expression: Tensor
    """(B, K, 3) added after the rotation."""
    degrees: Tensor
    """(B, 3) pitch, yaw, roll."""
    rotation: Tensor
    """(B, 3, 3), acting on rows from the right."""
    scale: Tensor
    """(B, 1, 1)."""
    translation: Tensor
    """(B, 1, 3), z is 0."""

    def part(self, first: int, stop: int) -> MotionBatch:
        """Some of the batch."""
        return MotionBatch(*(getattr(self, name)[first:stop] for name in self.__dataclass_fields__))


def bins_to_degrees(logits: Tensor) -> Tensor:
    """(B, bins) logits -> (B,) degrees, the expectation over the bins."""
    bins = torch.arange(logits.shape[-1], dtype=torch.float32, device=logits.device)
    return BIN_DEGREES * (torch.softmax(logits.float(), dim=-1) @ bins) + LIVEPORTRAIT21.first_bin_degrees


def rotation_from_degrees(degrees: Tensor) -> Tensor:
    """(B, 3) pitch, yaw, roll -> (B, 3, 3), as ``lp_core.motion.implicit.motion.rotation_from_degrees``."""
    x, y, z = torch.deg2rad(degrees).unbind(-1)
    (cx, cy, cz), (sx, sy, sz) = (x.cos(), y.cos(), z.cos()), (x.sin(), y.sin(), z.sin())
    rows = (
        (cz * cy, sz * cy, -sy),
        (cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx),
        (cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def motion_batch(raw: RawMotion) -> MotionBatch:
    """The heads of M as angles and points."""
    degrees = torch.stack([bins_to_degrees(head) for head in (raw.pitch, raw.yaw, raw.roll)], dim=-1)
    flat = torch.tensor([1.0, 1.0, 0.0], device=raw.t.device)
    return MotionBatch(
        canonical=raw.kp.float().reshape(len(raw.kp), -1, 3),
        expression=raw.exp.float().reshape(len(raw.exp), -1, 3),
        degrees=degrees,
        rotation=rotation_from_degrees(degrees),
        scale=raw.scale.float()[:, :, None],
        translation=(raw.t.float() * flat)[:, None],
    )


def transformed(canonical: Tensor, motion: MotionBatch) -> Tensor:
    """(B, K, 3) where canonical key points go: scale * (kp @ R + expression) + translation."""
    return motion.scale * (canonical @ motion.rotation + motion.expression) + motion.translation


def relative_motion(source: MotionBatch, driving: MotionBatch, reference: MotionBatch) -> MotionBatch:
    """The source's motion changed by what the driving one differs from its reference, as the engine transfers it."""
    return MotionBatch(
        canonical=source.canonical,
        expression=source.expression + driving.expression - reference.expression,
        degrees=source.degrees,
        rotation=driving.rotation @ reference.rotation.transpose(1, 2) @ source.rotation,
        scale=source.scale * driving.scale / reference.scale,
        translation=source.translation + driving.translation - reference.translation,
    )
