"""The overlay draws what it says where it says, on a copy."""

import numpy as np
import pytest

from lp_core.faces.base import Face, FaceBox, Pose, UnreadFace
from lp_core.faces.overlay import draw_overlay
from lp_core.geometry.rotation import from_angles_deg

GREEN, ORANGE, BLUE = (60, 220, 90), (255, 170, 40), (80, 140, 255)


def face(left, top, size, score=0.9, yaw=0.0, scheme="mediapipe478"):
    count = {"mediapipe478": 478, "ibug68": 68}[scheme]
    points = np.zeros((count, 3), np.float32)
    points[:, :2] = (left + size / 2, top + size / 2)
    box = FaceBox(left, top, left + size, top + size)
    return Face(
        points, scheme, box, score, from_angles_deg(0, yaw, 0).astype(np.float32), Pose(0, yaw, 0), {}
    )


def pixels_of(picture, color, near=40):
    return np.argwhere(np.abs(picture.astype(int) - color).max(axis=2) <= near)[:, ::-1]


@pytest.fixture
def picture():
    return np.zeros((400, 600, 3), np.uint8)


def test_source_is_not_written_to(picture):
    picture.flags.writeable = False
    drawn = draw_overlay(picture, [face(100, 100, 200)])
    assert not picture.any()
    assert drawn.any()
    assert (drawn.shape, drawn.dtype) == (picture.shape, picture.dtype)


def test_no_face_no_mark(picture):
    assert np.array_equal(draw_overlay(picture, []), picture)


@pytest.mark.parametrize(("score", "color"), [(0.9, GREEN), (0.5, ORANGE)])
def test_box_is_where_it_is_and_tells_by_its_colour(picture, score, color):
    drawn = draw_overlay(picture, [face(100, 100, 200, score)])
    marked = pixels_of(drawn, color)
    on_left_edge = marked[np.abs(marked[:, 0] - 100) <= 1]
    assert len(on_left_edge) > 150
    assert marked[:, 0].max() == pytest.approx(300, abs=1)
    assert marked[:, 1].max() == pytest.approx(300, abs=1)


@pytest.mark.parametrize("yaw", [-40, 40])
def test_blue_axis_points_where_the_nose_points(picture, yaw):
    drawn = draw_overlay(picture, [face(200, 100, 200, yaw=yaw)])
    blue = pixels_of(drawn, BLUE, 25)
    assert np.sign(blue[:, 0].mean() - 300) == np.sign(yaw)


@pytest.mark.parametrize("scheme", ["mediapipe478", "ibug68"])
@pytest.mark.parametrize("place", [(-500, -500), (1e9, 1e9), (590, 390)])
def test_faces_outside_the_picture_do_no_harm(picture, scheme, place):
    assert draw_overlay(picture, [face(*place, 50, scheme=scheme)]).shape == picture.shape


def test_real_face(astronaut):
    from lp_core.faces.open import open_analyzer

    analyzer = open_analyzer(is_video=False)
    found = analyzer.analyze(astronaut)
    analyzer.close()
    changed = np.argwhere((draw_overlay(astronaut, found) != astronaut).any(axis=2))
    assert len(changed) > 1000
    box = found[0].box
    assert np.median(changed[:, 1]) == pytest.approx(box.center[0], abs=15)
    assert np.median(changed[:, 0]) == pytest.approx(box.center[1], abs=15)


def test_face_that_cannot_be_read_has_a_red_box(picture):
    drawn = draw_overlay(picture, [], [UnreadFace(FaceBox(100, 100, 200, 220), 0.9, "turned away")])
    found = pixels_of(drawn, (255, 60, 60))
    assert (found.min(axis=0) <= (101, 101)).all()
    assert found[:, 1].max() == pytest.approx(220, abs=2)
