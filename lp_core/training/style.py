"""Pairs for an art style: drawings come without motion, so the base model makes some.

A drawing is animated by the base model with small motions. What it draws is the source of a pair, the drawing itself is
the truth, so the model learns to bring its own results back to the style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from lp_core.engines.liveportrait.networks import Networks
from lp_core.files import ensure_folder, write_whole
from lp_core.training.candidates import Cropping, Filters
from lp_core.training.keypoints import motion_batch, rotation_from_degrees, transformed
from lp_core.training.pairs import network_image
from lp_core.training.sheets import as_u8
from lp_core.training.store import LABELS, StoredShot, TrainingSet, open_set, write_frames, write_set

VARIANTS, HELD_OUT_EVERY = 12, 5
"""Motions of each drawing, and how many drawings there are to one that is held out."""
TURN_DEG, ZOOM, SHIFT = 6.0, 0.03, 0.03
"""Largest turn about each axis, relative change of size, and shift in grid units."""


def with_animated_stills(found: TrainingSet, networks: Networks, folder: Path, seed: int) -> TrainingSet:
    """The set with motion for its stills; videos stay as they are.

    Args:
        found: a prepared set.
        networks: the base model.
        folder: of the new set.
        seed: of the motions.
    """
    if not any(stored.shot.frames == 1 and stored.trained for stored in found.shots):
        return found
    ensure_folder(folder / "shots")
    shots, files, stills = [], dict(found.about["files"]), 0
    for number, stored in enumerate(found.shots):
        if stored.shot.frames > 1 or not stored.trained:
            for end in (".tar", ".npz"):
                name = f"{stored.shot.id}{end}"
                write_whole(folder / "shots" / name, (found.folder / "shots" / name).read_bytes())
            shots.append(stored.shot)
            continue
        images = [*variants(stored, networks, np.random.default_rng([seed, number])), stored.image(0)]
        cropping = Cropping(found.size, Filters(), is_lossless=True)
        labels = {name: np.repeat(stored.labels[name], len(images), axis=0) for name in LABELS}
        coded = [cropping.coded(image) for image in images]
        files |= write_frames(folder, stored.shot.id, coded, labels, cropping.suffix)
        stills += 1
        split = "validation" if stills % HELD_OUT_EVERY == 0 else "train"
        shots.append(replace(stored.shot, frames=len(images), truth=len(images) - 1, split=split))
    write_set(folder, shots, {**found.about, "files": files})
    return open_set(folder)


@torch.no_grad()
def variants(
    stored: StoredShot, networks: Networks, random: np.random.Generator
) -> Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """A still under small motions, drawn by the model, at the set's size."""
    own = stored.image(0)
    shown = torch.from_numpy(network_image(own, networks.sizes.input_px))[None]
    state = motion_batch(networks.motion(shown))
    warp = networks.prepare_source(networks.appearance(shown), transformed(state.canonical, state))
    found = []
    for _ in range(VARIANTS):
        turn = torch.from_numpy(random.uniform(-TURN_DEG, TURN_DEG, (1, 3))).float()
        shift = torch.from_numpy(np.array([[[*random.uniform(-SHIFT, SHIFT, 2), 0.0]]])).float()
        moved = replace(
            state,
            rotation=rotation_from_degrees(state.degrees + turn),
            scale=state.scale * float(1 + random.uniform(-ZOOM, ZOOM)),
            translation=state.translation + shift,
        )
        drawn = networks.native(networks.warp(warp, transformed(state.canonical, moved)).out)[0].cpu().numpy()
        found.append(
            np.asarray(cv2.resize(as_u8(drawn), own.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
        )
    return found
