"""Conversions against the formula of ITU-R BT.601, BT.709 and BT.2020, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame

from lp_core.frame import ColorTags
from lp_core.media.video.rgb import FromRgb, ToRgb

PATCHES = np.array(
    [(230, 30, 30), (30, 230, 30), (30, 30, 230), (220, 220, 40), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
)
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
SIZE = (7 * 32, 64)
YUV = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "yuv444p12le",
    "yuva444p10le",
]


def codes(matrix, is_full, bits):
    """(3, 7) exact Y, Cb, Cr of the patches in codes of that depth: ITU-T H.273, equations 20 to 28."""
    kr, kb = WEIGHTS[matrix]
    red, green, blue = (PATCHES / 255).T
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    unit, top = 2 ** (bits - 8), 2**bits - 1
    if is_full:
        exact = np.stack([top * luma, *(128 * unit + top * c for c in chroma)])
    else:
        exact = unit * np.stack([16 + 219 * luma, *(128 + 224 * c for c in chroma)])
    return np.clip(exact, 0, top)


def patches(bits, has_alpha):
    pixels = np.repeat(np.broadcast_to(PATCHES, (SIZE[1], 7, 3)), 32, axis=1)
    if has_alpha:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255)])
    return np.ascontiguousarray(pixels.astype(np.uint8) if bits == 8 else pixels.astype(np.uint16) * 257)


def planes(frame):
    """Each plane's value in the middle of each patch."""
    bits = frame.format.components[0].bits
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)
        step = plane.width // 7
        yield rows[plane.height // 2, step // 2 : plane.width : step].astype(float)


@pytest.mark.parametrize("stored", YUV)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_storing_follows_the_formula(stored, bits, is_full, matrix):
    has_alpha = stored.startswith("yuva")
    convert = FromRgb(SIZE, bits, has_alpha, ColorTags(matrix=matrix, is_full_range=is_full), stored)
    frame = convert(patches(bits, has_alpha))
    depth = frame.format.components[0].bits
    found = list(planes(frame))
    for plane, wanted in zip(found[:3], codes(matrix, is_full, depth), strict=True):
        # half a code of rounding, and the library's fixed-point tables; full range passes through two
        assert np.abs(plane - wanted).max() <= (1.3 if is_full else max(0.7, 0.2 * 2 ** (depth - 8)))
    if has_alpha:
        assert (found[3] == 1023).all()


@pytest.mark.parametrize("stored", YUV)
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_reading_inverts_the_formula(stored, is_full, matrix):
    frame = VideoFrame(*SIZE, stored)
    depth = frame.format.components[0].bits
    dtype = np.uint8 if depth == 8 else np.uint16
    rounded = np.rint(codes(matrix, is_full, depth)).astype(dtype)
    for plane, values in zip(frame.planes, rounded, strict=False):
        row = np.zeros(plane.line_size // dtype().itemsize, dtype)
        row[: plane.width] = np.repeat(values, plane.width // 7)
        plane.update(np.tile(row, plane.height).tobytes())
    has_alpha = len(frame.planes) == 4
    if has_alpha:
        frame.planes[3].update(np.full(frame.planes[3].buffer_size // 2, 1023, np.uint16).tobytes())
    bits = 8 if depth == 8 else 16
    convert = ToRgb(SIZE, bits, has_alpha, ColorTags(matrix=matrix, is_full_range=is_full), 1)
    pixels = convert(frame)
    found = pixels[SIZE[1] // 2, 16::32, :3] / (1 if bits == 8 else 257)
    # rounding the codes moves RGB by at most 1.1 of their steps in each of two terms
    assert np.abs(found - PATCHES).max() <= (2.5 if depth == 8 else 0.8 if depth == 10 else 0.3)
    assert (pixels[..., 3:] == 65535).all()
    if bits == 16:
        assert (pixels[SIZE[1] // 2, 5 * 32 + 16] - [0, 0, 0, 65535][: pixels.shape[2]] == 0).all()


@pytest.mark.parametrize(("bits", "has_alpha", "stored"), [
    (8, False, "bgr0"), (8, True, "bgra"), (16, False, "gbrp16le"), (16, True, "gbrap16le"),
])  # fmt: skip
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 17), (100, 66)])
def test_rgb_is_stored_bit_for_bit(rng, bits, has_alpha, stored, size):
    shape = (size[1], size[0], 4 if has_alpha else 3)
    pixels = rng.integers(0, 2**bits, shape, dtype=np.uint8 if bits == 8 else np.uint16)
    tags = ColorTags(matrix="gbr", is_full_range=True)
    back = ToRgb(size, bits, has_alpha, tags, 1)(FromRgb(size, bits, has_alpha, tags, stored)(pixels))
    assert np.array_equal(back, pixels)
    assert back.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("size", [(64, 48), (50, 34)])
def test_a_change_of_size_within_a_film_is_scaled(size):
    convert = ToRgb((64, 48), 8, False, ColorTags(), 1)
    assert convert(VideoFrame(64, 48, "yuv420p")).shape == (48, 64, 3)
    assert convert(VideoFrame(*size, "yuv420p")).shape == (48, 64, 3)


def test_the_callers_array_is_not_touched(rng):
    pixels = rng.integers(0, 65536, (66, 100, 4), dtype=np.uint16)
    copy = pixels.copy()
    FromRgb((100, 66), 16, True, ColorTags(), "yuva444p10le")(pixels)
    assert np.array_equal(pixels, copy)
