"""How far a performance can be trusted."""

import numpy as np
import pytest

from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.reliability import CAUSES, FrameReading, reliability


def reading(yaw=0.0, pitch=0.0, face_px=300.0, sharpness=0.1, covered=(0.0, 0.0, 0.0)):
    return FrameReading(from_angles_deg(pitch, yaw, 0).astype(np.float32), face_px, sharpness, covered)


@pytest.mark.parametrize(
    ("changed", "values", "cause"),
    [
        ({}, (1, 1, 1), ""),
        ({"yaw": 60}, (0.5, 0.5, 0.5), "pose"),
        ({"yaw": -60}, (0.5, 0.5, 0.5), "pose"),
        ({"pitch": 70}, (0, 0, 0), "pose"),
        ({"face_px": 60}, (0.5, 0.5, 0.5), "small"),
        ({"sharpness": 0.0}, (0, 0, 0), "blurred"),
        ({"covered": (0.1, 0.0, 0.7)}, (1, 1, 0), "covered"),
    ],
)
def test_each_cause_by_itself(changed, values, cause):
    got, causes = reliability(reading(**changed))
    np.testing.assert_allclose(got, values, atol=0.01)
    assert CAUSES[int(causes[int(np.argmin(got))])] == cause


def test_a_lost_face():
    got, causes = reliability(None)
    assert not got.any()
    assert {CAUSES[int(cause)] for cause in causes} == {"lost"}
