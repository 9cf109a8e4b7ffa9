"""What is taken for the hair around a face."""

import numpy as np

from lp_core.geometry.face_parts import FaceParts
from lp_core.geometry.foreign import head_shares
from lp_core.motion.builtin import neutral_face

SIZE = 200, 200
GRAY, BLOND = (90.0, 128.0, 128.0), (190.0, 132.0, 150.0)


def parts():
    face = neutral_face()[:, :2]
    low, high = face.min(axis=0), face.max(axis=0)
    return FaceParts.of((face - low) / (high - low).max() * 90 + (60, 60), SIZE)


def scene(person):
    """A blond head before a gray wall, a gray thing over the chin that reaches the face's outline."""
    found = parts()
    lab = np.empty((*SIZE[::-1], 3), np.float32)
    lab[:] = np.where(person[..., None], BLOND, GRAY)
    seeds = found.face & (np.indices(SIZE[::-1])[0] > 120)
    lab[seeds] = GRAY
    return lab, seeds, found


def test_a_wall_of_an_objects_color_is_not_hair():
    rows, columns = np.indices(SIZE[::-1])
    person = ((columns - 95) / 42) ** 2 + ((rows - 100) / 70) ** 2 < 1
    lab, seeds, found = scene(person)
    assert head_shares(lab, seeds, found, person) == (0.0, 0.0)
    everything = np.ones_like(person)
    assert head_shares(lab, seeds, found, everything)[0] > 0.2


def test_a_side_without_head_says_nothing():
    _, columns = np.indices(SIZE[::-1])
    person = columns >= 100
    lab, seeds, found = scene(np.ones_like(person))
    lab[~person] = GRAY
    whole, least = head_shares(lab, seeds, found, person)
    assert whole == least
