"""Faces of large images, read in a smaller copy."""

import numpy as np
import pytest

from lp_core.faces.open import open_analyzer
from lp_core.faces.reduced import LARGEST_PX, analyze_reduced


@pytest.fixture
def still():
    analyzer = open_analyzer(is_video=False)
    yield analyzer
    analyzer.close()


def on_canvas(face, width, height, left, top):
    canvas = np.full((height, width, 3), 90, np.uint8)
    canvas[top : top + face.shape[0], left : left + face.shape[1]] = face
    return canvas


def test_small_pictures_are_handed_on_as_they_are(astronaut):
    seen = []
    analyze_reduced(astronaut, lambda picture: seen.append(picture) or [])
    assert seen[0] is astronaut


def test_face_in_a_large_picture_is_where_it_is(still, astronaut):
    large = np.ascontiguousarray(astronaut.repeat(4, axis=0).repeat(4, axis=1))
    (alone,) = still.analyze(large)
    (found,) = still.analyze(on_canvas(large, 10_000, 2048, 6_000, 0))
    moved = found.landmarks_frame[:, :2] - (6_000, 0)
    assert (
        np.abs(moved - alone.landmarks_frame[:, :2]).max() < 40
    )  # of a face 500 pixels wide, read in a copy
    assert np.median(np.abs(moved - alone.landmarks_frame[:, :2])) < 8
    assert found.pose.roll_deg == pytest.approx(alone.pose.roll_deg, abs=3)


def test_pixel_centers_are_kept(rng):
    picture = np.zeros((16, LARGEST_PX * 2, 3), np.uint8)
    seen = []
    analyze_reduced(picture, lambda small: seen.append(small.shape) or [])
    assert seen == [(8, LARGEST_PX, 3)]
