"""Readings that trail the image are carried on to where the face is."""

from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.mediapipe import LAG_S
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.geometry.rotation import angles_deg, from_angles_deg
from lp_core.render.landmark_lag import REACH, without_lag

LAG = 0.01
SIZE = 100.0
STEP = Fraction(1, 25)
PICTURE = np.zeros((4, 4, 3), np.uint8)


def face_at(time_s, lag_s=LAG, speed=20.0):
    """A face that moves, turns, grows and smiles steadily, read ``lag_s`` late."""
    seen = float(time_s) - lag_s
    landmarks = np.array([[0, 0, 0], [SIZE, SIZE, 10]], np.float32) + np.float32([speed * seen, 0, 5 * seen])
    rotation = from_angles_deg(0.0, 20 * seen, 0.0)
    return Face(
        landmarks_frame=landmarks.astype(np.float32),
        scheme="mediapipe478",
        box=FaceBox(*landmarks[:, :2].min(axis=0), *landmarks[:, :2].max(axis=0)),
        score=1.0,
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
        blendshapes={"smile": 0.2 + seen, "blink": 0.0},
        lag_s=lag_s,
    )


def clip(faces, step=STEP):
    return [(Frame(PICTURE, index=i, time_s=i * step), face) for i, face in enumerate(faces)]


def steady(count=6, lag_s=LAG, step=STEP):
    return clip([face_at(i * step, lag_s) for i in range(count)], step)


def test_what_moves_steadily_is_read_where_it_is():
    for (frame, face), (_, true) in list(zip(without_lag(steady()), steady(lag_s=0.0), strict=True))[1:-1]:
        np.testing.assert_allclose(face.landmarks_frame, true.landmarks_frame, atol=1e-4)
        np.testing.assert_allclose(face.head_rotation, true.head_rotation, atol=1e-5)
        assert face.pose.yaw_deg == pytest.approx(true.pose.yaw_deg, abs=1e-4)
        assert (face.box.left, face.box.right) == pytest.approx((true.box.left, true.box.right), abs=1e-4)
        assert face.blendshapes["smile"] == pytest.approx(0.2 + float(frame.time_s))
        assert face.lag_s == 0


def test_frames_come_in_order_each_once_and_the_ends_as_they_were_read():
    given = steady()
    got = list(without_lag(given))
    assert [frame for frame, _ in got] == [frame for frame, _ in given]
    assert got[0] == given[0]
    assert got[-1] == given[-1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_short_clips_stay(count):
    given = steady(count)
    assert list(without_lag(given)) == given


def test_only_one_frame_is_held_back():
    taken = []

    def watched():
        for sighting in steady():
            taken.append(sighting)
            yield sighting

    frames = without_lag(watched())
    next(frames)
    assert len(taken) == 2


@pytest.mark.parametrize("away", [1, 3])
def test_next_to_a_lost_face_it_stays(away):
    given = steady(5)
    given[away] = (given[away][0], None)
    got = list(without_lag(given))
    assert got[away][1] is None
    assert got[2] == given[2]


@pytest.mark.parametrize("other", [1, 3])
def test_next_to_a_face_read_otherwise_it_stays(other):
    given = steady(5)
    given[other] = (given[other][0], replace(given[other][1], lag_s=0.0))
    assert list(without_lag(given))[2] == given[2]


def test_without_lag_nothing_changes():
    given = steady(lag_s=0.0)
    assert list(without_lag(given)) == given


@pytest.mark.parametrize("speed", [200, 2000, 1e5])
def test_a_quick_face_trails_no_further_than_the_filter_lets_it(speed):
    given = clip([face_at(i * STEP, speed=speed) for i in range(6)])
    for (_, face), (_, read) in zip(list(without_lag(given))[1:-1], given[1:-1], strict=True):
        added = (face.landmarks_frame - read.landmarks_frame)[0]
        assert added[0] == pytest.approx(REACH * SIZE, rel=0.05)
        assert 0 <= face.blendshapes["smile"] - read.blendshapes["smile"] < LAG
        assert 0 <= face.pose.yaw_deg - read.pose.yaw_deg < 20 * LAG


def test_flicker_from_frame_to_frame_is_not_made_stronger():
    faces = [face_at(0) for _ in range(6)]
    faces = [
        replace(f, blendshapes={"smile": 0.3 + 0.1 * (i % 2), "blink": 0.0}) for i, f in enumerate(faces)
    ]
    got = [face.blendshapes["smile"] for _, face in without_lag(clip(faces))]
    assert got == pytest.approx([0.3, 0.4] * 3)


def test_coefficients_stay_between_0_and_1():
    faces = [replace(face_at(0), blendshapes={"smile": v, "blink": 1 - v}) for v in (0.9, 1.0, 1.0, 0.0)]
    for _, face in without_lag(clip(faces)):
        assert all(0 <= value <= 1 for value in face.blendshapes.values())


def test_at_high_frame_rates_no_more_than_the_way_to_the_next_frame_is_added():
    given = steady(step=Fraction(1, 1000))
    here, there = list(without_lag(given))[2][1], given[3][1]
    np.testing.assert_allclose(here.landmarks_frame, there.landmarks_frame, atol=1e-3)


@pytest.fixture(scope="module")
def sightings(astronaut):
    """The astronaut swaying by 10 pixels, 0.6 times a second, and her sideways place at every frame."""
    wide = cv2.copyMakeBorder(astronaut, 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    places = 10 * np.sin(2 * np.pi * 0.6 * np.arange(50) / 25)
    found = []
    with closing(open_analyzer(is_video=True, max_faces=1)) as analyzer:
        for index, place in enumerate(places):
            move = np.float64([[1, 0, place], [0, 1, 0]])
            picture = cv2.warpAffine(wide, move, wide.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            (face,) = analyzer.analyze(picture, 40 * index)
            found.append((Frame(PICTURE, index=index, time_s=index * STEP), face))
    return places, found


class TestTheLandmarker:
    """The lag that is stated is the one that it has."""

    def test_is_that_of_a_filter_which_leaves_the_first_face_as_it_is(self, sightings):
        _, found = sightings
        assert [face.lag_s for _, face in found] == [0.0] + [LAG_S] * 49

    def test_landmarks_are_a_quarter_nearer_without_it(self, sightings):
        places, found = sightings

        def off(faces):
            read = np.array([face.landmarks_frame[:, 0] for _, face in faces])[2:-1] - places[2:-1, None]
            return (read - read.mean(axis=0)).std()

        assert off(without_lag(found)) < 0.75 * off(found)

    def test_is_none_with_several_faces_to_find_or_in_lone_pictures(self, astronaut):
        with closing(open_analyzer(is_video=True, max_faces=2)) as film:
            assert [film.analyze(astronaut, t)[0].lag_s for t in (0, 40)] == [0, 0]
        with closing(open_analyzer(is_video=False)) as still:
            assert still.analyze(astronaut)[0].lag_s == 0
