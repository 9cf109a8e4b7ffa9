"""Ground truth: the mesh engine against real video.

The portrait is the first frame of a clip, the driving video is the clip, and the truth is known:

* *self*: the truth is the clip.
* *twin*: the truth is the clip turned by 6 degrees, enlarged by 1.3 and laid into a taller image; its first frame is
  the portrait. The driving video stays the clip.
* *gray*: the twin in grayscale; the render must stay colorless.

Measured in a box around the truth's landmarks of each frame, grown by 25 %: PSNR and SSIM, error removed against the
portrait shown unchanged (1 - MSE / MSE of the still), sharpness (mean absolute Laplacian over the truth's), PSNR inside
the face oval and outside it, and landmark errors (NME, percent of the distance between the outer eye corners; all
points, and lips). Beside them the flow bound: the portrait warped by dense optical flow (DIS at 512 columns) from each
frame of the truth to the portrait, the best that moving the photo can do.

    python benchmarks/ground_truth.py --media ../shared/media
    python benchmarks/ground_truth.py --media ../shared/media --clips d19 --tests self,twin,gray --sheet out/truth.png
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from lp_core.assemble import assemble
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.faces.open import open_analyzer
from lp_core.geometry.facemesh import OVAL
from lp_core.geometry.optical_flow import dense_flow
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.settings.render import RenderSettings
from lp_core.settings.table import with_values

CLIPS = "d3,d10,d13,d19,d20,s18,s32"
TESTS = ("self", "twin", "gray")
LIPS = [61, 291, 0, 17, 13, 14, 37, 267, 84, 314, 40, 270, 91, 321]
EYE_CORNERS = (33, 263)
GROWN = 0.25
BOUND_COLUMNS = 512
TWIN_DEGREES, TWIN_SCALE, TWIN_TALLER = 6.0, 1.3, 1.2
WRITTEN = ("truth", "render", "difference")

Picture = np.ndarray
Place = Callable[[Picture], Picture]


@dataclass
class Tally:
    """Sums over the frames of one clip, for one kind of result (still, render or flow bound)."""

    squares: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("box", "oval", "outside"), 0.0))
    counts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("box", "oval", "outside"), 0.0))
    ssim: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    lips: list[float] = field(default_factory=list)
    unread: int = 0
    chroma: int = 0

    def add(self, shown: Picture, truth: Picture, oval: Picture) -> None:
        """Takes one frame's box of (h, w, 3) uint8; ``oval`` (h, w) is True inside the face."""
        square = ((shown.astype(np.float32) - truth) ** 2).mean(axis=2)
        for name, mask in (("box", np.ones_like(oval)), ("oval", oval), ("outside", ~oval)):
            self.squares[name] += float(square[mask].sum())
            self.counts[name] += float(mask.sum())
        self.ssim.append(_ssim(_gray(shown), _gray(truth)))
        self.sharpness.append(_detail(shown) / max(_detail(truth), 1e-6))
        self.chroma = max(self.chroma, int(np.ptp(shown.astype(int), axis=2).max()))

    def psnr(self, name: str = "box") -> float:
        """PSNR over all frames, dB."""
        mse = self.squares[name] / max(self.counts[name], 1.0)
        return 10 * float(np.log10(255.0**2 / max(mse, 1e-9)))

    def read(self, face: Face | None, truth: Face) -> None:
        """Takes the landmarks that were read off one frame."""
        if face is None:
            self.unread += 1
            return
        there = truth.landmarks_frame[:, :2].astype(np.float64)
        off = np.linalg.norm(face.landmarks_frame[:, :2] - there, axis=1)
        off = 100 * off / np.linalg.norm(there[EYE_CORNERS[0]] - there[EYE_CORNERS[1]])
        self.points.append(float(off.mean()))
        self.lips.append(float(off[LIPS].mean()))


@dataclass(frozen=True)
class Result:
    """What one test of one clip gave."""

    still: Tally
    render: Tally
    bound: Tally

    @property
    def removed(self) -> float:
        """Error removed."""
        return 1 - 10 ** ((self.still.psnr() - self.render.psnr()) / 10)


def _gray(picture: Picture) -> Picture:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _detail(picture: Picture) -> float:
    return float(np.abs(cv2.Laplacian(_gray(picture).astype(np.float32), cv2.CV_32F)).mean())


