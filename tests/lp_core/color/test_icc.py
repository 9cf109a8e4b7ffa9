"""Color profiles read, judged by LittleCMS."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from fakes import icc
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from lp_core.color.icc import Profile, ProfileError, primaries_profile, read_profile, srgb_from
from lp_core.color.icc_write import profile_of
from lp_core.color.primaries import CHROMATICITIES

CODES = np.random.default_rng(2).integers(0, 256, (16, 16, 3)).astype(np.uint8)
ADOBE = icc.rgb_profile("Adobe RGB (1998)", icc.ADOBE, icc.gamma(2.19921875))


def para(kind, *numbers):
    return b"para\0\0\0\0" + struct.pack(">Hxx", kind) + icc.numbers(*numbers)


def curv(*values):
    return (
        b"curv"
        + bytes(4)
        + struct.pack(f">I{len(values)}H", len(values), *values)
        + bytes(len(values) % 2 * 2)
    )


CURVES = {
    "straight": curv(),
    "gamma": icc.gamma(1.8),
    "table": curv(*np.rint(np.linspace(0, 1, 300) ** 2.1 * 65535).astype(int).tolist()),
    "parametric 0": para(0, 2.2),
    "parametric 1": para(1, 2.2, 0.95, 0.05),
    "parametric 2": para(2, 2.2, 0.9, 0.05, 0.02),
    "parametric 3": icc.SRGB_CURVE,
    "parametric 4": para(4, 2.2, 0.9, 0.06, 0.1, 0.05, 0.01, 0.005),
}


def judged(profile):
    made = ImageCms.profileToProfile(
        Image.fromarray(CODES),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    return np.asarray(made).astype(int)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("columns", [icc.ADOBE, icc.P3, icc.PROPHOTO], ids=["Adobe RGB", "P3", "ProPhoto"])
def test_every_kind_of_curve(curve, columns):
    data = icc.rgb_profile("made", columns, CURVES[curve])
    profile = read_profile(data)
    assert profile.is_simple
    got = np.clip(srgb_from(profile, CODES.astype(np.float32) / 255), 0, 1) * 255
    assert np.abs(got - judged(data)).max() <= 2.5


def test_what_a_profile_says():
    profile = read_profile(ADOBE)
    assert (profile.space, profile.name, profile.srgb_primaries) == ("RGB", "Adobe RGB (1998)", None)
    assert read_profile(icc.rgb_profile("x", icc.P3, icc.SRGB_CURVE)).srgb_primaries == "smpte432"
    assert read_profile(icc.gray_profile("x", icc.SRGB_CURVE)).srgb_primaries == "bt709"
    built_in = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert read_profile(built_in).srgb_primaries == "bt709"
    tables = read_profile(icc.table_profile("Scanner", 3))
    assert (tables.is_simple, tables.srgb_primaries) == (False, None)
    assert not Profile("CMYK", "x").is_simple


@pytest.mark.parametrize("primaries", CHROMATICITIES)
def test_a_written_profile_says_the_same(primaries):
    made = profile_of(primaries, "iec61966-2-1")
    read = read_profile(made)
    alike = {"smpte240m": "smpte170m"}
    assert read.srgb_primaries == alike.get(primaries, primaries)
    expected = srgb_from(
        primaries_profile("x", CHROMATICITIES[primaries], read.curves[0]), CODES.astype(np.float32) / 255
    )
    assert np.abs(np.clip(expected, 0, 1) * 255 - judged(made)).max() <= 2


def test_curves_that_are_not_for_a_screen_have_no_profile():
    assert profile_of("bt2020", "smpte2084") is None
    assert profile_of("bt709", "linear") is None
    assert profile_of("unspecified", "bt709") is None


@pytest.mark.parametrize("data", [b"", bytes(128), bytes(36) + b"acsp" + b"\xff" * 100])
def test_damage_is_an_error(data):
    with pytest.raises(ProfileError):
        read_profile(data)


def test_primaries_on_a_line_are_an_error():
    with pytest.raises(ProfileError, match="span no space"):
        primaries_profile("x", (0.64, 0.33) * 3 + (0.3127, 0.329), read_profile(ADOBE).curves[0])
    with pytest.raises(ProfileError, match="span no space"):
        primaries_profile("x", (0.0,) * 8, read_profile(ADOBE).curves[0])


@given(
    place=st.floats(0, 1),
    value=st.integers(0, 255),
    kind=st.sampled_from([ADOBE, *(icc.rgb_profile("x", icc.P3, c) for c in CURVES.values())]),
)
def test_any_byte_may_be_wrong(place, value, kind):
    data = bytearray(kind)
    data[int(place * (len(data) - 1))] = value
    try:
        profile = read_profile(bytes(data))
    except ProfileError:
        return
    if profile.is_simple:
        with np.errstate(all="ignore"):
            srgb_from(profile, np.zeros((1, 3), np.float32))


def test_a_curve_without_slope_is_damage():
    with pytest.raises(ProfileError):
        read_profile(icc.rgb_profile("x", icc.P3, para(1, 2.2, 0.0, 0.5)))
