"""A real head over a pattern: is the background exact, and how good is the fill behind the head?

python benchmarks/layers.py MEDIA [--frames 60] [--sheet sheet.png]
python benchmarks/layers.py MEDIA --speed [--frames 60]

A frame of each clip is cut out by its matte and laid over a pattern. The composite is animated by the clip itself,
once with the pattern as clean plate and once with the fill from around. Printed: pixels outside the head's old and new
silhouette that differ from the pattern (of those compared), and the PSNR of the uncovered area against the pattern.

``--speed`` animates the filmed source s18, enlarged to 1920x1080, with and without ``--person-matte auto`` in turn, and
prints what the matte adds: wall-clock time and processor time, and the time of the coarse flow alone. A few frames are
rendered, and three times ``--frames``: what the matte adds to the many beyond the few is what it adds to a frame. The
rest of what it adds to the few is spent once, on opening the network and on the first frame: a separate number.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own short name
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.color.encoding import encoding_of
from lp_core.faces.open import open_analyzer
from lp_core.faces.person import PersonSegmenter
from lp_core.frame import ColorTags
from lp_core.geometry.dense_field import small_gray
from lp_core.geometry.optical_flow import ROUGH, dense_flow
from lp_core.job import RenderJob
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_source
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

CLIPS = ("d0", "d3", "d19")
SRGB = encoding_of(ColorTags(transfer="iec61966-2-1"))
SILHOUETTE = 0.02
"""A matte above this shows the head."""
FEW = 4
"""Frames of the short render, from which the time spent once is read."""


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    """Checks and stripes, (H, W, 3)."""
    y, x = np.mgrid[:height, :width]
    checks = ((x // 24 + y // 24) % 2 * 120 + 60).astype(np.uint8)
    stripes = (128 + 90 * np.sin(x / 9 + y / 13)).astype(np.uint8)
    return np.dstack([checks, stripes, 255 - checks])


def composite(clip: Path, folder: Path) -> tuple[Path, Path, NDArray[np.float32]]:
    """The portrait over the pattern, the pattern alone, and the portrait's matte."""
    with open_source(clip) as source:
        image = next(iter(source)).as_rgb8()
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer, PersonSegmenter() as segmenter:
        matte = segmenter.matte(image, analyzer.analyze(image)[0].landmarks_frame)
    wall = pattern(*image.shape[:2])
    portrait, plate = folder / "portrait.png", folder / "plate.png"
    write_image(portrait, np.rint(image * matte[..., None] + wall * (1 - matte[..., None])).astype(np.uint8))
    write_image(plate, wall)
    write_image(folder / "matte.png", np.dstack([np.rint(matte * 255).astype(np.uint8)] * 3))
    return portrait, plate, np.rint(matte * 255) / 255


def render(portrait: Path, clip: Path, output: Path, frames: int, **values: str) -> float:
    """Renders a sequence of EXR files with the person's matte; seconds a frame."""
    settings = with_values(
        RenderSettings(),
        {
            "engine": "mesh", "calibration": "off", "passes": "beauty,person", "frames": f"0-{frames - 1}",
            "reference": "0", "sign": False, **values,
        },
    )  # fmt: skip
    start = time.perf_counter()
    assemble(RenderJob(str(portrait), str(clip), str(output), settings)).run()
    return (time.perf_counter() - start) / frames


