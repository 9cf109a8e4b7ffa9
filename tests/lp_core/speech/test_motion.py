from dataclasses import replace

import numpy as np
import pytest

from lp_core.errors import MotionError
from lp_core.speech.analysis import HeardSpeech, Voice
from lp_core.speech.motion import SpeechMotion, mouth_curves, perform, with_head
from lp_core.speech.mouth_map import OUTPUTS, default_map
from lp_core.speech.natural import MOODS, Manner
from lp_core.speech.phones import Phone
from lp_core.timing import FrameRate

TICKS = 1200


def heard(phones=(), spoken=slice(100, 1000)):
    """A voice that speaks from 1 s to 10 s with a wide open mouth."""
    rng = np.random.default_rng(5)
    activity = np.zeros(TICKS, np.float32)
    activity[spoken] = 1
    stress = np.maximum(np.sin(np.arange(TICKS) / 25), 0) ** 4 * np.linspace(1, 2, TICKS)
    loudness = (-40 + activity * (20 + 10 * stress) + rng.standard_normal(TICKS)).astype(np.float32)
    pitch = (120 * activity * (1 + 0.1 * rng.standard_normal(TICKS))).astype(np.float32)
    mouth = np.zeros((TICKS, len(OUTPUTS)), np.float32)
    mouth[:, 0] = 1.5
    return HeardSpeech(Voice(activity, loudness, pitch, loudness), tuple(phones), mouth)


def motion_of(phones=(), manner=None, **values):
    return perform(heard(phones), default_map(), manner or Manner(seed=3), **values)


CLOSING = tuple(Phone("PBM"[index % 3], 2 + 0.37 * index, 2.06 + 0.37 * index) for index in range(20))


@pytest.mark.parametrize("rate", ["12", "24", "24000/1001", "25", "30000/1001", "50", "60"])
def test_lips_close_for_p_b_m_at_every_rate(rate):
    motion, fps = motion_of(CLOSING), FrameRate.parse(rate)
    opened = motion.sampled(fps, 0, motion.frames(fps))["open"]
    frames = [round(phone.middle_s * float(fps.fps)) for phone in CLOSING]
    assert (opened[frames] == 0).all()
    assert np.median(opened[int(2 * float(fps.fps)) : int(9 * float(fps.fps))]) > 0.1


def test_frames_are_means_and_do_not_depend_on_the_block():
    motion, rate = motion_of(CLOSING), FrameRate.parse("25")
    whole = motion.sampled(rate, 0, 300)
    parts = [motion.sampled(rate, start, start + 50) for start in range(0, 300, 50)]
    for name, curve in whole.items():
        assert np.allclose(curve, np.concatenate([part[name] for part in parts]), atol=1e-6)
    assert whole["open"][150] == pytest.approx(motion.curves["open"][598:602].mean(), abs=0.03)


def test_round_lips_are_narrow_and_narrow_lips_round():
    mouth = np.zeros((4, len(OUTPUTS)), np.float32)
    width, rounding = OUTPUTS.index("width"), OUTPUTS.index("round")
    mouth[1, rounding], mouth[2, width], mouth[3, width] = 4.0, -3.0, 2.0
    curves = mouth_curves(mouth, default_map(), np.ones(4, np.float32), 1.0)
    assert curves["round"][1] > 0.5
    assert curves["width"][1] < -0.04 < curves["width"][0]
    assert curves["round"][2] > curves["round"][0] + 0.1
    assert curves["width"][3] > 0.05
    assert curves["round"][3] < 0.1


def test_narrow_lips_are_rounder_closed_than_open():
    mouth = np.zeros((2, len(OUTPUTS)), np.float32)
    mouth[:, OUTPUTS.index("width")] = -1.0
    mouth[:, OUTPUTS.index("open")] = -3.0, 1.0
    curves = mouth_curves(mouth, default_map(), np.ones(2, np.float32), 1.0)
    assert curves["open"][0] < 0.03 < 0.08 < curves["open"][1]
    assert curves["round"][0] > 1.3 * curves["round"][1] > 0.08


