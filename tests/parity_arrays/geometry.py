"""Crops and paste-back of the published pipeline, by our geometry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

import numpy as np

from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.schemes import LIVEPORTRAIT203
from lp_core.geometry.crop import (
    DRIVING_CROP,
    CropShape,
    Square,
    anchor_points,
    crop_from_frame,
    frame_from_crop,
    oriented_square,
)
from lp_core.geometry.paste import cut, feather_mask, halved, place_of
from lp_core.geometry.paste_official import official_mask, official_weight, paste_official
from parity_arrays.rules import Line, image

SEED = 20240703
"""Of the recording, which does not name it."""
POINTS_PX, SENT_PX, ANGLE, RATIO = 2e-3, 0.1, 5e-4, 1e-5
"""Tolerances of points and sizes, of where matrices send points, of angles in radians, of ratios."""


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points through a 2 x 3 or 3 x 3 matrix."""
    wide = np.asarray(matrix, np.float64)
    return points @ wide[:2, :2].T + wide[:2, 2]


def _line(key: str, actual: object, wanted: object, tolerance: float) -> Line:
    off = np.abs(np.asarray(actual, np.float64) - np.asarray(wanted, np.float64))
    return Line(key, float(off.max()), tolerance)


def case_lines(settings: Mapping[str, object], wanted: Mapping[str, np.ndarray], key: str) -> Iterator[Line]:
    """One case of landmarks."""
    points, uses_lips, size = wanted["lmk"].astype(np.float64), settings["use_lip"], settings["dsize"]
    shape = CropShape(settings["scale"], settings["vx_ratio"], settings["vy_ratio"])
    square = oriented_square(points, shape, uses_lips)
    yield _line(f"{key}.pt2", anchor_points(points, uses_lips), wanted["pt2"], POINTS_PX)
    yield _line(f"{key}.center", square.center, wanted["center"], POINTS_PX)
    yield _line(f"{key}.size", square.side, np.ravel(wanted["size"])[0], POINTS_PX)
    yield _line(f"{key}.angle", square.angle, wanted["angle"], ANGLE)
    turned = square if settings["do_rot"] else square.upright()
    inside = moved(wanted["M_o2c"], points)
    yield _line(f"{key}.M_o2c", moved(crop_from_frame(turned, size), points), inside, SENT_PX)
    back = moved(frame_from_crop(turned, size), inside)
    yield _line(f"{key}.M_c2o", back, moved(wanted["M_c2o"], inside), SENT_PX)
    plain = oriented_square(points, CropShape(settings["scale"], 0.0, settings["vy_ratio"]))
    plain = plain if settings["do_rot"] else plain.upright()
    sent = moved(crop_from_frame(plain, size), points)
    yield _line(f"{key}.cropimage.pt_crop", sent, wanted["cropimage.pt_crop"], SENT_PX)
    yield _line(f"{key}.cropimage.M_o2c", sent, moved(wanted["cropimage.M_o2c"], points), SENT_PX)
    home = moved(wanted["cropimage.M_c2o"], sent)
    yield _line(f"{key}.cropimage.M_c2o", moved(frame_from_crop(plain, size), sent), home, SENT_PX)
    box = oriented_square(points, DRIVING_CROP)
    yield _line(f"{key}.bbox", box.upright().corners(), wanted["bbox"], POINTS_PX)
    yield _line(f"{key}.bbox_rot", box.corners(), wanted["bbox_rot"], SENT_PX)
    tilted = Square(box.center, box.side, square.angle)
    for name, form in (("bboxcrop", box.upright()), ("bboxcroprot", tilted)):
        sent = moved(crop_from_frame(form, 512), points)
        yield _line(f"{key}.{name}.M_o2c", sent, moved(wanted[f"{name}.M_o2c"], points), SENT_PX)
    if settings["layout"] == LIVEPORTRAIT203.count:
        eyes, lips = eye_openness(points, LIVEPORTRAIT203), lip_openness(points, LIVEPORTRAIT203)
        yield _line(f"{key}.eye_ratio", eyes, np.ravel(wanted["eye_ratio"]), RATIO)
        yield _line(f"{key}.lip_ratio", lips, np.ravel(wanted["lip_ratio"])[0], RATIO)


def paste_lines(arrays: Mapping[str, np.ndarray], key: str, index: int, seed: int) -> Iterator[Line]:
    """One case of paste-back; bounds allow for OpenCV 4.10's rounding of sample positions to 1/32 pixel."""
    matrix = np.eye(3)
    matrix[:2] = np.asarray(arrays["M_c2o"], np.float64)[:2]
    height, width = arrays["original"].shape[:2]
    crop = np.rint(cut(arrays["original"], matrix, 512))
    shown = {"crop512.sub": crop[::8, ::8]}
    small = np.floor(halved(crop) + 0.5)[::4, ::4]
    shown |= {"crop256.sub": small, "crop256_linear.sub": small}
    for name, ours in shown.items():
        off = np.abs(ours.astype(np.float64) - arrays[name])
        yield Line(f"{key}.{name}", float(off.max()), 4)
        yield Line(f"{key}.{name}.average", float(off.mean()), 0.1)
    place = place_of(matrix, feather_mask(), width, height)
    weight = np.zeros((height, width))
    weight[place.region.slices] = official_weight(place)
    off = np.abs(weight - arrays["mask"])
    yield Line(f"{key}.mask", float(off.max()), 0.004)
    yield Line(f"{key}.mask.share", float(np.mean(off > 1e-4)), 0.015)
    drawn = image(seed, f"paste{index}.gen", 512, 512)
    off = np.abs(paste_official(arrays["original"], drawn, place).astype(np.float64) - arrays["result"])
    yield Line(f"{key}.result", float(off.max()), 2)
    yield Line(f"{key}.result.average", float(off.mean()), 0.02)


def _below(recorded: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in recorded.items() if k.startswith(prefix)}


def all_lines(recorded: Mapping[str, np.ndarray], seed: int = SEED) -> list[Line]:
    """Everything in the recording."""
    lines = []
    for index, settings in enumerate(json.loads(str(recorded["geom.table"]))["cases"]):
        key = f"geom.{index:02d}"
        lines += case_lines(settings, _below(recorded, f"{key}."), key)
    is_same = hashlib.sha256(official_mask().tobytes()).hexdigest() == str(recorded["mask_template.sha256"])
    lines.append(Line("mask_template", 0.0 if is_same else np.inf, 0.0))
    count = len({key.split(".")[1] for key in recorded if key.startswith("paste.")})
    for index in range(count):
        arrays = _below(recorded, f"paste.{index}.")
        lines += paste_lines(arrays, f"paste.{index}", index, seed)
        if "generated_check" in arrays:
            made = image(seed, f"paste{index}.gen", 512, 512)[::32, ::32]
            lines.append(_line(f"paste.{index}.generated_check", made, arrays["generated_check"], 0.0))
    return lines
