"""Voices drive portraits; the results are read again and compared with the curves that were asked for.

python benchmarks/speech_reread.py PORTRAIT... --voice talk.wav... [--fps 24] [--seconds 6] [--sheet FOLDER]

Prints for each portrait and voice: r of opening, width and rounding with the curves asked for (whole clip, no lag),
r of width alone while the lids are open (its unit, the distance of the eyes' outer corners, reads longer when they
close), closures of p, b and m, open vowels that are closed too (in brackets: in the curves asked for), and the
lip-sync check of the result. A closure is an inner gap below a fifth of the clip's 95th percentile within 80 ms; those
of all are added up. Mesh engine, lossless.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.faces.open import open_analyzer
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.check import check_film
from lp_core.speech.fit import FilmedMouth
from lp_core.speech.motion import SpeechMotion
from lp_core.speech.performance import hear
from lp_core.speech.phones import CLOSURES, OPEN_VOWELS
from lp_core.speech.read_mouth import filmed_mouth
from lp_core.speech.score import JUDGED
from lp_core.timing import FrameRate

NEAR_S, SHARE = 0.08, 0.2
OPEN_LIDS = 0.3


def render(portrait: Path, voice: Path, fps: str, seconds: float, folder: Path) -> Path:
    """The portrait speaking, lossless."""
    output = folder / f"{portrait.stem}-{voice.stem}.mkv"
    last = int(seconds * float(FrameRate.parse(fps).fps)) - 1
    values = {"engine": "mesh", "sign": False, "fps": fps, "codec": "ffv1", "frames": f"0-{last}"}
    assemble(RenderJob(str(portrait), str(voice), str(output), with_values(RenderSettings(), values))).run()
    return output


def asked_mouth(asked: Mapping[str, np.ndarray], mouth: FilmedMouth, rate: FrameRate) -> FilmedMouth:
    """The curves that were asked for, at the frames that show the mouth."""
    frames = np.round(mouth.times_s * float(rate.fps)).astype(int)
    return FilmedMouth(mouth.times_s, {name: curve[frames] for name, curve in asked.items()})


def likeness(asked: Mapping[str, np.ndarray], mouth: FilmedMouth, rate: FrameRate) -> dict[str, float]:
    """R of each judged curve with what was asked for."""
    wanted = asked_mouth(asked, mouth, rate).curves
    return {name: float(np.corrcoef(wanted[name], mouth.curves[name])[0, 1]) for name in JUDGED}


def width_with_open_lids(wanted: FilmedMouth, mouth: FilmedMouth) -> float:
    """R of the width over the frames whose lids are open."""
    is_open = wanted.curves["blink"] < OPEN_LIDS
    return float(np.corrcoef(wanted.curves["width"][is_open], mouth.curves["width"][is_open])[0, 1])


def closed_share(motion: SpeechMotion, mouth: FilmedMouth, names: frozenset[str]) -> tuple[int, int]:
    """(closed, all) of the phones of some names that the clip covers."""
    limit = SHARE * float(np.percentile(mouth.curves["open"], 95))
    closed = total = 0
    for phone in motion.phones:
        near = np.abs(mouth.times_s - phone.middle_s) <= NEAR_S
        if phone.name in names and near.any() and phone.middle_s < mouth.times_s[-1]:
            total += 1
            closed += bool((mouth.curves["open"][near] < limit).any())
    return closed, total


def lower_face(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A square of the image from the eyes to below the chin."""
    top, bottom = points[[33, 263], 1].mean(), points[152, 1]
    side, (x, y) = int(1.5 * (bottom - top)), points[[61, 291]].mean(axis=0)
    left, upper = max(int(x - side / 2), 0), max(int(y - side / 2), 0)
    return pixels[upper : upper + side, left : left + side]


def write_sheet(film: Path, asked: Mapping[str, np.ndarray], output: Path) -> None:
    """The frames with the widest, narrowest, roundest and most open mouth, and some between, as one image."""
    wanted = [int(asked["open"].argmax()), int(asked["width"].argmax()), int(asked["width"].argmin())]
    wanted += [int(asked["round"].argmax()), int(asked["press"].argmax())]
    wanted += np.linspace(5, len(asked["open"]) - 5, 7).astype(int).tolist()
    tiles = []
    with open_source(str(film)) as source, closing(open_analyzer(is_video=False)) as analyzer:
        for index, frame in enumerate(source):
            if index in wanted:
                pixels = frame.as_rgb8()
                face = max(analyzer.analyze(pixels), key=lambda each: each.box.area)
                tiles.append((index, lower_face(pixels, face.landmarks_frame[:, :2])))
    by_index = dict(tiles)
    cells = [
        cv2.resize(by_index[index], (480, 480), interpolation=cv2.INTER_AREA)
        for index in wanted
        if index in by_index
    ]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % 4)
    rows = [np.hstack(cells[first : first + 4]) for first in range(0, len(cells), 4)]
    cv2.imwrite(str(output), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


@dataclass
class Total:
    """What all videos together show."""

    closed: NDArray[np.int_] = field(default_factory=lambda: np.zeros(4, int))
    """Closed p, b, m; all of them; closed open vowels; all of them."""


def measure(portrait: Path, voice: Path, given: argparse.Namespace, total: Total) -> None:
    """Prints the line of one portrait and voice."""
    rate = FrameRate.parse(given.fps)
    motion = hear(voice, RenderSettings().speech).motion
    asked = motion.sampled(rate, 0, motion.frames(rate))
    with tempfile.TemporaryDirectory() as folder:
        seconds = min(given.seconds, motion.seconds)
        film = render(portrait, voice, given.fps, seconds, given.sheet or Path(folder))
        mouth = filmed_mouth(film)
        scores = likeness(asked, mouth, rate)
        lips, vowels = closed_share(motion, mouth, CLOSURES), closed_share(motion, mouth, OPEN_VOWELS)
        total.closed += np.array([*lips, *vowels])
        found = check_film(film)
        wanted = asked_mouth(asked, mouth, rate)
        asked_vowels = closed_share(motion, wanted, OPEN_VOWELS)
        print(
            f"{portrait.stem}, {voice.stem}: "
            + ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
            + f" (width, lids open: {width_with_open_lids(wanted, mouth):.3f}); p b m closed {lips[0]} of {lips[1]}, "
            f"open vowels {vowels[0]} of {vowels[1]} (asked: {asked_vowels[0]}); "
            f"{found.verdict}, {1000 * found.offset_s:+.0f} ms, score {found.score:.2f}",
            flush=True,
        )
        if given.sheet is not None:
            shown = {name: curve[: len(mouth.times_s)] for name, curve in asked.items()}
            write_sheet(film, shown, given.sheet / f"{portrait.stem}-{voice.stem}.png")


def main() -> None:
    """Prints a line for each portrait and voice, and the closures of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--voice", type=Path, required=True, nargs="+")
    parser.add_argument("--fps", default="25")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    total = Total()
    for portrait in given.portraits:
        for voice in given.voice:
            measure(portrait, voice, given, total)
    lips, of_lips, vowels, of_vowels = total.closed
    print(
        f"all: p b m closed {lips} of {of_lips} ({100 * lips / max(of_lips, 1):.0f} %), "
        f"open vowels {vowels} of {of_vowels} ({100 * vowels / max(of_vowels, 1):.0f} %)"
    )


if __name__ == "__main__":
    main()
