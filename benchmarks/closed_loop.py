"""Closed loop: does the animated portrait do what the performer did?

Every driving clip drives every portrait through the ordinary render (fine calibration unless set otherwise,
all else default; lossless video). The video is read back with the landmarker that read the performer, in the same
video mode, and both readings are compared frame by frame: Pearson correlation and gain (regression slope) of head
angles, smile, jaw and blinks, wherever the performer moves enough for it to mean something. Also: frames in which
the face is not found again, pixels outside the matte that differ from the photo (bit for bit, in the video as it
was read back), the share of touched pixels where the flow folds, and jitter: high-frequency energy of the landmarks'
paths (second differences, in units of the distance between the outer eye corners) over that of the performer's, in the
half of the frames in which the performer moves least. It is printed of the landmarks as read back, which includes what
the landmarker trembles on this portrait; of those that the engine drew, which does not; of the pixels themselves, as
*tracked* from frame to frame where the landmarks are (pyramidal Lucas-Kanade), in the render and in the performer's
video; and, as what the *reader* adds by itself, of the photo as read back when it is only shifted, turned and scaled
along with the head, smoothly in time.

    python benchmarks/closed_loop.py --media ../shared/media
    python benchmarks/closed_loop.py --media ../shared/media --driving d0 --portraits s9 --sheet out/loop.png
    python benchmarks/closed_loop.py --media ../shared/media --calibration off --set dense_motion=false
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from ground_truth import given_values
from scipy.ndimage import gaussian_filter1d

from lp_core.assemble import assemble
from lp_core.engines.base import Animation, DrawRequest
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.faces.open import open_analyzer
from lp_core.geometry.affine import fit_similarity
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.motion.sequence import MotionFrame
from lp_core.settings import CALIBRATIONS, RenderSettings
from lp_core.settings.table import with_values

CHANNELS = {
    "pitch": (5.0, 0.90),
    "yaw": (5.0, 0.90),
    "roll": (5.0, 0.90),
    "smile": (0.3, 0.90),
    "jawOpen": (0.3, 0.85),
    "eyeBlinkLeft": (0.3, 0.75),
    "eyeBlinkRight": (0.3, 0.75),
}
"""Channel -> (smallest range of the performer that counts, least correlation)."""
GAINS = (0.5, 1.5)
EYE_CORNERS = (33, 263)
STILL_FRAMES = 9
"""Frames over which a performer's movement is averaged to find where it is least."""
TRACKED_EYES_PX = 120.0
"""Distance of the outer eye corners at which pixels are tracked; the window is a fifth of it."""
SMOOTH_FRAMES = 3.0
"""Standard deviation, in frames, over which the path of the photo that shows what the reader adds is averaged."""


OPENINGS = [*((eye.upper, eye.lower) for eye in EYES), (LIPS_INNER_UPPER, LIPS_INNER_LOWER)]
"""Upper and lower edge of eyes and mouth; what is next to these comes and goes."""


class WatchedEngine(MeshEngine):
    """The mesh engine, watched: what it touched and where its flow folds."""

    def __init__(self, settings: RenderSettings) -> None:
        super().__init__(settings)
        self.touched: np.ndarray | None = None
        self.folded = self.counted = 0
        self.drawn: list[np.ndarray] = []
        self.own = np.zeros((478, 2))

    def animate_all(self, acts: Sequence[DrawRequest], reference: MotionFrame) -> list[Animation]:
        """As the engine does."""
        results = super().animate_all(acts, reference)
        for act, result in zip(acts, results, strict=True):
            self._watch(act.portrait, result)
        return results

    def _watch(self, portrait: MeshPortrait, result: Animation) -> None:
        if self.touched is None:
            self.touched = np.zeros(result.pixels.shape[:2], bool)
        left, top, right, bottom = result.region
        self.touched[top:bottom, left:right] |= result.region_matte > 0
        flow = result.region_flow
        dx, dy = np.diff(flow, axis=1)[:-1], np.diff(flow, axis=0)[:, :-1]
        turned = (1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0] <= 0
        inside = result.region_matte[:-1, :-1] > 0
        inside &= ~_openings(portrait, (left, top), inside.shape)
        self.folded += int((turned & inside).sum())
        self.counted += int(inside.sum())
        self.drawn.append(result.landmarks_frame[:, :2].astype(np.float64))
        self.own = portrait.points[:, :2]


