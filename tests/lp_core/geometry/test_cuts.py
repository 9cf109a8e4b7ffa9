"""Cuts are told from motion, also within one set."""

import numpy as np
from fakes.collages import textured

from lp_core.geometry.cuts import Cuts


def cuts_of(frames):
    cuts = Cuts()
    return [index for index, frame in enumerate(frames) if cuts.is_new_shot(frame)]


def with_square(x, size=90):
    frame = textured(240, 320)
    frame[60 : 60 + size, x : x + size] = (250, 20, 20)
    return frame


def test_another_set_is_a_cut():
    one, other = np.full((240, 320, 3), 40, np.uint8), np.full((240, 320, 3), 200, np.uint8)
    assert cuts_of([one, one, other, other, one]) == [2, 4]


def test_a_jump_within_a_set_is_a_cut():
    assert cuts_of([with_square(20)] * 4 + [with_square(200)] * 4) == [4]


def test_a_moving_camera_and_moving_people_are_none():
    wide = textured(240, 1200)
    assert cuts_of(wide[:, 8 * step : 320 + 8 * step] for step in range(40)) == []
    assert cuts_of(with_square(10 * step) for step in range(22)) == []


def test_another_size_is_a_cut():
    assert cuts_of([np.zeros((40, 40, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)]) == [1]
