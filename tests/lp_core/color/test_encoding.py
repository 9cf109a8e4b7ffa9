"""Encodings by tags."""

import numpy as np
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.frame import ColorTags

TAGS = [
    ColorTags(transfer="linear"),
    ColorTags(),
    ColorTags(transfer="iec61966-2-1"),
    ColorTags(primaries="bt2020", transfer="smpte2084"),
    ColorTags(primaries="bt2020", transfer="arib-std-b67"),
    ColorTags(primaries="smpte432", transfer="iec61966-2-1"),
    ColorTags(transfer="unspecified", primaries="unspecified"),
]


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: f"{tags.primaries}-{tags.transfer}")
def test_both_ways_back_are_exact_beyond_white_and_below_zero(tags, rng):
    encoding = encoding_of(tags)
    top = 4 if tags.transfer == "linear" else 1
    codes = (rng.random((40, 30, 3)) * 1.1 * top - 0.1).astype(np.float32).clip(-0.1, top)
    near = {"smpte2084": 3e-3, "arib-std-b67": 1e-3}.get(tags.transfer, 3e-5)  # steep near black
    np.testing.assert_allclose(encoding.from_linear(encoding.to_linear(codes)), codes, atol=near)
    np.testing.assert_allclose(encoding.from_display(encoding.to_display(codes)), codes, atol=near)


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: f"{tags.primaries}-{tags.transfer}")
def test_the_8_bit_view_is_the_display_view(tags, rng):
    encoding = encoding_of(tags)
    codes = rng.random((40, 30, 3)).astype(np.float32)
    exact = np.clip(encoding.to_display(codes), 0, 1) * 255
    assert np.abs(encoding.to_display8(codes) - exact).max() <= 0.6


def test_codes_for_a_screen_are_seen_as_they_are():
    codes = np.float32([[0.2, 0.5, 1.5]])
    for tags in TAGS[1:3]:
        np.testing.assert_array_equal(encoding_of(tags).to_display(codes), codes)
    assert encoding_of(TAGS[0]).to_display(np.float32([[0.18] * 3]))[0, 0] == pytest.approx(0.4614, abs=1e-3)


def test_infinity_and_nan_pass():
    shown = encoding_of(ColorTags(transfer="linear")).to_display(np.float32([[np.inf, -np.inf, np.nan]]))
    assert shown[0, 0] == np.inf
    assert shown[0, 1] == -np.inf
    assert np.isnan(shown[0, 2])


def test_the_headers_chromaticities_count():
    acescg = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    encoding = encoding_of(ColorTags(primaries="unspecified", transfer="linear"), acescg)
    np.testing.assert_allclose(
        encoding.to_linear(np.float32([[1, 0, 0]]))[0], [1.70505, -0.13026, -0.024], atol=1e-4
    )
