"""The stage keeps type, alpha state, layers and values beyond white; sizes are what was asked for."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from lp_core.color.encoding import encoding_of
from lp_core.frame import ColorTags, Frame
from lp_core.settings import UpscaleSettings
from upscale.stage import UpscaleStage
from upscale.upscaler import Upscaler, torch_run


def stage(network, **settings):
    upscaler = Upscaler(network, torch_run(network, "cpu", torch.float32))
    return UpscaleStage(upscaler, UpscaleSettings(upscale="small", **settings))


def frame(pixels, **more):
    return Frame(pixels, 0, Fraction(0), **more)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [3, 4])
def test_type_and_channels_stay(small, rng, dtype, channels):
    white = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    pixels = (rng.random((24, 32, channels)) * white).astype(dtype)
    result = stage(small).apply(frame(pixels)).pixels
    assert (result.dtype, result.shape) == (dtype, (48, 64, channels))
    assert result.flags["C_CONTIGUOUS"]


def test_opaque_alpha_stays_opaque_and_layers_grow_along(small, rng):
    pixels = np.full((24, 32, 4), 65535, np.uint16)
    matte = np.ones((24, 32, 1), np.float32)
    result = stage(small).apply(frame(pixels, layers={"matte": matte}))
    assert (result.pixels[..., 3] == 65535).all()
    assert result.layers["matte"].shape == (48, 64, 1)


def test_premultiplied_edges_get_no_fringe(small):
    """A color that is the same everywhere is the same where alpha fades."""
    alpha = np.tile(np.linspace(0.1, 1, 32, dtype=np.float32), (24, 1))
    color = np.float32([0.7, 0.4, 0.2])
    pixels = np.dstack([color * alpha[..., None], alpha])
    result = stage(small).apply(frame(pixels, alpha="premultiplied")).pixels
    straight = result[8:-8, 8:-8, :3] / result[8:-8, 8:-8, 3:]
    flat = stage(small).apply(frame(np.broadcast_to(color, (24, 32, 3)).copy())).pixels[8:-8, 8:-8]
    np.testing.assert_allclose(straight, flat, atol=2e-3)


def test_scene_linear_highlights_survive(double):
    linear = encoding_of(ColorTags("bt709", "linear", "gbr", is_full_range=True))
    pixels = np.full((24, 32, 3), 0.2, np.float32)
    pixels[8:16, 8:16] = 8.0
    result = stage(double, steady=0.0).apply(frame(pixels, encoding=linear)).pixels
    assert result[20:28, 20:28].min() > 7.9
    assert np.isfinite(result).all()


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, (64, 48)),
        ({"upscale_scale": 3.0}, (96, 72)),
        ({"upscale_scale": 0.5}, (16, 12)),
        ({"upscale_height": 100}, (133, 100)),
    ],
)
def test_sizes(small, settings, size):
    made = stage(small, **settings)
    assert made.size(32, 24) == size
    result = made.apply(frame(np.zeros((24, 32, 3), np.uint8))).pixels
    assert result.shape[:2] == size[::-1]
