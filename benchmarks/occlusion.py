"""Do things in front of a face keep their place, and does the face move behind them?

python benchmarks/occlusion.py MEDIA [--frames 12] [--clips s18 s32] [--things microphone hand bar] [--sheet sheet.png]

A microphone, a hand cut out of the portrait s9 and a bar move in front of a filmed source, which is animated with
``--holdout auto`` and ``--holdout off``. Printed for each: how much of the pasted pixels is kept (within 8/255, all
channels); how much of the face outside of them is the same in both results; and without anything pasted, how much of
the face is held out. At last the time that looking takes where a hand is found, and where none is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.faces.occluders import OccluderFinder, front_matte
from lp_core.faces.open import open_analyzer
from lp_core.geometry.face_parts import FaceParts
from lp_core.job import RenderJob
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_source
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
TOLERANCE = 8
HAND = "s9"
HAND_OUTLINE = (
    (189, 987), (192, 966), (203, 949), (218, 942), (239, 941), (263, 944), (281, 951), (307, 962), (331, 971),
    (349, 983), (358, 993), (379, 1005), (403, 1019), (421, 1035), (439, 1053), (454, 1070), (458, 1081), (450,
    1085), (433, 1079), (415, 1066), (391, 1052), (367, 1041), (376, 1050), (394, 1070), (418, 1094), (439,
    1118), (439, 1129), (429, 1130), (415, 1121), (397, 1106), (409, 1126), (409, 1133), (394, 1133), (370,
    1123), (355, 1127), (334, 1127), (316, 1118), (298, 1103), (275, 1084), (257, 1064), (242, 1044), (233,
    1026), (215, 1029), (197, 1018), (189, 1002),
)  # fmt: skip
"""Corners of the hand in that portrait, pixels; drawn by eye."""
HAND_TURN_DEG = 110.0
"""Counterclockwise, so that its fingers point up."""


@dataclass(frozen=True)
class Pasted:
    """A frame with something in front of its face."""

    image: U8
    alpha: F32
    """(H, W) of what was pasted."""


def microphone(size: int) -> tuple[U8, F32]:
    """A dark head with a grid of holes, on a stand; (h, w, 3) and its alpha."""
    width, height = round(0.3 * size), round(1.1 * size)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    head = ((x - width / 2) / (width / 2 - 2)) ** 2 + ((y - 0.25 * size) / (0.22 * size)) ** 2 < 1
    stand = (np.abs(x - width / 2) < 0.05 * size) & (y > 0.25 * size)
    grid = 38 + 26 * ((np.floor(x / 5) + np.floor(y / 5)) % 2) + 30 * np.clip(1 - x / width, 0, 1)
    color = np.where(head, grid, 52)[..., None] * np.array([1.0, 1.02, 1.08], np.float32)
    return color.astype(np.uint8), cv2.GaussianBlur((head | stand).astype(np.float32), (0, 0), 0.7)


def bar(size: int) -> tuple[U8, F32]:
    """A slanting steel-blue bar."""
    length = round(1.8 * size)
    y, x = np.mgrid[:length, :length].astype(np.float32)
    across = (x - length / 2) * 0.94 + (y - length / 2) * 0.34
    inside = np.abs(across) < 0.1 * size
    shade = 120 + 60 * np.cos(across / (0.1 * size) * 1.4)
    color = shade[..., None] * np.array([0.55, 0.75, 1.0], np.float32)
    return color.astype(np.uint8), cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)


def hand(size: int, media: Path) -> tuple[U8, F32]:
    """The hand of a painting, about as large as a face, its fingers up."""
    image = read_image(media / "portraits" / f"{HAND}.jpg")[0].as_rgb8()
    outline = np.array(HAND_OUTLINE, np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline], 255)
    low, high = outline.min(axis=0), outline.max(axis=0) + 1
    side = round(1.1 * size)
    turn = cv2.getRotationMatrix2D(
        tuple(map(float, (low + high) / 2)), HAND_TURN_DEG, 0.9 * size / max(high - low)
    )
    turn[:, 2] += side / 2 - (low + high) / 2
    both = [cv2.warpAffine(one, turn, (side, side), flags=cv2.INTER_LINEAR) for one in (image, mask)]
    return both[0], cv2.GaussianBlur(both[1].astype(np.float32) / 255, (0, 0), 0.7)


def paste(frame: U8, thing: tuple[U8, F32], at: tuple[float, float]) -> Pasted:
    """A thing laid over a frame with its middle at a place."""
    color, alpha = thing
    height, width = frame.shape[:2]
    move = np.array([[1, 0, at[0] - color.shape[1] / 2], [0, 1, at[1] - color.shape[0] / 2]], np.float32)
    shown = cv2.warpAffine(
        color, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    over = cv2.warpAffine(alpha, move, (width, height), flags=cv2.INTER_LINEAR)
    image = np.rint(frame * (1 - over[..., None]) + shown * over[..., None]).astype(np.uint8)
    return Pasted(image, over)


def places(kind: str, box: tuple[float, float, float, float], count: int) -> list[tuple[float, float]]:
    """Where the thing is in each frame."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    size = box[3] - box[1]
    swing = [np.sin(2 * np.pi * index / max(count, 8)) for index in range(count)]
    if kind == "microphone":
        return [(x + 0.2 * size * s, y + size * (0.62 - 0.1 * abs(s))) for s in swing]
    if kind == "bar":
        return [(x + 0.35 * size * s, y + 0.1 * size * s) for s in swing]
    return [(x + size * (0.25 + 0.08 * s), y + size * (0.3 + 0.08 * s)) for s in swing]


