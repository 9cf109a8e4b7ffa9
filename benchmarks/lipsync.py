"""Another voice in the mouth of filmed plates: what changes, whether it fits the voice, and how it looks.

python benchmarks/lipsync.py PLATE... --voice talk.wav [--seconds 6] [--sheet FOLDER]

Prints for each plate: pixels that differ outside the mouth region (the region of the plate's own landmarks, a
few pixels larger for what they are uncertain by), r of opening, width and rounding with the curves asked for, and the
lip-sync check of the result. Mesh engine, lossless RGB. The sheet shows plate and result one below the other.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from speech_reread import likeness, lower_face

from lp_core.assemble import assemble
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.check import check_film
from lp_core.speech.performance import hear
from lp_core.speech.read_mouth import filmed_mouth

GROWN_PX = 12
SHOWN = 8
SIDE = 400

Rgb = NDArray[np.uint8]


def render(plate: Path, voice: Path, seconds: float, folder: Path) -> Path:
    """The plate with the other voice, lossless."""
    with open_source(str(plate)) as source:
        last = int(seconds * float(source.info.rate.fps)) - 1
    output = folder / f"{plate.stem}.mkv"
    values = {"engine": "mesh", "sign": False, "lipsync": True, "codec": "ffv1", "frames": f"0-{last}"}
    assemble(RenderJob(str(plate), str(voice), str(output), with_values(RenderSettings(), values))).run()
    return output


def changed_outside(before: Rgb, after: Rgb, face: Face) -> tuple[int, int]:
    """(pixels that differ outside the mouth region, inside)."""
    height, width = before.shape[:2]
    region = (MouthRegion.of(face.landmarks_frame).weight((0, 0, width, height)) > 0).astype(np.uint8)
    region = cv2.dilate(region, np.ones((2 * GROWN_PX + 1, 2 * GROWN_PX + 1), np.uint8)) > 0
    differs = (before != after).any(axis=2)
    return int((differs & ~region).sum()), int((differs & region).sum())


def tile(pixels: Rgb, face: Face) -> Rgb:
    """The lower face, SIDE pixels wide."""
    part = np.ascontiguousarray(lower_face(pixels, face.landmarks_frame[:, :2]))
    return np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def compare(plate: Path, film: Path, wanted: set[int]) -> tuple[int, int, list[Rgb]]:
    """(pixels that differ outside, inside, tiles of the wanted frames)."""
    outside = inside = 0
    tiles = []
    with (
        open_source(str(plate)) as source,
        open_source(str(film)) as result,
        closing(open_analyzer(is_video=False)) as analyzer,
    ):
        for index, (before, after) in enumerate(zip(source, result, strict=False)):
            faces = analyzer.analyze(before.as_rgb8())
            if not faces:
                continue
            face = max(faces, key=lambda each: each.box.area)
            out, within = changed_outside(before.as_rgb8(), after.as_rgb8(), face)
            outside, inside = outside + out, inside + within
            if index in wanted:
                tiles.append(np.vstack([tile(before.as_rgb8(), face), tile(after.as_rgb8(), face)]))
    return outside, inside, tiles


def main() -> None:
    """Prints a line for each plate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plates", nargs="+", type=Path)
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    motion = hear(given.voice, RenderSettings().speech).motion
    for plate in given.plates:
        with open_source(str(plate)) as source:
            rate = source.info.rate
        asked = motion.sampled(rate, 0, motion.frames(rate))
        count = int(given.seconds * float(rate.fps))
        peaks = [int(asked[name][:count].argmax()) for name in ("open", "width", "round", "press")]
        wanted = {*peaks, *np.linspace(3, count - 4, SHOWN).astype(int).tolist()}
        with tempfile.TemporaryDirectory() as folder:
            film = render(plate, given.voice, given.seconds, given.sheet or Path(folder))
            outside, inside, tiles = compare(plate, film, wanted)
            scores = likeness(asked, filmed_mouth(film), rate)
            found = check_film(film)
        print(
            f"{plate.stem}: {outside} pixels differ outside the mouth region, {inside} inside; "
            + ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
            + f"; {found.verdict}, {1000 * found.offset_s:+.0f} ms, score {found.score:.2f}",
            flush=True,
        )
        if given.sheet is not None:
            tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 4)
            rows = [np.hstack(tiles[first : first + 4]) for first in range(0, len(tiles), 4)]
            path = given.sheet / f"{plate.stem}.png"
            cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
