"""Sliders on landmarks: each moves what its name says, in the stated direction, and nothing else by much."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import performer

from lp_core.errors import SettingError
from lp_core.geometry.facemesh import CHIN, LEFT_EYE, RIGHT_EYE
from lp_core.geometry.rotation import angles_deg
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.landmarks.edit import MESH_SLIDERS, face_gap, make_change
from lp_core.motion.landmarks.motion import best_rotation
from lp_core.motion.landmarks.transfer import transfer
from lp_core.settings import MotionSettings
from lp_core.settings.sliders import SLIDERS

FACE = performer(at=(0.02, -0.03))
REST = FACE


def target(motion=REST, settings=MotionSettings(), **sliders):  # noqa: B008 - frozen
    return transfer(FACE, motion, REST, settings, change=make_change(FACE, Edit(sliders)))


def shift(**sliders):
    return target(**sliders).points - target().points


@pytest.mark.parametrize("name", MESH_SLIDERS)
def test_every_slider_moves_something_at_both_ends(name):
    slider, plain = SLIDERS[name], target()
    for value in {slider.minimum, slider.maximum} - {0}:
        moved = target(**{name: value})
        change = np.abs(moved.points - plain.points).max() + np.abs(moved.gaze - plain.gaze).max()
        assert change > 1e-3, value


@pytest.mark.parametrize("name", [name for name in MESH_SLIDERS if not np.isnan(SLIDERS[name].neutral)])
def test_the_neutral_value_changes_nothing(name):
    np.testing.assert_allclose(shift(**{name: SLIDERS[name].neutral}), 0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(SLIDERS) - set(MESH_SLIDERS)))
def test_what_cannot_be_done_is_refused_by_name(name):
    with pytest.raises(SettingError, match=name):
        make_change(FACE, Edit({name: SLIDERS[name].maximum}))


@pytest.mark.parametrize(("name", "axis", "sign"), [("pitch", 0, 1), ("yaw", 1, -1), ("roll", 2, 1)])
def test_angles_turn_the_head(name, axis, sign):
    turn = best_rotation(target().rigid_points, target(**{name: 8.0}).rigid_points)
    wanted = np.zeros(3)
    wanted[axis] = 8 * sign
    np.testing.assert_allclose(angles_deg(turn), wanted, atol=0.5)


@pytest.mark.parametrize(("name", "axis"), [("mov_x", 0), ("mov_y", 1)])
def test_shifts_go_right_and_down(name, axis):
    assert shift(**{name: 0.05})[:, axis].mean() == pytest.approx(0.1, rel=0.1)


def test_the_size_is_a_factor():
    ratio = np.ptp(target(mov_z=1.1).points[:, 0]) / np.ptp(target().points[:, 0])
    assert ratio == pytest.approx(1.1, rel=1e-3)


def test_lips_open_smile_lifts_brows_rise():
    assert face_gap(target(lip_open=120).points) > face_gap(target().points) + 0.3
    assert shift(smile=1.0)[61, 1] < -0.1
    assert shift(eyebrow=30)[105, 1] < -0.1
    assert shift(eyebrow=-30)[105, 1] > 0.02


def test_the_chin_follows_opening_lips_half_as_far_as_a_jaw_turns():
    moved = shift(lip_open=120)
    assert 0.4 < moved[CHIN, 1] / moved[14, 1] < 0.75
    assert moved[CHIN, 2] > 0


def test_lids_and_gaze():
    assert max(target(blink=-20).lids) == 0
    assert min(target(blink=5).lids) > 1.2
    left, right = target(wink=39).lids
    assert (left, right) == (0, 1)
    assert target(eye_ratio=0.0).lids == (0, 0)
    assert (target(gaze_x=30).gaze[:, 0] > 0.1).all()
    assert (target(gaze_y=63).gaze[:, 1] < -0.1).all()
    assert LEFT_EYE is not RIGHT_EYE


def test_a_lip_ratio_is_met():
    width = np.linalg.norm(FACE.expression[78] - FACE.expression[308])
    assert face_gap(target(lip_ratio=0.4).points) == pytest.approx(0.4 * width, rel=0.05)


def test_an_edit_is_made_whatever_region_and_strength_move():
    nothing = MotionSettings(region="pose", strength=0.0)
    moved = target(settings=nothing, smile=1.0).points - target(settings=nothing).points
    assert moved[61, 1] < -0.1


def test_an_edit_adds_to_a_performance():
    open_mouth = replace(REST, lips=np.float32(REST.lips + 0.2))
    both = face_gap(target(open_mouth, lip_open=60).points)
    assert both > face_gap(target(open_mouth).points) + 0.1
    assert both > face_gap(target(lip_open=60).points) + 0.05
