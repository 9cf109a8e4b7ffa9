"""How well sound predicts filmed mouths: leave-one-speaker-out scores, baselines, speed; fits the shipped map.

python benchmarks/speech.py            scores and speed
python benchmarks/speech.py --write    fits the map on the seven speakers of ../shared/speech and stores it
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lp_core.faces.open import open_analyzer
from lp_core.media.open import open_source
from lp_core.media.video.samples import mono_samples
from lp_core.speech.analysis import analyze, listen
from lp_core.speech.fit import (
    FilmedMouth,
    Speaker,
    curves_from_blendshapes,
    fit_map,
    fit_spectral_map,
    speaker_of,
)
from lp_core.speech.mouth_map import OUTPUTS, default_map
from lp_core.speech.read_mouth import read_mouth
from lp_core.speech.recognizer import load_recognizer
from lp_core.speech.score import JUDGED, agreement
from lp_core.speech.sound import MonoSound, sound_of

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
if not SHARED.exists():
    SHARED = ROOT.parent.parent / "shared"
MAP = ROOT / "lp_core" / "speech" / "mouth_map.npz"
SPECTRAL_MAP = MAP.with_name("spectral_map.npz")
D20, D20_LATE_S = SHARED / "media" / "driving" / "d20.mp4", 0.27


def speakers() -> list[Speaker]:
    """The seven speakers of ../shared/speech, each on the clock of its sound."""
    found = []
    for path in sorted((SHARED / "speech").glob("e*.npz")):
        with np.load(path) as stored:
            shapes = stored["blendshapes"].astype(np.float32)
            curves = curves_from_blendshapes(
                {name: stored[name] for name in JUDGED}, shapes, stored["blendshape_names"].tolist()
            )
            mouth = FilmedMouth(stored["times"] + float(stored["sound_late_s"]), curves)
        sound = sound_of(mono_samples(path.with_suffix(".wav")))
        found.append(speaker_of(path.stem, sound, mouth, load_recognizer()))
    return found


def filmed_speaker() -> Speaker:
    """d20, read by the landmarker, its sound's lateness taken out."""
    analyzer = open_analyzer(is_video=False)
    try:
        with open_source(str(D20)) as source:
            mouth = read_mouth(source, analyzer, D20_LATE_S)
    finally:
        analyzer.close()
    return speaker_of("d20", sound_of(mono_samples(D20)), mouth, load_recognizer())


def loudness_scores(speaker: Speaker) -> Mapping[str, float]:
    """The baseline: loudness in place of every output."""
    rows = np.repeat(speaker.voice.loudness[:, None], len(OUTPUTS), axis=1)
    return agreement(rows, speaker.voice, speaker.mouth)


def print_row(name: str, scores: Mapping[str, float]) -> None:
    """One row of the table."""
    print(f"{name:34}" + "".join(f"{scores[key]:8.2f}" for key in JUDGED))


def print_scores(seven: list[Speaker], unseen: Speaker) -> None:
    """Leave-one-out over all eight, then d20 under the map of the seven."""
    everyone = [*seven, unseen]
    print(f"{'speech, slow drift taken off, r of':34}" + "".join(f"{name:>8}" for name in JUDGED))
    rows = []
    for speaker in everyone:
        fitted = fit_map([other for other in everyone if other is not speaker])
        scores = agreement(fitted.deviations(speaker.features), speaker.voice, speaker.mouth)
        rows.append(scores)
        print_row(f"{speaker.name} left out", scores)
    print_row("mean", {name: float(np.mean([row[name] for row in rows])) for name in JUDGED})
    alone = []
    for speaker in everyone:
        fitted = fit_spectral_map([other for other in everyone if other is not speaker])
        alone.append(agreement(fitted.deviations(speaker.features), speaker.voice, speaker.mouth))
    print_row("spectrum alone, mean", {name: float(np.mean([row[name] for row in alone])) for name in JUDGED})
    base = [loudness_scores(speaker) for speaker in everyone]
    print_row("loudness alone, mean", {name: float(np.mean([row[name] for row in base])) for name in JUDGED})
    shipped = default_map()
    scores = agreement(shipped.deviations(unseen.features), unseen.voice, unseen.mouth)
    print_row("d20 under the shipped map", scores)


def print_rounding(seven: list[Speaker]) -> None:
    """How round filmed mouths are at a width: what ties the two curves of a speaking face together."""
    curves = [speaker.mouth.curves for speaker in seven]
    width, rounding, gap = (
        np.concatenate([each[name] for each in curves]) for name in ("width", "round", "open")
    )
    print("mouths at rest:", ", ".join(f"{np.median(each['width']):.2f}" for each in curves))
    print(f"{'width':>12}{'frames':>8}{'round p50':>11}{'p95':>7}{'mean, closed':>14}{'open':>7}")
    for low in np.arange(0.44, 0.66, 0.02):
        there = (width >= low) & (width < low + 0.02)
        middle, high = np.percentile(rounding[there], [50, 95])
        closed, opened = rounding[there & (gap < 0.03)], rounding[there & (gap >= 0.08)]
        means = "".join(
            f"{rows.mean():{size}.2f}" if len(rows) else f"{'-':>{size}}"
            for rows, size in ((closed, 14), (opened, 7))
        )
        print(f"{low:6.2f}..{low + 0.02:.2f}{there.sum():8d}{middle:11.2f}{high:7.2f}{means}")


def print_silence() -> None:
    """MonoSound without speech and a silent track."""
    for name in ("source_video/s18.mp4", "driving/d3.mp4"):
        voice = listen(sound_of(mono_samples(SHARED / "media" / name)))
        print(f"{name}: {100 * float((voice.activity > 0.5).mean()):.1f} % counts as speech")


def print_speed() -> None:
    """Analysis of two minutes of speech."""
    blocks = list(mono_samples(SHARED / "speech" / "e8.wav"))
    sound = MonoSound(np.tile(sound_of(blocks).samples, 6))
    recognizer = load_recognizer()
    start = time.process_time()
    analyze(sound, recognizer, default_map())
    seconds = time.process_time() - start
    pace = sound.seconds / seconds
    print(f"analysis: {sound.seconds:.0f} s of speech in {seconds:.1f} s of one core, {pace:.0f}x real time")


def main() -> None:
    """Prints everything, or writes the map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="fit and store the shipped map")
    arguments = parser.parse_args()
    seven = speakers()
    if arguments.write:
        MAP.write_bytes(fit_map(seven).to_bytes())
        SPECTRAL_MAP.write_bytes(fit_spectral_map(seven).to_bytes())
        for path in (MAP, SPECTRAL_MAP):
            print(
                f"{path.name}: {path.stat().st_size} bytes, fitted on {', '.join(each.name for each in seven)}"
            )
        return
    print_scores(seven, filmed_speaker())
    print_rounding(seven)
    print_silence()
    print_speed()


if __name__ == "__main__":
    main()
