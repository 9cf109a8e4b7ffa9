"""Corrections: none at rest, found again at key frames, smooth and limited between."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import performer, readings, turned
from hypothesis import given
from hypothesis import strategies as st

from lp_core.motion.landmarks.transfer import Nudge
from lp_core.motion.tuning import CONTROLS, GAP_SHARE, SLOW, features, fit, make_nudge

LIMITS = np.array([6.0, 8.0, 6.0, 0.45, 2.0, 0.9, 0.9, 0.08])
SEED = st.integers(0, 2**32 - 1)


def frames(seed, count):
    """Frames that stand well apart, and at a distance from rest."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        shapes = readings(*rng.uniform(0, 1, 4))
        shapes[20:24] = rng.uniform(0.2, 1, 4)
        frame = performer(angles=(6 * index + 5, *rng.normal(0, 10, 2)), shapes=shapes)
        found.append(replace(frame, lips=np.float32(0.2 + 0.4 * index)))
    return found


def tuned(seed=0, count=6, share=0.5):
    rng = np.random.default_rng(seed)
    keys = frames(seed, count)
    corrections = rng.uniform(-share, share, (count, CONTROLS)) * LIMITS
    return keys, corrections, fit(keys, corrections, performer(), LIMITS)


@given(SEED, st.integers(1, 12))
def test_nothing_is_corrected_at_the_reference(seed, count):
    tuning = tuned(seed, count)[2]
    assert (tuning.controls(performer()) == 0).all()
    assert tuning.nudge(performer()) == Nudge()


def test_slow_controls_may_come_from_elsewhere_and_quick_ones_may_not():
    keys, _, tuning = tuned()
    own = tuning.controls(keys[0])
    found = tuning.controls(keys[0], np.arange(1.0, 1 + SLOW))
    np.testing.assert_allclose(found[:SLOW], np.arange(1.0, 1 + SLOW), rtol=1e-3)
    np.testing.assert_array_equal(found[SLOW:], own[SLOW:])
    assert own[SLOW:].any()
    np.testing.assert_array_equal(tuning.controls(keys[0], tuning.slow(keys[0])), own)


@given(SEED, SEED)
def test_no_average_corrects_the_reference(seed, other):
    tuning = tuned(seed)[2]
    for frame in frames(other, 3):
        assert tuning.nudge(performer(), tuning.slow(frame)) == Nudge()


@given(SEED, st.integers(1, 12))
def test_key_frames_get_their_corrections_back(seed, count):
    keys, corrections, tuning = tuned(seed, count)
    for key, wanted in zip(keys, corrections, strict=True):
        assert np.abs((tuning.controls(key) - wanted) / LIMITS)[:-1].max() < 0.12


@given(st.integers(2, 12))
def test_the_last_control_follows_the_lips_alone(count):
    keys = frames(count, count)
    corrections = np.zeros((count, CONTROLS))
    corrections[:, -1] = LIMITS[-1] * np.array([float(key.lips) for key in keys]) / 5
    tuning = fit(keys, corrections, performer(), LIMITS)
    for key, wanted in zip(keys, corrections[:, -1], strict=True):
        assert abs(tuning.controls(key)[-1] - wanted) < 0.12 * LIMITS[-1]
        assert tuning.controls(turned(key, yaw=20))[-1] == tuning.controls(key)[-1]


@given(SEED, SEED)
def test_limits_hold_everywhere(seed, other):
    tuning = tuned(seed, share=50.0)[2]
    for frame in frames(other, 4):
        assert (np.abs(tuning.controls(frame)) <= LIMITS).all()


def test_a_frame_between_two_key_frames_gets_something_between():
    keys = [turned(performer(), yaw=yaw) for yaw in (6, 18)]
    corrections = np.zeros((2, CONTROLS))
    corrections[:, 1] = 2, 5
    tuning = fit(keys, corrections, performer(), LIMITS)
    found = [tuning.controls(turned(performer(), yaw=yaw))[1] for yaw in (6, 12, 18)]
    assert found[0] + 0.3 < found[1] < found[2] - 0.3


def test_a_small_step_of_the_performance_is_a_small_step_of_the_correction():
    keys, _, tuning = tuned()
    steps = [tuning.controls(turned(keys[0], yaw=0.05 * index)) for index in range(40)]
    assert (np.abs(np.diff(steps, axis=0)) / LIMITS).max() < 0.02


def test_two_opinions_about_one_frame_give_their_mean():
    (key,) = frames(1, 1)
    corrections = np.stack([LIMITS / 2, LIMITS / 4])
    found = fit([key, key], corrections, performer(), LIMITS).controls(key)
    assert np.allclose(found / LIMITS, 0.375, atol=0.02)


def test_the_order_of_controls_is_that_of_the_nudge():
    expected = Nudge((1, 2, 3), 4 * GAP_SHARE, 4 * (1 - GAP_SHARE), 5, (6, 7), 8)
    assert make_nudge(np.arange(1.0, 9.0)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"eyes": np.zeros(2, np.float32)},
        {"lips": np.float32(0.5)},
        {"blendshapes": readings(jaw=0.5)},
        {"blendshapes": readings(left=0.5)},
        {"rotation": turned(performer(), yaw=8).rotation},
        {"scale": np.float32(0.4)},
        {"translation": np.ones(2, np.float32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_features_see_what_is_tuned(change):
    assert np.abs(features(replace(performer(), **change)) - features(performer())).max() > 0.05


def test_features_do_not_see_gaze():
    shapes = readings()
    shapes[[0, *range(11, 19)]] = 1  # the neutral coefficient and the eight that look around
    other = replace(
        performer(shapes=shapes),
        gaze=np.full((2, 2), 0.2, np.float32),
    )
    np.testing.assert_array_equal(features(other), features(performer()))
