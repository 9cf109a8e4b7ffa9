"""Speed and memory of the mesh engine and of the whole render on this machine.

    python benchmarks/mesh.py                 engine alone, then end to end at 512x512 and 1920x1080
    python benchmarks/mesh.py --memory        also peak memory of a 1-minute and a 10-minute render (long)

The portrait is the public-domain astronaut of scikit-image; the performer is the same portrait, animated by
demo:expressive and repeated to the wanted length, so that the run needs no media. End-to-end figures
are of the command ``lpsuite animate`` as a whole process: start-up, landmarks of every driving frame, calibration,
rendering and h264 encoding. Peak memory is that of the main process and, next to it, that of all its helpers together
(Linux alone says both).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from lp_core.cli.demo import PORTRAIT
from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.faces.open import open_analyzer
from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_sink
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.settings import RenderSettings
from lp_core.timing import FrameRate

RATE = FrameRate.parse(30)
LOOK_S = 0.1
"""How often memory is looked at, seconds."""


def portrait_512() -> np.ndarray:
    """The astronaut's head and shoulders at 512x512: the framing of a driving clip, the face half of the height."""
    picture = read_image(PORTRAIT)[0].pixels[..., :3]
    return cv2.resize(
        np.ascontiguousarray(picture[0:230, 110:340]), (512, 512), interpolation=cv2.INTER_CUBIC
    )


def portrait_1080(face_height: float) -> np.ndarray:
    """The same astronaut in a 1920x1080 frame, the face a third of the height."""
    picture = read_image(PORTRAIT)[0].pixels[..., :3]
    scale = 360 / face_height
    large = cv2.resize(np.ascontiguousarray(picture), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    frame = np.full((1080, 1920, 3), 90, np.uint8)
    part = large[:1080, :1920]
    frame[: part.shape[0], 40 : 40 + part.shape[1]] = part[:, : 1920 - 40]
    return frame


def face_of(picture: np.ndarray):  # noqa: ANN201
    """The largest face of an image."""
    with closing(open_analyzer("mediapipe", is_video=False, max_faces=1)) as analyzer:
        return analyzer.analyze(np.ascontiguousarray(picture))[0]


def engine_ms(picture: np.ndarray) -> np.ndarray:
    """Milliseconds of every ``animate`` of the built-in expressive motion, mouth borrowed from a driving image."""
    engine = MeshEngine(RenderSettings())
    portrait = engine.prepare(Frame(picture, 0, Fraction(0)), face_of(picture))
    motion = builtin_motion("expressive", RATE)
    driver = portrait_512()
    times = []
    for row in [*motion.frames()][::2] * 2:
        driving = DrivingPicture(driver, landmarks_from_motion(row, 512, 512))
        start = time.perf_counter()
        engine.animate(portrait, row, motion.frame(0), driving)
        times.append((time.perf_counter() - start) * 1e3)
    return np.array(times[10:])


def write_performer(path: Path, seconds: int) -> None:
    """A 512x512 h264 video of the given length: the expressive motion, again and again."""
    picture = portrait_512()
    engine = MeshEngine(RenderSettings())
    portrait = engine.prepare(Frame(picture, 0, Fraction(0)), face_of(picture))
    motion = builtin_motion("expressive", RATE)
    frames = [engine.animate(portrait, row, motion.frame(0), None).pixels for row in motion.frames()]
    tags = ColorTags("bt709", "iec61966-2-1", "gbr", is_full_range=True)
    spec = SinkSpec(512, 512, RATE, 8, False, tags, "h264", 18, overwrite=True)
    with open_sink(path, spec) as sink:
        for index in range(seconds * 30):
            sink.write(Frame(frames[index % len(frames)], index, RATE.time_s(index)))
        sink.commit()


def peak_mb(process: int) -> float:
    """The most memory that a process has had, in MB; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def whole_process(source: Path, driving: Path, output: Path) -> tuple[float, float, float]:
    """(wall seconds, peak memory in MB, that of all its helpers together) of ``lpsuite animate`` as a process."""
    before = time.perf_counter()
    command = [sys.executable, "-m", "lp_core", "animate", str(source), str(driving), "-o", str(output)]
    process = subprocess.Popen([*command, "--overwrite", "--progress", "none"], stdout=subprocess.DEVNULL)
    peaks: dict[int, float] = {}
    while process.poll() is None:
        for one in [process.pid, *children(process.pid)]:
            peaks[one] = max(peaks.get(one, 0.0), peak_mb(one))
        time.sleep(LOOK_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    own = peaks.pop(process.pid, 0.0)
    return time.perf_counter() - before, own, sum(peaks.values())


def children(process: int) -> list[int]:
    """Process numbers of what a process has started and what still runs."""
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="length of the end-to-end performance")
    parser.add_argument("--memory", action="store_true", help="peak memory at 1 and 10 minutes")
    options = parser.parse_args()
    face = face_of(read_image(PORTRAIT)[0].pixels[..., :3])
    pictures = {"512x512": portrait_512(), "1920x1080": portrait_1080(face.box.bottom - face.box.top)}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {resource.getpagesize()} byte pages")
    print(f"{'engine alone':<28}{'median ms':>10}{'p90 ms':>10}")
    for name, picture in pictures.items():
        times = engine_ms(picture)
        print(f"{name:<28}{np.median(times):>10.1f}{np.percentile(times, 90):>10.1f}")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        driving = base / "performer.mp4"
        write_performer(driving, options.seconds)
        print(
            f"{'lpsuite animate':<28}{'frames':>10}{'seconds':>10}{'frames/s':>10}{'peak MB':>10}{'helpers':>10}"
        )
        for name, picture in pictures.items():
            source = base / f"{name}.png"
            write_image(source, picture)
            _row(name, source, driving, base / "out.mp4", options.seconds * 30)
        if options.memory:
            for minutes in (1, 10):
                write_performer(driving, 60 * minutes)
                _row(
                    f"512x512, {minutes} min", base / "512x512.png", driving, base / "out.mp4", 1800 * minutes
                )


def _row(name: str, source: Path, driving: Path, output: Path, frames: int) -> None:
    seconds, own, helpers = whole_process(source, driving, output)
    print(
        f"{name:<28}{frames:>10}{seconds:>10.1f}{frames / seconds:>10.1f}{own:>10.0f}{helpers:>10.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
