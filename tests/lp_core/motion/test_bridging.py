"""Parts of a face that a performance did not show."""

from dataclasses import replace

import numpy as np
import pytest

from lp_core.geometry.facemesh import LIPS_INNER_UPPER
from lp_core.motion.bridging import LONGEST, Bridge
from lp_core.motion.builtin import builtin_motion


@pytest.fixture
def frames():
    """Frames whose lips and forehead go up by 1 each."""
    rest = builtin_motion("still").frame(0)
    return [
        replace(rest, expression=rest.expression + np.float32(index), lips=np.float32(index))
        for index in range(6)
    ]


def bridged(frames, covered, interpolates, eyes=0.0):
    written = []
    bridge = Bridge("mesh478", written.append, interpolates)
    for index, frame in enumerate(frames):
        bridge.add(frame, eyes=eyes if index in covered else 0.0, mouth=0.9 if index in covered else 0.1)
    bridge.finish()
    return written, bridge.gaps


def lips_of(written, frames):
    start = frames[0].expression[LIPS_INNER_UPPER[5], 0]
    return [float(one.expression[LIPS_INNER_UPPER[5], 0] - start) for one in written]


def test_a_covered_mouth_holds_and_the_rest_plays_on(frames):
    written, gaps = bridged(frames, {2, 3}, interpolates=False)
    assert lips_of(written, frames) == pytest.approx([0, 1, 1, 1, 4, 5], abs=0.02)
    assert [float(one.lips) for one in written] == [0, 1, 1, 1, 4, 5]
    forehead = [float(one.expression[10, 0] - frames[0].expression[10, 0]) for one in written]
    assert forehead == pytest.approx([0, 1, 2, 3, 4, 5], abs=1e-5)
    assert gaps == {"mouth": [2, 3], "eyes": []}


def test_or_goes_over_to_what_is_seen_next(frames):
    written, _ = bridged(frames, {2, 3}, interpolates=True)
    assert [float(one.lips) for one in written] == pytest.approx([0, 1, 2, 3, 4, 5])


def test_a_gap_at_either_end_and_one_without_end(frames):
    written, _ = bridged(frames, {0, 1, 5}, interpolates=True)
    assert [float(one.lips) for one in written] == [2, 2, 2, 3, 4, 4]
    many = frames[:1] + frames[1:2] * (LONGEST + 10)
    written, _ = bridged(many, set(range(1, len(many))), interpolates=True)
    assert len(written) == len(many)
    assert {float(one.lips) for one in written} == {0.0}


def test_a_lost_face_within_a_gap_is_no_end_of_it(frames):
    frames[3] = replace(frames[3], confidence=np.float32(0))
    written, _ = bridged(frames, {2}, interpolates=True)
    assert [float(one.lips) for one in written][2] < 4
    assert written[3].confidence == 0


def test_eyes_are_bridged_by_themselves(frames):
    written = []
    bridge = Bridge("mesh478", written.append, interpolates=False)
    open_eyes = [replace(frame, eyes=np.full(2, index, np.float32)) for index, frame in enumerate(frames)]
    for index, frame in enumerate(open_eyes):
        bridge.add(frame, eyes=0.8 if index == 2 else 0.0)
    bridge.finish()
    assert [float(one.eyes[0]) for one in written] == [0, 1, 1, 3, 4, 5]
    assert [float(one.lips) for one in written] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("rig", ["liveportrait21", "performrecast49"])
def test_other_rigs(rig):
    from lp_core.render.read_performance import neutral_filler

    one = replace(neutral_filler(rig), confidence=np.float32(1))
    two = replace(one, expression=one.expression + 1, lips=np.float32(1))
    written = []
    bridge = Bridge(rig, written.append, interpolates=False)
    bridge.add(one)
    bridge.add(two, mouth=1.0)
    bridge.finish()
    moved = (written[1].expression != 0).any(axis=1)
    assert moved.any()
    assert not moved.all()
