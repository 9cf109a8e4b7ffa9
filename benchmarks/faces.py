"""Prints how many faces are found: in collages, turned, in images without faces, and in sample photographs.

    python benchmarks/faces.py [--media FOLDER] [--photos FOLDER] [--step 10] [--out SHEETS]

With --photos it reads every JPEG file of a folder, such as samples/in of vladmandic/human.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from lp_core.faces.open import open_analyzer
from lp_core.faces.overlay import draw_overlay

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from fakes.collages import PEOPLE, collage, faceless, head, read_rgb  # noqa: E402

SIZES = [
    16,
    20,
    24,
    28,
    32,
    36,
    40,
    48,
    56,
    64,
    72,
    80,
    90,
    100,
    110,
    120,
    16,
    20,
    24,
    32,
    40,
    48,
    64,
    80,
    100,
    16,
    24,
    40,
    60,
]
ROLLS = [(index * 37) % 360 for index in range(len(SIZES))]
SMALL_UPRIGHT = [0 if size < 24 else roll for size, roll in zip(SIZES, ROLLS, strict=True)]


def main() -> None:
    """Prints all counts."""
    options = argparse.ArgumentParser()
    options.add_argument("--media", type=Path, default=Path("../shared/media"))
    options.add_argument("--photos", type=Path)
    options.add_argument("--step", type=int, default=10)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    cv2.setNumThreads(1)
    with closing(open_analyzer(is_video=False, max_faces=64)) as analyzer:
        portraits = {name: read_rgb(given.media / "portraits" / f"{name}.jpg") for name in PEOPLE}
        show_collages(analyzer, portraits, given.out)
        show_faceless(analyzer)
        if given.photos:
            show_photos(analyzer, given.photos, given.out)
        if given.step:
            show_turns(analyzer, portraits, given.step)


def show_collages(analyzer, portraits, out) -> None:  # noqa: ANN001
    """29 faces of 16 to 120 pixels, upright and rolled."""
    heads = [head(picture, analyzer.analyze(picture)[0].box) for picture in portraits.values()]
    for name, rolls in (
        ("upright", [0] * len(SIZES)),
        ("rolled from 24 px on", SMALL_UPRIGHT),
        ("rolled", ROLLS),
    ):
        picture, centers = collage(heads, SIZES, rolls, 6, 320)
        start = time.process_time()
        found = analyzer.survey(picture)
        spent = time.process_time() - start
        there, false, rolled = matched(found.faces, centers, SIZES, rolls)
        print(f"collage {name}: {there} of {len(SIZES)}, {false} false, {rolled} upright, {spent:.1f} s")
        missing = [
            size for size, center in zip(SIZES, centers, strict=True) if not near(found.faces, center, size)
        ]
        print(f"  missing sizes: {missing}")
        if out:
            cv2.imwrite(str(out / f"collage_{name[:7]}.png"), draw_overlay(picture, found.faces)[..., ::-1])


def near(faces, center, size):  # noqa: ANN001, ANN201
    """The face at a place, or None."""
    return next(
        (face for face in faces if np.hypot(*np.subtract(face.box.center, center)) < 0.6 * size), None
    )


def matched(faces, centers, sizes, rolls) -> tuple[int, int, int]:  # noqa: ANN001
    """(found, false, of those found with the right roll)."""
    seen = [near(faces, center, size) for center, size in zip(centers, sizes, strict=True)]
    upright = [
        face
        for face, roll in zip(seen, rolls, strict=True)
        if face and abs((face.pose.roll_deg - roll + 180) % 360 - 180) < 35
    ]
    return (
        len([face for face in seen if face]),
        len(faces) - len({id(face) for face in seen if face}),
        len(upright),
    )


def show_faceless(analyzer) -> None:  # noqa: ANN001
    """False faces on 20 images."""
    counts = {name: len(analyzer.analyze(picture)) for name, picture in faceless(np.random.default_rng(1))}
    print(
        f"false faces: {sum(counts.values())} on {len(counts)} images {[n for n, c in counts.items() if c]}"
    )


def show_turns(analyzer, portraits, step) -> None:  # noqa: ANN001
    """Each portrait turned around its middle."""
    from skimage import data

    for name, picture in {"astronaut": data.astronaut(), **portraits}.items():
        scale = min(1.0, 440 / max(picture.shape[:2]))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        upright = max(analyzer.analyze(small), key=lambda face: face.box.area)
        height, width = small.shape[:2]
        side = int(np.hypot(height, width)) + 2
        read = right = 0
        for degrees in range(0, 360, step):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
            turn[:, 2] += ((side - width) / 2, (side - height) / 2)
            turned = cv2.warpAffine(small, turn, (side, side), borderValue=(110, 110, 110))
            center = turn[:, :2] @ upright.box.center + turn[:, 2]
            face = near(analyzer.analyze(turned), center, upright.box.bottom - upright.box.top)
            read += face is not None
            away = 999 if face is None else face.pose.roll_deg - upright.pose.roll_deg - degrees
            right += abs((away + 180) % 360 - 180) < 25
        print(f"{name}: read {read}, upright {right} of {len(range(0, 360, step))}", flush=True)


def show_photos(analyzer, folder, out) -> None:  # noqa: ANN001
    """Photographs: found / there."""
    for path in sorted(folder.glob("*.jp*g")):
        picture = read_rgb(path)
        found = analyzer.survey(picture)
        print(f"{path.name}: {len(found.faces)} read, {len(found.unread)} found and not read")
        if out:
            cv2.imwrite(str(out / f"photo_{path.stem}.png"), draw_overlay(picture, found.faces)[..., ::-1])


if __name__ == "__main__":
    main()
