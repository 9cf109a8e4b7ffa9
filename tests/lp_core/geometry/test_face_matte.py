"""The matte of a face: whole over the face, soft, room below the chin, nothing far away."""

import numpy as np
import pytest

from lp_core.geometry.face_matte import CHIN_DROP, face_mask
from lp_core.motion.builtin import neutral_face

SIZE = 256


def points(height=120.0, at=(128, 128)):
    face = neutral_face()[:, :2]
    face = (face - (face.min(axis=0) + face.max(axis=0)) / 2) * height / np.ptp(face[:, 1])
    return face + np.array(at)


def test_the_face_is_whole_and_the_edge_is_soft():
    face = points()
    mask = face_mask(face, SIZE)
    columns, rows = np.rint(face).astype(int).T
    assert mask.min() == 0
    assert mask.max() == 1
    assert (mask[rows, columns] == 1).all()
    assert np.abs(np.diff(mask, axis=0)).max() < 0.25
    assert 0.05 < (mask > 0).mean() < 0.35
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0


def test_there_is_room_for_a_chin_that_drops():
    face, mask = points(), face_mask(points(), SIZE)
    chin = face[np.argmax(face[:, 1])]
    below = np.rint(chin + [0, CHIN_DROP * 120]).astype(int)
    assert mask[below[1], below[0]] == 1
    top = face[np.argmin(face[:, 1])]
    above = np.rint(top - [0, (CHIN_DROP + 0.1) * 120]).astype(int)
    assert mask[above[1], above[0]] < 0.5


@pytest.mark.parametrize("at", [(-500, 128), (128, 900)])
def test_a_face_outside_the_crop_shows_nothing(at):
    assert not face_mask(points(at=at), SIZE).any()


def test_a_face_without_extent_is_small():
    assert (face_mask(np.full((5, 2), 100.0), SIZE) > 0).sum() < 20
