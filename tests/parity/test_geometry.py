"""Crop and paste-back against recordings of the official geometry."""

import hashlib
import json

import numpy as np
import pytest

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
from lp_core.geometry.paste import cut, feather_mask, halved, paste, place_of
from lp_core.geometry.paste_official import official_mask, official_weight, paste_official

CASES = range(10)


def moved(matrix, points):
    matrix = np.asarray(matrix, np.float64)
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def near(actual, wanted, atol):
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=atol)


@pytest.fixture(params=CASES)
def case(request, geometry):
    table = json.loads(str(geometry["geom.table"]))["cases"]
    prefix = f"geom.{request.param:02d}."
    arrays = {key.removeprefix(prefix): geometry[key] for key in geometry.arrays if key.startswith(prefix)}
    return table[request.param], arrays, arrays["lmk"].astype(np.float64)


def squares(settings, points):
    shape = CropShape(settings["scale"], settings["vx_ratio"], settings["vy_ratio"])
    return oriented_square(points, shape, settings["use_lip"])


def test_anchor_points(case):
    settings, wanted, points = case
    near(anchor_points(points, settings["use_lip"]), wanted["pt2"], 2e-3)


def test_square(case):
    settings, wanted, points = case
    square = squares(settings, points)
    near(square.center, wanted["center"], 2e-3)
    near(square.side, np.ravel(wanted["size"])[0], 2e-3)
    near(square.angle, wanted["angle"], 5e-4)


def test_matrices(case):
    settings, wanted, points = case
    square = squares(settings, points)
    square = square if settings["do_rot"] else square.upright()
    size = settings["dsize"]
    near(moved(crop_from_frame(square, size), points), moved(wanted["M_o2c"], points), 0.1)
    inside = moved(wanted["M_o2c"], points)
    near(moved(frame_from_crop(square, size), inside), moved(wanted["M_c2o"], inside), 0.1)


def test_source_crop_of_the_official_entry_point(case):
    settings, wanted, points = case
    square = oriented_square(points, CropShape(settings["scale"], 0.0, settings["vy_ratio"]))
    square = square if settings["do_rot"] else square.upright()
    to_crop = crop_from_frame(square, settings["dsize"])
    near(moved(to_crop, points), wanted["cropimage.pt_crop"], 0.1)
    near(moved(to_crop, points), moved(wanted["cropimage.M_o2c"], points), 0.1)
    inside = moved(to_crop, points)
    near(
        moved(frame_from_crop(square, settings["dsize"]), inside),
        moved(wanted["cropimage.M_c2o"], inside),
        0.1,
    )


def test_driving_box(case):
    settings, wanted, points = case
    square = oriented_square(points, DRIVING_CROP)
    near(square.upright().corners(), wanted["bbox"], 2e-3)
    near(square.corners(), wanted["bbox_rot"], 0.1)
    near(moved(crop_from_frame(square.upright(), 512), points), moved(wanted["bboxcrop.M_o2c"], points), 0.1)
    tilted = Square(square.center, square.side, squares(settings, points).angle)
    near(moved(crop_from_frame(tilted, 512), points), moved(wanted["bboxcroprot.M_o2c"], points), 0.1)


def test_mask_is_the_published_one_bit_for_bit(geometry):
    assert hashlib.sha256(official_mask().tobytes()).hexdigest() == str(geometry["mask_template.sha256"])


@pytest.fixture(params=range(3))
def scene(request, full_recordings):
    with np.load(full_recordings / "geometry_seedA.npz") as archive:
        prefix = f"paste.{request.param}."
        arrays = {k.removeprefix(prefix): archive[k] for k in archive.files if k.startswith(prefix)}
    return request.param, arrays


def levels(actual, wanted):
    return np.abs(np.asarray(actual, np.float64) - wanted.astype(np.float64))


def as_matrix(recorded):
    """A recorded 2 x 3 or 3 x 3 matrix, 3 x 3."""
    matrix = np.eye(3)
    matrix[:2] = np.asarray(recorded, np.float64)[:2]
    return matrix


def test_pasted_picture_follows_its_rule(scene, pictures):
    index, arrays = scene
    if index == 0:
        made = pictures.image("paste0.gen", 512, 512)[::32, ::32]
        np.testing.assert_array_equal(made, arrays["generated_check"])
    assert ("generated_check" in arrays) == (index == 0)


def test_crops_differ_by_the_rounding_of_opencv_only(scene):
    """Bounds of the recordings' note: OpenCV rounds sample positions to 1/32 pixel, and it stores 8 bits."""
    _, arrays = scene
    crop = np.rint(cut(arrays["original"], as_matrix(arrays["M_c2o"]), 512))
    large = levels(crop[::8, ::8], arrays["crop512.sub"])
    assert large.max() <= 4
    assert large.mean() < 0.1
    for key in ("crop256.sub", "crop256_linear.sub"):
        small = levels(np.floor(halved(crop) + 0.5)[::4, ::4], arrays[key])
        assert small.max() <= 4
        assert small.mean() < 0.1


def test_official_paste_differs_by_the_rounding_of_opencv_only(scene, pictures):
    index, arrays = scene
    height, width = arrays["original"].shape[:2]
    place = place_of(as_matrix(arrays["M_c2o"]), feather_mask(), width, height)
    weight = np.zeros((height, width))
    weight[place.region.slices] = official_weight(place)
    off = np.abs(weight - arrays["mask"])
    assert off.max() < 0.004
    assert np.mean(off > 0.0001) < 0.015
    drawn = pictures.image(f"paste{index}.gen", 512, 512)
    result = paste_official(arrays["original"], drawn, place)
    off = levels(result, arrays["result"])
    assert off.max() <= 2
    assert off.mean() < 0.02


def test_paste_is_rounded_where_the_official_one_is_cut_off(scene, pictures):
    """Within the same bounds, one level brighter; but at the rim, where the official one mixes in black."""
    index, arrays = scene
    drawn = pictures.image(f"paste{index}.gen", 512, 512)
    result, matte = paste(arrays["original"], drawn, as_matrix(arrays["M_c2o"]), feather_mask())
    brighter = result.astype(np.int64) - arrays["result"]
    is_rim = (matte > 0) & (matte < 0.07)
    assert brighter[~is_rim].max() <= 3
    assert brighter[~is_rim].min() >= -2
    assert brighter.mean() >= 0
    assert brighter[is_rim].min() >= -2
    untouched = matte == 0
    assert untouched.any()
    assert np.array_equal(result[untouched], arrays["original"][untouched])


def test_ratios_of_203_points(case):
    settings, wanted, points = case
    if settings["layout"] != 203:
        assert "eye_ratio" not in wanted
        return
    near(eye_openness(points, LIVEPORTRAIT203), np.ravel(wanted["eye_ratio"]), 1e-5)
    near(lip_openness(points, LIVEPORTRAIT203), np.ravel(wanted["lip_ratio"])[0], 1e-5)
