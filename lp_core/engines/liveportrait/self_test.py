"""How fast a published model draws here: three frames of images by rule, nothing read from or written to disk."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from lp_core.engines.liveportrait.calibration import sample_of
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.weights import load_for
from lp_core.settings import EngineSettings

FRAMES = 3


@dataclass(frozen=True)
class SelfTest:
    """What three frames took."""

    device: str
    precision: str
    """Of F, W and G."""
    milliseconds: tuple[float, ...]
    """Of each frame: W and G on a prepared source; the first one warms up."""
    is_finite: bool
    """Whether every number of the images was finite."""

    def __str__(self) -> str:
        times = ", ".join(f"{value:.0f}" for value in self.milliseconds)
        fault = "" if self.is_finite else "; its images are not finite"
        return f"on {self.device} in {self.precision}, {self.frames} frames took {times} ms{fault}"

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.milliseconds)


def self_test(settings: EngineSettings, networks: Networks | None = None) -> SelfTest:
    """Loads a model as a render would and draws three frames.

    Args:
        settings: name the model, the device and the precision.
        networks: take the place of those of the settings.

    Raises:
        LpError: it cannot be loaded.
    """
    nets = networks or load_for(settings)
    sample = sample_of(nets)
    taken, is_finite = [], True
    for _ in range(FRAMES):
        start = time.perf_counter()
        shown = nets.generator(nets.warp(sample.source, sample.points).out).cpu()
        taken.append(1000 * (time.perf_counter() - start))
        is_finite = is_finite and bool(torch.isfinite(shown).all())
    precision = "int8" if settings.precision == "int8" else str(nets.dtype).removeprefix("torch.")
    return SelfTest(str(nets.device), precision, tuple(taken), is_finite)
