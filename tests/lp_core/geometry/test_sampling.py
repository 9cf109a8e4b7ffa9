"""Filters: exact at pixels, sharper than linear, without halos, and no pixel that is not a number spreads."""

import cv2
import numpy as np
import pytest

from lp_core.geometry.sampling import FILTERS, CutOutSampler, Sampler

KINDS = [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)]
WIDE = ("cubic", "lanczos")


def grid(height, width):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x, y


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype,white", KINDS)
@pytest.mark.parametrize("name", FILTERS)
def test_every_pixel_at_its_own_place_is_itself(rng, name, dtype, white, channels):
    source = (rng.random((19, 23, channels)) * white).astype(dtype)
    np.testing.assert_array_equal(Sampler(source).at(*grid(19, 23), name), source)


@pytest.mark.parametrize("dtype,white", KINDS)
@pytest.mark.parametrize("name", WIDE)
def test_nothing_leaves_the_range_of_the_four_pixels_around(rng, name, dtype, white):
    source = (rng.random((40, 40, 3)) * white).astype(dtype)
    x, y = (axis * np.float32(0.9) + np.float32(0.37) for axis in grid(40, 40))
    found = Sampler(source).at(x, y, name)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    near = [source[np.minimum(top + j, 39), np.minimum(left + i, 39)] for j in (0, 1) for i in (0, 1)]
    assert (found >= np.min(near, axis=0)).all()
    assert (found <= np.max(near, axis=0)).all()


@pytest.mark.parametrize("name", WIDE)
def test_more_detail_is_left_than_by_linear(rng, name):
    source = cv2.GaussianBlur((rng.random((80, 80, 3)) * 255).astype(np.uint8), (0, 0), 0.8)
    x, y = (axis + np.float32(0.5) for axis in grid(70, 70))

    def detail(filter_name):
        found = Sampler(source).at(x + 4, y + 4, filter_name).astype(np.float32)
        return np.abs(cv2.Laplacian(found, cv2.CV_32F)).mean()

    assert detail(name) > 1.1 * detail("linear")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", WIDE)
def test_what_is_not_finite_does_not_spread_and_super_whites_stay(rng, name, bad):
    source = (rng.random((30, 30, 3)) * 40).astype(np.float32)
    source[15, 15] = bad
    x, y = (axis + np.float32(0.3) for axis in grid(29, 29))
    found = Sampler(source).at(x, y, name)
    assert (~np.isfinite(found)).all(axis=2).sum() <= 1
    assert found[np.isfinite(found)].max() > 20
    far = np.ones((29, 29), bool)
    far[10:20, 10:20] = False
    plain = source.copy()
    plain[15, 15] = 1
    np.testing.assert_array_equal(found[far], Sampler(plain).at(x, y, name)[far])


@pytest.mark.parametrize("name", ["linear", "cubic", "lanczos"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_hidden_colors_of_a_cut_out_do_not_show(name, dtype):
    white = {"uint8": 255, "uint16": 65535, "float32": 1.0}[dtype]
    pixels = np.zeros((24, 24, 4), dtype)
    pixels[..., 1] = white  # hidden: green
    pixels[6:18, 6:18] = np.array([0.8, 0.2, 0.4, 1]) * white
    x, y = np.meshgrid(np.arange(24, dtype=np.float32) + 0.4, np.arange(24, dtype=np.float32) - 0.3)
    got = CutOutSampler(pixels).at(x, y, name)
    plain = Sampler(pixels).at(x, y, name)
    np.testing.assert_array_equal(got[..., 3], plain[..., 3])
    shown = got[..., 3] > 0.02 * white
    np.testing.assert_allclose(got[shown][:, :3] / white, [[0.8, 0.2, 0.4]] * int(shown.sum()), atol=0.02)
    assert (plain[shown][:, 1] > 0.3 * white).any(), "nothing was at risk"
    opaque = pixels.copy()
    opaque[..., 3] = white
    np.testing.assert_array_equal(CutOutSampler(opaque).at(x, y, name), Sampler(opaque).at(x, y, name))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype,white", KINDS)
@pytest.mark.parametrize("name", FILTERS)
def test_along_a_flow_is_at_the_places_it_leads_to(rng, name, dtype, white, channels):
    source = cv2.GaussianBlur(rng.random((60, 70, channels)), (0, 0), 2)
    source = (source / source.max() * white).astype(dtype)
    flow = rng.integers(-320, 320, (30, 25, 2)).astype(np.float32) / 32  # some lead out of the image
    x, y = grid(30, 25)
    for sampler in (Sampler(source), CutOutSampler(source) if channels == 4 else Sampler(source)):
        found = sampler.along(flow, 31, 22, name)
        np.testing.assert_array_equal(found, sampler.at(flow[..., 0] + x + 31, flow[..., 1] + y + 22, name))
    part = flow[:, 3:20]  # not contiguous
    np.testing.assert_array_equal(
        Sampler(source).along(part, 34, 22, name), Sampler(source).along(flow, 31, 22, name)[:, 3:20]
    )