def _openings(portrait: MeshPortrait, corner: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    """Where eyes and mouth open and close (by design the skin parts there), generously outlined."""
    mask = np.zeros(shape, np.uint8)
    for upper, lower in OPENINGS:
        points = portrait.points[np.concatenate([upper, lower]), :2]
        middle = points.mean(axis=0) - corner
        radius = np.ptp(points, axis=0).max() * 0.8
        cv2.circle(mask, tuple(int(v) for v in middle), int(radius), 1, -1)
    return mask.astype(bool)


@dataclass(frozen=True)
class Reading:
    """Channels of a clip by name, (N,) each, NaN where no face was found."""

    channels: dict[str, np.ndarray]
    paths: np.ndarray
    """(N, 478, 2) landmarks in units of the distance between the outer eye corners; NaN where no face was found."""
    points: list[np.ndarray]
    """The same in pixels."""

    @property
    def steps(self) -> np.ndarray:
        """(N - 1, 478, 2) of the landmarks from frame to frame."""
        return np.diff(self.paths, axis=0)

    @property
    def missing(self) -> int:
        """Frames without a face."""
        return int(np.isnan(self.channels["yaw"]).sum())


def read_clip(path: Path) -> Reading:
    """Reads every frame of a video with the landmarker, in video mode."""
    with open_source(path) as source:
        return read_images((frame.as_rgb8(), int(frame.time_s * 1000)) for frame in source)


def read_images(images: Iterable[tuple[np.ndarray, int]]) -> Reading:
    """Reads images, (H, W, 3) RGB and time in milliseconds each, as those of a video."""
    rows, paths = [], []
    with closing(open_analyzer("mediapipe", is_video=True)) as analyzer:
        for picture, time_ms in images:
            faces = analyzer.analyze(picture, time_ms)
            rows.append(_channels(faces[0]) if faces else [np.nan] * len(CHANNELS))
            points = (
                faces[0].landmarks_frame[:, :2].astype(np.float64) if faces else np.full((478, 2), np.nan)
            )
            paths.append(points)
    return Reading(dict(zip(CHANNELS, np.array(rows).T, strict=True)), in_eye_distances(paths), paths)


def smoothly_moved(
    photo: np.ndarray, own: np.ndarray, drawn: Sequence[np.ndarray], period_ms: float
) -> Iterator[tuple[np.ndarray, int]]:
    """The photo, only shifted, turned and scaled along the averaged path of a head, with its times.

    Args:
        photo: (H, W, 3) RGB.
        own: (478, 2) landmarks in it.
        drawn: the same in each frame.
        period_ms: from one frame to the next.
    """
    path = gaussian_filter1d([fit_similarity(own, points) for points in drawn], SMOOTH_FRAMES, axis=0)
    for number, moved in enumerate(path):
        picture = cv2.warpAffine(
            photo, moved, photo.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        yield picture, round(number * period_ms)


def in_eye_distances(paths: Sequence[np.ndarray]) -> np.ndarray:
    """(N, 478, 2) landmarks in pixels, in units of the distance between the outer eye corners."""
    whole = np.array(paths)
    eyes = np.nanmedian(np.linalg.norm(whole[:, EYE_CORNERS[0]] - whole[:, EYE_CORNERS[1]], axis=1))
    return whole / eyes


def jitter(driver: Reading, steps: np.ndarray, driver_steps: np.ndarray) -> float:
    """High-frequency energy of a render's paths over the performer's where the performer moves least.

    Args:
        driver: says where that is.
        steps: (N - 1, P, 2) from frame to frame, NaN where they are not known.
        driver_steps: the same of the performer.
    """
    both = min(len(steps), len(driver_steps))
    speed = np.linalg.norm(np.diff(driver.paths[: both + 1], axis=0), axis=2).mean(axis=1)
    calm = np.convolve(np.nan_to_num(speed, nan=np.inf), np.ones(STILL_FRAMES) / STILL_FRAMES, "same")[1:]
    here, there = (np.nanmean((np.diff(one[:both], axis=0) ** 2).sum(2), 1) for one in (steps, driver_steps))
    counted = (calm <= np.median(calm)) & np.isfinite(here) & np.isfinite(there)
    return float(here[counted].mean() / there[counted].mean())


def tracked_steps(images: Iterable[np.ndarray], paths: Sequence[np.ndarray]) -> np.ndarray:
    """(N - 1, P, 2) where the pixels at the skin's landmarks go from frame to frame, in eye distances.

    Args:
        images: N images, (H, W, 3) RGB.
        paths: (478, 2) landmarks in each image, pixels; NaN if no face was found.
    """
    skin = np.setdiff1d(np.arange(468), np.concatenate([np.concatenate(pair) for pair in OPENINGS]))
    eyes_px = float(np.nanmedian([np.linalg.norm(points[33] - points[263]) for points in paths]))
    scale, window = TRACKED_EYES_PX / eyes_px, (int(TRACKED_EYES_PX / 5),) * 2
    steps, before, at = [], None, None
    for image, points in zip(images, paths, strict=False):
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 2)
        if before is not None:
            step = np.full((len(skin), 2), np.nan)
            if np.isfinite(at).all():
                found, status, _ = cv2.calcOpticalFlowPyrLK(before, gray, at, None, winSize=window)
                step = np.where(status == 1, (found - at) / TRACKED_EYES_PX, np.nan)
            steps.append(step)
        before, at = gray, ((points[skin] + 0.5) * scale - 0.5).astype(np.float32)
    return np.array(steps)


def images_of(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video, (H, W, 3) RGB."""
    with open_source(path) as source:
        for frame in source:
            yield frame.as_rgb8()


def _channels(face) -> list[float]:  # noqa: ANN001
    shapes = face.blendshapes
    smile = (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2
    pose = [face.pose.pitch_deg, face.pose.yaw_deg, face.pose.roll_deg]
    return [*pose, smile, shapes["jawOpen"], shapes["eyeBlinkLeft"], shapes["eyeBlinkRight"]]


def compare(driver: Reading, result: Reading) -> Iterator[tuple[str, float, float, bool]]:
    """(channel, correlation, gain, passed) for every channel in which the performer moves enough."""
    found = ~np.isnan(result.channels["yaw"]) & ~np.isnan(driver.channels["yaw"])
    for name, (least_range, least_correlation) in CHANNELS.items():
        a, b = driver.channels[name][found], result.channels[name][found]
        if np.ptp(a) < least_range:
            continue
        correlation = float(np.corrcoef(a, b)[0, 1]) if np.ptp(b) > 0 else 0.0
        gain = float(np.polyfit(a, b, 1)[0])
        yield name, correlation, gain, correlation >= least_correlation and GAINS[0] <= gain <= GAINS[1]


def changed_background(photo: Path, film: Path, touched: np.ndarray) -> int:
    """Pixels outside everything the render touched that differ from the photo, over all frames of the video."""
    with open_source(photo) as source:
        original = next(iter(source)).pixels[~touched]
    with open_source(film) as source:
        return sum(int((frame.pixels[~touched] != original).any(axis=1).sum()) for frame in source)


def contact_sheet(driving: Path, film: Path, count: int = 8) -> np.ndarray:
    """Two rows: the performer above, the portrait below, at evenly spread frames."""
    rows = []
    for path in (driving, film):
        with open_source(path) as source:
            frames = [frame.as_rgb8() for frame in source]
        picked = [frames[i] for i in np.linspace(0, len(frames) - 1, count).astype(int)]
        side = 256
        cells = [cv2.resize(p, (round(p.shape[1] * side / p.shape[0]), side)) for p in picked]
        rows.append(np.hstack(cells))
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def run_pair(
    portrait: Path, driving: Path, driver: Reading, film: Path, settings: RenderSettings
) -> tuple[list, str]:
    """Renders one pair; its comparison and the rest of its row."""
    engine = WatchedEngine(settings)
    job = RenderJob(str(portrait), str(driving), str(film), settings)
    replace(assemble(job), engine=engine, helpers=None).run()
    result = read_clip(film)
    background = changed_background(portrait, film, engine.touched)
    folds = 1e6 * engine.folded / max(engine.counted, 1)
    drawn = np.diff(in_eye_distances(engine.drawn), axis=0)
    with open_source(portrait) as source, open_source(film) as made:
        photo, period_ms = next(iter(source)).as_rgb8(), 1000 / float(made.info.rate.fps)
    alone = read_images(smoothly_moved(photo, engine.own, engine.drawn, period_ms))
    steps = [(result.steps, driver.steps), (drawn, driver.steps)]
    steps.append(
        (tracked_steps(images_of(film), engine.drawn), tracked_steps(images_of(driving), driver.points))
    )
    steps.append((alone.steps, driver.steps))
    shaking = " ".join(f"{jitter(driver, *pair):>7.2f}" for pair in steps)
    return list(compare(driver, result)), f"{result.missing:>5} {background:>6} {folds:>7.1f} {shaking}"


def main() -> int:
    """Prints the table; exit status 1 when a pair misses a bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True, help="folder with portraits/ and driving/")
    parser.add_argument("--driving", default="d0,d3,d10,d19,d20")
    parser.add_argument("--portraits", default="s9,s6,s3,s7")
    parser.add_argument(
        "--sheet", type=Path, help="write a contact sheet of every pair (pair's names are added)"
    )
    parser.add_argument("--calibration", default="fine", choices=CALIBRATIONS)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a render setting")
    options = parser.parse_args()
    values = {"codec": "ffv1", "audio": "none", "overwrite": True, "calibration": options.calibration}
    settings = with_values(RenderSettings(), {**values, **given_values(options.set)})
    names = list(CHANNELS)
    print(
        "correlation/gain wherever the performer moves enough; ! misses its bar; folds per million touched pixels"
    )
    print(
        f"{'pair':<8}"
        + "".join(f"{name:>15}" for name in names)
        + "  lost  backgr  folds   jitter   drawn tracked  reader"
    )
    missed = total = 0
    for clip in options.driving.split(","):
        driving = options.media / "driving" / f"{clip}.mp4"
        driver = read_clip(driving)
        for still in options.portraits.split(","):
            portrait = options.media / "portraits" / f"{still}.jpg"
            with tempfile.TemporaryDirectory() as folder:
                film = Path(folder) / "loop.mkv"
                rows, rest = run_pair(portrait, driving, driver, film, settings)
                if options.sheet:
                    sheet = contact_sheet(driving, film)
                    path = options.sheet.with_stem(f"{options.sheet.stem}_{clip}_{still}")
                    cv2.imwrite(str(path), sheet[..., ::-1])
            cells = {name: f"{r:.2f}/{g:.2f}{'' if ok else '!'}" for name, r, g, ok in rows}
            missed += sum(not ok for *_, ok in rows)
            total += len(rows)
            print(
                f"{clip + ' ' + still:<8}" + "".join(f"{cells.get(n, '-'):>15}" for n in names) + " " + rest,
                flush=True,
            )
    print(f"{total - missed} of {total} comparisons reach their bar")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
