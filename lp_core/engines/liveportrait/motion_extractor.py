"""M: an image to head pose, expression and canonical key points, raw as the heads give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from lp_core.engines.liveportrait.config import MotionConfig
from lp_core.engines.liveportrait.convnext import ConvNext
from lp_core.engines.liveportrait.folding import StateDict


@dataclass(frozen=True)
class RawMotion:
    """What M's heads say, float32; ``lp_core.motion.implicit.motion`` turns it into degrees and points."""

    pitch: Tensor
    """(B, 66) logits over 3-degree bins."""
    yaw: Tensor
    """(B, 66) logits."""
    roll: Tensor
    """(B, 66) logits."""
    t: Tensor
    """(B, 3) translation in grid units; its z is not used by the key-point transform."""
    exp: Tensor
    """(B, 3 K) expression, point by point."""
    scale: Tensor
    """(B, 1 or 3) size of the head."""
    kp: Tensor
    """(B, 3 K) canonical key points, point by point."""


class MotionDetector(ConvNext):
    """Backbone and heads."""

    def __init__(self, config: MotionConfig) -> None:
        super().__init__(config.depths, config.widths)
        width, points = config.widths[-1], 3 * config.keypoints
        self.fc_kp = nn.Linear(width, points)
        self.fc_scale = nn.Linear(width, config.scales)
        self.fc_pitch = nn.Linear(width, config.bins)
        self.fc_yaw = nn.Linear(width, config.bins)
        self.fc_roll = nn.Linear(width, config.bins)
        self.fc_t = nn.Linear(width, 3)
        self.fc_exp = nn.Linear(width, points)

    def forward(self, picture: Tensor) -> RawMotion:
        """(B, 3, H, W) in [0, 1] -> the raw motion."""
        x = self.features(picture)
        return RawMotion(
            pitch=self.fc_pitch(x),
            yaw=self.fc_yaw(x),
            roll=self.fc_roll(x),
            t=self.fc_t(x),
            exp=self.fc_exp(x),
            scale=self.fc_scale(x),
            kp=self.fc_kp(x),
        )


class MotionExtractor(nn.Module):
    """The motion extractor; LivePortrait's checkpoint keeps everything under ``detector``."""

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.detector = MotionDetector(config)

    def forward(self, picture: Tensor) -> RawMotion:
        """Reads the motion of faces.

        Args:
            picture: (B, 3, 256, 256), [0, 1], RGB, display-encoded.
        """
        result: RawMotion = self.detector(picture)
        return result


def fold_motion(state: Mapping[str, Tensor]) -> StateDict:
    """Checkpoint keys of M, with or without ``detector.`` in front, to those of :class:`MotionExtractor`."""
    return {f"detector.{key.removeprefix('detector.')}": value for key, value in state.items()}
