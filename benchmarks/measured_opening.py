"""How lower faces follow opening lips: the field of a speaking face, from filmed mouths.

python benchmarks/measured_opening.py [--write]

Each clip's landmarks, pose taken off, are explained by opening, width and rounding of the mouth and by turn and nod of
the head (least squares). What belongs to opening alone is averaged over the clips and made symmetric. Prints, for each
clip and for the mean, how far parts of the face follow lips that open by 1, and how thick lips of clips that round
their lips are. With --write the mean is stored.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.open import open_analyzer
from lp_core.geometry.facemesh import (
    CHIN,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    RIGID,
)
from lp_core.media.open import open_source
from lp_core.motion.builtin import neutral_face
from lp_core.motion.landmarks import measured_opening
from lp_core.motion.landmarks.motion import best_rotation, motion_from_landmarks
from lp_core.motion.landmarks.transfer import mouth_weight, opening_field
from lp_core.speech.read_mouth import mouth_geometry

SHARED = Path(__file__).resolve().parents[2] / "shared"
CLIPS = ("driving/d20.mp4", "driving/d10.mp4", "source_video/s32.mp4")
"""Clips in which lips open and close freely."""
FRAMES = 200
MOST_ROUND = 1.2
ROUNDINGS = (0.0, 0.1, 0.3, 0.6, 0.9, 1.3)
LEAST_FRAMES = 10
SHOWN = {"upper lip": 13, "lower lip": 14, "corner": 61, "chin": CHIN, "jaw": 150}
STORED = Path(measured_opening.__file__).with_suffix(".npy")

F64 = NDArray[np.float64]


def read_clip(path: Path) -> tuple[F64, F64]:
    """((n, 478, 3) shapes in head space, (n, 6) what explains them)."""
    shapes, causes = [], []
    with open_source(str(path)) as source, closing(open_analyzer(is_video=False)) as analyzer:
        for frame in islice(source, FRAMES):
            pixels = frame.as_rgb8()
            faces = analyzer.analyze(pixels)
            if not faces:
                continue
            face = max(faces, key=lambda each: each.box.area)
            size = pixels.shape[1], pixels.shape[0]
            motion = motion_from_landmarks(face.landmarks_frame, face.head_rotation, face.coefficients, *size)
            gap, width, rounding = mouth_geometry(face.landmarks_frame, face.coefficients)
            shapes.append(motion.expression)
            causes.append([gap, width, min(rounding, MOST_ROUND), *face.head_rotation[2, :2], 1.0])
    return np.array(shapes, np.float64), np.array(causes, np.float64)


def opening_of(shapes: F64, causes: F64) -> F64:
    """(478, 3) what changes in a face when its lips open by one outer eye distance, in such distances."""
    middle = shapes.mean(axis=0)
    still = np.array([shape @ best_rotation(shape[RIGID], middle[RIGID]).T for shape in shapes])
    eyes = np.linalg.norm(middle[33] - middle[263])
    found = np.linalg.lstsq(causes, still.reshape(len(still), -1) / eyes, rcond=None)[0]
    return np.asarray(found[0].reshape(-1, 3), np.float64)


def print_thickness(name: str, shapes: F64, causes: F64) -> None:
    """How thick the lips are, in outer eye distances, by how round they read."""
    eyes = np.linalg.norm(shapes[:, 33] - shapes[:, 263], axis=1)
    upper, lower = (
        np.linalg.norm(shapes[:, inner, :2] - shapes[:, outer, :2], axis=1) / eyes
        for inner, outer in ((13, 0), (14, 17))
    )
    for low, high in zip(ROUNDINGS[:-1], ROUNDINGS[1:], strict=True):
        there = (causes[:, 2] >= low) & (causes[:, 2] < high)
        if there.sum() >= LEAST_FRAMES:
            found = f"upper lip {upper[there].mean():.3f}, lower lip {lower[there].mean():.3f}"
            print(f"{name}: round {low:.1f} to {high:.1f}, {there.sum()} frames: {found}")


def mirrored() -> NDArray[np.intp]:
    """(478,) each landmark's partner on the other side."""
    face = neutral_face()
    partner = np.array([np.linalg.norm(face * [-1, 1, 1] - point, axis=1).argmin() for point in face])
    for row in (LIPS_INNER_UPPER, LIPS_INNER_LOWER, LIPS_OUTER_UPPER, LIPS_OUTER_LOWER):
        partner[row] = np.asarray(row)[::-1]
    return partner


def print_field(name: str, field: F64) -> None:
    """How far parts of the face go down and back when lips open by 1."""
    field = measured_opening.of_unit_gap(field)
    parts = ", ".join(
        f"{part} {field[index, 1]:+.2f} {field[index, 2]:+.2f}" for part, index in SHOWN.items()
    )
    print(f"{name}: {parts}")


def main() -> None:
    """Prints the fields, and stores their mean where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="store the mean")
    given = parser.parse_args()
    face, partner = neutral_face(), mirrored()
    drawn = np.zeros_like(face)
    drawn[:, 1] = opening_field(face)
    print("down and back, lips open by 1")
    print_field("drawn field", drawn)
    fields = []
    for name in CLIPS:
        shapes, causes = read_clip(SHARED / "media" / name)
        if (causes[:, 2] > ROUNDINGS[-2]).sum() >= LEAST_FRAMES:
            print_thickness(Path(name).stem, shapes, causes)
        field = opening_of(shapes, causes)
        fields.append((field + field[partner] * [-1, 1, 1]) / 2)
        print_field(Path(name).stem, fields[-1])
    mean = np.mean(fields, axis=0) * mouth_weight(face)[:, None]
    print_field("mean", mean)
    stored = measured_opening.of_unit_gap(mean).astype(np.float32)
    print(f"differs from the stored field by {np.abs(stored - np.load(STORED)).max():.4f} at most")
    if given.write:
        np.save(STORED, stored)


if __name__ == "__main__":
    main()
