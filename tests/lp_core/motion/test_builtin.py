"""Built-in motions: named, bounded, at rest at both ends."""

from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import MotionError
from lp_core.geometry.facemesh import EYES, JAW_OPEN, LEFT_EYE, RIGHT_EYE, RIGID, SMILE_LEFT
from lp_core.geometry.rotation import angles_deg
from lp_core.motion.builtin import DEFAULT_RATE, builtin_motion, neutral_face
from lp_core.motion.landmarks.motion import eye_openness, lip_openness
from lp_core.motion.sequence import MOTION_ARRAYS
from lp_core.timing import FrameRate

SECONDS = {"expressive": 9, "blink": 3, "nod": 3, "still": 2}
LOOPED = [name for name in SECONDS if name != "still"]
NTSC = FrameRate.parse("29.97")


@pytest.fixture(scope="module", params=SECONDS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def motion(name):
    return builtin_motion(name)


def angles(motion):
    return np.array([angles_deg(rotation) for rotation in motion.rotation])


def test_length_rate_rig_and_origin(name, motion):
    assert len(motion) == SECONDS[name] * 25
    assert motion.rate == DEFAULT_RATE == FrameRate(Fraction(25))
    assert motion.rig == "mesh478"
    assert motion.origin == f"demo:{name}"
    assert (motion.confidence == 1).all()


@pytest.mark.parametrize("rate", [NTSC, FrameRate(Fraction(60)), FrameRate(Fraction(1, 10))], ids=str)
def test_another_rate_shows_the_same_moments(name, rate):
    other = builtin_motion(name, rate)
    assert other.rate == rate
    assert len(other) == max(int(SECONDS[name] * rate.fps), 1)
    if rate.fps == 60:  # every 12th frame is every 5th at 25
        every_25 = builtin_motion(name)
        for array in ("expression", "rotation", "blendshapes"):
            assert np.allclose(getattr(other, array)[::12], getattr(every_25, array)[::5], atol=1e-6)


def test_it_starts_and_ends_at_rest(motion):
    face = neutral_face()
    for index in (0, -1):
        assert np.allclose(motion.expression[index], face, atol=0.02)
        assert np.abs(angles(motion)[index]).max() < 0.2
        assert motion.blendshapes[index].max() < 0.02


def test_values_are_those_of_a_face(motion):
    for array in MOTION_ARRAYS:
        assert np.isfinite(getattr(motion, array)).all()
    assert motion.blendshapes.min() >= 0
    assert motion.blendshapes.max() <= 1
    assert np.abs(angles(motion)).max() <= 15
    assert motion.eyes.min() >= 0
    assert motion.lips.min() >= 0
    assert motion.lips.max() < 0.7
    assert np.allclose(motion.rotation @ motion.rotation.transpose(0, 2, 1), np.eye(3), atol=1e-5)


def test_openness_and_points_agree(motion):
    for frame in list(motion.frames())[::20]:
        points = frame.expression.astype(np.float64)
        assert frame.lips == pytest.approx(lip_openness(points), abs=1e-5)
        assert frame.eyes == pytest.approx([eye_openness(points, eye) for eye in EYES], abs=1e-5)


def test_the_same_every_time(name, motion):
    again = builtin_motion(name)
    for array in MOTION_ARRAYS:
        np.testing.assert_array_equal(getattr(again, array), getattr(motion, array))


def test_nothing_jumps(motion):
    assert np.abs(np.diff(angles(motion), axis=0)).max(initial=0) < 3.5
    assert np.abs(np.diff(motion.expression, axis=0)).max(initial=0) < 0.25


@pytest.mark.parametrize("name", ["still"])
def test_still_is_still(name):
    motion = builtin_motion(name)
    for array in MOTION_ARRAYS:
        assert (np.ptp(getattr(motion, array), axis=0) == 0).all(), array


def test_each_does_what_its_name_says():
    expressive, blink, nod = (builtin_motion(name) for name in LOOPED)
    assert np.ptp(angles(nod)[:, 0]) > 12
    assert np.abs(angles(nod)[:, 1:]).max() < 0.01
    assert blink.blendshapes[:, [LEFT_EYE.blink, RIGHT_EYE.blink]].max(axis=0).min() > 0.8
    assert blink.eyes.min() < 0.1 * blink.eyes.max()
    assert np.abs(angles(blink)).max() < 0.01
    assert np.ptp(angles(expressive), axis=0).min() > 8
    assert expressive.blendshapes[:, [JAW_OPEN, SMILE_LEFT]].max(axis=0).min() > 0.5
    assert np.ptp(expressive.lips) > 0.2
    assert np.ptp(expressive.gaze[..., 0]) > 0.2
    wink = expressive.blendshapes[:, LEFT_EYE.blink] - expressive.blendshapes[:, RIGHT_EYE.blink]
    assert wink.max() > 0.7


@pytest.mark.parametrize("name", ["", "nothing", "Blink", "demo:blink"])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(name):
    with pytest.raises(MotionError) as caught:
        builtin_motion(name)
    assert all(f"demo:{known}" in str(caught.value) for known in SECONDS)
    assert f"demo:{name}" in str(caught.value)


def test_the_neutral_face_is_symmetric_at_rest_and_in_head_space():
    face = neutral_face()
    assert face.shape == (478, 3)
    assert face.dtype == np.float64
    assert np.allclose(face[RIGID].mean(axis=0), 0, atol=0.02)
    assert np.sqrt((face[RIGID] ** 2).sum(axis=1).mean()) == pytest.approx(1, abs=0.02)
    assert np.allclose(face[33] * (-1, 1, 1), face[263], atol=0.01)
    assert np.allclose(face[61] * (-1, 1, 1), face[291], atol=0.01)
    assert face[4, 2] < face[234, 2]  # the nose is nearer than the ear
