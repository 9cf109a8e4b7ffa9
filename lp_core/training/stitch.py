"""Stage II: the three small networks (stitching, eyes, lips), with F, M, W and G frozen.

A stitching network that is only asked to keep the shoulders still learns to undo the motion. Two terms stand against
that: the guided points of the stitched motion stay where the motion puts them, and so do the pixels of the face.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.engines.liveportrait.stitching import KeypointMlp
from lp_core.errors import SettingError
from lp_core.training.keypoints import MotionBatch, motion_batch, relative_motion, transformed
from lp_core.training.losses import GUIDED, area_loss
from lp_core.training.pairs import network_image
from lp_core.training.published import Folded, PublishedParameters
from lp_core.training.reenact import face_box
from lp_core.training.store import StoredShot

CHIN = 152
SHOULDER_OFFSET, FEATHER = 0.05, 0.1
"""The mask of the shoulders begins this share of the crop below the chin, and rises over a part of it."""


@dataclass(frozen=True)
class StitchWeights:
    """Weights of the terms of the stitching network."""

    shoulders: float = 10.0
    """Mean absolute difference to the source's own drawing inside the mask of the shoulders."""
    size: float = 0.05
    """Mean absolute offset."""
    points: float = 1.0
    """Mean absolute change of the guided points, x and y."""
    face: float = 10.0
    """Mean absolute difference inside the face to the drawing without stitching."""


@dataclass(frozen=True)
class StitchFigures:
    """How well a stitching network does, on sources and drivers that it was not trained on."""

    shoulders_before: float
    """Mean absolute difference inside the mask without it."""
    shoulders_after: float
    """The same with it."""
    motion_kept: float
    """Motion of the guided points with it over that without, 0..1."""

    @property
    def gain(self) -> float:
        """Share of the difference that is gone."""
        return 1 - self.shoulders_after / max(self.shoulders_before, 1e-9)


@dataclass(frozen=True)
class _Scene:
    """Sources and the points they are driven to."""

    image: Tensor
    source: MotionBatch
    points: Tensor
    driven: Tensor
    shoulders: Tensor
    face: Tensor


