import numpy as np
import pytest

from lp_core.geometry.mouth_region import MouthRegion
from lp_core.motion.builtin import neutral_face

BOX = (0, 0, 260, 260)


def face_points(angle_deg=0.0):
    points = neutral_face()[:, :2] * 50
    turn = np.deg2rad(angle_deg)
    turned = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return turned + (100, 80)


@pytest.mark.parametrize("angle_deg", [0, 30, -60])
def test_lips_and_chin_are_inside_and_eyes_and_nose_are_not(angle_deg):
    points = face_points(angle_deg)
    weight = MouthRegion.of(points).weight(BOX)
    x, y = np.rint(points).astype(int).T
    for inside in (13, 14, 61, 291, 17, 152):
        assert weight[y[inside], x[inside]] > 0.9
    for outside in (2, 4, 33, 263, 468, 10, 234, 454):
        assert weight[y[outside], x[outside]] == 0


def test_weights_are_smooth_and_do_not_depend_on_the_box():
    region = MouthRegion.of(face_points())
    whole = region.weight(BOX)
    assert abs(whole.max() - 1) < 1e-5
    assert max(np.abs(np.diff(whole, axis=axis)).max() for axis in (0, 1)) < 0.3
    assert np.array_equal(region.weight((30, 60, 150, 200)), whole[60:200, 30:150])
