"""What does not have the color of skin."""

import numpy as np

from lp_core.geometry.skin_color import skin_distance


def face(rng, size=80):
    """Skin that is lit from the left."""
    light = np.linspace(1.1, 0.75, size)[None, :, None]
    image = np.array([200, 150, 125]) * light * np.ones((size, 1, 1)) + rng.normal(0, 3, (size, size, 3))
    return image.clip(0, 255).astype(np.uint8)


def test_light_is_skin_and_another_color_is_not(rng):
    image = face(rng)
    everywhere = np.ones((80, 80), bool)
    assert np.quantile(skin_distance(image, everywhere, everywhere), 0.99) < 4.5
    thing = np.zeros_like(everywhere)
    thing[:, 30:50] = True
    image[thing] = (90, 110, 150)
    distance = skin_distance(image, everywhere, everywhere)
    inside = thing.copy()
    inside[:, [30, 31, 48, 49]] = False
    assert (distance[inside] > 4.5).mean() > 0.99
    assert (distance[:, :26] > 4.5).mean() < 0.03


def test_too_little_skin_says_nothing(rng):
    few = np.zeros((80, 80), bool)
    few[:5, :5] = True
    assert not skin_distance(face(rng), few, ~few).any()
