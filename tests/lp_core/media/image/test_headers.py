from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lp_core.frame import ColorTags
from lp_core.media.color_tags import SRGB
from lp_core.media.image.headers import read_header, with_png_color

PIXELS = np.random.default_rng(1).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def saved(kind, **options):
    data = io.BytesIO()
    Image.fromarray(PIXELS).save(data, kind, **options)
    return data.getvalue()


FILES = {kind: saved(kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP")}


@pytest.mark.parametrize("kind", FILES)
def test_whole_files(kind):
    header = read_header(FILES[kind])
    assert header.kind == kind.lower()
    assert header.damage is None
    assert (header.orientation, header.color, header.is_cmyk, header.icc) == (1, None, False, None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@given(share=st.floats(0.02, 0.98))
def test_cut_files_are_known(kind, share):
    data = FILES[kind]
    header = read_header(data[: max(int(len(data) * share), 12)])
    assert header.damage is not None


@pytest.mark.parametrize("kind", FILES)
@given(place=st.floats(0, 1), value=st.integers(0, 255))
def test_any_byte_may_be_wrong(kind, place, value):
    data = bytearray(FILES[kind])
    data[int(place * (len(data) - 1))] = value
    assert 1 <= read_header(bytes(data)).orientation <= 8


@given(st.binary(max_size=300))
def test_noise_is_no_crash(data):
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"II*\0", b"MM\0*", b"II+\0", b"RIFF\0\0\0\0WEBP"):
        read_header(head + data)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    exif = Image.Exif()
    exif[0x0112] = 3
    data = saved("JPEG", exif=exif)
    thumbnail = b"\xff\xe3" + struct.pack(">H", 2 + 6) + b"\xff\xd8..\xff\xd9"
    data = data[:2] + thumbnail + data[2:]
    assert read_header(data).damage is None
    assert read_header(data).orientation == 3
    assert read_header(data[:-2]).damage is not None


@pytest.mark.parametrize(
    "tags", [SRGB, ColorTags("bt2020", "arib-std-b67", "gbr", True), ColorTags("bt709", "bt709", "gbr", True)]
)
def test_png_color_round_trip(tags):
    header = read_header(with_png_color(FILES["PNG"], tags))
    assert header.color == (None if tags == SRGB else tags)
    assert header.is_srgb == (tags == SRGB)
    assert header.damage is None