def test_a_closure_among_narrow_lips_is_rounder():
    narrow = replace(heard(), mouth=heard().mouth.copy())
    narrow.mouth[:, OUTPUTS.index("width")] = -1.0
    free, closed = (
        perform(replace(narrow, phones=phones), default_map(), Manner(seed=3)) for phones in ((), CLOSING)
    )
    ticks = [round(phone.middle_s * 100) for phone in CLOSING]
    assert (closed.curves["open"][ticks] < 0.03).all()
    assert (closed.curves["round"][ticks] > 1.3 * free.curves["round"][ticks]).all()


def test_it_begins_at_rest_and_settles():
    motion = motion_of()
    assert all(curve[0] == 0 for curve in motion.curves.values())
    assert motion.curves["open"][:60].max() == 0
    assert motion.curves["open"][500] > 0.1
    assert motion.curves["open"][1100:].max() < 0.01


def test_the_seed_decides_and_repeats():
    same, again, other = (motion_of(manner=Manner(seed=seed)) for seed in (1, 1, 2))
    assert all((same.curves[name] == again.curves[name]).all() for name in same.curves)
    assert (same.curves["yaw"] != other.curves["yaw"]).any()
    assert (same.curves["open"] == other.curves["open"]).all()


def test_strengths_scale_their_part_alone():
    plain, still, mute = (
        motion_of(),
        motion_of(manner=Manner(seed=3, head=0, blink_rate=0, expressiveness=0)),
        motion_of(mouth_strength=0.0),
    )
    for name in ("pitch", "yaw", "roll", "blink", "brow", "gaze_x"):
        assert plain.curves[name].any()
        assert not still.curves[name].any()
    assert not mute.curves["open"].any()
    assert (mute.curves["yaw"] == plain.curves["yaw"]).all()


def test_blinks_come_at_the_rate_asked_for():
    def count(rate):
        voice = heard(spoken=slice(0, TICKS)).voice
        long = Voice(
            *(np.tile(each, 20) for each in (voice.activity, voice.loudness, voice.pitch, voice.energy))
        )
        mouth = np.zeros((TICKS * 20, len(OUTPUTS)), np.float32)
        curve = perform(HeardSpeech(long, (), mouth), default_map(), Manner(blink_rate=rate)).curves["blink"]
        return (np.diff((curve > 0.5).astype(int)) == 1).sum() / (TICKS * 20 / 6000)

    assert 20 < count(26.0) < 34
    assert 8 < count(13.0) < 17


def test_the_head_stays_within_measured_bounds():
    motion = motion_of(manner=Manner(seed=11))
    for name in ("pitch", "yaw", "roll"):
        assert 0.3 < motion.curves[name].std() < 6
        assert np.abs(np.diff(motion.curves[name])).max() * 100 < 60


def test_moods_change_the_face_from_their_second_on():
    plain = motion_of()
    happy = motion_of(moods=((0.0, "neutral"), (5.0, "happy")))
    change = happy.curves["smile"] - plain.curves["smile"]
    assert change[:430] == pytest.approx(0, abs=0.02)
    assert change[700:] == pytest.approx(MOODS["happy"]["smile"], abs=0.01)


def test_another_head_replaces_the_made_one():
    angles = tuple(np.full(300, value, np.float32) for value in (1, 2, 3))
    motion = with_head(motion_of(), angles)
    assert [motion.curves[name][[0, 299, 1100]].tolist() for name in ("pitch", "yaw")] == [[1] * 3, [2] * 3]
    assert motion.curves["open"].any()


def test_curves_of_different_lengths_are_refused():
    with pytest.raises(MotionError, match="differ in length"):
        SpeechMotion({"open": np.zeros(3, np.float32), "yaw": np.zeros(4, np.float32)})


def test_the_map_gives_a_moment_the_same_bits_alone_and_among_others(rng):
    """However the product is shared out, by rows or threads: a continued render must not differ."""
    chosen = default_map()
    features = rng.standard_normal((400, len(chosen.weights))).astype(np.float32)
    together = chosen.deviations(features)
    assert all(
        np.array_equal(chosen.deviations(row[None])[0], whole)
        for row, whole in zip(features, together, strict=True)
    )
