"""Corrections averaged over neighboring frames."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fakes.mesh import performer

from lp_core.motion.sequence import stack
from lp_core.motion.smoothing import zero_phase_kernel
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.calm_corrections import STRENGTH, CalmCorrections
from lp_core.settings import MotionSettings
from lp_core.timing import FrameRate

RATE = FrameRate.parse("25")
PLAIN = MotionSettings(smoothing=0.0, reference="0")
KERNEL = zero_phase_kernel(STRENGTH, RATE)
REACH = len(KERNEL) // 2


class Engine:
    """Corrects twice what the lips open; counts the frames it was asked for."""

    def __init__(self, is_tuned=True):
        self.is_tuned, self.asked = is_tuned, 0

    def slow_correction(self, portrait, motion):
        self.asked += 1
        return np.array([2.0 * float(motion.lips), 1.0]) if self.is_tuned else None


def timeline_of(lips, lost=()):
    frames = [
        replace(performer(), lips=np.float32(value), confidence=np.float32(index not in lost))
        for index, value in enumerate(lips)
    ]
    return MotionTimeline(stack(frames, RATE, "mesh478", "talk.mp4"), PLAIN, "source")


def averages(lips, times=None, lost=()):
    calm = CalmCorrections(Engine(), timeline_of(lips, lost))
    times = range(len(lips)) if times is None else times
    return np.array([calm.at(None, Fraction(time) / RATE.fps) for time in times])


def test_a_lone_event_is_spread_by_the_kernel():
    lips = np.zeros(41)
    lips[20] = 0.5
    found = averages(lips)[:, 0]
    np.testing.assert_allclose(found[20 - REACH : 21 + REACH], KERNEL)
    assert not found[: 20 - REACH].any()
    assert not found[21 + REACH :].any()


def test_lines_stay_lines_up_to_both_ends():
    np.testing.assert_allclose(averages(0.01 * np.arange(41))[:, 0], 0.02 * np.arange(41), atol=1e-6)


def test_between_frames_it_is_between_their_averages(rng):
    lips = rng.uniform(size=41)
    whole = averages(lips)
    found = averages(lips, [Fraction(41, 4)])
    np.testing.assert_allclose(found[0], 0.75 * whole[10] + 0.25 * whole[11])


@pytest.mark.parametrize("start", [0, 7, 30])
def test_a_part_is_as_the_whole_from_any_frame_on(rng, start):
    lips = rng.uniform(size=41)
    np.testing.assert_array_equal(averages(lips, range(start, 41)), averages(lips)[start:])
    np.testing.assert_array_equal(averages(lips, range(40, -1, -1))[::-1], averages(lips))


def test_lost_frames_do_not_count():
    lips = np.full(41, 0.1)
    lips[18] = 77
    np.testing.assert_allclose(averages(lips, range(19, 41), lost=[18])[:, 0], 0.2, atol=1e-6)


@pytest.mark.parametrize("time", [Fraction(71, 4), Fraction(73, 4)])
def test_between_a_seen_and_a_lost_frame_the_seen_one_counts(time):
    lips = np.full(41, 0.1)
    lips[18] = 77
    np.testing.assert_allclose(averages(lips, [time], lost=[18])[0, 0], 0.2, atol=1e-6)


def test_every_frame_is_corrected_once(rng):
    engine = Engine()
    calm = CalmCorrections(engine, timeline_of(rng.uniform(size=41)))
    for index in range(41):
        calm.at(None, RATE.time_s(index))
    assert engine.asked == 41


def test_a_portrait_without_a_tuning_is_asked_once_a_frame(rng):
    engine = Engine(is_tuned=False)
    calm = CalmCorrections(engine, timeline_of(rng.uniform(size=41)))
    assert all(calm.at(None, RATE.time_s(index)) is None for index in range(41))
    assert engine.asked == 41
