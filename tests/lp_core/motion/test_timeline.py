"""The performance by time: lost frames, reference frame, exact times, constant memory."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import NoFace, SettingError
from lp_core.geometry.rotation import angles_deg, from_angles_deg
from lp_core.motion import timeline as timeline_module
from lp_core.motion.reference import unrest
from lp_core.motion.sequence import MOTION_ARRAYS, MotionSequence, frame_shapes
from lp_core.motion.smoothing import smooth
from lp_core.motion.timeline import MotionTimeline, between, neutral_frame
from lp_core.settings import MotionSettings
from lp_core.timing import FrameRate

PLAIN = MotionSettings(smoothing=0.0, reference="0")


def still(count, rate="30000/1001", **changed):
    """A neutral motion, with some arrays replaced."""
    arrays = {name: np.zeros((count, *shape), np.float32) for name, shape in frame_shapes("mesh478").items()}
    arrays["rotation"][:] = np.eye(3)
    for name in ("scale", "confidence"):
        arrays[name][:] = 1
    arrays["eyes"][:] = 0.3
    arrays.update({name: np.asarray(value, np.float32) for name, value in changed.items()})
    return MotionSequence(FrameRate.parse(rate), "mesh478", origin="talk.mp4", **arrays)


def gapped(lost, count=20):
    """Lips that rise by 0.01 a frame and a steady turn, with frames lost; lost rows hold rubbish."""
    lips, confidence = 0.01 * np.arange(count), np.ones(count)
    rotation = np.stack([from_angles_deg(0, yaw, 0) for yaw in range(count)])
    for index in lost:
        lips[index], confidence[index], rotation[index] = 77, 0, from_angles_deg(0, 0, 90)
    return still(count, lips=lips, confidence=confidence, rotation=rotation)


class CountingRows:
    """A motion that remembers the widest range anyone asked for."""

    def __init__(self, motion):
        self.motion, self.widest = motion, 0
        self.rate, self.rig, self.origin = motion.rate, motion.rig, motion.origin

    def __len__(self):
        return len(self.motion)

    def rows(self, start, stop):
        self.widest = max(self.widest, stop - start)
        return self.motion.rows(start, stop)

    def column(self, name, start, stop):
        return self.motion.column(name, start, stop)


class TestLostFrames:
    @given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 7))
    def test_ranges_tell_exactly_the_lost_frames(self, measured, block):
        motion = still(len(measured), confidence=measured)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timeline_module, "_CONFIDENCE_BLOCK", block)
            if not any(measured):
                with pytest.raises(NoFace, match=r"talk\.mp4"):
                    MotionTimeline(motion, MotionSettings(), "hold")
                return
            ranges = MotionTimeline(motion, MotionSettings(), "hold").lost_frames
        lost = [index for first, last in ranges for index in range(first, last + 1)]
        assert lost == [index for index, is_measured in enumerate(measured) if not is_measured]
        assert all(a[1] + 1 < b[0] for a, b in zip(ranges, ranges[1:], strict=False))

    @pytest.mark.parametrize("block", [1, 3, 256])
    def test_hold_repeats_the_last_measured_frame(self, monkeypatch, block):
        monkeypatch.setattr(timeline_module, "_BLOCK", block)
        timeline = MotionTimeline(gapped([0, 1, 7, 8, 9, 19]), replace(PLAIN, reference="2"), "hold")
        assert timeline.lost_frames == [(0, 1), (7, 9), (19, 19)]
        got = [round(float(timeline.frame(index).lips) * 100) for index in range(20)]
        assert got == [2, 2, 2, 3, 4, 5, 6, 6, 6, 6, *range(10, 19), 18]
        confidence = [float(timeline.frame(index).confidence) for index in range(20)]
        assert all(
            (value == 1) == (index not in (0, 1, 7, 8, 9, 19)) for index, value in enumerate(confidence)
        )
        assert 0 < min(confidence) < 1

    @pytest.mark.parametrize("block", [1, 3, 256])
    def test_interpolate_crosses_the_gap(self, monkeypatch, block):
        monkeypatch.setattr(timeline_module, "_BLOCK", block)
        timeline = MotionTimeline(gapped([0, 7, 8, 9, 19]), replace(PLAIN, reference="2"), "interpolate")
        frames = [timeline.frame(index) for index in range(20)]
        lips = [float(frame.lips) * 100 for frame in frames]
        assert lips == pytest.approx([1, *range(1, 19), 18], abs=1e-4)
        yaws = [angles_deg(frame.rotation)[1] for frame in frames]
        assert yaws == pytest.approx([1, *range(1, 19), 18], abs=1e-3)

    def test_source_keeps_the_mark(self):
        timeline = MotionTimeline(gapped([7, 8]), PLAIN, "source")
        assert [index for index in range(20) if timeline.frame(index).confidence == 0] == [7, 8]

    def test_source_takes_the_nearer_side_between_two_frames(self):
        timeline = MotionTimeline(gapped([8]), PLAIN, "source")
        rate = timeline.rate.fps
        confidence = [
            timeline.at(Fraction(x, 4) / rate).confidence for x in (28, 29, 30, 31, 32, 33, 34, 35, 36)
        ]
        assert confidence == [1, 1, 1, 0, 0, 0, 0, 1, 1]

    def test_smoothing_does_not_taste_lost_rows(self):
        timeline = MotionTimeline(gapped([7, 8]), MotionSettings(smoothing=1.0, reference="0"), "source")
        for index in (6, 9):
            assert float(timeline.frame(index).lips) == pytest.approx(0.01 * index, abs=1e-5)

    def test_policy_must_be_known(self):
        with pytest.raises(SettingError, match="hold, interpolate, source"):
            MotionTimeline(still(2), PLAIN, "skip")


class TestTime:
    def test_frames_at_their_own_times_are_the_stored_ones_bit_for_bit(self, rng):
        motion = still(300, lips=rng.normal(size=300), expression=rng.normal(size=(300, 478, 3)))
        timeline = MotionTimeline(motion, PLAIN, "hold")
        for index in [0, 1, 150, 299, 2]:
            got = timeline.at(motion.rate.time_s(index))
            for name in MOTION_ARRAYS:
                assert getattr(got, name).tobytes() == getattr(motion, name)[index].tobytes()

    def test_between_frames_everything_is_in_between(self):
        timeline = MotionTimeline(gapped([]), PLAIN, "hold")
        got = timeline.at(Fraction(21, 4) / timeline.rate.fps)
        assert float(got.lips) == pytest.approx(0.0525)
        assert angles_deg(got.rotation)[1] == pytest.approx(5.25, abs=1e-4)
        assert got.lips.dtype == got.rotation.dtype == np.float32

    def test_output_at_another_rate_stays_in_step(self):
        timeline = MotionTimeline(gapped([]), PLAIN, "hold")
        output = FrameRate.parse("25")
        for frame in range(16):
            time_s = output.time_s(frame)
            assert float(timeline.at(time_s).lips) == pytest.approx(
                0.01 * float(time_s * timeline.rate.fps), abs=1e-6
            )

    def test_outside_the_performance_its_ends_hold(self):
        timeline = MotionTimeline(gapped([]), PLAIN, "hold")
        assert timeline.at(Fraction(-5)).lips == 0
        assert timeline.at(Fraction(10**9)).lips == timeline.frame(19).lips

    @pytest.mark.parametrize("block", [1, 5, 256])
    @pytest.mark.parametrize("order", [1, -1])
    def test_sliding_window_equals_smoothing_the_whole(self, monkeypatch, rng, block, order):
        monkeypatch.setattr(timeline_module, "_BLOCK", block)
        motion = still(50, lips=0.01 * rng.normal(size=50), translation=rng.normal(size=(50, 2)))
        timeline = MotionTimeline(motion, MotionSettings(smoothing=0.6, reference="3"), "hold")
        wanted = smooth(motion, 0.6)
        for index in range(50)[::order]:
            for name in MOTION_ARRAYS:
                np.testing.assert_array_equal(
                    getattr(timeline.frame(index), name), getattr(wanted, name)[index]
                )

    def test_never_asks_for_more_than_a_few_hundred_rows(self):
        confidence = np.ones(3000)
        confidence[200:2800] = 0
        rows = CountingRows(still(3000, confidence=confidence))
        timeline = MotionTimeline(rows, MotionSettings(smoothing=1.0), "interpolate")
        for index in range(0, 3000, 7):
            timeline.frame(index)
        assert rows.widest < 300

    def test_says_what_it_plays(self):
        timeline = MotionTimeline(still(3), PLAIN, "hold")
        assert (len(timeline), timeline.rig, str(timeline.rate)) == (3, "mesh478", "30000/1001")

    def test_between_keeps_its_ends(self):
        motion = gapped([])
        first, second = motion.frame(3), motion.frame(4)
        for fraction, end in ((0.0, first), (1.0, second)):
            mixed = between(first, second, fraction)
            for name in MOTION_ARRAYS:
                np.testing.assert_allclose(getattr(mixed, name), getattr(end, name), atol=1e-7)


def spoiled(**faults):
    """Forty neutral frames with some of them spoiled."""
    motion = still(40)
    arrays = {name: getattr(motion, name).copy() for name in MOTION_ARRAYS}
    for name, (rows, value) in faults.items():
        arrays[name][rows] = value
    return replace(motion, **arrays)


OTHERS = [index for index in range(40) if not 22 <= index <= 24]  # 22 and 24 move from or to their neighbors
SMILE = np.eye(52, dtype=np.float32)[44] * 0.6


class TestReference:
    @pytest.mark.parametrize(
        "faults",
        [
            {"eyes": (OTHERS, [0.05, 0.3])},
            {"lips": (OTHERS, 0.2)},
            {"blendshapes": (np.arange(40) != 23, SMILE)},
            {"rotation": (OTHERS, from_angles_deg(0, 25, 0))},
            {"confidence": (np.arange(40) != 23, 0.0)},
            {"confidence": (np.arange(40) != 23, 0.5)},
        ],
        ids=["blink", "open lips", "smile", "turned head", "lost", "unsure"],
    )
    def test_auto_finds_the_one_neutral_frame(self, faults):
        assert MotionTimeline(spoiled(**faults), MotionSettings(), "hold").reference_index == 23

    @pytest.mark.parametrize(
        "shake",
        [
            {"translation": np.stack([0.05 * (np.arange(40) % 2), np.zeros(40)], 1)},
            {"scale": 1 + 0.05 * (np.arange(40) % 2)},
            {"rotation": np.stack([from_angles_deg(0, 6 * (i % 2), 0) for i in range(40)])},
            {"eyes": 0.3 + 0.2 * (np.arange(40) % 2)[:, None] * [1, 1]},
        ],
        ids=["position", "size", "turn", "lids"],
    )
    def test_auto_avoids_jumps_and_blur(self, shake):
        name, values = next(iter(shake.items()))
        values[22:25] = values[22]
        assert neutral_frame(still(40, **{name: values})) == 23

    def test_gaze_and_the_neutral_blendshape_do_not_count(self):
        motion = still(2, blendshapes=np.eye(52)[[0, 1]])
        gaze = still(2, blendshapes=[np.eye(52)[11:19].sum(0), np.eye(52)[19]])
        np.testing.assert_allclose(unrest(motion), [0, 0.3])
        np.testing.assert_array_equal(unrest(gaze), [0, 1])

    @pytest.mark.parametrize("block", [1, 2, 7, 256])
    def test_choice_does_not_depend_on_the_block(self, monkeypatch, rng, block):
        motion = still(60, blendshapes=rng.random((60, 52)), translation=0.01 * rng.normal(size=(60, 2)))
        wanted = int(np.argmin(unrest(motion)))
        monkeypatch.setattr(timeline_module, "_BLOCK", block)
        assert neutral_frame(motion) == wanted

    def test_first_of_equals_wins(self):
        assert neutral_frame(still(5)) == 0

    def test_no_measured_frame_is_an_error(self):
        with pytest.raises(NoFace, match=r"talk\.mp4"):
            neutral_frame(still(5, confidence=np.zeros(5)))

    def test_a_given_frame_is_taken_and_smoothed_like_the_rest(self, rng):
        motion = still(9, translation=rng.normal(size=(9, 2)))
        timeline = MotionTimeline(motion, MotionSettings(reference="4"), "hold")
        assert timeline.reference_index == 4
        np.testing.assert_array_equal(timeline.reference.translation, timeline.frame(4).translation)
        assert (timeline.reference.translation != motion.translation[4]).any()

    def test_a_frame_beyond_the_end_is_refused_with_the_range(self):
        with pytest.raises(SettingError, match="reference = 20 .* 0 to 19"):
            MotionTimeline(gapped([]), MotionSettings(reference="20"), "hold")

    def test_a_lost_frame_is_refused(self):
        with pytest.raises(SettingError, match="reference = 8 shows no face"):
            MotionTimeline(gapped([7, 8, 9]), MotionSettings(reference="8"), "hold")
