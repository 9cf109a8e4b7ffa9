"""What a hand covers."""

import numpy as np
import pytest

from lp_core.geometry.hand_shape import finger_width, hand_mask


@pytest.fixture
def hand():
    """A flat hand, fingers up, with its wrist at (100, 180)."""
    points = [(100, 180)]
    for number, x in enumerate((60, 80, 95, 110, 125)):
        base = 150 if number == 0 else 120
        points += [(x, base - step * 20) for step in range(4)]
    return np.array(points, np.float32)


def test_it_covers_joints_tips_palm_and_a_piece_of_wrist(hand):
    mask = hand_mask(hand, (200, 240))
    x, y = hand.astype(int).T
    assert mask[y, x].all()
    assert mask[55, 95], "beyond the last joint"
    assert mask[150, 100], "the palm"
    assert mask[200, 100], "the wrist"
    assert not mask[10].any()
    assert not mask[:, 20].any()


def test_it_scales_with_the_hand_and_may_leave_the_image(hand):
    assert finger_width(hand * 2) == pytest.approx(2 * finger_width(hand))
    mask = hand_mask(hand - 150, (100, 100))
    assert mask.shape == (100, 100)
    assert finger_width(np.zeros((21, 2), np.float32)) == 1
