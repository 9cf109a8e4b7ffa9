"""Stage II of eyes and lips: small networks that open them to a wanted ratio, with F, M, W and G frozen.

How far eyes or lips are open in a drawn image must be known differentiably. A small network reads it; it is fitted
first, on the set's own frames and MediaPipe's landmarks, and refused where it disagrees with them on held-out frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.engines.liveportrait.stitching import KeypointMlp
from lp_core.errors import SettingError
from lp_core.geometry.facemesh import EYES
from lp_core.training.keypoints import motion_batch, transformed
from lp_core.training.losses import area_loss
from lp_core.training.metrics import correlation
from lp_core.training.pairs import LIPS, network_image
from lp_core.training.published import PublishedParameters
from lp_core.training.store import StoredShot

KINDS = ("eye", "lip")
LEAST_R = 0.95
"""Correlation that the reader must reach on held-out frames."""
CROP_PX, GROWN = 32, 1.6
TARGETS = {"eye": (0.0, 0.8), "lip": (0.0, 0.8)}
"""Ratios that are asked for while training."""
W_CONDITION, W_SIZE, W_OUTSIDE, DILATED = 10.0, 0.5, 10.0, 0.1
EYE_MARKS = tuple(np.concatenate([eye.upper, eye.lower[1:-1]]) for eye in EYES)


def marks_of(kind: str) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.intp]], ...]:
    """Landmarks of each opening: two eyes, or the lips."""
    return EYE_MARKS if kind == "eye" else (LIPS,)


class OpennessReader(nn.Module):
    """Reads the ratio from the image around an opening, (B, 3, 32, 32) -> (B,)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(32 * 64, 32), nn.ReLU(), nn.Linear(32, 1),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """The ratio."""
        result: Tensor = self.layers(image - image.mean(dim=(2, 3), keepdim=True))[:, 0]
        return result


def around(image: Tensor, marks: Tensor) -> Tensor:
    """The square around landmarks, (B, 3, S, S) and (B, N, 2) -> (B, 3, 32, 32)."""
    low, high = marks.amin(dim=1), marks.amax(dim=1)
    center, half = (low + high) / 2, (high - low).amax(dim=1) / 2 * GROWN
    line = (torch.arange(CROP_PX, device=image.device) * 2 + 1) / CROP_PX - 1
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
    places = center[:, None, None] + half[:, None, None, None] * grid
    return functional.grid_sample(image, places, padding_mode="border", align_corners=False)


@dataclass(frozen=True)
class RetargetFigures:
    """How well a retargeting network does on held-out frames."""

    reader_r: float
    """Correlation of the reader with MediaPipe."""
    error: float
    """Mean absolute difference of the ratio in the drawing to the wanted one."""
    rises: float
    """Correlation of the ratio in the drawing with the wanted one."""


@dataclass(frozen=True)
class _Looks:
    image: Tensor
    marks: Tensor
    ratios: Tensor


