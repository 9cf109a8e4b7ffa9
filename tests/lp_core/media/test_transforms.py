"""Frames fitted to what a file holds: window, alpha, depth."""

from __future__ import annotations

import numpy as np
import pytest

from lp_core.color.alpha import premultiply, unpremultiply
from lp_core.frame import Windows
from lp_core.media.transforms import LIMITS, USUAL_LIMITS, fitted_pixels, fitted_spec

EXR = LIMITS[".exr"]


def test_what_fits_stays_the_same(spec):
    told = spec(24, 16, bit_depth=16, has_alpha=True)
    assert fitted_spec(told, USUAL_LIMITS) == told
    linear = spec(24, 16, bit_depth=32, has_alpha=True, alpha="premultiplied")
    assert fitted_spec(linear, EXR) == linear


def test_only_the_display_window_goes_where_there_are_no_windows(spec):
    windows = Windows((0, 0, 4, 2), (-1, -2, 6, 3))
    told = spec(7, 5, bit_depth=8, windows=windows)
    fitted = fitted_spec(told, USUAL_LIMITS)
    assert (fitted.width, fitted.height, fitted.windows) == (4, 2, None)
    pixels = np.arange(7 * 5 * 3, dtype=np.uint8).reshape(5, 7, 3)
    assert np.array_equal(fitted_pixels(pixels, told, fitted), pixels[2:4, 1:5])


def test_floats_are_rounded_and_cut(spec):
    told = spec(2, 1, bit_depth=32)
    pixels = np.array([[[-1, 0.5, 2], [np.nan, np.inf, -np.inf]]], np.float32)
    got = fitted_pixels(pixels, told, fitted_spec(told, USUAL_LIMITS))
    assert got.dtype == np.uint16
    assert got.tolist() == [[[0, 32768, 65535], [0, 65535, 0]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_become_floats_that_tell_them_apart(spec, dtype):
    white = np.iinfo(dtype).max
    told = spec(2, 1, bit_depth=np.dtype(dtype).itemsize * 8)
    pixels = np.array([[[0, 1, white - 1], [white, 7, 9]]], dtype)
    got = fitted_pixels(pixels, told, fitted_spec(told, EXR))
    assert got.dtype == np.float32
    assert np.array_equal(np.rint(got * white), pixels)


def test_alpha_changes_its_state_and_comes_back(rng):
    pixels = rng.random((5, 6, 4)).astype(np.float32)
    pixels[0, 0, 3] = 0
    back = unpremultiply(premultiply(pixels))
    np.testing.assert_allclose(back[1:], pixels[1:], rtol=1e-6)
    glow = np.array([[[0.5, 0.25, 0.0, 0.0]]], np.float32)
    assert np.array_equal(unpremultiply(glow), glow), "light without alpha is kept"
