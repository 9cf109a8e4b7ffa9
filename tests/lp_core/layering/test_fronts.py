"""What is in front of a source's face, in renders."""

from contextlib import closing
from fractions import Fraction

import cv2
import numpy as np
import pytest

from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.layering.fronts import SourceFronts
from lp_core.render.source_frames import filmed_source
from lp_core.timing import FrameRate


@pytest.fixture(scope="module")
def face(astronaut):
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        return analyzer.analyze(astronaut)[0]


@pytest.fixture(scope="module")
def fronts():
    with SourceFronts() as opened:
        yield opened


def with_microphone(image, face):
    center, size = face.landmarks_frame[:, :2].mean(axis=0), float(np.ptp(face.landmarks_frame[:, 1]))
    front = image.copy()
    at = int(center[0]), int(center[1] + 0.35 * size)
    mask = cv2.ellipse(
        np.zeros(image.shape[:2], np.uint8), (at, (int(0.3 * size), int(0.4 * size)), 0), 1, -1
    )
    front[mask > 0] = (45, 50, 60)
    return front, mask > 0


def test_the_thing_is_taken_out_and_nothing_else(fronts, astronaut, face):
    image, mask = with_microphone(astronaut, face)
    frame = Frame(image, 0, Fraction(0))
    front = fronts.at(frame, face)
    assert (front.matte[mask] == 1).mean() > 0.95
    kept = front.matte == 0
    np.testing.assert_array_equal(front.behind.pixels[kept], image[kept])
    away = np.abs(front.behind.pixels[mask].astype(float) - astronaut[mask]).mean()
    assert away < 0.5 * np.abs(image[mask].astype(float) - astronaut[mask]).mean()
    assert not front.note


def test_nothing_in_front_and_no_face(fronts, astronaut, face):
    frame = Frame(astronaut, 0, Fraction(0))
    for seen in (None, face):
        front = fronts.at(frame, seen)
        assert front.matte is None
        assert front.behind is frame


class Engine:
    """Notes what it prepares."""

    def prepare(self, frame, face, tuning):
        return frame


def test_any_frame_is_the_same_without_those_before_it(fronts, astronaut, face):
    """A chunk that begins later looks at the frames before it that have a say."""
    clear, covered = astronaut, with_microphone(astronaut, face)[0]
    film = [
        (Frame(image, index, Fraction(index, 25)), face)
        for index, image in enumerate((covered, covered, clear, clear))
    ]
    rate = FrameRate(Fraction(25))

    def shown(first):
        made = filmed_source(iter(film), rate, rate, Engine(), lambda *_: {}, first, fronts)
        return [(one.frame.index, one.front) for one in made]

    whole, part = shown(0), shown(3)
    assert [index for index, _ in whole] == [0, 1, 2, 3]
    assert [index for index, _ in part] == [3]
    assert whole[1][1].matte is not None
    for (_, one), (_, other) in zip(whole[3:], part, strict=True):
        assert (one.matte is None) == (other.matte is None)
        np.testing.assert_array_equal(one.behind.pixels, other.behind.pixels)
