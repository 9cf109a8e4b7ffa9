"""Self-reenactment of stored shots: the first frame is animated by the shot's own frames, at the networks' size.

Every figure is given next to those of two stand-ins: the source frame repeated, and the model with the motion switched
off (x_d := x_s). Without the second one cannot tell animation from reconstruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from lp_core.engines.liveportrait.checkpoints import Checkpoints
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.networks import Networks, build_networks
from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.engines.liveportrait.trained_label import TrainedLabel
from lp_core.training.keypoints import motion_batch, relative_motion, transformed
from lp_core.training.pairs import network_image
from lp_core.training.store import StoredShot, TrainingSet

F32 = NDArray[np.float32]
BATCH = 8
GROWN = 0.2
WAYS = ("copy", "still", "model")
"""The source frame repeated; the model without motion; the model."""


@dataclass(frozen=True)
class Reenacted:
    """Some frames of a shot, all (N, 3, S, S) float32, 0..1, at the size that G draws."""

    index: NDArray[np.int64]
    """(N,) frames of the shot."""
    truth: F32
    """The frames themselves."""
    drawn: F32
    """What the model draws."""
    still: F32
    """What it draws without motion; the same for all frames."""
    source: F32
    """The source frame at this size; (3, S, S)."""


def networks_of(sizes: Sizes, states: dict[str, StateDict], device: torch.device | None = None) -> Networks:
    """The engine's networks from checkpoints in memory, folded as for a render."""
    label = TrainedLabel("training", sizes, False, "", {}, {})
    target = device or torch.device("cpu")
    return build_networks(Checkpoints(states, "trained", trained=label), target, torch.float32)


def reenact(networks: Networks, stored: StoredShot, frames: Sequence[int], source: int = 0) -> Reenacted:
    """Animates a frame of a shot by others.

    Args:
        networks: the engine's.
        stored: the shot.
        frames: driving frames.
        source: the frame that is animated.
    """
    sizes = networks.sizes
    shown = torch.from_numpy(network_image(stored.image(source), sizes.input_px))[None]
    state = motion_batch(networks.motion(shown))
    points = transformed(state.canonical, state)
    warp = networks.prepare_source(networks.appearance(shown), points)
    still = networks.native(networks.warp(warp, points).out)[0].cpu().numpy()
    drawn, truths = [], []
    for first in range(0, len(frames), BATCH):
        part = [stored.image(index) for index in frames[first : first + BATCH]]
        driving = torch.from_numpy(np.stack([network_image(image, sizes.input_px) for image in part]))
        moved = transformed(state.canonical.expand(len(part), -1, -1), motion_batch(networks.motion(driving)))
        drawn.append(networks.native(networks.warp(warp, moved).out).cpu().numpy())
        truths += [network_image(image, sizes.output_px) for image in part]
    source_image = network_image(stored.image(source), sizes.output_px)
    return Reenacted(np.array(frames), np.stack(truths), np.concatenate(drawn), still, source_image)


def face_box(marks: NDArray[np.float32], side: int) -> tuple[slice, slice]:
    """Rows and columns of the landmarks' box, grown by 20 %, in an image of ``side`` pixels."""
    low, high = marks[:, :2].min(axis=0), marks[:, :2].max(axis=0)
    reach = (high - low) * GROWN / 2
    first = np.clip(np.floor((low - reach + 1) * side / 2), 0, side - 1).astype(int)
    last = np.clip(np.ceil((high + reach + 1) * side / 2), first + 1, side).astype(int)
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


@dataclass
class ClipErrors:
    """Squared errors of a shot, summed: way -> (whole, face)."""

    name: str
    whole: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    face: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def add(self, found: Reenacted, stored: StoredShot) -> None:
        """Takes in frames."""
        for row, index in enumerate(found.index):
            truth = found.truth[row]
            rows, columns = face_box(stored.labels["landmarks"][index], truth.shape[-1])
            for way, image in zip(WAYS, (found.source, found.still, found.drawn[row]), strict=True):
                error = np.square(image - truth)
                self.whole[way].append(float(error.mean()))
                self.face[way].append(float(error[:, rows, columns].mean()))


