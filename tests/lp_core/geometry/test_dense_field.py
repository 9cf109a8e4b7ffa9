"""Dense motion: found in the pixels, from each frame to the reference."""

from contextlib import closing
from itertools import islice

import cv2
import numpy as np
import pytest

from lp_core.faces.open import open_analyzer
from lp_core.geometry.dense_field import CELL, SIDE, DenseReference
from lp_core.geometry.facemesh import OVAL
from lp_core.media.open import open_source
from lp_core.motion.builtin import neutral_face


def texture(rng, width, height):
    noise = (rng.random((height // 8, width // 8, 3)) * 255).astype(np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def face():
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = neutral_face()[:, :2] * 50 + (256, 200)
    return points


@pytest.mark.parametrize("size", [(512, 512), (400, 720), (1280, 720)])
def test_a_shifted_image_is_shifted_back(rng, face, size):
    width, height = size
    picture = texture(rng, width, height)
    moved = cv2.warpAffine(
        picture, np.array([[1.0, 0, 9], [0, 1, -5]]), size, borderMode=cv2.BORDER_REPLICATE
    )
    shown = face + np.float32((9, -5, 0))
    found = DenseReference.of(picture, face).motion(moved, shown)
    assert found.size == size
    assert found.flow.shape[0] * found.flow.shape[1] == pytest.approx((SIDE / CELL) ** 2, rel=0.02)
    inside = found.flow[10:-10, 10:-10]
    assert np.abs(np.median(inside, axis=(0, 1)) - (-9, 5)).max() < 0.3
    assert found.scale == pytest.approx(found.flow.shape[1] / width)


def test_eyes_and_mouth_are_not_trusted(rng, face):
    picture = texture(rng, 512, 512)
    trust = DenseReference.of(picture, face).motion(picture, face).trust
    for points in ([159, 145], [386, 374], [13, 14]):
        x, y = (face[points, :2].mean(axis=0) / 4).astype(int)
        assert trust[y, x] == 0
    x, y = (face[152, :2] / 4).astype(int)
    assert trust[y, x] == 1
    assert 0.9 < trust.mean() < 1


def test_an_image_of_another_size_has_none(rng, face):
    assert DenseReference.of(texture(rng, 512, 512), face).motion(texture(rng, 512, 400), face) is None


def test_it_depends_on_its_two_frames_alone(rng, face):
    reference = DenseReference.of(texture(rng, 256, 256), face)
    first, second = texture(rng, 256, 256), texture(rng, 256, 256)
    alone = reference.motion(second, face)
    reference.motion(first, face)
    again = reference.motion(second, face)
    np.testing.assert_array_equal(alone.flow, again.flow)


def test_a_head_that_goes_far_is_found_and_the_background_stays(rng, face):
    behind, head = texture(rng, 512, 512), texture(rng, 512, 512)
    by = np.float32((110, 60, 0))
    start = face - np.float32((70, 0, 0))

    def shown(landmarks):
        picture, middle = behind.copy(), landmarks[OVAL, :2].mean(axis=0)
        disc = np.zeros((512, 512), np.uint8)
        cv2.circle(disc, [round(float(v)) for v in middle], 90, 1, -1)
        shift = np.rint(landmarks[0, :2] - start[0, :2]).astype(int)
        return np.where(disc[..., None] > 0, np.roll(head, tuple(shift[::-1]), axis=(0, 1)), picture)

    flow = DenseReference.of(shown(start), start).motion(shown(start + by), start + by).flow
    x, y = ((start + by)[OVAL, :2].mean(axis=0) / 4).astype(int)
    assert np.abs(np.median(flow[y - 8 : y + 8, x - 8 : x + 8], axis=(0, 1)) + by[:2]).max() < 1
    assert np.abs(np.median(flow[100:, :20], axis=(0, 1))).max() < 1


@pytest.mark.parametrize("frame", [132, 154])
def test_a_large_movement_of_a_real_head_is_found(media, frame):
    with open_source(media / "driving" / "d20.mp4") as source:
        shown = [one.as_rgb8() for one in islice(source, frame + 1)]
    with closing(open_analyzer("mediapipe", is_video=False)) as analyzer:
        first, later = (analyzer.analyze(shown[index])[0].landmarks_frame for index in (0, frame))
    field = DenseReference.of(shown[0], first).motion(shown[frame], later)
    places = later[OVAL, :2].astype(np.float32) * field.scale
    flow = cv2.remap(field.flow, places[:, :1], places[:, 1:], cv2.INTER_LINEAR)[:, 0]
    wrong = np.linalg.norm(later[OVAL, :2] + flow - first[OVAL, :2], axis=1)
    assert np.median(wrong) < 0.05 * np.ptp(first[:, 1])


def test_what_the_reference_does_not_show_is_not_trusted(rng, face):
    """A search always finds something; where that looks otherwise than the frame it is lost."""
    picture = cv2.GaussianBlur(texture(rng, 512, 512), (0, 0), 3)
    covered = picture.copy()
    covered[380:460, 60:200] = (255, 255, 255)
    covered[400:440, 80:180] = (0, 0, 0)
    trust = DenseReference.of(picture, face).motion(covered, face).trust
    assert trust[102:108, 24:40].mean() < 0.3
    assert trust[10:40, 90:120].mean() > 0.95
