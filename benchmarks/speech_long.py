"""Memory and speed of speech analysis against the length of the sound.

python benchmarks/speech_long.py                 1, 10 and 60 minutes
python benchmarks/speech_long.py --minutes 1 10

Seconds are of one core. Each length runs in a separate process: analysis of a sound file, the face's motion, and its
frames at 25/s, as an extraction does it. The sound is the shared speech, repeated.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from lp_core.media.video.samples import mono_samples
from lp_core.settings import SpeechSettings
from lp_core.speech.features import RATE
from lp_core.speech.performance import SpokenMotion
from lp_core.timing import FrameRate

ROOT = Path(__file__).resolve().parent.parent
SPEECH = next(
    (above / "shared" / "speech" for above in ROOT.parents if (above / "shared" / "speech").is_dir()), ROOT
)


def write_sound(path: Path, minutes: float) -> None:
    """The shared speech, repeated for so long."""
    parts = [np.concatenate(list(mono_samples(file))) for file in sorted(SPEECH.glob("e*.wav"))]
    block = (np.concatenate(parts) * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        left = int(minutes * 60 * RATE) * 2
        while left > 0:
            file.writeframes(block[:left])
            left -= len(block)


def run(path: Path) -> None:
    """Analyzes a sound and prints seconds, phones and peak memory."""
    start = time.process_time()
    voice = SpokenMotion(path, SpeechSettings(), FrameRate.parse(25), "mesh478")
    analysis_s = 0.0
    count = len(voice)
    analysis_s = time.process_time() - start
    for first in range(0, count, 64):
        voice.rows(first, min(first + 64, count))
    whole_s = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} {len(voice.motion.phones)} {analysis_s:.1f} {whole_s:.1f} {peak_mb:.0f}")


def main() -> None:
    """Prints a line for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="*", default=[1, 10, 60])
    parser.add_argument("--run", type=Path)
    given = parser.parse_args()
    if given.run is not None:
        run(given.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        for minutes in given.minutes:
            path = Path(folder) / "sound.wav"
            write_sound(path, minutes)
            words = subprocess.run(
                [sys.executable, __file__, "--run", str(path)], check=True, capture_output=True, text=True
            ).stdout.split()
            frames, phones, analysis_s, whole_s, peak_mb = words
            pace = 60 * minutes / float(analysis_s)
            print(
                f"{minutes:g} min: {frames} frames, {phones} phones, analysis {analysis_s} s ({pace:.1f} x real "
                f"time), with frames {whole_s} s, peak memory {peak_mb} MB"
            )


if __name__ == "__main__":
    main()
