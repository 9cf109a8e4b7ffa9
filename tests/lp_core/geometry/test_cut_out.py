"""Cutting an object out."""

import numpy as np

from lp_core.geometry.cut_out import connected, cut_out


def scene(rng):
    image = (rng.normal(180, 6, (60, 60, 3))).clip(0, 255).astype(np.uint8)
    thing = np.zeros((60, 60), bool)
    thing[20:40, 15:45] = True
    image[thing] = rng.normal(60, 6, (int(thing.sum()), 3)).clip(0, 255).astype(np.uint8)
    return image, thing


def test_the_object_is_found_from_a_few_pixels(rng):
    image, thing = scene(rng)
    sure, possible = np.zeros_like(thing), np.ones_like(thing)
    sure[28:32, 25:35] = True
    possible[:5] = False
    found = cut_out(image, sure, sure, possible, np.zeros_like(thing))
    assert (found == thing).mean() > 0.99
    never = np.zeros_like(thing)
    never[20:40, 40:] = True
    assert not (cut_out(image, sure, sure, possible, never) & never).any()


def test_nothing_to_begin_with(rng):
    image, thing = scene(rng)
    none = np.zeros_like(thing)
    assert not cut_out(image, none, none, ~none, none).any()
    assert not cut_out(image, thing, thing, thing, thing).any()
    everything = ~none
    assert cut_out(image, everything, everything, everything, none).all()


def test_parts_with_a_seed():
    mask = np.zeros((5, 9), bool)
    mask[1:3, 1:3] = mask[1:3, 5:8] = True
    seeds = np.zeros_like(mask)
    seeds[1, 6] = True
    assert (connected(mask, seeds) == (mask & (np.arange(9) > 4))).all()