class Retargeting:
    """Trains the eye or the lip network."""

    def __init__(
        self, kind: str, sizes: Sizes, states: Mapping[str, StateDict], shots: Sequence[StoredShot]
    ) -> None:
        """Takes frozen networks and shots.

        Raises:
            SettingError: the kind is not known, or there is no shot.
        """
        if kind not in KINDS or not shots:
            raise SettingError(
                f"'{kind}' cannot be trained on {len(shots)} shots; choose eye or lip, and give a set."
            )
        self.kind, self.sizes, self._shots = kind, sizes, shots
        self._published = PublishedParameters(sizes, states, ())
        with torch.no_grad():
            self._folded = self._published.folded()
        self.network = KeypointMlp(sizes.eye if kind == "eye" else sizes.lip)
        self.network.load_state_dict(states[kind])
        last = self.network.mlp[-1]
        if isinstance(last, nn.Linear) and not last.weight.any():
            nn.init.normal_(last.weight, std=1e-3)
        self.reader, self.reader_r = OpennessReader(), float("nan")

    def fit_reader(self, steps: int, batch: int, seed: int, least: float = LEAST_R) -> float:
        """Fits the reader to the set's frames; returns its correlation with MediaPipe on held-out frames.

        Raises:
            SettingError: the correlation is below ``least``; the message has it.
        """
        torch.manual_seed(seed)
        optimizer = torch.optim.Adam(self.reader.parameters(), 1e-3)
        for step in range(steps):
            looks = self._looks(np.random.default_rng([seed, step]), batch, trained=True)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward((self._read(looks.image, looks.marks) - looks.ratios).abs().mean())
            optimizer.step()
        with torch.no_grad():
            parts = [
                self._looks(np.random.default_rng([seed, 10**6 + k]), 32, trained=False) for k in range(4)
            ]
            found = (
                torch.cat([self._read(look.image, look.marks).flatten() for look in parts]).double().numpy()
            )
        wanted = torch.cat([look.ratios.flatten() for look in parts]).double().numpy()
        self.reader_r = correlation(found, wanted)
        if not self.reader_r >= least:
            raise SettingError(
                f"How far the {self.kind} is open can be read with a correlation of {self.reader_r:.2f} only, of "
                f"{least:.2f}; give larger images, more people, or more motion."
            )
        return self.reader_r

    def train(self, steps: int, batch: int, rate: float, seed: int, hear: Callable[[str], None]) -> None:
        """Trains the network against the reader."""
        self.reader.requires_grad_(False)
        optimizer = torch.optim.Adam(self.network.parameters(), rate)
        for step in range(steps):
            random = np.random.default_rng([seed, 1, step])
            looks = self._looks(random, batch, trained=True)
            wanted = torch.from_numpy(random.uniform(*TARGETS[self.kind], batch)).float()
            drawn, own, change = self._drawn(looks, wanted)
            read = self._read(drawn, looks.marks)
            total = (
                W_CONDITION * (read - wanted[:, None]).abs().mean()
                + W_SIZE * change.abs().mean()
                + W_OUTSIDE * area_loss((drawn - own).abs(), self._outside(looks))
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(total)
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            optimizer.step()
            if (step + 1) % 20 == 0:
                hear(f"{self.kind}, step {step + 1} of {steps}: loss {total.item():.4f}")

    @torch.no_grad()
    def figures(self, seed: int = 1, count: int = 8) -> RetargetFigures:
        """Measures held-out frames."""
        found, asked = [], []
        for index in range(count):
            random = np.random.default_rng([seed, 2 * 10**6 + index])
            looks = self._looks(random, 4, trained=False)
            wanted = torch.from_numpy(random.uniform(*TARGETS[self.kind], 4)).float()
            drawn, _, _ = self._drawn(looks, wanted)
            found.append(self._read(drawn, looks.marks).mean(dim=1))
            asked.append(wanted)
        a, b = torch.cat(found).double().numpy(), torch.cat(asked).double().numpy()
        return RetargetFigures(self.reader_r, float(np.abs(a - b).mean()), correlation(a, b))

    def _read(self, image: Tensor, marks: Tensor) -> Tensor:
        """(B, openings) ratios."""
        return torch.stack(
            [self.reader(around(image, marks[:, list(part)])) for part in marks_of(self.kind)], dim=1
        )

    def _drawn(self, looks: _Looks, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(drawing, the source's own drawing, offsets)."""
        small = functional.interpolate(looks.image, size=(self.sizes.input_px,) * 2, mode="area")
        with torch.no_grad():
            state = motion_batch(self._published.motion(small))
            points = transformed(state.canonical, state)
            feature = self._published.appearance(self._folded, small)
            own = self._published.draw(
                self._folded, self._published.warp(self._folded, feature, points, points).out
            )
        change = self.network(torch.cat([points.flatten(1), looks.ratios, wanted[:, None]], dim=1))
        moved = points + change.reshape(points.shape)
        drawn = self._published.draw(
            self._folded, self._published.warp(self._folded, feature, points, moved).out
        )
        return drawn, own, change

    def _outside(self, looks: _Looks) -> Tensor:
        """(B, 1, S', S') 1 outside the openings' boxes, grown by a tenth of the crop."""
        side = self.sizes.output_px
        line = (torch.arange(side) * 2 + 1) / side - 1
        y, x = torch.meshgrid(line, line, indexing="ij")
        outside = torch.ones(len(looks.image), side, side)
        for part in marks_of(self.kind):
            low, high = (looks.marks[:, list(part)].amin(dim=1), looks.marks[:, list(part)].amax(dim=1))
            inside = torch.ones_like(outside, dtype=torch.bool)
            for axis, grid in enumerate((x, y)):
                near = (grid >= low[:, axis, None, None] - DILATED) & (
                    grid <= high[:, axis, None, None] + DILATED
                )
                inside &= near
            outside = outside * (~inside)
        return outside[:, None]

    def _looks(self, random: np.random.Generator, batch: int, trained: bool) -> _Looks:
        """Frames at the size that G draws, with landmarks and ratios."""
        images, marks, ratios = [], [], []
        for _ in range(batch):
            stored = self._shots[int(random.integers(len(self._shots)))]
            first, stop = (0, stored.trained) if trained else (stored.trained, stored.shot.frames)
            index = int(random.integers(first, stop)) if first < stop else 0
            images.append(network_image(stored.image(index), self.sizes.output_px))
            marks.append(stored.labels["landmarks"][index][:, :2])
            openness = stored.labels["openness"][index]
            ratios.append(openness[:2] if self.kind == "eye" else openness[2:])
        tensors = (torch.from_numpy(np.stack(part).astype(np.float32)) for part in (images, marks, ratios))
        return _Looks(*tensors)
