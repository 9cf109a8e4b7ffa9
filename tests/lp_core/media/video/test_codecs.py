from __future__ import annotations

from pathlib import Path

import av
import pytest

from lp_core.errors import UnknownCodec
from lp_core.media.video.codecs import (
    CODECS,
    CONTAINERS,
    COPYABLE_SOUND,
    ENCODED_SOUND,
    film_codec,
    stored_format,
)
from lp_core.settings import VIDEO_CODECS


def test_every_codec_of_the_settings_is_here():
    assert tuple(CODECS) == VIDEO_CODECS


@pytest.mark.parametrize("name", CODECS)
def test_the_library_takes_the_stored_formats(name):
    codec = CODECS[name]
    formats = {item.name for item in av.codec.Codec(codec.encoder, "w").video_formats}
    assert set(codec.formats.values()) <= formats
    assert codec.odd_format is None or codec.odd_format in formats
    assert {(8, False), (16, False)} <= set(codec.formats)
    assert set(codec.suffixes) <= set(CONTAINERS)


def test_every_container_has_a_rule_for_sound():
    assert set(COPYABLE_SOUND) == set(ENCODED_SOUND) == set(CONTAINERS)
    assert all(av.codec.Codec(name, "w").type == "audio" for name in ENCODED_SOUND.values())


def test_stored_format():
    h264, prores = CODECS["h264"], CODECS["prores4444"]
    assert stored_format(h264, 64, 48, 8, False) == "yuv420p"
    assert stored_format(h264, 63, 48, 8, False) == "yuv444p"
    assert stored_format(h264, 64, 47, 16, True) == "yuv444p"
    assert stored_format(prores, 63, 47, 8, True) == "yuva444p10le"


def test_pairs():
    assert film_codec(Path("a.MOV"), "prores4444").encoder == "prores_ks"
    with pytest.raises(UnknownCodec, match=r"name the output \.mov"):
        film_codec(Path("a.mp4"), "prores4444")
    with pytest.raises(UnknownCodec, match="choose h264"):
        film_codec(Path("a.mp4"), "mpeg1")
    with pytest.raises(UnknownCodec, match="image sequence"):
        film_codec(Path("a.xyz"), "h264")
