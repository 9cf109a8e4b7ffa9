"""Curves and the shaper."""

import numpy as np
import pytest

from lp_core.color.transfer import SRGB, TRANSFERS, shaped8, transfer_of


@pytest.mark.parametrize("word", sorted(TRANSFERS))
def test_every_curve_has_its_inverse_on_both_sides_of_zero(word):
    curve = TRANSFERS[word]
    codes = np.linspace(-1, 1, 4001, dtype=np.float32)
    np.testing.assert_allclose(curve.from_linear(curve.to_linear(codes)), codes, rtol=2e-6, atol=1e-7)


def test_curves_against_published_numbers():
    cases = [
        ("iec61966-2-1", 0.5, 0.21404114),
        ("bt709", 0.5, 0.5**2.4),
        ("smpte2084", 0.58068888, 1.0),  # BT.2408: 58 % is HDR reference white, 203 cd/m2
        ("arib-std-b67", 0.75, 1.0),  # BT.2408: 75 % HLG
    ]
    for word, code, linear in cases:
        got = transfer_of(word).to_linear(np.float32([code]))[0]
        assert got == pytest.approx(linear, rel=5e-3)


def test_the_shaper_gives_every_half_float_back_to_the_bit():
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    back = SRGB.to_linear(SRGB.from_linear(halves.astype(np.float32))).astype(np.float16)
    numbers = ~np.isnan(halves)
    np.testing.assert_array_equal(back.view(np.uint16)[numbers], halves.view(np.uint16)[numbers])
    assert np.isnan(back[~numbers]).all()


def test_the_fast_shaper_is_the_shaper_in_8_bits(rng):
    linear = np.concatenate([rng.random(5000) * 1.2 - 0.1, [np.nan, np.inf, -np.inf, 65504, 1e9]])
    exact = np.nan_to_num(SRGB.from_linear(linear.astype(np.float32)), posinf=1, neginf=0)
    wanted = np.clip(exact, 0, 1) * 255
    assert np.abs(shaped8(linear.astype(np.float32)) - wanted).max() <= 0.6
