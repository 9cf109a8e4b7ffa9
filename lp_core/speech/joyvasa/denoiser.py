"""The network that turns noise and sound into motion; attribute names are those of the published checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from lp_core.speech.joyvasa.hubert import Hubert, HubertSizes

MOTION = 70
"""Numbers of a frame: 63 of the expression, scale, 3 of the place, pitch, yaw and roll."""
HEADS, LAYERS = 8, 8
POSITIONS, STEP_ROWS = 600, 501
"""Rows of the tables of positions and of steps."""


@dataclass(frozen=True)
class JoyvasaSizes:
    """What a checkpoint's ``args`` say."""

    frames: int = 100
    """Frames of a window."""
    before: int = 10
    """Frames of the window before that are seen again."""
    width: int = 256
    """Width of the network."""
    motion: int = MOTION
    """Numbers of a frame."""
    steps: int = 500
    """Steps of the diffusion."""
    fps: int = 25
    """Frames per second."""
    pad_mode: str = "zero"
    """What follows the end of the sound: zero, or replicate, its last sample."""


def sinusoids(rows: int, width: int) -> torch.Tensor:
    """(1, rows, width) the usual table of sines and cosines, base 10000."""
    position = torch.arange(rows, dtype=torch.float32)[:, None]
    factor = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    table = torch.zeros(rows, width)
    table[:, 0::2], table[:, 1::2] = torch.sin(position * factor), torch.cos(position * factor)
    return table[None]


class _Table(nn.Module):
    """A table of sinusoids."""

    pe: torch.Tensor

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.register_buffer("pe", sinusoids(rows, width))


class DenoisingNetwork(nn.Module):
    """Predicts the clean motion of a window."""

    alignment_mask: torch.Tensor

    def __init__(self, sizes: JoyvasaSizes) -> None:
        super().__init__()
        width, self._sizes = sizes.width, sizes
        self.TE = _Table(STEP_ROWS, width)
        self.PE = _Table(POSITIONS, width)
        self.diff_step_map = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.feature_proj = nn.Linear(sizes.motion, width)
        layer = nn.TransformerDecoderLayer(width, HEADS, 4 * width, activation="gelu", batch_first=True)
        self.transformer = nn.TransformerDecoder(layer, LAYERS)
        self.motion_dec = nn.Sequential(
            nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, sizes.motion)
        )
        rows = sizes.before + sizes.frames
        self.register_buffer("alignment_mask", ~torch.eye(rows, dtype=torch.bool))

    def forward(
        self,
        noisy: torch.Tensor,
        sound: torch.Tensor,
        motion_before: torch.Tensor,
        sound_before: torch.Tensor,
        step: torch.Tensor,
    ) -> torch.Tensor:
        """The clean motion.

        Args:
            noisy: (B, frames, motion).
            sound: (B, frames, width) features.
            motion_before: (B, before, motion) of the window before.
            sound_before: (B, before, width) of the window before.
            step: (B,) int64 of the diffusion.

        Returns:
            (B, before + frames, motion); the last ``frames`` count.
        """
        moved = self.feature_proj(torch.cat([motion_before, noisy], dim=1))
        moved = moved + self.PE.pe[:, : moved.shape[1]] + self.diff_step_map(self.TE.pe[0, step])[:, None]
        heard = torch.cat([sound_before, sound], dim=1)
        result: torch.Tensor = self.motion_dec(
            self.transformer(moved, heard, memory_mask=self.alignment_mask)
        )
        return result


class JoyvasaNetwork(nn.Module):
    """Everything that a checkpoint holds."""

    def __init__(self, sizes: JoyvasaSizes, hubert: HubertSizes | None = None) -> None:
        super().__init__()
        hubert = hubert or HubertSizes()
        self.sizes = sizes
        self.audio_encoder = Hubert(hubert)
        self.audio_feature_map = nn.Linear(hubert.width, sizes.width)
        self.start_motion_feat = nn.Parameter(torch.zeros(1, sizes.before, sizes.motion))
        self.start_audio_feat = nn.Parameter(torch.zeros(1, sizes.before, sizes.width))
        self.null_audio_feat = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.denoising_net = DenoisingNetwork(sizes)
