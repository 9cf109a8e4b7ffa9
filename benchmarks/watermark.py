"""How well the invisible mark survives, how much it changes, and how often it is seen where there is none.

    python benchmarks/watermark.py --media FOLDER [--frames 60]

Marks renders of every video of FOLDER/driving and FOLDER/source_video (as plates) and every portrait with a human
face, in two performances, as `lpsuite animate --watermark` does; attacks the frames; looks for the mark.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.errors import FaceError
from lp_core.frame import Box, Frame
from lp_core.job import RenderJob
from lp_core.media.base import SinkSpec
from lp_core.media.open import open_source
from lp_core.provenance.detect import LEAST_SCORE, detect
from lp_core.provenance.watermark import Marker
from lp_core.settings import EngineSettings, InputSettings, MeshSettings, ProvenanceSettings, RenderSettings

Clip = list[NDArray[np.uint8]]
NUMBERS = (0xDEADBEEF, 0x00000001, 0xC0FFEE11, 0x7FFFFFFF)


class Kept:
    """A sink that keeps the frames."""

    notes = ()

    def __init__(self, frames: Clip) -> None:
        self._frames = frames

    def write(self, frame: Frame) -> None:
        """Keeps a frame."""
        self._frames.append(frame.as_rgb8())

    def commit(self) -> None:
        """Nothing is left to do."""

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Measured:
    """The mark, and its size inside the matte."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._marker: Marker | None = None
        self.psnr: list[float] = []

    def __call__(self, frame: Frame, matte: NDArray[np.float32], region: Box) -> Frame:
        """Marks a frame and measures the change."""
        height, width = frame.pixels.shape[:2]
        self._marker = self._marker or Marker(self._number, width, height)
        marked = self._marker(frame, matte, region)
        left, top, right, bottom = region
        part = slice(top, bottom), slice(left, right)
        change = marked.pixels[part].astype(np.float64) - frame.pixels[part]
        error = np.mean(change[matte > 0][..., :3] ** 2)
        outside = marked.pixels.astype(np.int32) - frame.pixels
        outside[part][matte > 0] = 0
        assert not outside.any()  # noqa: S101 - what the benchmark is for
        self.psnr.append(float(10 * np.log10(255**2 / error)))
        return marked


def rendered(source: str, driving: str, number: int, frames: int) -> tuple[Clip, list[float]]:
    """A marked render, and the PSNR of each frame inside the matte."""
    settings = RenderSettings(
        engine=EngineSettings(engine="mesh"),
        mesh=MeshSettings(calibration="off"),
        input=InputSettings(frames=f"0-{frames - 1}"),
        provenance=ProvenanceSettings(sign=False),
    )
    clip: Clip = []
    render = assemble(RenderJob(source, driving, "unused.mp4", settings))
    mark = Measured(number)

    def open_sink(_spec: SinkSpec) -> Any:  # noqa: ANN401 - a sink
        return Kept(clip)

    replace(render, mark=mark, target=replace(render.target, open=open_sink)).run()
    return clip, mark.psnr


def h264(clip: Clip, crf: int = 28) -> Clip:
    """Through x264 and back."""
    height, width = (size // 2 * 2 for size in clip[0].shape[:2])
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    command = ["ffmpeg", "-v", "error", *raw, "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    command += ["-c:v", "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p", "-f", "matroska", "-"]
    data = b"".join(np.ascontiguousarray(frame[:height, :width]).tobytes() for frame in clip)
    film = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    back = ["ffmpeg", "-v", "error", "-i", "-", *raw, "-"]
    pixels = subprocess.run(back, input=film, stdout=subprocess.PIPE, check=True).stdout
    return list(np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3))


def resized(clip: Clip, scale: float) -> Clip:
    """Scaled by area."""
    height, width = (round(size * scale) for size in clip[0].shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return [np.asarray(cv2.resize(frame, (width, height), interpolation=how), np.uint8) for frame in clip]


def cropped(clip: Clip) -> Clip:
    """5 % of either side gone, unevenly, so that the mark is shifted too."""
    height, width = clip[0].shape[:2]
    return [
        frame[round(height * 0.03) : round(height * 0.98), round(width * 0.01) : round(width * 0.96)]
        for frame in clip
    ]


ATTACKS: dict[str, Callable[[Clip], Clip]] = {
    "none": lambda clip: clip,
    "H.264 CRF 28": h264,
    "half size": lambda clip: resized(clip, 0.5),
    "5 % crop": cropped,
    "CRF 28, half, crop": lambda clip: cropped(resized(h264(clip), 0.5)),
    "half, then CRF 28": lambda clip: h264(resized(clip, 0.5)),
}


def cases(media: Path) -> Iterator[tuple[str, str]]:
    """(source, driving) of the renders."""
    films = [*sorted((media / "driving").glob("*.mp4")), *sorted((media / "source_video").glob("*.mp4"))]
    for film in films:
        yield str(film), "demo:nod"
    for portrait in sorted((media / "portraits").glob("*.jpg")):
        for driving in ("demo:expressive", "demo:nod"):
            yield str(portrait), driving


def unmarked(media: Path, length: int) -> Iterator[tuple[str, Clip]]:
    """The real videos in pieces, as they are."""
    for path in [*sorted((media / "driving").glob("*.mp4")), *sorted((media / "source_video").glob("*.mp4"))]:
        piece: Clip = []
        with open_source(path) as source:
            for frame in source:
                piece.append(frame.as_rgb8())
                if len(piece) == length:
                    yield path.name, piece
                    piece = []


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=60, help="frames of a clip")
    given = parser.parse_args()
    found = {name: list[float]() for name in ATTACKS}
    wrong, psnr, clips = dict.fromkeys(ATTACKS, 0), list[float](), 0
    for index, (source, driving) in enumerate(cases(given.media)):
        number = NUMBERS[index % len(NUMBERS)]
        try:
            clip, each = rendered(source, driving, number, given.frames)
        except FaceError:
            continue  # an animal: nothing is rendered, so nothing is marked
        clips += 1
        psnr.extend(each)
        line = []
        for name, attack in ATTACKS.items():
            detection = detect(attack(clip))
            if detection.number == number:
                found[name].append(detection.score)
            elif detection.number is not None:
                wrong[name] += 1
            line.append(f"{detection.score:.1f}{'' if detection.number == number else '!'}")
        height, width = clip[0].shape[:2]
        print(
            f"{Path(source).name:9} {driving:15} {width}x{height} {min(each):.1f} dB  {'  '.join(line)}",
            flush=True,
        )
    print(
        f"\nPSNR inside the matte: least {min(psnr):.2f} dB, mean {np.mean(psnr):.2f} dB over {len(psnr)} frames"
    )
    print(f"\n| attack | found of {clips} | wrong number | least score |\n| --- | --- | --- | --- |")
    for name, scores in found.items():
        print(f"| {name} | {len(scores)} | {wrong[name]} | {min(scores, default=0):.1f} |")
    scores, false = list[float](), 0
    for _, piece in unmarked(given.media, given.frames):
        for form in (piece, cropped(resized(piece, 0.5))):
            detection = detect(form)
            scores.append(detection.score)
            false += detection.number is not None
    print(
        f"\nUnmarked real clips: {false} false of {len(scores)}; highest score {max(scores):.2f}, needed {LEAST_SCORE}"
    )


if __name__ == "__main__":
    main()
