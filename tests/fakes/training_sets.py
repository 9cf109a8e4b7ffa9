"""Small training sets that are made, not filmed: colored heads that turn, with landmarks of the canonical face."""

import cv2
import numpy as np

from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, MotionConfig, WarpingConfig
from lp_core.engines.liveportrait.sizes import Sizes
from lp_core.geometry.facemesh import OVAL
from lp_core.motion.builtin import neutral_face
from lp_core.training.store import TrainingShot, open_set, write_frames, write_set

TINY = Sizes(
    appearance=AppearanceConfig(4, 2, 8, 3, 4, 1),
    motion=MotionConfig((1, 1, 1), (4, 6, 8)),
    warping=WarpingConfig(3, 4, 21, 2, 4, 2, 16, out_channels=8),
    generator=GeneratorConfig(8, 12, 5, 1, (8, 6), 1),
    input_px=32,
)
SIDE = 48


def rotation(yaw_deg):
    """Head to camera."""
    a = np.radians(yaw_deg)
    return np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]], np.float32)


def head(person, yaw_deg):
    """(image (S, S, 3), landmarks (478, 3) in grid units) of a turned head."""
    canonical = np.asarray(neutral_face(), np.float64)
    flat = canonical - canonical.mean(axis=0)
    points = 0.6 * (flat / np.abs(flat[:, :2]).max()) @ rotation(yaw_deg).T
    points[:, 0] += yaw_deg / 150
    image = np.full((SIDE, SIDE, 3), 40 + 30 * person, np.uint8)
    pixels = np.rint(((points[:, :2] + 1) * SIDE - 1) / 2).astype(np.int32)
    cv2.fillPoly(image, [pixels[OVAL]], (200, 150 - 40 * person, 90 + 50 * person))
    for mark in (468, 473, 13):
        cv2.circle(image, [int(v) for v in pixels[mark]], 3, (20, 20, 60), -1)
    return image, points


def made_set(folder, people=2, frames=20, split=("train", "train", "test"), consent=None):
    """A set of shots, one a person."""
    (folder / "shots").mkdir(parents=True)
    shots, files = [], {}
    for person in range(people):
        seen = [head(person, 25 * np.sin(index / 3 + person)) for index in range(frames)]
        yaws = [25 * np.sin(index / 3 + person) for index in range(frames)]
        labels = {
            "landmarks": np.stack([points for _, points in seen]).astype(np.float32),
            "rotation": np.stack([rotation(yaw) for yaw in yaws]),
            "blendshapes": np.zeros((frames, 52), np.float32),
            "openness": np.random.default_rng(person).random((frames, 3)).astype(np.float32),
            "sharpness": np.ones(frames, np.float32),
            "frame": np.arange(frames),
        }
        coded = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image, _ in seen]
        files |= write_frames(folder, f"p{person}", coded, labels, ".png")
        shots.append(
            TrainingShot(
                f"p{person}", f"p{person}.mp4", "0" * 64, frames, 25.0, f"p{person}", split[person], "own"
            )
        )
    about = {
        "size": SIDE, "licenses": {shot.source: "own" for shot in shots}, "consent": consent, "files": files,
        "left_out": {}, "refused": [], "unreadable": [],
    }  # fmt: skip
    write_set(folder, shots, about)
    return open_set(folder)
