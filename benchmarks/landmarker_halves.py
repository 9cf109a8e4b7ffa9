"""How far readings of a clip that is read in two halves at once are from those of one landmarker, and the time of both.

For frames after the middle: the mean distance of landmarks, in percent of the face's width. The second landmarker's
readings settle within its warm-up (lp_core.render.halved_watch); what is left later on is how far a landmarker that
began elsewhere keeps away. The last column is how far landmarks move from one frame to the next.

    python benchmarks/landmarker_halves.py ../shared/media/driving/*.mp4
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from lp_core.clips import filmed_face
from lp_core.faces.base import Face
from lp_core.render.edges import FilmedFace
from lp_core.render.halved_watch import LEAST_FRAMES, WARM_UP

SPANS = ((0, 5), (5, 20), (20, 60))
"""Frames after the first one that the second landmarker gives."""


def faces_of(film: FilmedFace, in_halves: bool) -> tuple[list[Face | None], float]:
    """The face of every frame, and the seconds that reading them took."""
    start = time.perf_counter()
    faces = [face for _, face in film.followed(lambda _: None, in_halves)]
    return faces, time.perf_counter() - start


def apart(one: Face | None, other: Face | None) -> float:
    """Mean distance of landmarks in percent of the face's width; NaN where a face is missing."""
    if one is None or other is None:
        return float("nan")
    away = np.linalg.norm((one.landmarks_frame - other.landmarks_frame)[:, :2], axis=1).mean()
    return float(100 * away / (one.box.right - one.box.left))


def row(film: FilmedFace) -> str:
    """The figures of one clip."""
    (whole, alone_s), (halves, both_s) = faces_of(film, False), faces_of(film, True)
    first = (len(whole) + WARM_UP) // 2
    away = np.array([apart(*pair) for pair in zip(whole, halves, strict=True)])
    before = "yes" if (away[: first - 1] == 0).all() else "NO"
    spans = "".join(f"{np.nanmean(away[first + low : first + high]):>12.3f}" for low, high in SPANS)
    moved = np.nanmedian([apart(*pair) for pair in zip(whole, whole[1:], strict=False)])
    return f"{Path(film.name).stem:<10}{len(whole):>8}{before:>8}{spans}{moved:>10.2f}{alone_s:>10.2f}{both_s:>8.2f}"


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+", type=Path)
    arguments = parser.parse_args()
    print(
        f"{'clip':<10}{'frames':>8}{'same':>8}" + "".join(f"{f'+{low}..{high}':>12}" for low, high in SPANS),
        end="",
    )
    print(f"{'motion':>10}{'alone, s':>10}{'both':>8}")
    for path in arguments.films:
        film = filmed_face(str(path), "largest")
        if (film.info.frame_count or 0) >= LEAST_FRAMES:
            print(row(film), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
