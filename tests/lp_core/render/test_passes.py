"""Passes of frames with planted flows."""

from fractions import Fraction

import numpy as np
import pytest

from lp_core.engines.base import Animation, NeuralCrop
from lp_core.frame import ClipInfo, Frame
from lp_core.render.passes import CONFIDENCE, CROP_MATRIX, Drawn, with_passes
from lp_core.timing import FrameRate

INFO = ClipInfo(8, 6, FrameRate(Fraction(25)), None)
BOX = (2, 1, 6, 5)


def drawn(index, shift=None, crop=None, landmarks=None):
    """A frame whose region shows the source shifted by so many pixels (x, y)."""
    frame = Frame(np.zeros((6, 8, 3), np.float32), index, Fraction(index, 25))
    if shift is None:
        return Drawn(frame, None, 0.0)
    flow = np.full((4, 4, 2), np.negative(shift), np.float32)
    matte = np.full((4, 4), 0.5, np.float32)
    return Drawn(frame, Animation(frame.pixels, BOX, matte, flow, landmarks, "planted", crop), 0.9)


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
    assert frame.layers["stmap"][0, 0, 0] == pytest.approx(0.5 / 8)


def test_where_nothing_was_drawn_there_is_the_identity():
    (frame,) = layers([drawn(0)], "matte", "stmap", "motion", "crop", "confidence")
    assert not frame.layers["matte"].any()
    assert frame.layers["stmap"][5, 7, 1] == pytest.approx(0.5 / 6)
    assert not frame.layers["forward"].any()
    assert "crop" not in frame.layers
    assert frame.metadata[CONFIDENCE].value == 0


def test_motion_is_per_frame_with_y_upwards_and_goes_on_at_the_end():
    frames = layers([drawn(0, (0, 0)), drawn(1, (0.5, 0.25)), drawn(2, (1.5, 1.0))], "motion")
    assert [frame.index for frame in frames] == [0, 1, 2]
    centre = [frame.layers["forward"][3, 4] for frame in frames]
    np.testing.assert_allclose(centre[0], [0.5, -0.25], atol=1e-3)
    np.testing.assert_allclose(centre[1], [1.0, -0.75], atol=1e-3)
    np.testing.assert_allclose(centre[2], [1.0, -0.75], atol=1e-3)
    assert not frames[0].layers["forward"][0, 0].any()


def test_motion_of_a_lone_frame_and_across_a_gap():
    assert not layers([drawn(0, (3, 1))], "motion")[0].layers["forward"].any()
    for frame in layers([drawn(0, (3, 1)), drawn(1), drawn(2, (0, 0))], "motion"):
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
    assert log.lines == [(0, 0.9, points, "planted"), (1, 0.0, None, "")]
