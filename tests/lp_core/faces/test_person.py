"""Mattes of persons."""

from contextlib import closing

import numpy as np
import pytest

from lp_core.faces.open import open_analyzer
from lp_core.faces.person import PersonSegmenter


@pytest.fixture(scope="module")
def found(astronaut):
    """(landmarks, matte) of the astronaut."""
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer, PersonSegmenter() as segmenter:
        points = analyzer.analyze(astronaut)[0].landmarks_frame
        return points, segmenter.matte(astronaut, points)


def test_the_face_and_the_hair_are_the_person_and_the_wall_is_not(found):
    points, matte = found
    x, y = points[:, :2].astype(int).T
    assert (matte[y, x] == 1).mean() > 0.95
    assert matte[25, 230] == 1, "hair"
    assert matte[20:120, 100:140].max() == 0, "the wall on the left"
    assert matte.dtype == np.float32
    assert (matte.min(), matte.max()) == (0, 1)


def test_what_is_far_from_the_face_counts_as_person(found):
    assert found[1][-1].min() == 1


def test_a_face_at_the_images_edge(astronaut, found):
    points = found[0]
    left = int(points[:, 0].mean())
    with PersonSegmenter() as segmenter:
        matte = segmenter.matte(np.ascontiguousarray(astronaut[:, left:]), points - (left, 0, 0))
    assert matte.shape == (512, 512 - left)
    assert matte[int(points[:, 1].mean()), 0] == 1
