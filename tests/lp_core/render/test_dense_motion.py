"""Driving images get their dense motion from their own frame and the reference frame."""

from functools import partial

import cv2
import numpy as np
from fakes.media import MemorySource
from fakes.mesh import performer

from lp_core.engines.base import DrivingPicture
from lp_core.geometry.dense_field import DenseReference
from lp_core.render.edges import FilmedFace
from lp_core.render.source_frames import dense_reference, with_dense_motion

SIZE = 96


def picture(index):
    """A texture that goes 2 pixels to the right with every frame."""
    noise = (np.random.default_rng(7).random((SIZE // 6, SIZE // 6, 3)) * 255).astype(np.uint8)
    wide = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.roll(wide, 2 * index, axis=1)


def film(count):
    open_source = partial(MemorySource, picture, count, 25)
    return FilmedFace("driving.mp4", open_source().info, open_source, None, None, None)


def shown(index):
    return DrivingPicture(picture(index), np.full((478, 3), SIZE / 2, np.float32))


def reference(count, index):
    return partial(dense_reference, film(count), index, performer(np.zeros((478, 3))))


def test_each_goes_back_to_the_reference():
    found = list(with_dense_motion([shown(0), shown(1), shown(3)], reference(4, 1)))
    middle = [np.median(one.dense.flow[16:-16, 16:-16, 0]) for one in found]
    assert np.allclose(middle, [2, 0, -4], atol=0.4)
    np.testing.assert_array_equal(found[2].pixels, picture(3))


def test_it_is_the_same_wherever_the_run_begins():
    whole = list(with_dense_motion([shown(index) for index in range(4)], reference(4, 2)))
    part = list(with_dense_motion([shown(3)], reference(4, 2)))
    np.testing.assert_array_equal(whole[3].dense.flow, part[0].dense.flow)


def test_a_frame_that_stays_on_screen_is_looked_at_once(monkeypatch):
    asked = []
    plain = DenseReference.motion
    monkeypatch.setattr(DenseReference, "motion", lambda self, *of: asked.append(of) or plain(self, *of))
    one = shown(1)
    found = list(with_dense_motion([None, one, one, one], reference(2, 0)))
    assert found[0] is None
    assert found[1] is found[2] is found[3]
    assert len(asked) == 1