def _ssim(one: Picture, other: Picture) -> float:
    """Mean structural similarity of two gray images (Wang et al. 2004; Gaussian window, sigma 1.5)."""

    def blur(values: Picture) -> Picture:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    a, b = one.astype(np.float32), other.astype(np.float32)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def frames_of(path: Path, limit: int) -> Iterator[Picture]:
    """(H, W, 3) uint8 frames of a clip."""
    with open_source(path) as source:
        for frame in islice(source, limit):
            yield frame.as_rgb8()


def write_clip(path: Path, pictures: Iterator[Picture], rate: Fraction) -> None:
    """Writes images losslessly."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.pix_fmt = "bgr0"
        for picture in pictures:
            if not stream.codec_context.is_open:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode())


def place_of(test: str, width: int, height: int) -> Place:
    """What makes the truth of a frame of the clip."""
    if test == "self":
        return lambda picture: picture
    taller = round(height * TWIN_TALLER)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), TWIN_DEGREES, TWIN_SCALE)
    matrix[1, 2] += (taller - height) / 2

    def twin(picture: Picture) -> Picture:
        moved = cv2.warpAffine(
            picture, matrix, (width, taller), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return cv2.cvtColor(_gray(moved), cv2.COLOR_GRAY2RGB) if test == "gray" else moved

    return twin


def flow_bound(truth: Picture, still: Picture) -> Picture:
    """The still, warped to a frame of the truth by dense optical flow at BOUND_COLUMNS."""
    height, width = truth.shape[:2]
    small = BOUND_COLUMNS, round(BOUND_COLUMNS * height / width)
    now, then = (cv2.resize(_gray(one), small, interpolation=cv2.INTER_AREA) for one in (truth, still))
    flow = cv2.resize(dense_flow(now, then), (width, height)) * np.float32(width / small[0])
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(
        still, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def read_face(analyzer: FaceAnalyzer, picture: Picture) -> Face | None:
    """The largest face, each image read alone."""
    faces = analyzer.analyze(picture, None)
    return max(faces, key=lambda face: face.box.area) if faces else None


def box_of(face: Face, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the box that is measured."""
    points = face.landmarks_frame[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    grown = GROWN * (high - low)
    low = np.maximum(np.floor(low - grown), 0).astype(int)
    high = np.minimum(np.ceil(high + grown), shape[1::-1]).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def oval_of(face: Face, shape: tuple[int, ...]) -> Picture:
    """(H, W) True inside the outline of the face."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(face.landmarks_frame[OVAL, :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def measure(truths: Iterator[Picture], still: Picture, render: Path, with_landmarks: bool) -> Result:
    """Compares a render with the truth, frame by frame."""
    result = Result(Tally(), Tally(), Tally())
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        for truth, drawn in zip(truths, frames_of(render, 10**9), strict=False):
            face = read_face(analyzer, truth)
            if face is None:
                continue
            rows, columns = box_of(face, truth.shape)
            oval = oval_of(face, truth.shape)[rows, columns]
            shown = {"still": still, "render": drawn, "bound": flow_bound(truth, still)}
            for name, picture in shown.items():
                tally: Tally = getattr(result, name)
                tally.add(picture[rows, columns], truth[rows, columns], oval)
                if with_landmarks and name != "still":
                    tally.read(read_face(analyzer, np.ascontiguousarray(picture)), face)
    return result


def sheet(truths: list[Picture], render: Path, count: int = 6) -> Picture:
    """Three rows, truth, render and four times their difference, at evenly spread frames."""
    drawn = list(frames_of(render, len(truths)))
    columns = []
    for at in np.linspace(0, len(drawn) - 1, count).astype(int):
        difference = np.clip(4 * np.abs(truths[at].astype(int) - drawn[at]), 0, 255).astype(np.uint8)
        columns.append(np.vstack([truths[at], drawn[at], difference]))
    return np.hstack(columns)


@dataclass(frozen=True)
class Setup:
    """What every test of a run shares."""

    media: Path
    frames: int
    settings: RenderSettings
    sheet: Path | None
    with_landmarks: bool


def run_test(setup: Setup, clip: str, test: str) -> Result:
    """Renders one test of one clip and measures it."""
    found = [setup.media / folder / f"{clip}.mp4" for folder in ("driving", "source_video")]
    path = next(one for one in found if one.exists())
    with open_source(path) as source:
        width, height, rate = source.info.width, source.info.height, source.info.rate.fps
    place = place_of(test, width, height)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "driving.mkv", frames_of(path, setup.frames), rate)
        still = place(next(frames_of(path, 1)))
        cv2.imwrite(str(folder / "still.png"), still[..., ::-1])
        render = folder / "render.mkv"
        job = RenderJob(str(folder / "still.png"), str(folder / "driving.mkv"), str(render), setup.settings)
        assemble(job).run()
        truths = (place(picture) for picture in frames_of(path, setup.frames))
        result = measure(truths, still, render, setup.with_landmarks)
        if setup.sheet:
            target = setup.sheet.with_stem(f"{setup.sheet.stem}_{clip}_{test}")
            pictures = sheet([place(one) for one in frames_of(path, setup.frames)], render)
            cv2.imwrite(str(target), pictures[..., ::-1])
    return result


HEADER = (
    f"{'clip':<5}{'test':<5} {'still':>6}{'render':>7}{'bound':>7} {'removed':>8} {'SSIM':>6}{'bound':>7}"
    f" {'sharp':>6} {'oval':>6}{'bound':>7} {'outside':>8}{'bound':>7} {'NME':>6}{'bound':>7} {'lips':>6}{'bound':>7}"
    f" {'unread':>7} {'color':>6}"
)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def row(clip: str, test: str, result: Result) -> str:
    """One line of the table."""
    still, render, bound = result.still, result.render, result.bound
    return (
        f"{clip:<5}{test:<5} {still.psnr():>6.1f}{render.psnr():>7.1f}{bound.psnr():>7.1f} {result.removed:>8.2f} "
        f"{_mean(render.ssim):>6.3f}{_mean(bound.ssim):>7.3f} {_mean(render.sharpness):>6.2f} "
        f"{render.psnr('oval'):>6.1f}{bound.psnr('oval'):>7.1f} {render.psnr('outside'):>8.1f}"
        f"{bound.psnr('outside'):>7.1f} {_mean(render.points):>6.2f}{_mean(bound.points):>7.2f} "
        f"{_mean(render.lips):>6.2f}{_mean(bound.lips):>7.2f} {render.unread:>7} "
        + (f"{render.chroma:>6}" if test == "gray" else f"{'-':>6}")
    )


def summary(test: str, results: list[Result]) -> str:
    """The means over the clips of one test."""
    gaps = [one.bound.psnr() - one.render.psnr() for one in results]
    return (
        f"{test}: mean error removed {_mean([one.removed for one in results]):.2f}, least "
        f"{min(one.removed for one in results):.2f}; mean gap to the flow bound {_mean(gaps):.2f} dB; mean sharpness "
        f"{_mean([_mean(one.render.sharpness) for one in results]):.2f}"
    )


def given_values(pairs: list[str]) -> dict[str, object]:
    """Settings by name, of NAME=VALUE; numbers, true and false as JSON has them, all else as text."""
    found: dict[str, object] = {}
    for name, _, value in (pair.partition("=") for pair in pairs):
        try:
            found[name] = value if name == "reference" else json.loads(value)
        except ValueError:
            found[name] = value
    return found


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True, help="folder with driving/ and source_video/")
    parser.add_argument("--clips", default=CLIPS)
    parser.add_argument("--tests", default="self", help=f"with commas, of {', '.join(TESTS)}")
    parser.add_argument("--frames", type=int, default=160)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a render setting")
    parser.add_argument("--no-landmarks", action="store_true", help="leave out NME, for a quick look")
    parser.add_argument(
        "--sheet", type=Path, help=f"write {', '.join(WRITTEN)} (clip and test are added to the name)"
    )
    options = parser.parse_args()
    values = {"codec": "ffv1", "audio": "none", "overwrite": True, "reference": "0"}
    given = given_values(options.set)
    settings = with_values(RenderSettings(), {**values, **given})
    setup = Setup(options.media, options.frames, settings, options.sheet, not options.no_landmarks)
    print(HEADER)
    for test in options.tests.split(","):
        results = []
        for clip in options.clips.split(","):
            results.append(run_test(setup, clip, test))
            print(row(clip, test, results[-1]), flush=True)
        print(summary(test, results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
