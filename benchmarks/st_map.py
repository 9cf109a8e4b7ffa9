"""How true the mesh engine's ST map is, and the passes as images.

    python benchmarks/st_map.py                      the table
    python benchmarks/st_map.py --sheet passes.jpg   also the passes of one frame as an image

The portrait is scikit-image's astronaut, enlarged; demo:expressive moves it. OpenImageIO's st_warp (triangle filter)
applies the map of a render of 1920x1080 to its own plate, and to the plate of 3840x2160, where it is
compared with the render of that size. A pixel agrees when it differs by at most 1/255; counted are pixels where the
matte is 1, the mouth's inside apart. The face is found once, in the small plate.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813 - the name everybody knows it by
from skimage import data

from lp_core.engines.base import Animation
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.geometry.flow import forward_motion, st_map
from lp_core.motion.builtin import builtin_motion
from lp_core.settings import MeshSettings, RenderSettings

SIZE, LEFT = (1920, 1080), 50
SMALL, LARGE = 4.5, 9.0
STEP, SHOWN = 12, 28


@dataclass(frozen=True)
class Plate:
    """A plate of some size with its prepared portrait."""

    pixels: np.ndarray
    portrait: object
    scale: float


def plate(engine: MeshEngine, face: Face, scale: float) -> Plate:
    """The astronaut enlarged."""
    large = cv2.resize(data.astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    width, height = (round(side * scale / SMALL) for side in SIZE)
    left = round(LEFT * scale)
    part = large[:height, left : left + width]
    pixels = np.ascontiguousarray(part.astype(np.float32) / 255)
    points = face.landmarks_frame * scale + np.float32([(scale - 1) / 2 - left, (scale - 1) / 2, 0])
    moved = replace(face, landmarks_frame=points.astype(np.float32))
    return Plate(pixels, engine.prepare(Frame(pixels, 0, Fraction(0)), moved), scale)


def uv_of(shown: Animation) -> np.ndarray:
    """The ST map of an animation."""
    height, width = shown.pixels.shape[:2]
    return st_map(shown.region_flow, shown.region, (width, height), (0, 0, width, height))


def warped(pixels: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """OpenImageIO's st_warp; green counts from the bottom."""
    return oiio.ImageBufAlgo.st_warp(
        buffer(pixels), buffer(uv), "triangle", 2.0, 0, 1, False, True
    ).get_pixels("float")


def buffer(pixels: np.ndarray) -> object:
    """An array as OpenImageIO's image."""
    height, width, channels = pixels.shape
    made = oiio.ImageBuf(oiio.ImageSpec(width, height, channels, "float"))
    made.set_pixels(oiio.ROI(), np.ascontiguousarray(pixels))
    return made


def agreement(got: np.ndarray, shown: Animation, scale: float) -> float:
    """Share of the counted pixels that agree, in percent."""
    lips = shown.landmarks_frame[np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER[::-1]]), :2]
    mouth = np.zeros(shown.pixels.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [np.rint(lips).astype(np.int32)], 1)
    mouth = cv2.dilate(mouth, np.ones((2 * round(2 * scale) + 1,) * 2, np.uint8))
    counted = (shown.matte == 1) & (mouth == 0)
    return float(100 * (np.abs(got - shown.pixels).max(axis=2)[counted] <= 1 / 255).mean())


def sheet(path: Path, engine: MeshEngine, small: Plate, demo: object) -> None:
    """Plate, beauty, matte, ST map, motion and landmarks of one frame."""
    now, following = (
        engine.animate(small.portrait, demo.frame(k), demo.frame(0)) for k in (SHOWN, SHOWN + 1)
    )
    uv = uv_of(now)
    motion, box = forward_motion((now.region_flow, now.region), (following.region_flow, following.region))
    vectors = np.full((*uv.shape[:2], 3), 0.5, np.float32)
    vectors[box[1] : box[3], box[0] : box[2], :2] += motion * (0.25, -0.25)
    marks = now.pixels.copy()
    for x, y in np.rint(now.landmarks_frame[:, :2]).astype(int):
        marks[y - 2 : y + 3, x - 2 : x + 3] = (0.1, 1.0, 0.3)
    grid = np.dstack([uv, np.zeros(uv.shape[:2], np.float32)])
    tiles = [small.pixels, now.pixels, np.repeat(now.matte[..., None], 3, axis=2), grid, vectors, marks]
    names = ["plate", "beauty", "matte", "stmap", "motion (x4, gray is 0)", "landmarks"]
    codes = [np.rint(np.clip(tile, 0, 1) * 255).astype(np.uint8) for tile in tiles]
    reduced = [cv2.resize(tile, (568, 320), interpolation=cv2.INTER_AREA) for tile in codes]
    for tile, name in zip(reduced, names, strict=True):
        cv2.putText(tile, name, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(tile, name, (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
    whole = np.vstack([np.hstack(reduced[row : row + 2]) for row in (0, 2, 4)])
    cv2.imwrite(str(path), whole[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", type=Path)
    chosen = parser.parse_args()
    settings = RenderSettings(mesh=MeshSettings(filter="linear"))  # what st_warp's triangle is
    engine, demo = MeshEngine(settings), builtin_motion("expressive")
    with closing(open_analyzer(is_video=False)) as analyzer:
        face = analyzer.analyze(np.ascontiguousarray(data.astronaut()))[0]
    small, large = plate(engine, face, SMALL), plate(engine, face, LARGE)
    if chosen.sheet:
        sheet(chosen.sheet, engine, small, demo)
    rows = []
    print("frame     1080p       4K   (percent of pixels within 1/255)")
    for k in range(4, len(demo), STEP):
        shown, wide = (engine.animate(p.portrait, demo.frame(k), demo.frame(0)) for p in (small, large))
        uv = uv_of(shown)
        size = large.pixels.shape[1::-1]
        spread = cv2.resize(uv, size, interpolation=cv2.INTER_LINEAR)
        rows.append(
            (
                agreement(warped(small.pixels, uv), shown, SMALL),
                agreement(warped(large.pixels, spread), wide, LARGE),
            )
        )
        print(f"{k:5d}  {rows[-1][0]:8.3f}  {rows[-1][1]:8.3f}")
    table = np.array(rows)
    print(f" mean  {table[:, 0].mean():8.3f}  {table[:, 1].mean():8.3f}")
    print(f"worst  {table[:, 0].min():8.3f}  {table[:, 1].min():8.3f}")


if __name__ == "__main__":
    main()
