"""One face keeps its identity: crossings, gaps, jumps, newcomers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.track import FaceTrack

SIZE = (1920, 1080)


def face(x, y=500, size=200, name=0.0):
    """A face whose roll says who it is."""
    box = FaceBox(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    points = np.zeros((478, 3), np.float32)
    return Face(points, "mediapipe478", box, 1.0, np.eye(3, dtype=np.float32), Pose(0, 0, name), {})


def run(frames, selector="left"):
    """Names of the followed face frame by frame, None where it is lost."""
    track = FaceTrack(selector)
    found = [track.follow(faces, *SIZE) for faces in frames]
    return [item and item.pose.roll_deg for item in found]


def test_choice_waits_for_the_first_frame_with_the_face():
    frames = [[], [face(300, name=1)], [face(310, name=1), face(1500, name=2)]]
    assert run(frames) == [None, 1, 1]
    assert run(frames, "1") == [None, None, 2]


def test_choice_is_made_once():
    # The other one becomes larger and moves further left, but is never taken.
    frames = [[face(600, name=1), face(1400, size=150 + 4 * t, name=2)] for t in range(30)]
    assert run(frames, "largest") == [1] * 30


@given(st.integers(6, 40), st.integers(0, 6), st.integers(-60, 60))
def test_crossing_faces_keep_their_identity_even_if_one_is_hidden(speed, hidden, dy):
    steps = 1400 // speed
    frames = []
    for t in range(steps + 1):
        one, two = face(260 + speed * t, 500, name=1), face(1661 - speed * t, 500 + dy, name=2)
        # The second person passes behind: not seen for some frames around the crossing.
        is_hidden = abs(t - steps / 2) < hidden / 2
        frames.append([one] if is_hidden else [two, one])
    assert run(frames) == [1] * len(frames)


@given(st.integers(10, 40), st.integers(1, 5))
def test_chosen_face_hidden_in_a_crossing_is_lost_and_found_again(speed, hidden):
    steps = 1400 // speed
    frames, wanted = [], []
    for t in range(steps + 1):
        one, two = face(260 + speed * t, 470, 190, name=1), face(1660 - speed * t, 530, 230, name=2)
        is_hidden = abs(t - steps / 2) < hidden / 2
        frames.append([two] if is_hidden else [two, one])
        wanted.append(None if is_hidden else 1)
    assert run(frames) == wanted


@given(st.integers(1, 200))
def test_bystander_is_not_taken_while_the_chosen_face_is_away(gap):
    both, alone = [face(500, name=1), face(760, name=2)], [face(760, name=2)]
    assert run([both] * 3 + [alone] * gap + [both]) == [1, 1, 1, *[None] * gap, 1]


def test_jump_to_another_person_is_refused():
    assert run([[face(300, name=1)]] * 3 + [[face(1500, name=2)]] * 50) == [1] * 3 + [None] * 50


def test_sudden_change_of_size_is_refused():
    assert (
        run([[face(900, size=200, name=1)]] * 3 + [[face(900, size=600, name=2)]] * 5) == [1] * 3 + [None] * 5
    )


@given(st.floats(0, 0.5), st.floats(0.97, 1.03))
def test_ordinary_motion_is_followed(step, growth):
    frames, x, size = [], 200.0, 200.0
    for _ in range(20):
        frames.append([face(x, size=size, name=1), face(1800, 200, 90, name=2)])
        x, size = x + step * size, size * growth
        if x > 1500:
            break
    assert run(frames, "largest") == [1] * len(frames)


def test_face_that_went_on_moving_through_a_gap_is_found():
    frames = [[face(200 + 20 * t, name=1)] for t in range(30)]
    frames[10:14] = [[]] * 4
    assert run(frames) == [1] * 10 + [None] * 4 + [1] * 16


def test_empty_boxes_are_passed_over():
    assert run([[face(300, size=0, name=9), face(500, name=1)], [face(500, size=0, name=9)]]) == [1, None]


def test_unknown_selector_is_refused_at_once():
    with pytest.raises(SettingError):
        FaceTrack("biggest")
