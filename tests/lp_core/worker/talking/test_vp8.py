"""Frames of a talking portrait as VP8: decodable one by one, and key frames where they are asked for."""

from fractions import Fraction

import numpy as np
import pytest
from av import CodecContext

from lp_core.worker.talking.vp8 import Vp8


@pytest.fixture
def frames(astronaut):
    """A head that moves a little."""
    return [np.ascontiguousarray(np.roll(astronaut, step, axis=1)) for step in range(12)]


def test_each_frame_is_a_packet_that_shows_it(frames):
    encoder, decoder = Vp8(512, 512), CodecContext.create("libvpx", "r")
    for index, pixels in enumerate(frames):
        (packet,) = encoder.encode(pixels, index)
        assert packet.pts * packet.time_base == Fraction(index, 25)
        (shown,) = decoder.decode(packet)
        away = np.abs(shown.to_ndarray(format="rgb24").astype(int) - pixels).mean()
        assert away < 12, index


def test_a_key_frame_comes_first_and_when_it_is_asked_for(frames):
    encoder = Vp8(512, 512)
    keys = []
    for index, pixels in enumerate(frames):
        if index == 5:
            encoder.want_key()
        keys += [packet.is_keyframe for packet in encoder.encode(pixels, index)]
    assert [index for index, is_key in enumerate(keys) if is_key] == [0, 5]


def test_a_client_that_joins_at_a_key_frame_sees_the_portrait(frames):
    encoder, decoder = Vp8(512, 512), CodecContext.create("libvpx", "r")
    encoder.encode(frames[0], 0)
    encoder.want_key()
    (shown,) = decoder.decode(encoder.encode(frames[7], 1)[0])
    assert np.abs(shown.to_ndarray(format="rgb24").astype(int) - frames[7]).mean() < 12


def test_odd_sides_lose_a_pixel():
    (packet,) = Vp8(101, 77).encode(np.full((77, 101, 3), 90, np.uint8), 0)
    (shown,) = CodecContext.create("libvpx", "r").decode(packet)
    assert (shown.width, shown.height) == (100, 76)
