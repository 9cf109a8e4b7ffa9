"""The head alone and the plate alone."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.frame import ClipInfo, ColorTags, Frame
from lp_core.render.layer_passes import head_layer
from lp_core.render.layers import Layer
from lp_core.render.passes import DrawnFrame, with_passes
from lp_core.timing import FrameRate

SRGB = encoding_of(ColorTags(transfer="iec61966-2-1"))


@pytest.fixture
def parts(rng):
    """(frame, plate, person): a person in one color over noise, mixed in linear light."""
    plate = rng.random((6, 8, 3)).astype(np.float32)
    person = np.zeros((6, 8), np.float32)
    person[1:5, 2:6], person[1:5, 6] = 1, 0.4
    front = np.full_like(plate, 0.7)
    light = SRGB.to_linear(front) * person[..., None] + SRGB.to_linear(plate) * (1 - person[..., None])
    return Frame(SRGB.from_linear(light), 0, Fraction(0), encoding=SRGB), plate, person


def test_what_the_plate_shows_through_the_edge_is_taken_out(parts):
    frame, plate, person = parts
    head = head_layer(frame, plate, person)
    np.testing.assert_allclose(head[..., 3], person)
    np.testing.assert_allclose(head[..., :3], np.repeat(0.7 * person[..., None], 3, axis=2), atol=1e-5)
    light = SRGB.to_linear(np.full((6, 8, 3), 0.7, np.float32)) * person[..., None]
    over = light + SRGB.to_linear(plate) * (1 - person[..., None])
    np.testing.assert_allclose(SRGB.from_linear(over), frame.pixels, atol=1e-5)


def test_head_over_clean_is_the_beauty_where_hair_is_loose_too(parts):
    frame, plate, person = parts
    hair = (person == 0) & (np.arange(8) < 2)
    frame = replace(frame, pixels=np.where(hair[..., None], frame.pixels * np.float32(0.5), frame.pixels))
    one = DrawnFrame(frame, None, 1.0, layer=Layer.whole(person, plate, np.ones_like(person)))
    (got,) = with_passes(
        iter([one]), frozenset({"head", "clean"}), ClipInfo(8, 6, FrameRate(Fraction(25)), None)
    )
    head, clean = got.layers["head"], got.layers["clean"]
    over = head[..., :3].copy()
    share = 1 - head[..., 3:]
    over[person < 1] += (share * SRGB.to_linear(clean))[person < 1]
    linear = SRGB.to_linear(frame.pixels)
    np.testing.assert_allclose(over[hair], linear[hair], atol=1e-5)


def test_they_are_passes(parts):
    frame, plate, person = parts
    info = ClipInfo(8, 6, FrameRate(Fraction(25)), None)
    one = DrawnFrame(frame, None, 1.0, layer=Layer.whole(person, plate), held=person * 0.5)
    asked = frozenset({"head", "clean", "occlusion"})
    (got,) = with_passes(iter([one]), asked, info)
    np.testing.assert_array_equal(got.layers["head"], head_layer(frame, plate, person))
    clean = got.layers["clean"]
    np.testing.assert_array_equal(clean[person > 0], plate[person > 0])
    np.testing.assert_array_equal(clean[person == 0], frame.pixels[person == 0])
    np.testing.assert_array_equal(got.layers["occlusion"][..., 0], person * 0.5)
    (empty,) = with_passes(iter([replace(one, layer=None, held=None)]), asked, info)
    assert not empty.layers["head"].any()
    assert not empty.layers["occlusion"].any()
    np.testing.assert_array_equal(empty.layers["clean"], frame.pixels)
