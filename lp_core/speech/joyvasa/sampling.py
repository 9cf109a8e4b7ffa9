"""Motion sampled from sound, window by window, by diffusion with classifier-free guidance.

The same seed gives the same motion.

Source: Ho et al., "Denoising Diffusion Probabilistic Models", 2020; cosine schedule of Nichol and Dhariwal, 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lp_core.speech.joyvasa.denoiser import JoyvasaNetwork, JoyvasaSizes
from lp_core.speech.sound import MonoSound

F32 = NDArray[np.float32]

RATE = 16000
UNIT, EXTRA = 320, 80
"""Samples per row of the encoder, and the samples more that its first convolution needs."""
GUIDANCE = 2.8
"""How much the sound counts against no sound."""
_S, _LEAST, _MOST = 0.008, 1e-4, 0.999


@dataclass(frozen=True)
class DiffusionSteps:
    """The variances of the diffusion, each (steps + 1,), step 0 is the clean motion."""

    beta: NDArray[np.float64]
    """Variance that a step adds."""
    alpha_bar: NDArray[np.float64]
    """Share of the clean motion's variance that is left after a step."""

    @classmethod
    def cosine(cls, steps: int) -> DiffusionSteps:
        """The cosine schedule."""
        at = np.arange(steps + 1) / steps
        bar = np.cos((at + _S) / (1 + _S) * np.pi / 2) ** 2
        beta = np.concatenate([[0.0], np.clip(1 - bar[1:] / bar[:-1], _LEAST, _MOST)])
        return cls(beta, np.exp(np.cumsum(np.log(1 - beta))))

    def back(self, step: int, noisy: torch.Tensor, clean: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The motion one step less noisy.

        Args:
            step: 1..steps.
            noisy: at that step.
            clean: what the network predicts.
            noise: standard normal; not used at step 1.
        """
        bar, before, beta = self.alpha_bar[step], self.alpha_bar[step - 1], self.beta[step]
        of_noisy = (1 - before) * math.sqrt(1 - beta) / (1 - bar)
        of_clean = beta * math.sqrt(before) / (1 - bar)
        sigma = math.sqrt((1 - before) / (1 - bar) * beta) if step > 1 else 0.0
        result: torch.Tensor = of_noisy * noisy + of_clean * clean + sigma * noise
        return result


def padded(samples: torch.Tensor) -> torch.Tensor:
    """(B, n + 2 side) sound with as much more at both ends as the encoder's rows need."""
    length = samples.shape[1]
    side = math.ceil((UNIT * (length // UNIT) + EXTRA - length) / 2)
    if side <= 0:
        return samples
    half = side // 2
    for _ in range(2 if half else 0):
        samples = functional.pad(samples[:, None], (half, half), mode="reflect")[:, 0]
    return functional.pad(samples[:, None], (1, 1), mode="replicate")[:, 0] if side % 2 else samples


def sound_features(network: JoyvasaNetwork, samples: torch.Tensor) -> torch.Tensor:
    """(B, frames, width) features of (B, n) windows of sound."""
    frames = network.sizes.frames
    hidden = network.audio_encoder(padded(samples), 2 * frames)
    even = functional.interpolate(hidden.transpose(1, 2), size=frames, mode="linear", align_corners=False)
    result: torch.Tensor = network.audio_feature_map(even.transpose(1, 2))
    return result


def windows(sound: MonoSound, sizes: JoyvasaSizes) -> Iterator[tuple[F32, int]]:
    """Windows of sound and how many of their frames count; the last one is filled up."""
    length = sizes.frames * RATE // sizes.fps
    total = math.ceil(len(sound) * sizes.fps / RATE)
    for start in range(0, len(sound), length):
        part = sound.part(start, min(start + length, len(sound)))
        missing = length - len(part)
        last = part[-1] if sizes.pad_mode == "replicate" and len(part) else np.float32(0)
        filled = np.concatenate([part, np.full(missing, last, np.float32)]) if missing else part
        counted = min(sizes.frames, total - start * sizes.fps // RATE)
        if counted > 0:
            yield filled.astype(np.float32), counted


@torch.inference_mode()
def sample_motion(
    network: JoyvasaNetwork,
    sound: MonoSound,
    seed: int,
    guidance: float = GUIDANCE,
    step: Callable[[float], None] | None = None,
) -> F32:
    """(frames, motion) of a sound, in the checkpoint's normalized units.

    Args:
        network: in evaluation mode.
        sound: the voice.
        seed: of all noise.
        guidance: how much the sound counts.
        step: told the share that is done, 0..1.
    """
    sizes, schedule = network.sizes, DiffusionSteps.cosine(network.sizes.steps)
    generator = torch.Generator().manual_seed(seed)
    device = network.start_motion_feat.device
    start = torch.randn((1, sizes.frames, sizes.motion), generator=generator)
    motion_before: torch.Tensor = network.start_motion_feat
    sound_before: torch.Tensor = network.start_audio_feat
    found = []
    number_of = max(-(-len(sound) * sizes.fps // (RATE * sizes.frames)), 1)
    for number, (part, counted) in enumerate(windows(sound, sizes)):
        heard = sound_features(network, torch.from_numpy(part)[None].to(device))
        moved = start.to(device)
        for index in range(sizes.steps, 0, -1):
            clean = _clean(network, moved, heard, motion_before, sound_before, index, guidance)
            noise = torch.randn(start.shape, generator=generator).to(device)
            moved = schedule.back(index, moved, clean, noise)
        found.append(moved[0, :counted].float().cpu().numpy())
        motion_before, sound_before = moved[:, -sizes.before :], heard[:, -sizes.before :]
        if step is not None:
            step((number + 1) / number_of)
    return np.concatenate([np.zeros((0, sizes.motion), np.float32), *found])


def _clean(
    network: JoyvasaNetwork,
    noisy: torch.Tensor,
    sound: torch.Tensor,
    motion_before: torch.Tensor,
    sound_before: torch.Tensor,
    index: int,
    guidance: float,
) -> torch.Tensor:
    """The clean motion of a window, guided away from what it would be without sound."""
    silent = network.null_audio_feat.expand_as(sound)
    steps = torch.full((2,), index, dtype=torch.int64, device=noisy.device)
    without, with_sound = network.denoising_net(
        noisy.expand(2, -1, -1),
        torch.cat([silent, sound]),
        motion_before.expand(2, -1, -1),
        sound_before.expand(2, -1, -1),
        steps,
    )[:, -network.sizes.frames :].chunk(2)
    guided: torch.Tensor = without + guidance * (with_sound - without)
    return guided
