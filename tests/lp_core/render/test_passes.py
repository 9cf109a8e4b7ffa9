"""Passes of frames with planted flows."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.engines.base import Animation, NeuralCrop
from lp_core.frame import ClipInfo, ColorTags, Frame
from lp_core.geometry.face_regions import FaceContours
from lp_core.render.passes import CONFIDENCE, CROP_MATRIX, DrawnFrame, with_passes
from lp_core.timing import FrameRate

INFO = ClipInfo(8, 6, FrameRate(Fraction(25)), None)
BOX = (2, 1, 6, 5)


def drawn(index, shift=None, crop=None, landmarks=None):
    """A frame whose region shows the source shifted by so many pixels (x, y)."""
    frame = Frame(np.zeros((6, 8, 3), np.float32), index, Fraction(index, 25))
    if shift is None:
        return DrawnFrame(frame, None, 0.0)
    flow = np.full((4, 4, 2), np.negative(shift), np.float32)
    matte = np.full((4, 4), 0.5, np.float32)
    return DrawnFrame(frame, Animation(frame.pixels, BOX, matte, flow, landmarks, "planted", crop), 0.9)


class Log:
    def __init__(self):
        self.lines = []

    def add(self, *line):
        self.lines.append(line)


def layers(frames, *passes, log=None):
    return list(with_passes(iter(frames), frozenset(passes), INFO, log))


def test_nothing_is_made_that_was_not_asked_for():
    (frame,) = layers([drawn(0, (1, 0))], "beauty")
    assert not frame.layers
    assert not frame.metadata


def test_matte_and_map_cover_the_frame():
    (frame,) = layers([drawn(0, (1, 0))], "matte", "stmap")
    assert frame.layers["matte"].shape == (6, 8, 1)
    assert frame.layers["matte"].sum() == 8
    assert frame.layers["stmap"][2, 3, 0] == pytest.approx((3 - 1 + 0.5) / 8)
    assert (frame.layers["stmap"][..., 2] == 1).all()
    assert frame.layers["stmap"][0, 0, 0] == pytest.approx(0.5 / 8)


def test_where_nothing_was_drawn_there_is_the_identity():
    (frame,) = layers([drawn(0)], "matte", "stmap", "motion", "crop", "confidence")
    assert not frame.layers["matte"].any()
    assert frame.layers["stmap"][5, 7, 1] == pytest.approx(0.5 / 6)
    assert not frame.layers["forward"].any()
    assert "crop" not in frame.layers
    assert frame.metadata[CONFIDENCE].value == 0


def test_regions_of_a_cast_and_under_a_holdout():
    """The larger face covers the smaller one; what is protected is no face."""

    def square(left, top, side):
        corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * side + (left - 0.5, top - 0.5)
        nowhere = np.full((4, 2), left, float)
        return FaceContours(corners, (nowhere, nowhere), nowhere)

    def shown(contours, landmarks):
        one = drawn(0, (0, 0), landmarks=landmarks)
        return replace(one.animation, contours=contours)

    small = shown(square(0, 0, 4), np.array([[0, 0, 0], [4, 4, 0]], np.float32))
    large = shown(square(2, 0, 6), np.array([[2, 0, 0], [8, 6, 0]], np.float32))
    one = replace(drawn(0, (0, 0)), faces=(("a", large), ("b", small), ("lost", None)))
    (frame,) = layers([one], "regions")
    assert frame.layers["regions"].shape == (6, 8, 3)
    np.testing.assert_allclose(frame.layers["regions"].sum(axis=2)[:4], 1, atol=0.3)
    assert frame.layers["regions"].sum(axis=2).max() <= 1
    assert frame.layers["regions"][5, 0, 0] == 0
    (frame,) = layers([replace(one, held=np.full((6, 8), 0.75, np.float32))], "regions")
    np.testing.assert_allclose(frame.layers["regions"][2, 5], [0.25, 0, 0], atol=0.01)
    assert not layers([drawn(0)], "regions")[0].layers["regions"].any()


@pytest.mark.parametrize("state", ["straight", "premultiplied"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_matte_becomes_the_alpha(state, dtype):
    one = drawn(0, (1, 0))
    white = 255 if dtype is np.uint8 else 1
    for channels, own in ((3, 1.0), (4, 0.4)):
        pixels = np.full((6, 8, channels), white * 0.4, dtype)
        frame = replace(one.frame, pixels=pixels, alpha=state)
        (got,) = with_passes(iter([replace(one, frame=frame)]), frozenset(), INFO, alpha="matte")
        assert got.pixels.dtype == dtype
        assert got.pixels.shape == (6, 8, 4)
        assert got.pixels[0, 0, 3] == 0
        assert got.pixels[2, 3, 3] == pytest.approx(0.5 * own * white, abs=1 if white == 255 else 1e-6)
        shown = 0.5 if state == "premultiplied" else 1.0
        assert got.pixels[2, 3, 0] == pytest.approx(0.4 * shown * white, abs=1 if white == 255 else 1e-6)
    lost = with_passes(iter([drawn(0)]), frozenset(), INFO, alpha="matte")
    assert not next(lost).pixels[..., 3].any()


def test_motion_is_per_frame_with_y_upwards_and_goes_on_at_the_end():
    frames = layers([drawn(0, (0, 0)), drawn(1, (0.5, 0.25)), drawn(2, (1.5, 1.0))], "motion")
    assert [frame.index for frame in frames] == [0, 1, 2]
    center = [frame.layers["forward"][3, 4] for frame in frames]
    np.testing.assert_allclose(center[0], [0.5, -0.25], atol=1e-3)
    np.testing.assert_allclose(center[1], [1.0, -0.75], atol=1e-3)
    np.testing.assert_allclose(center[2], [1.0, -0.75], atol=1e-3)
    assert not frames[0].layers["forward"][0, 0].any()


def test_motion_of_a_lone_frame_and_across_a_gap():
    assert not layers([drawn(0, (3, 1))], "motion")[0].layers["forward"].any()
    for frame in layers([drawn(0, (3, 1)), drawn(1), drawn(2, (0, 0))], "motion"):
        assert not frame.layers["forward"].any()


class TestAFilmedSource:
    """A scene that pans to the left, 2 pixels a frame; what is drawn moves 1.5 to the right and down next to it."""

    SCENE = cv2.GaussianBlur(np.random.default_rng(1).random((80, 140, 3), np.float32), (0, 0), 2.0) * 2 - 0.5
    BOX = (20, 15, 80, 50)

    def drawn(self, index, plate, shift=None):
        one = DrawnFrame(Frame(plate.pixels, index, Fraction(index, 25)), None, 0.9, plate)
        if shift is None:
            return one
        left, top, right, bottom = self.BOX
        flow = np.full((bottom - top, right - left, 2), np.negative(shift), np.float32)
        return replace(
            one,
            animation=Animation(plate.pixels, self.BOX, np.ones(flow.shape[:2], np.float32), flow, None, ""),
        )

    def plate(self, index):
        part = np.ascontiguousarray(self.SCENE[5:70, 5 + 2 * index : 105 + 2 * index])
        return Frame(part, index, Fraction(index, 25))

    @pytest.mark.parametrize("linear", [False, True])
    def test_its_own_motion_counts_inside_and_outside_of_what_is_drawn(self, linear):
        shifts = ((0, 0), (1.5, 1.5), (3, 3))
        plates = [self.plate(index) for index in range(3)]
        if linear:
            plates = [replace(one, encoding=encoding_of(ColorTags(transfer="linear"))) for one in plates]
        frames = layers([self.drawn(i, plates[i], shifts[i]) for i in range(3)], "motion")
        for frame in frames:  # the last one goes on as it came
            motion = frame.layers["forward"]
            np.testing.assert_allclose(np.median(motion[20:45, 25:70], axis=(0, 1)), (-0.5, -1.5), atol=0.15)
            np.testing.assert_allclose(np.median(motion[55:], axis=(0, 1)), (-2, 0), atol=0.15)

    def test_where_nothing_is_drawn_it_moves_all_the_same(self):
        plates = [self.plate(index) for index in range(2)]
        for frame in layers([self.drawn(0, plates[0], (3, 3)), self.drawn(1, plates[1])], "motion"):
            np.testing.assert_allclose(np.median(frame.layers["forward"], axis=(0, 1)), (-2, 0), atol=0.15)

    def test_a_picture_that_is_shown_twice_stands(self):
        plate = self.plate(0)
        frames = layers([self.drawn(i, plate, (i, 0)) for i in range(2)], "motion")
        np.testing.assert_allclose(frames[0].layers["forward"][30, 50], (1, 0), atol=1e-3)
        assert not frames[0].layers["forward"][60:].any()

    def test_nothing_moves_across_a_cut(self):
        now, then = self.plate(0), replace(self.plate(1), pixels=1 - self.plate(1).pixels)
        for frame in layers([self.drawn(0, now, (0, 0)), self.drawn(1, then, (1, 0))], "motion"):
            assert not frame.layers["forward"].any()


def test_the_crop_brings_its_matrix_along():
    matrix = np.array([[2.0, 0, 10], [0, 2, 20], [0, 0, 1]])
    crop = NeuralCrop(np.full((4, 4, 3), 0.25, np.float32), matrix)
    (frame,) = layers([drawn(0, (0, 0), crop)], "crop")
    assert frame.layers["crop"].shape == (4, 4, 3)
    assert frame.metadata[CROP_MATRIX].value == tuple(matrix.ravel())


def test_the_log_hears_of_every_frame():
    log, points = Log(), np.ones((2, 3), np.float32)
    layers([drawn(0, (0, 0), landmarks=points), drawn(1)], "landmarks", log=log)
    assert log.lines == [(0, 0.9, points, "planted", None, ""), (1, 0.0, None, "", None, "")]