def codes(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light as 8-bit sRGB codes: EXR files of an sRGB source are linear."""
    return np.clip(np.rint(SRGB.from_linear(light) * 255), 0, 255)


def judged(
    folder: Path, wall: NDArray[np.uint8], still: NDArray[np.float32], frames: int
) -> tuple[int, int, float]:
    """(pixels of the background that differ, pixels of the background, PSNR of the uncovered area)."""
    wrong = total = 0
    errors = []
    for index in range(frames):
        values = oiio.ImageBuf(str(folder / f"out.{index:04d}.exr")).get_pixels(oiio.FLOAT)
        picture, person = codes(values[..., :3]), values[..., 3]
        background = (person <= 0) & (still <= 0)
        wrong += int((picture[background] != wall[background]).any(axis=-1).sum())
        total += int(background.sum())
        uncovered = (person <= 0) & (still > SILHOUETTE)
        errors.append(((picture[uncovered] - wall[uncovered].astype(float)) ** 2).ravel())
    error = float(np.concatenate(errors).mean()) if sum(map(len, errors)) else 0.0
    return wrong, total, float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def speed(media: Path, frames: int, rounds: int = 3) -> None:
    """Prints what the matte of a filmed source adds to a frame, and what it takes once."""
    lengths = FEW, 3 * frames
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        flow = enlarged(media / "source_video" / "s18.mp4", folder, lengths[1])
        animated(folder, "off", FEW)  # what every render loads first
        measured = []
        for _ in range(rounds):
            added = []
            for length in lengths:
                without, matted = (animated(folder, matte, length) for matte in ("off", "auto"))
                added.append(matted - without)
            each = (added[1] - added[0]) / (lengths[1] - lengths[0])
            measured.append([each, added[0] - FEW * each])
        (wall, cpu), (once, once_cpu) = 1000 * np.median(measured, axis=0)
        print(
            f"1080p: the matte adds {wall:.1f} ms to a frame ({cpu:.1f} ms of processor time), of which the coarse "
            f"flow is {1000 * flow:.1f} ms; and {once:.0f} ms once ({once_cpu:.0f} ms of processor time)"
        )


def enlarged(clip: Path, folder: Path, frames: int) -> float:
    """Writes a clip's first frames as images of 1920x1080; median seconds of the coarse flow between two of them."""
    seconds, before = [], None
    with open_source(clip) as source:
        for index, frame in enumerate(islice(source, frames)):
            image = cv2.resize(frame.as_rgb8(), (1920, 1080), interpolation=cv2.INTER_CUBIC)
            write_image(folder / f"in.{index:04d}.png", image)
            gray = small_gray(image)
            if before is not None:
                start = time.perf_counter()
                dense_flow(before, gray, ROUGH)
                seconds.append(time.perf_counter() - start)
            before = gray
    if len(seconds) + 1 < frames:
        raise SystemExit(f"{clip.name} has only {len(seconds) + 1} frames; --frames may be a third of that.")
    return float(np.median(seconds))


def animated(folder: Path, matte: str, frames: int) -> NDArray[np.float64]:
    """Seconds, and seconds of processor time, of a render of the first frames."""
    settings = with_values(
        RenderSettings(),
        {"engine": "mesh", "calibration": "off", "frames": f"0-{frames - 1}", "sign": False, "person_matte": matte,
         "overwrite": True, "driving_offset": 20},
    )  # fmt: skip
    job = RenderJob(str(folder / "in.%04d.png"), "demo:expressive", str(folder / "out.mp4"), settings)
    start, cpu = time.perf_counter(), time.process_time()
    assemble(job).run()
    return np.array([time.perf_counter() - start, time.process_time() - cpu])


def main() -> None:
    """Prints a line for each clip and plate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    if options.speed:
        speed(options.media, options.frames)
        return
    rows = []
    for name in CLIPS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            clip = options.media / "driving" / f"{name}.mp4"
            portrait, plate, matte = composite(clip, folder)
            wall = read_image(plate)[0].pixels[..., :3]
            for label, more in (("clean plate", {"clean_plate": str(plate)}), ("filled", {})):
                own = str(folder / "matte.png")
                seconds = render(
                    portrait,
                    clip,
                    folder / "out.%04d.exr",
                    options.frames,
                    person_matte=own,
                    overwrite=True,
                    **more,
                )
                wrong, total, psnr = judged(folder, wall, matte, options.frames)
                print(
                    f"{name} {label}: {wrong} of {total} background pixels differ, "
                    f"uncovered {psnr:.1f} dB, {seconds:.2f} s a frame"
                )
                rows.append(_row(folder, options.frames))
    if options.sheet:
        width = max(row.shape[1] for row in rows)
        write_image(
            options.sheet,
            np.vstack(
                [cv2.copyMakeBorder(row, 0, 4, 0, width - row.shape[1], cv2.BORDER_CONSTANT) for row in rows]
            ),
        )


def _row(folder: Path, frames: int) -> NDArray[np.uint8]:
    shown = [
        oiio.ImageBuf(str(folder / f"out.{index:04d}.exr")).get_pixels(oiio.FLOAT)[..., :3]
        for index in (0, frames // 3, 2 * frames // 3, frames - 1)
    ]
    size = 360, round(360 * shown[0].shape[0] / shown[0].shape[1])
    return np.hstack([cv2.resize(codes(image).astype(np.uint8), size) for image in shown])


if __name__ == "__main__":
    main()
