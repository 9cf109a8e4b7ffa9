"""How far video-mode readings trail the image, and what removing the lag leaves (lp_core.render.landmark_lag).

First, on a portrait that sways by known pixels: the error of its landmarks as they were read, and carried on. Then,
for clips: the delay, in milliseconds, at which the filtered reading is most like the one of the same mode that does
not filter (it has several faces to find), for landmarks and for channels. Last, the correlation of both readings as
they are: how far the landmarker agrees with itself.

    python benchmarks/landmarker_lag.py --films ../shared/media/driving/*.mp4
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.media.open import open_source
from lp_core.render.landmark_lag import Sighting, without_lag

RATE, FRAMES = 25, 75
SWAYS = ((0.3, 3), (0.6, 3), (1.2, 3), (0.3, 10), (0.6, 10), (1.2, 10), (0.6, 25), (1.2, 25))
"""Hertz and pixels."""
CHANNELS = ("pitch", "yaw", "roll", "mouthSmileLeft", "jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
DELAYS_MS = np.arange(-20, 80)
ENDS = 4
"""Frames at either end that are not compared."""


def print_sways() -> None:
    """Errors on the astronaut moved from side to side."""
    print(f"{'sway':<18}{'face sizes/s':>13}{'error as read, px':>19}{'carried on':>12}")
    wide = cv2.copyMakeBorder(data.astronaut(), 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    for hertz, pixels in SWAYS:
        places = pixels * np.sin(2 * np.pi * hertz * np.arange(FRAMES) / RATE)
        sightings: list[Sighting] = []
        with closing(open_analyzer(is_video=True)) as analyzer:
            for index, place in enumerate(places):
                move = np.float64([[1, 0, place], [0, 1, 0]])
                picture = cv2.warpAffine(
                    wide, move, wide.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
                )
                (face,) = analyzer.analyze(picture, index * 1000 // RATE)
                sightings.append((Frame(picture, index, Fraction(index, RATE)), face))
        size = (face.box.right - face.box.left + face.box.bottom - face.box.top) / 2
        read, carried = (
            sway_error([f for _, f in s], places) for s in (sightings, list(without_lag(sightings)))
        )
        speed = 2 * np.pi * hertz * pixels / size
        print(f"{f'{hertz} Hz, {pixels} px':<18}{speed:>13.2f}{read:>19.3f}{carried:>12.3f}")


def sway_error(faces: list[Face], places: np.ndarray) -> float:
    """Standard deviation, over time and landmarks, of how far each is from where it was moved to."""
    off = np.array([face.landmarks_frame[:, 0] for face in faces]) - places[:, None]
    return float((off - off.mean(axis=0))[ENDS:-ENDS].std())


def film_rows(path: Path) -> tuple[str, str]:
    """The delays and the agreement of one clip."""
    (times, points, channels), (_, plain_points, plain_channels) = (read(path, count) for count in (1, 2))
    delays = [delay_ms(times, points, plain_points)]
    delays += [delay_ms(times, channels[:, [i]], plain_channels[:, [i]]) for i in range(len(CHANNELS))]
    alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(channels.T, plain_channels.T, strict=True)]
    return (
        f"{path.stem:<10}" + "".join(f"{value:>15}" for value in delays),
        f"{path.stem:<10}{'':>15}" + "".join(f"{value:>15.2f}" for value in alike),
    )


def read(path: Path, max_faces: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (N,), some landmarks (N, K) and CHANNELS (N, C) of a clip that shows its face in every frame."""
    times, points, channels = [], [], []
    with open_source(path) as source, closing(open_analyzer(is_video=True, max_faces=max_faces)) as analyzer:
        for frame in source:
            face = analyzer.analyze(frame.as_rgb8(), int(frame.time_s * 1000))[0]
            times.append(float(frame.time_s))
            points.append(face.landmarks_frame[::7, :2].ravel())
            pose = (face.pose.pitch_deg, face.pose.yaw_deg, face.pose.roll_deg)
            channels.append([*pose, *(face.blendshapes[name] for name in CHANNELS[3:])])
    return np.array(times), np.array(points), np.array(channels)


def delay_ms(times: np.ndarray, filtered: np.ndarray, plain: np.ndarray) -> int:
    """By how much the plain readings have to be delayed to be most like the filtered ones."""

    def unlike(delay: float) -> float:
        later = np.stack([np.interp(times - delay / 1000, times, row) for row in plain.T], axis=1)
        off = (filtered - later)[ENDS:-ENDS]
        return float((((off - off.mean(axis=0)) / plain.std(axis=0)) ** 2).mean())

    return int(min(DELAYS_MS, key=unlike))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=Path, nargs="*", default=[])
    films = parser.parse_args().films
    print_sways()
    rows = [film_rows(film) for film in films]
    if rows:
        print(f"{'film':<10}" + "".join(f"{name:>15}" for name in ("landmarks", *CHANNELS)))
        print("delay, ms", *(delays for delays, _ in rows), sep="\n")
        print("correlation", *(alike for _, alike in rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
