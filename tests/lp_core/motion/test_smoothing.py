"""Smoothing in time: no phase, no loss of lines, blinks kept, jitter gone."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lp_core.errors import MotionError
from lp_core.geometry.rotation import from_angles_deg
from lp_core.motion.sequence import MOTION_ARRAYS, MotionSequence, frame_shapes
from lp_core.motion.smoothing import (
    OneEuroFilter,
    OneEuroRotation,
    OneEuroTuning,
    rotation_from_vector,
    rotation_vector,
    slerp,
    smooth,
    zero_phase_kernel,
)
from lp_core.settings import MotionSettings
from lp_core.timing import FrameRate

RATES = [FrameRate.parse(text) for text in ("24", "23.976", "30", "60")]
DEFAULT = MotionSettings().smoothing


def still(count, rate="30", **changed):
    """A motion at rest, with some arrays replaced."""
    arrays = {
        name: np.zeros((count, *shape), np.float32) for name, shape in frame_shapes("liveportrait21").items()
    }
    arrays["rotation"][:] = np.eye(3)
    for name in ("scale", "confidence"):
        arrays[name][:] = 1
    arrays["eyes"][:] = 0.3
    arrays.update({name: np.asarray(value, np.float32) for name, value in changed.items()})
    return MotionSequence(FrameRate.parse(rate), "liveportrait21", **arrays)


def blink(rate, depth=0.3, closing_s=0.1, opening_s=0.15, count=61):
    """Lid opening of a V-shaped blink, the sharpest there is, whose bottom falls on the middle frame."""
    time_s = (np.arange(count) - count // 2) / float(rate.fps)
    closed = np.clip(np.where(time_s < 0, 1 + time_s / closing_s, 1 - time_s / opening_s), 0, 1)
    return depth * (1 - closed)


class TestKernel:
    @given(st.floats(0, 1), st.sampled_from(RATES))
    def test_is_symmetric_positive_and_sums_to_one(self, strength, rate):
        kernel = zero_phase_kernel(strength, rate)
        assert len(kernel) % 2 == 1
        assert (kernel >= 0).all()
        np.testing.assert_array_equal(kernel, kernel[::-1])
        assert kernel.sum() == pytest.approx(1)
        assert kernel.argmax() == len(kernel) // 2

    def test_strength_0_is_a_single_one(self):
        assert zero_phase_kernel(0, RATES[0]).tolist() == [1]

    def test_width_is_the_same_time_at_any_rate(self):
        widths = []
        for rate in RATES:
            kernel = zero_phase_kernel(1, rate)
            time_s = (np.arange(len(kernel)) - len(kernel) // 2) / float(rate.fps)
            frame_s = 1 / float(rate.fps)
            widths.append(np.sqrt((kernel * time_s**2).sum() - frame_s**2 / 12))  # less the frame's own width
        assert widths == pytest.approx([0.1] * len(RATES), rel=0.02)


class TestZeroPhase:
    def test_strength_0_changes_no_bit(self, rng):
        motion = still(9, expression=rng.normal(size=(9, 21, 3)), lips=rng.normal(size=9))
        smoothed = smooth(motion, 0)
        for name in MOTION_ARRAYS:
            assert getattr(smoothed, name).tobytes() == getattr(motion, name).tobytes()

    @pytest.mark.parametrize("strength", [0.05, DEFAULT, 1])
    def test_constants_and_straight_lines_stay_also_at_the_ends(self, strength):
        ramp = np.linspace(-1, 1, 41)
        motion = still(
            41,
            translation=np.stack([ramp, ramp * 0 + 0.7], 1),
            scale=2 + ramp,
            expression=ramp[:, None, None] * np.ones((21, 3)),
            lips=0.1 * ramp,
        )
        smoothed = smooth(motion, strength)
        for name in MOTION_ARRAYS:
            np.testing.assert_allclose(getattr(smoothed, name), getattr(motion, name), atol=2e-6)

    @given(
        hnp.arrays(np.float32, (12, 2), elements=st.floats(-1, 1, width=32)),
        hnp.arrays(np.float32, (12,), elements=st.floats(0, 1, width=32)),
    )
    def test_a_motion_played_backwards_smooths_to_the_same_backwards(self, path, lips):
        forward = smooth(still(12, translation=path, lips=lips), 1)
        backward = smooth(still(12, translation=path[::-1], lips=lips[::-1]), 1)
        np.testing.assert_allclose(forward.translation, backward.translation[::-1], atol=1e-6)
        np.testing.assert_allclose(forward.lips, backward.lips[::-1], atol=1e-6)

    @pytest.mark.parametrize("name", ["translation", "eyes"])
    def test_a_peak_stays_where_it_is(self, name):
        bump = np.exp(-0.5 * ((np.arange(41) - 17) / 3.0) ** 2)[:, None] * [0.3, 0.3]
        smoothed = getattr(smooth(still(41, **{name: bump}), 1), name)
        assert smoothed[:, 0].argmax() == 17
        around = smoothed[17 - 8 : 17 + 9, 0]
        np.testing.assert_allclose(around, around[::-1], atol=1e-6)

    @pytest.mark.parametrize("rate", RATES, ids=str)
    def test_the_default_keeps_over_nine_tenths_of_a_blink(self, rate):
        lids = blink(rate)
        motion = still(
            61,
            str(rate),
            eyes=lids[:, None] * [1, 1],
            blendshapes=(1 - lids / 0.3)[:, None] * np.ones(52),
        )
        smoothed = smooth(motion, DEFAULT)
        assert 0.3 - smoothed.eyes[30].max() > 0.9 * 0.3
        assert smoothed.blendshapes[30].min() > 0.9

    def test_the_default_calms_jitter(self, rng):
        noise = {
            "eyes": 0.3 + 0.003 * rng.normal(size=(600, 2)),
            "gaze": 0.003 * rng.normal(size=(600, 2, 2)),
            "lips": 0.003 * rng.normal(size=600),
            "expression": 0.003 * rng.normal(size=(600, 21, 3)),
            "translation": 0.003 * rng.normal(size=(600, 2)),
        }
        smoothed = smooth(still(600, **noise), DEFAULT)
        for name in noise:
            assert getattr(smoothed, name).std() < 0.65 * 0.003, name

    def test_a_saccade_stays_sharp(self):
        gaze = np.zeros((41, 2, 2))
        gaze[20:] = 0.2
        smoothed = smooth(still(41, gaze=gaze), DEFAULT)
        np.testing.assert_allclose(smoothed.gaze, gaze, atol=1e-3)

    def test_lost_frames_weigh_nothing_and_are_left_alone(self):
        scale, confidence = np.ones(41), np.ones(41)
        scale[20], confidence[20] = 100, 0
        smoothed = smooth(still(41, scale=scale, confidence=confidence), 1)
        assert smoothed.scale[20] == 100
        np.testing.assert_allclose(np.delete(smoothed.scale, 20), 1, atol=1e-6)
        np.testing.assert_array_equal(smoothed.confidence, confidence.astype(np.float32))

    def test_rotations_stay_rotations_and_a_steady_turn_stays(self, rng):
        turn = np.stack([from_angles_deg(0, yaw, 5) for yaw in np.linspace(-40, 40, 41)])
        smoothed = smooth(still(41, rotation=turn), 1).rotation
        np.testing.assert_allclose(smoothed, turn, atol=2e-6)
        shaken = np.stack([from_angles_deg(*(2 * rng.normal(size=3))) for _ in range(600)])
        calm = smooth(still(600, rotation=shaken), 1).rotation
        np.testing.assert_allclose(calm @ calm.transpose(0, 2, 1), np.tile(np.eye(3), (600, 1, 1)), atol=1e-5)
        angle = [np.degrees(np.linalg.norm(rotation_vector(rotation))) for rotation in calm[20:-20]]
        assert np.mean(angle) < 0.4 * 2 * np.sqrt(8 / np.pi)  # mean length of the shaking itself

    def test_keeps_what_is_told_of_the_motion(self):
        motion = MotionSequence(
            **{**still(5).__dict__, "origin": "talk.mp4", "metadata": {"take": "3"}},
        )
        smoothed = smooth(motion, 1)
        assert (smoothed.origin, smoothed.metadata, smoothed.rate) == ("talk.mp4", {"take": "3"}, motion.rate)


class TestOneEuro:
    TUNING = OneEuroTuning(min_cutoff_hz=1.0, beta=0.5)

    def times(self, count):
        return [Fraction(index * 1001, 30000) for index in range(count)]

    def test_first_value_and_constants_pass(self):
        one_euro = OneEuroFilter(self.TUNING)
        for time_s in self.times(5):
            np.testing.assert_array_equal(one_euro.filter(np.array([1.5, -2]), time_s), [1.5, -2])

    def test_follows_the_paper_on_one_step(self):
        one_euro = OneEuroFilter(OneEuroTuning(min_cutoff_hz=2.0, beta=0.25))
        one_euro.filter(np.array(0.0), Fraction(0))
        got = one_euro.filter(np.array(1.0), Fraction(1, 10))
        speed = 10.0 / (1 + 1 / (2 * np.pi * 1.0 * 0.1))
        cutoff_hz = 2.0 + 0.25 * speed
        assert got == pytest.approx(1 / (1 + 1 / (2 * np.pi * cutoff_hz * 0.1)))

    def test_calms_a_resting_signal_and_follows_a_fast_one(self, rng):
        one_euro = OneEuroFilter(self.TUNING)
        noise = 0.01 * rng.normal(size=300)
        out = np.array([one_euro.filter(np.array(x), t) for x, t in zip(noise, self.times(300), strict=True)])
        assert out[30:].std() < 0.5 * 0.01
        ramp = 10.0 * np.arange(60) / 30
        slow, fast = (OneEuroFilter(OneEuroTuning(1.0, beta)) for beta in (0.0, 1.0))
        lags = [
            ramp[-1] - [f.filter(np.array(x), t) for x, t in zip(ramp, self.times(60), strict=True)][-1]
            for f in (slow, fast)
        ]
        assert lags[1] < 0.2 * lags[0]

    def test_result_is_not_the_filters_own_array(self):
        one_euro = OneEuroFilter(self.TUNING)
        one_euro.filter(np.zeros(2), Fraction(0))[:] = 9
        np.testing.assert_array_equal(one_euro.filter(np.zeros(2), Fraction(1)), [0, 0])

    @pytest.mark.parametrize("later", [Fraction(1), Fraction(1, 2)])
    def test_time_must_go_on(self, later):
        for one_euro, value in (
            (OneEuroFilter(self.TUNING), np.zeros(2)),
            (OneEuroRotation(self.TUNING), np.eye(3)),
        ):
            one_euro.filter(value, Fraction(1))
            with pytest.raises(MotionError, match="order"):
                one_euro.filter(value, later)

    def test_rotation_goes_the_way_of_its_angle(self):
        turned, plain = OneEuroRotation(self.TUNING), OneEuroFilter(self.TUNING)
        angles = np.concatenate([np.zeros(5), np.linspace(0, 1, 20), np.ones(30)])
        for angle, time_s in zip(angles, self.times(len(angles)), strict=True):
            rotation = turned.filter(rotation_from_vector([0, angle, 0]), time_s)
            np.testing.assert_allclose(
                rotation_vector(rotation)[1], plain.filter(np.array(angle), time_s), atol=1e-9
            )


vectors = hnp.arrays(np.float64, (3,), elements=st.floats(-1.8, 1.8))


class TestRotations:
    @given(vectors)
    def test_vector_and_matrix_are_inverse(self, vector):
        rotation = rotation_from_vector(vector)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(rotation_from_vector(rotation_vector(rotation)), rotation, atol=1e-12)

    @pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]])
    def test_half_a_turn_is_found(self, axis):
        vector = rotation_vector(rotation_from_vector(np.pi * np.array(axis)))
        np.testing.assert_allclose(np.abs(vector), np.pi * np.array(axis), atol=1e-7)

    def test_convention_is_right_handed(self):
        np.testing.assert_allclose(rotation_from_vector([0, 0, np.pi / 2]) @ [1, 0, 0], [0, 1, 0], atol=1e-12)

    @given(vectors, vectors, st.floats(0, 1))
    def test_slerp_divides_the_turn(self, first, second, fraction):
        a, b = rotation_from_vector(first), rotation_from_vector(second)
        whole = np.linalg.norm(rotation_vector(a.T @ b))
        part = np.linalg.norm(rotation_vector(a.T @ slerp(a, b, fraction)))
        assert part == pytest.approx(fraction * whole, abs=1e-6)
        np.testing.assert_allclose(slerp(a, b, 0), a, atol=1e-12)
        np.testing.assert_allclose(slerp(a, b, 1), b, atol=1e-7)