class Stitching:
    """Trains the stitching network on pairs of people."""

    def __init__(
        self,
        sizes: Sizes,
        states: Mapping[str, StateDict],
        shots: Sequence[StoredShot],
        weights: StitchWeights,
    ) -> None:
        """Takes frozen networks and the shots of at least two people.

        Raises:
            SettingError: there are fewer.
        """
        if len({stored.shot.person for stored in shots}) < 2:
            raise SettingError("Stitching is trained on the motion of other people; prepare at least two.")
        self.sizes, self._shots, self._weights = sizes, shots, weights
        self._published = PublishedParameters(sizes, states, ())
        with torch.no_grad():
            self._folded: Folded = self._published.folded()
        self.network = KeypointMlp(sizes.stitching)
        self.network.load_state_dict(states["stitching"])
        last = self.network.mlp[-1]
        if isinstance(last, nn.Linear) and not last.weight.any():
            nn.init.normal_(last.weight, std=1e-3)

    def train(self, steps: int, batch: int, rate: float, seed: int, hear: Callable[[str], None]) -> None:
        """Trains for some steps."""
        optimizer = torch.optim.Adam(self.network.parameters(), rate)
        for step in range(steps):
            scene = self._scene(np.random.default_rng([seed, step]), batch, trained=True)
            losses = self._losses(scene)
            total = torch.stack(list(losses.values())).sum()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(total)
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            optimizer.step()
            if (step + 1) % 20 == 0:
                hear(f"stitching, step {step + 1} of {steps}: loss {total.item():.4f}")

    @torch.no_grad()
    def figures(self, count: int, seed: int = 1) -> StitchFigures:
        """Measures held-out frames."""
        before, after, moved, kept = [], [], [], []
        guided = list(GUIDED)
        for index in range(count):
            scene = self._scene(np.random.default_rng([seed, 10**6 + index]), 4, trained=False)
            own = self._drawn(scene, scene.points)
            plain, stitched_points = (
                self._drawn(scene, scene.driven),
                self.stitched(scene.points, scene.driven),
            )
            stitched = self._drawn(scene, stitched_points)
            before.append(float(area_loss((plain - own).abs(), scene.shoulders)))
            after.append(float(area_loss((stitched - own).abs(), scene.shoulders)))
            motion = (scene.driven - scene.points)[:, guided, :2]
            left = (stitched_points - scene.points)[:, guided, :2]
            moved.append(float(motion.square().sum()))
            kept.append(float((left * motion).sum()))
        return StitchFigures(float(np.mean(before)), float(np.mean(after)), sum(kept) / max(sum(moved), 1e-9))

    def stitched(self, points: Tensor, driven: Tensor) -> Tensor:
        """(B, K, 3) where the network moves the driven points, as the engine applies it."""
        change = self.network(torch.cat([points.flatten(1), driven.flatten(1)], dim=1))
        count = 3 * points.shape[1]
        moved = driven + change[:, :count].reshape(driven.shape)
        return torch.cat([moved[..., :2] + change[:, None, count:], moved[..., 2:]], dim=-1)

    def _losses(self, scene: _Scene) -> dict[str, Tensor]:
        weights, points = self._weights, self.stitched(scene.points, scene.driven)
        drawn = self._drawn(scene, points)
        with torch.no_grad():
            own, plain = self._drawn(scene, scene.points), self._drawn(scene, scene.driven)
        guided = list(GUIDED)
        return {
            "shoulders": weights.shoulders * area_loss((drawn - own).abs(), scene.shoulders),
            "size": weights.size * (points - scene.driven).abs().mean(),
            "points": weights.points * (points - scene.driven)[:, guided, :2].abs().mean(),
            "face": weights.face * area_loss((drawn - plain).abs(), scene.face),
        }

    def _drawn(self, scene: _Scene, points: Tensor) -> Tensor:
        feature = self._published.appearance(self._folded, scene.image)
        return self._published.draw(
            self._folded, self._published.warp(self._folded, feature, scene.points, points).out
        )

    @torch.no_grad()
    def _scene(self, random: np.random.Generator, batch: int, trained: bool) -> _Scene:
        images, drivers, references, shoulders, faces = [], [], [], [], []
        for _ in range(batch):
            stored = self._shots[int(random.integers(len(self._shots)))]
            others = [each for each in self._shots if each.shot.person != stored.shot.person]
            other = others[int(random.integers(len(others)))]
            index, first, last = (_frame(each, random, trained) for each in (stored, other, other))
            images.append(network_image(stored.image(index), self.sizes.input_px))
            references.append(network_image(other.image(first), self.sizes.input_px))
            drivers.append(network_image(other.image(last), self.sizes.input_px))
            marks, side = stored.labels["landmarks"][index], self.sizes.output_px
            shoulders.append(shoulder_mask(float(marks[CHIN, 1]), side))
            rows, columns = face_box(marks, side)
            box = np.zeros((1, side, side), np.float32)
            box[:, rows, columns] = 1
            faces.append(box)
        image, driver, reference = (
            torch.from_numpy(np.stack(part)) for part in (images, drivers, references)
        )
        state = motion_batch(self._published.motion(torch.cat([image, driver, reference])))
        source, now, then = (state.part(k * batch, (k + 1) * batch) for k in range(3))
        relative = relative_motion(source, now, then)
        points, driven = transformed(source.canonical, source), transformed(source.canonical, relative)
        masks = (torch.from_numpy(np.stack(part)) for part in (shoulders, faces))
        return _Scene(image, source, points, driven, *masks)


def _frame(stored: StoredShot, random: np.random.Generator, trained: bool) -> int:
    """A frame of the trained or the held-out part; of all frames where one part is empty."""
    first, stop = (0, stored.trained) if trained else (stored.trained, stored.shot.frames)
    if first >= stop:
        first, stop = 0, stored.shot.frames
    return int(random.integers(first, stop))


def shoulder_mask(chin: float, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(1, side, side) 1 below the chin, which is at a place in grid units."""
    rows = (np.arange(side) + 0.5) / side
    start = (chin + 1) / 2 + SHOULDER_OFFSET
    ramp = np.clip((rows - start) / FEATHER, 0, 1).astype(np.float32)
    return np.broadcast_to(ramp[None, :, None], (1, side, side)).copy()
