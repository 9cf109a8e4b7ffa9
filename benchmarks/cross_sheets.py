"""Sheets of other people's performances on portraits, to be looked at: performer above, render below.

    python benchmarks/cross_sheets.py --media ../shared/media --out /tmp/sheets
    python benchmarks/cross_sheets.py --media ../shared/media --out /tmp/sheets --portraits s9 --driving d10 --columns 6

All that is not said is default. Each sheet has the frames in which the performer is furthest from the reference, spread
over the clip, at the size given.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from ground_truth import frames_of, given_values, write_clip

from lp_core.assemble import assemble
from lp_core.faces.open import open_analyzer
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.settings.render import RenderSettings
from lp_core.settings.table import with_values

PORTRAITS = "s0,s3,s5,s6,s7,s9,s10,s22"
GROWN = 0.6
"""Around the face, over its size."""
DRIVING = "d0,d3,d10,d19,d20"


def face_box(portrait: Path) -> tuple[slice, slice]:
    """Rows and columns of head and shoulders."""
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        picture = next(frames_of(portrait, 1))
        points = max(analyzer.analyze(picture), key=lambda face: face.box.area).landmarks_frame[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    grown = GROWN * (high - low).max()
    low = np.maximum(low - grown, 0).astype(int)
    high = np.minimum(high + grown, picture.shape[1::-1]).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def sheet(driving: Path, render: Path, box: tuple[slice, slice], columns: int, side: int) -> np.ndarray:
    """(2 * side, W, 3) performer above, portrait below; of each stretch the frame least like the first."""
    shown = [[*frames_of(path, 10**9)] for path in (driving, render)]
    small = [cv2.resize(one, (64, 64), interpolation=cv2.INTER_AREA).astype(int) for one in shown[0]]
    away = np.array([np.abs(one - small[0]).mean() for one in small])
    stretches = np.array_split(np.arange(len(away)), columns)
    picked = [int(part[away[part].argmax()]) for part in stretches if len(part)]
    rows = []
    for frames, part in zip(shown, ((slice(None), slice(None)), box), strict=True):
        cells = [frames[min(at, len(frames) - 1)][part] for at in picked]
        rows.append(
            np.hstack(
                [
                    cv2.resize(
                        cell,
                        (round(cell.shape[1] * side / cell.shape[0]), side),
                        interpolation=cv2.INTER_AREA,
                    )
                    for cell in cells
                ]
            )
        )
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def main() -> int:
    """Writes the sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True, help="folder with portraits/ and driving/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--portraits", default=PORTRAITS)
    parser.add_argument("--driving", default=DRIVING)
    parser.add_argument("--frames", type=int, default=100, help="of each clip")
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--side", type=int, default=400, help="height of a cell, pixels")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a render setting")
    options = parser.parse_args()
    given = given_values(options.set)
    settings = with_values(RenderSettings(), {"codec": "ffv1", "audio": "none", "overwrite": True, **given})
    options.out.mkdir(parents=True, exist_ok=True)
    for clip in options.driving.split(","):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = options.media / "driving" / f"{clip}.mp4"
            with open_source(path) as source:
                rate = source.info.rate.fps
            write_clip(folder / "clip.mkv", frames_of(path, options.frames), rate)
            for still in options.portraits.split(","):
                portrait = next((options.media / "portraits").glob(f"{still}.*"))
                render = folder / "render.mkv"
                job = RenderJob(str(portrait), str(folder / "clip.mkv"), str(render), settings)
                assemble(job).run()
                made = sheet(folder / "clip.mkv", render, face_box(portrait), options.columns, options.side)
                target = options.out / f"{still}_{clip}.png"
                cv2.imwrite(str(target), made[..., ::-1])
                print(target, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
