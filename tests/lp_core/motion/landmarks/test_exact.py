"""A performer drives an image of himself: every landmark is where it was seen."""

from dataclasses import replace

import numpy as np
import pytest

from lp_core.geometry.facemesh import EYES
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.landmarks.motion import landmarks_from_motion
from lp_core.motion.landmarks.transfer import Limits, transfer
from lp_core.settings import MotionSettings

DEMO = builtin_motion("expressive")
SKIN = np.setdiff1d(np.arange(468), np.concatenate([np.r_[eye.upper, eye.lower] for eye in EYES]))


def landmarks(target, source):
    """(478, 2) where the target's points are, pixels of 512."""
    unit = float(source.scale) * 512
    middle = 255.5 + source.translation.astype(float) * 512
    return unit * target.points[:, :2] + middle


@pytest.mark.parametrize("frame", [10, 28, 50, 75])
def test_every_landmark_is_met(frame):
    source, motion = DEMO.frame(0), DEMO.frame(frame)
    moved = replace(
        motion, translation=motion.translation + np.float32([0.2, -0.1]), scale=motion.scale * np.float32(1.3)
    )
    found = landmarks(transfer(source, moved, source, MotionSettings()), source)
    wanted = landmarks_from_motion(moved, 512, 512)[:, :2]
    assert np.abs(found - wanted)[SKIN].max() < 0.02 * float(moved.scale) * 512


def test_a_twin_moves_in_its_own_axes():
    source, motion = DEMO.frame(0), DEMO.frame(28)
    motion = replace(motion, translation=motion.translation + np.float32([0.1, 0.05]))
    turn = from_angles_deg(0, 0, 20)
    twin = replace(source, rotation=(turn @ source.rotation).astype(np.float32))
    own, other = (transfer(one, motion, source, MotionSettings()).points[:, :2] for one in (source, twin))
    assert np.allclose(other, own @ turn[:2, :2].T, atol=1e-4)


def test_limits_bend_what_goes_beyond_three_quarters_of_them():
    source = DEMO.frame(0)

    def shift(by, limit):
        moved = replace(source, translation=source.translation + np.float32([by * float(source.scale), 0]))
        return (
            transfer(source, moved, source, MotionSettings(), limits=Limits(40.0, limit)).points[:, 0].mean()
        )

    still = shift(0, 1)
    assert shift(0.7, 1) - still == pytest.approx(0.7, abs=1e-3)
    assert 0.75 < shift(5, 1) - still <= 1
