"""A bounded, telling, repeatable choice of frames."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import performer, readings, turned

from lp_core.geometry.rotation import angles_deg
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.tuning import features
from lp_core.render.performance_sample import FACE_PX, QUICK, PerformanceSample

MOST = QUICK.kept + 10  # and an extreme each of four readings and three angles both ways


def frames(seed, count):
    rng = np.random.default_rng(seed)
    rest = performer()
    for _ in range(count):
        shapes = rng.random(52).astype(np.float32)
        yield replace(turned(rest, *rng.normal(0, 12, 3)), blendshapes=shapes, lips=np.float32(rng.random()))


def offered(motions):
    sample = PerformanceSample()
    for motion in motions:
        sample.offer(motion, None, None)
    return sample


def channels(motion):
    """What must be spanned: jaw, smile, blinks, and the head angles both ways."""
    shapes = motion.blendshapes
    angles = np.array(angles_deg(motion.rotation))
    return np.concatenate(
        [[shapes[25], (shapes[44] + shapes[45]) / 2, shapes[10], shapes[9]], angles, -angles]
    )


def test_thousands_of_frames_leave_a_bounded_number():
    sample = PerformanceSample()
    most = 0
    for index, motion in enumerate(frames(1, 3000)):
        sample.offer(motion, None, None)
        if index % 100 == 0:
            most = max(most, len(sample.samples))
    assert QUICK.kept / 4 < most <= MOST
    assert len(sample.samples) <= MOST


def test_extremes_are_kept():
    motions = list(frames(2, 600))
    kept = np.stack([channels(item.motion) for item in offered(motions).samples])
    everything = np.stack([channels(motion) for motion in motions])
    assert (kept.max(axis=0)[:4] >= everything.max(axis=0)[:4] / 1.02 - 1e-6).all()
    assert (kept.max(axis=0)[4:] >= everything.max(axis=0)[4:] - 0.02 * 140).all()


def test_a_rare_blink_is_not_missed():
    still = [replace(performer(), lips=np.float32(0.1 + 1e-4 * index)) for index in range(300)]
    still[137] = replace(still[137], blendshapes=readings(left=0.9), eyes=np.zeros(2, np.float32))
    assert any(item.motion is still[137] for item in offered(still).samples)


def test_the_kept_ones_lie_apart_and_cover_the_rest():
    motions = list(frames(3, 400))
    kept = np.stack([features(item.motion) for item in offered(motions).samples])
    everything = np.stack([features(motion) for motion in motions])
    nearest = np.sqrt(((everything[:, None] - kept[None]) ** 2).sum(axis=2)).min(axis=1)
    spread = np.sqrt(((everything - everything.mean(axis=0)) ** 2).sum(axis=1)).max()
    assert nearest.max() < 1.5 * spread


def test_the_same_frames_give_the_same_choice():
    one, two = (offered(frames(4, 500)).samples for _ in range(2))
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.motion.blendshapes, b.motion.blendshapes)


def test_the_extremes_come_first_and_every_frame_once():
    samples = offered(frames(5, 500)).samples
    assert len({id(item.motion) for item in samples}) == len(samples)
    first = np.stack([channels(item.motion) for item in samples[:10]])
    rest = np.stack([channels(item.motion) for item in samples])
    assert (first.max(axis=0) == rest.max(axis=0)).sum() >= 8


def test_a_still_performance_leaves_one_frame():
    assert len(offered([performer()] * 50).samples) == 1
    assert PerformanceSample().samples == []


@pytest.mark.parametrize("height,width", [(64, 48), (900, 700)])
def test_the_driving_picture_is_cut_to_the_face_and_small(rng, height, width):
    picture = rng.integers(0, 255, (height, width, 3), np.uint8)
    landmarks = rng.uniform((width * 0.2, height * 0.1, -5), (width * 0.8, height * 0.9, 5), (478, 3))
    landmarks = landmarks.astype(np.float32)
    sample = PerformanceSample()
    sample.offer(performer(), picture, landmarks)
    (kept,) = sample.samples
    small, points = kept.driving.pixels, kept.driving.landmarks_frame
    assert small.shape[0] <= min(FACE_PX, height)
    assert points.dtype == np.float32
    assert points[:, :2].min() >= -0.5
    assert (points[:, :2].max(axis=0) <= (small.shape[1] - 0.4, small.shape[0] - 0.4)).all()
    assert not np.shares_memory(small, picture)


def test_a_landmark_still_stands_on_the_same_spot_of_the_cut_picture():
    picture = np.zeros((800, 600, 3), np.uint8)
    landmarks = np.tile(np.array([300.0, 400.0, 0.0], np.float32), (478, 1))
    landmarks[0, :2], landmarks[1, :2] = (100, 100), (500, 700)
    landmarks[2, :2] = (250, 300)
    picture[290:311, 240:261] = 255  # a square around landmark 2
    sample = PerformanceSample()
    sample.offer(performer(), picture, landmarks)
    driving = sample.samples[0].driving
    y, x = np.nonzero(driving.pixels[..., 0] > 100)
    assert np.allclose(driving.landmarks_frame[2, :2], (x.mean(), y.mean()), atol=0.6)


@pytest.mark.parametrize("corner", [(-400.0, -400.0), (900.0, 900.0), (0.0, 0.0)])
def test_a_face_at_or_beyond_the_edge_of_the_picture_does_no_harm(rng, corner):
    picture = rng.integers(0, 255, (100, 120, 3), np.uint8)
    landmarks = (rng.uniform(0, 80, (478, 3)) + (*corner, 0)).astype(np.float32)
    sample = PerformanceSample()
    sample.offer(performer(), picture, landmarks)
    (kept,) = sample.samples
    assert isinstance(kept.motion, MotionFrame)
    assert min(kept.driving.pixels.shape[:2]) >= 1
    assert np.isfinite(kept.driving.landmarks_frame).all()
