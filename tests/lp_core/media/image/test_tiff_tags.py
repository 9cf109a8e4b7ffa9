from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from lp_core.media.image import tiff_tags


def tiff(**options):
    data = io.BytesIO()
    pixels = np.zeros((9, 11, 3), np.uint16)
    tifffile.imwrite(data, pixels, photometric="rgb", extratags=[(274, 3, 1, 6, True)], **options)
    return data.getvalue()


KINDS = [{}, {"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"}]


@pytest.mark.parametrize("options", KINDS)
def test_tags(options):
    tags = tiff_tags.read_tags(tiff(**options))
    assert tags[tiff_tags.BITS_PER_SAMPLE] == (16, 16, 16)
    assert tags[tiff_tags.SAMPLES_PER_PIXEL] == (3,)
    assert tags[tiff_tags.ORIENTATION] == (6,)
    assert tiff_tags.missing_bytes(tags, len(tiff(**options))) == 0
    assert tiff_tags.missing_bytes(tags, 100) > 0


@pytest.mark.parametrize("options", KINDS)
def test_only_the_orientation_changes(options):
    data = tiff(**options)
    changed = tiff_tags.without_orientation(data)
    assert tiff_tags.read_tags(changed) == tiff_tags.read_tags(data) | {tiff_tags.ORIENTATION: (1,)}
    assert sum(a != b for a, b in zip(data, changed, strict=True)) == 1


@given(st.binary(max_size=200))
def test_noise_is_an_error_or_tags(data):
    for head in (b"II*\0", b"MM\0+", b""):
        try:
            tags = tiff_tags.read_tags(head + data)
        except tiff_tags.TagError:
            continue
        assert all(isinstance(values, tuple) and values for values in tags.values())
