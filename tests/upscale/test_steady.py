"""Mixing over time: flicker falls, motion stays, a cut starts afresh."""

import cv2
import numpy as np
import pytest

from upscale.steady import Steady, carry, flicker

RNG = np.random.default_rng(3)
SCENE = cv2.GaussianBlur(RNG.random((80, 120, 3), np.float32), (0, 0), 2.0)
SCENE = ((SCENE - SCENE.min()) / np.ptp(SCENE)).astype(np.float32)


def clip(count=6, step=1):
    """A pan over a scene, and results with fresh noise in every frame."""
    for index in range(count):
        small = SCENE[10:70, 10 + step * index : 90 + step * index]
        large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        yield small, large, large + 0.05 * RNG.standard_normal(large.shape).astype(np.float32)


def shake(strength):
    mixer, before, figures = Steady(strength), None, []
    for small, _, noisy in clip():
        result = mixer.mix(small, noisy)
        if before is not None:
            figures.append(flicker(*before, small, result))
        before = small, result
    return np.mean(figures[2:])


def test_flicker_falls_to_less_than_half():
    assert shake(0.7) < 0.5 * shake(0.0)


def test_motion_is_followed_and_not_smeared():
    mixer = Steady(0.7)
    for small, clean, _ in clip():
        result = mixer.mix(small, clean)
    inner = np.abs(result - clean)[8:-8, 8:-8]
    assert inner.mean() < 0.01


def test_without_strength_nothing_changes():
    mixer = Steady(0.0)
    for small, _, noisy in clip(3):
        assert mixer.mix(small, noisy) is noisy


def test_a_cut_starts_afresh():
    mixer = Steady(0.9)
    small, large, _ = next(clip())
    mixer.mix(small, large)
    other = 1 - small
    result = mixer.mix(other, 1 - large)
    np.testing.assert_array_equal(result, 1 - large)
    assert carry(small, large, other) is None


@pytest.mark.parametrize("size", [(60, 80), (31, 47)])
def test_another_size_starts_afresh(size):
    mixer = Steady(0.9)
    small, large, _ = next(clip())
    mixer.mix(small, large)
    other = np.zeros((*size, 3), np.float32)
    result = np.ones((size[0] * 2, size[1] * 2, 3), np.float32)
    assert mixer.mix(other, result) is result or size == (60, 80)