def decibels(errors: Sequence[float]) -> float:
    """PSNR of a mean squared error; infinite where it is 0."""
    mean = float(np.mean(errors))
    return float("inf") if mean == 0 else -10 * float(np.log10(mean))


@dataclass(frozen=True)
class Score:
    """dB of the mean error over shots, and the mean of their dB."""

    whole: dict[str, float]
    """Way -> PSNR of the whole crop."""
    face: dict[str, float]
    """Way -> PSNR of the face box."""
    mean_whole: dict[str, float]
    """Way -> mean over shots of their PSNR."""

    @property
    def best(self) -> float:
        """What training keeps the best of."""
        return self.whole["model"]


def score_of(clips: Sequence[ClipErrors]) -> Score:
    """The figures of several shots; each shot counts the same."""

    def joined(kind: str) -> dict[str, float]:
        return {way: decibels([float(np.mean(getattr(clip, kind)[way])) for clip in clips]) for way in WAYS}

    means = {way: float(np.mean([decibels(clip.whole[way]) for clip in clips])) for way in WAYS}
    return Score(joined("whole"), joined("face"), means)


def held_out(found: TrainingSet, step: int) -> Iterator[tuple[StoredShot, list[int]]]:
    """What is kept from training: every ``step``-th frame of the last fifth of videos, and whole drawings."""
    for stored in found.of("train"):
        frames = list(range(stored.trained, stored.shot.frames, step))
        if frames:
            yield stored, frames
    for stored in found.of("validation"):
        if stored.shot.truth >= 0:
            yield stored, [stored.shot.truth]


def unseen(found: TrainingSet, split: str, step: int) -> Iterator[tuple[StoredShot, list[int]]]:
    """Shots of people who are not trained on, and every ``step``-th frame."""
    for stored in found.of(split):
        frames = list(range(1, stored.shot.frames, step))
        if frames:
            yield stored, frames


def evaluate_held_out(
    networks: Networks, shots: Sequence[tuple[StoredShot, list[int]]]
) -> tuple[list[ClipErrors], list[Reenacted]]:
    """Errors of each shot, and the drawings."""
    errors, drawings = [], []
    for stored, frames in shots:
        found = reenact(networks, stored, frames)
        clip = ClipErrors(stored.shot.id)
        clip.add(found, stored)
        errors.append(clip)
        drawings.append(found)
    return errors, drawings


def reenact_other(
    networks: Networks, stored: StoredShot, other: StoredShot, frames: Sequence[int], source: int = 0
) -> Reenacted:
    """Animates a frame of a shot by the motion of another, relative to that one's first frame.

    Args:
        networks: the engine's.
        stored: the shot of the source.
        other: the driving shot.
        frames: of the driving shot.
        source: the frame that is animated.
    """
    sizes = networks.sizes
    shown, reference = (
        torch.from_numpy(network_image(image, sizes.input_px))[None]
        for image in (stored.image(source), other.image(0))
    )
    state, start = motion_batch(networks.motion(shown)), motion_batch(networks.motion(reference))
    points = transformed(state.canonical, state)
    warp = networks.prepare_source(networks.appearance(shown), points)
    still = networks.native(networks.warp(warp, points).out)[0].cpu().numpy()
    drawn, truths = [], []
    for first in range(0, len(frames), BATCH):
        part = [other.image(index) for index in frames[first : first + BATCH]]
        driving = torch.from_numpy(np.stack([network_image(image, sizes.input_px) for image in part]))
        moved = transformed(
            state.canonical, relative_motion(state, motion_batch(networks.motion(driving)), start)
        )
        drawn.append(networks.native(networks.warp(warp, moved).out).cpu().numpy())
        truths += [network_image(image, sizes.output_px) for image in part]
    source_image = network_image(stored.image(source), sizes.output_px)
    return Reenacted(np.array(frames), np.stack(truths), np.concatenate(drawn), still, source_image)
