"""Live motion: smoothing that follows, the reference that settles and is renewed, what happens without a face."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.motion.builtin import builtin_motion
from lp_core.motion.live import EASE_S, LiveMotion
from lp_core.settings import MotionSettings
from lp_core.timing import FrameRate

RATE = FrameRate.parse(30)
PLAIN = MotionSettings(smoothing=0.0, reference="0")


@pytest.fixture(scope="module")
def acted():
    return list(builtin_motion("expressive", RATE).frames())


def at(index):
    return Fraction(index, 30)


def played(live, frames, first=0):
    return [live.step(frame, first + i, at(first + i)) for i, frame in enumerate(frames)]


def test_without_smoothing_nothing_changes(acted):
    live = LiveMotion(PLAIN, "hold")
    assert all(a is b for a, b in zip(played(live, acted), acted, strict=True))


def test_smoothing_calms_jitter_and_follows_movement(acted, rng):
    noisy = [
        replace(f, expression=f.expression + rng.normal(0, 0.004, f.expression.shape).astype(np.float32))
        for f in [acted[0]] * 60
    ]
    calm = played(LiveMotion(replace(PLAIN, smoothing=0.5), "hold"), noisy)
    jitter = [np.std([f.expression for f in frames[20:]], axis=0).mean() for frames in (noisy, calm)]
    assert jitter[1] < 0.6 * jitter[0]
    moved = played(LiveMotion(replace(PLAIN, smoothing=0.5), "hold"), acted)
    eyes = np.array([[f.eyes[0] for f in frames] for frames in (acted, moved)])
    assert np.corrcoef(eyes)[0, 1] > 0.95, "blinks come through"
    assert np.ptp(eyes[1]) > 0.8 * np.ptp(eyes[0])


def test_the_reference_settles_on_the_most_neutral_frame_of_the_first_seconds(acted):
    busy = next(i for i, f in enumerate(acted) if f.lips > 0.1)
    live = LiveMotion(MotionSettings(smoothing=0.0), "hold")
    live.step(acted[busy], 0, at(0))
    assert live.reference.lips == acted[busy].lips, "better than none"
    played(live, [acted[0]] * 30, 1)
    assert live.reference.lips == acted[0].lips
    played(live, [acted[busy]] * 60, 31)
    assert live.reference.lips == acted[0].lips, "it stays"


def test_a_numbered_reference_is_taken_when_it_comes(acted):
    live = LiveMotion(replace(PLAIN, reference="5"), "hold")
    played(live, acted[:30])
    assert np.array_equal(live.reference.expression, acted[5].expression)


def test_recentring_eases_over_to_the_face_as_it_is(acted):
    live = LiveMotion(PLAIN, "hold")
    wanted = acted[40]
    played(live, [acted[0], wanted])
    live.recentre()
    live.step(wanted, 2, at(2) + EASE_S / 4)
    assert not np.array_equal(live.reference.expression, wanted.expression), "it eases"
    live.step(wanted, 3, at(2) + 2 * EASE_S)
    assert np.array_equal(live.reference.expression, wanted.expression)


def test_before_the_first_face_there_is_nothing(acted):
    live = LiveMotion(PLAIN, "hold")
    assert live.step(None, 0, at(0)) is None
    assert live.reference is None
    live.recentre()
    assert live.step(acted[0], 1, at(1)) is acted[0]


@pytest.mark.parametrize("on_lost", ["hold", "interpolate", "source"])
def test_where_the_face_is_lost_the_policy_decides(acted, on_lost):
    live = LiveMotion(PLAIN, on_lost)
    live.step(acted[0], 0, at(0))
    gone = live.step(None, 1, at(1))
    assert gone.confidence == (0 if on_lost == "source" else 1)
    back = live.step(acted[40], 2, at(2))
    assert (back is acted[40]) == (on_lost != "interpolate"), "interpolate glides back"
    later = live.step(acted[40], 3, at(2) + 2 * EASE_S)
    assert later is acted[40]


def test_other_settings_take_effect_at_once(acted):
    live = LiveMotion(replace(PLAIN, smoothing=1.0), "hold")
    played(live, acted[:10])
    live.configure(PLAIN, "hold")
    assert live.step(acted[50], 10, at(10)) is acted[50]