def render(source: Path, driving: str, output: Path, frames: int, holdout: str) -> list[U8]:
    """The frames of a result."""
    values = {
        "engine": "mesh", "calibration": "off", "frames": f"0-{frames - 1}", "sign": False, "holdout": holdout,
        "overwrite": True, "reference": "0", "driving_offset": 40,
    }  # fmt: skip
    assemble(RenderJob(str(source), driving, str(output), with_values(RenderSettings(), values))).run()
    return [read_image(Path(str(output) % index))[0].as_rgb8() for index in range(frames)]


def judged(
    pasted: list[Pasted], auto: list[U8], off: list[U8], faces: list[F32]
) -> tuple[float, float, float]:
    """Kept with auto, kept with off, and face outside of the thing that is alike in both; percent."""
    kept, control, alike = [], [], []
    for one, new, old, points in zip(pasted, auto, off, faces, strict=True):
        inside = one.alpha > 0.99
        kept.append(_same(new, one.image)[inside])
        control.append(_same(old, one.image)[inside])
        height, width = inside.shape
        reach = max(round(0.06 * float(np.ptp(points[:, 1]))), 3)
        near = (
            cv2.dilate((one.alpha > 0).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
            > 0
        )
        alike.append(_same(new, old)[FaceParts.of(points, (width, height)).face & ~near])
    return tuple(100 * float(np.concatenate(values).mean()) for values in (kept, control, alike))  # type: ignore[return-value]


def _same(first: U8, second: U8) -> NDArray[np.bool_]:
    return np.asarray(np.abs(first.astype(int) - second).max(axis=-1) <= TOLERANCE)


def main() -> None:
    """Prints a line for each clip and thing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--clips", nargs="+", default=["s18", "s32"])
    parser.add_argument("--things", nargs="+", default=["microphone", "hand", "bar"])
    parser.add_argument("--driver", default="d10")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    rows: list[U8] = []
    times: dict[bool, list[float]] = {True: [], False: []}
    for name in options.clips:
        clip = options.media / "source_video" / f"{name}.mp4"
        with open_source(clip) as source:
            frames = [frame.as_rgb8() for frame, _ in zip(source, range(options.frames), strict=False)]
        with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
            faces = [analyzer.analyze(frame)[0].landmarks_frame[:, :2] for frame in frames]
        looked(name, frames, faces, times)
        (left, top), (right, bottom) = faces[0].min(axis=0), faces[0].max(axis=0)
        size = float(bottom - top)
        things = {
            "microphone": microphone(round(size)),
            "hand": hand(round(size), options.media),
            "bar": bar(round(size)),
        }
        for kind, thing in things.items():
            if kind not in options.things:
                continue
            where = places(kind, (left, top, right, bottom), len(frames))
            pasted = [paste(frame, thing, at) for frame, at in zip(frames, where, strict=True)]
            shown = compared(
                name, kind, pasted, faces, str(options.media / "driving" / f"{options.driver}.mp4")
            )
            timed([one.image for one in pasted], faces, times)
            rows += sheet_rows(pasted, shown)
    for found, label in ((True, "with a hand found"), (False, "without one")):
        if times[found]:
            print(
                f"looking: {1000 * float(np.median(times[found])):.0f} ms of processor time a frame {label}"
            )
    if options.sheet:
        width = max(row.shape[1] for row in rows)
        padded = [cv2.copyMakeBorder(row, 0, 4, 0, width - row.shape[1], cv2.BORDER_CONSTANT) for row in rows]
        write_image(options.sheet, np.vstack(padded))


def looked(name: str, frames: list[U8], faces: list[F32], times: dict[bool, list[float]]) -> None:
    """Prints how much of a face is held out where nothing is in front of it."""
    shares = []
    with OccluderFinder() as finder:
        for frame, points in zip(frames, faces, strict=True):
            look = finder.look(frame, points)
            matte = front_matte(look.patch.values, look.patch.box, (frame.shape[1], frame.shape[0]))
            face = FaceParts.of(points, (frame.shape[1], frame.shape[0])).face
            shares.append(100 * float(matte[face].mean()))
    print(
        f"{name} nothing in front: {np.mean(shares):.2f} % of the face held out, worst frame {max(shares):.2f} %"
    )


def timed(frames: list[U8], faces: list[F32], times: dict[bool, list[float]]) -> None:
    """Notes how long looking takes."""
    with OccluderFinder() as finder:
        for frame, points in zip(frames, faces, strict=True):
            start = time.process_time()
            look = finder.look(frame, points)
            times[look.hands > 0].append(time.process_time() - start)


def compared(
    name: str, kind: str, pasted: list[Pasted], faces: list[F32], driving: str
) -> tuple[list[U8], list[U8]]:
    """Renders with and without holding out, prints the figures, and returns both results."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for index, one in enumerate(pasted):
            write_image(folder / f"in.{index:04d}.png", one.image)
        source = folder / "in.%04d.png"
        auto, off = (
            render(source, driving, folder / f"{holdout}.%04d.png", len(pasted), holdout)
            for holdout in ("auto", "off")
        )
    kept, control, alike = judged(pasted, auto, off, faces)
    print(
        f"{name} {kind}: {kept:.1f} % kept with auto, {control:.1f} % with off, "
        f"{alike:.1f} % of the face outside of it alike",
        flush=True,
    )
    return auto, off


def sheet_rows(pasted: list[Pasted], shown: tuple[list[U8], list[U8]]) -> list[U8]:
    """Source, auto and off of four frames."""
    at = [0, len(pasted) // 3, 2 * len(pasted) // 3, len(pasted) - 1]
    rows = []
    for images in ([one.image for one in pasted], *shown):
        small = [
            cv2.resize(images[index], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for index in at
        ]
        rows.append(np.hstack(small))
    return rows


if __name__ == "__main__":
    main()
