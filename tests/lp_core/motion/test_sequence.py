"""Motion as data: shapes are checked when the value is made."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.motion import performance

from lp_core.errors import MotionError
from lp_core.motion.sequence import MOTION_ARRAYS, RIGS, MotionFrame, MotionSequence, frame_shapes, stack
from lp_core.timing import FrameRate

RATE = FrameRate.parse("29.97")


def random_frame(rng, rig):
    return MotionFrame(
        **{name: np.float32(rng.normal(size=shape)) for name, shape in frame_shapes(rig).items()},
    )


@pytest.mark.parametrize("rig", RIGS)
def test_frames_come_back_from_a_stack(rig, rng):
    frames = [random_frame(rng, rig) for _ in range(4)]
    sequence = stack(frames, RATE, rig, "here")
    assert (len(sequence), sequence.origin, sequence.metadata) == (4, "here", {})
    for wanted, got in zip(frames, sequence.frames(), strict=True):
        for name in MOTION_ARRAYS:
            np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name))


def test_rows_and_columns_are_views_of_the_range(rng):
    sequence = stack([random_frame(rng, "mesh478") for _ in range(5)], RATE, "mesh478", "here")
    part = sequence.rows(1, 4)
    assert (len(part), part.rate, part.origin) == (3, RATE, "here")
    for name in MOTION_ARRAYS:
        np.testing.assert_array_equal(getattr(part, name), getattr(sequence, name)[1:4])
        assert np.shares_memory(sequence.column(name, 1, 4), getattr(sequence, name))


def test_an_empty_stack_is_refused():
    with pytest.raises(MotionError, match="at least one frame"):
        stack([], RATE, "mesh478")


def test_an_unknown_rig_is_refused_and_the_known_are_named():
    with pytest.raises(MotionError, match="'cat'.*mesh478, liveportrait21"):
        frame_shapes("cat")


@pytest.mark.parametrize("name", MOTION_ARRAYS)
@pytest.mark.parametrize("change", ["shape", "dtype"])
def test_a_misfit_array_is_named(name, change, rng):
    good = stack([random_frame(rng, "liveportrait21")] * 3, RATE, "liveportrait21")
    arrays = {item: getattr(good, item) for item in MOTION_ARRAYS}
    arrays[name] = arrays[name][..., None] if change == "shape" else arrays[name].astype(np.float64)
    with pytest.raises(MotionError, match=name):
        MotionSequence(RATE, "liveportrait21", **arrays)


def test_arrays_of_different_length_are_refused(rng):
    good = stack([random_frame(rng, "liveportrait21")] * 3, RATE, "liveportrait21")
    arrays = {item: getattr(good, item) for item in MOTION_ARRAYS}
    with pytest.raises(MotionError, match="lips"):
        MotionSequence(RATE, "liveportrait21", **{**arrays, "lips": arrays["lips"][:2]})


def test_extras_of_another_rig_or_shape_are_refused():
    sequence = performance(3, "mesh478")
    with pytest.raises(MotionError, match="keypoints"):
        replace(sequence, extras={"keypoints": np.zeros((3, 21, 3), np.float32)})
    with pytest.raises(MotionError, match="depth"):
        replace(performance(3), extras={"depth": np.zeros((3, 1), np.float32)})


def test_extras_go_with_their_frames():
    depth = np.arange(4, dtype=np.float32)
    sequence = replace(performance(4), extras={"depth": depth})
    assert sequence.frame(2).extras["depth"] == 2
    np.testing.assert_array_equal(sequence.rows(1, 3).extras["depth"], depth[1:3])
