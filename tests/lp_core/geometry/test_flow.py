"""Maps and motion of flows."""

import numpy as np
import pytest

from lp_core.geometry.flow import forward_motion, st_map

WHOLE = (0, 0, 8, 6)


def test_no_flow_is_nukes_identity():
    """(x + 0.5) / width from the left, (y + 0.5) / height from the bottom."""
    got = st_map(np.zeros((0, 0, 2), np.float32), (0, 0, 0, 0), (8, 6), WHOLE)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[0, 0], [0.5 / 8, 5.5 / 6], rtol=1e-6)
    np.testing.assert_allclose(got[5, 7], [7.5 / 8, 0.5 / 6], rtol=1e-6)


def test_a_flow_to_the_right_and_down_reads_right_and_lower():
    flow = np.full((2, 3, 2), (2.0, 1.0), np.float32)
    got = st_map(flow, (1, 2, 4, 4), (8, 6), WHOLE)
    identity = st_map(np.zeros((0, 0, 2), np.float32), (0, 0, 0, 0), (8, 6), WHOLE)
    moved = got - identity
    np.testing.assert_allclose(moved[2:4, 1:4], np.broadcast_to([2 / 8, -1 / 6], (2, 3, 2)), atol=1e-6)
    moved[2:4, 1:4] = 0
    assert not moved.any()


def test_the_map_spans_the_format_not_the_overscan():
    got = st_map(np.zeros((0, 0, 2), np.float32), (0, 0, 0, 0), (12, 8), (2, 1, 10, 7))
    np.testing.assert_allclose(got[1, 2], [0.5 / 8, 5.5 / 6], rtol=1e-6)
    assert got[0, 0, 0] < 0
    assert got[0, 0, 1] > 1


@pytest.mark.parametrize("by", [(3.0, 0.0), (-2.5, 1.25)])
def test_what_is_shifted_goes_where_it_is_seen_next(by):
    """A flow of 0, then everything shifted by (dx, dy): inverse flow (-dx, -dy) in the next frame."""
    now = np.zeros((40, 50, 2), np.float32)
    following = np.full((40, 50, 2), np.negative(by), np.float32)
    motion, box = forward_motion((now, (0, 0, 50, 40)), (following, (0, 0, 50, 40)))
    assert box == (0, 0, 50, 40)
    np.testing.assert_allclose(motion, np.broadcast_to(by, motion.shape), atol=1e-4)


def test_a_zoom_is_followed_to_a_hundredth_of_a_pixel():
    y, x = np.mgrid[:60, :80].astype(np.float32)
    zoom = 1.25
    following = np.stack([(x - 40) / zoom + 40 - x, (y - 30) / zoom + 30 - y], axis=-1)
    motion, _ = forward_motion((np.zeros_like(following), (0, 0, 80, 60)), (following, (0, 0, 80, 60)))
    wanted = np.stack([(x - 40) * (zoom - 1), (y - 30) * (zoom - 1)], axis=-1)
    inside = (slice(10, 50), slice(15, 65))
    assert np.abs(motion - wanted)[inside].max() < 0.01


def test_different_boxes_are_joined():
    flow = np.full((4, 4, 2), 0.0, np.float32)
    motion, box = forward_motion((flow, (2, 2, 6, 6)), (flow, (4, 0, 8, 4)))
    assert box == (2, 0, 8, 6)
    assert motion.shape == (6, 6, 2)
    assert not motion.any()


@pytest.mark.parametrize("by", [(2.0, 0.0), (-1.5, 0.75)])
def test_what_the_source_does_is_added(by):
    """The whole source moves, and the part that is drawn moves by (3, 1) within it."""
    source_motion = np.full((40, 50, 2), by, np.float32)
    box = (10, 8, 40, 32)
    now = np.zeros((24, 30, 2), np.float32)
    following = np.full((24, 30, 2), (-3.0, -1.0), np.float32)
    motion, whole = forward_motion((now, box), (following, box), source_motion)
    assert whole == (0, 0, 50, 40)
    np.testing.assert_allclose(motion[20, 25], np.add(by, (3, 1)), atol=1e-3)
    np.testing.assert_allclose(motion[2, 2], by, atol=1e-3)


def test_the_source_is_asked_where_the_picture_was_taken_from():
    """Left half of the source stands, right half moves; the image shows it 20 pixels further left."""
    source_motion = np.zeros((40, 60, 2), np.float32)
    source_motion[:, 30:, 0] = 4
    flow = np.full((40, 60, 2), (20, 0), np.float32)
    motion, _ = forward_motion((flow, (0, 0, 60, 40)), (flow, (0, 0, 60, 40)), source_motion)
    np.testing.assert_allclose(motion[20, [5, 15, 25], 0], [0, 4, 4], atol=1e-3)
