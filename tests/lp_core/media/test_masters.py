"""Video masters as the system's own ffprobe and ffmpeg see them: tags, depth, timecode, and the numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from lp_core.frame import ColorTags, Frame
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRate, Timecode

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)

SIZE = (384, 256)
DROP = FrameRate.parse("29.97")
BT2020 = ColorTags("bt2020", "smpte2084", "bt2020nc", False)

MASTERS = {
    # codec: container, (codec_name, profile, tag, pixel format as decoded), least PSNR in dB of 16-bit RGB
    "prores422hq": ("mov", ("prores", "HQ", "apch", "yuv422p10le"), 45),
    "prores4444": ("mov", ("prores", "4444", "ap4h", "yuv444p12le"), 50),
    "dnxhr-hqx": ("mov", ("dnxhd", "DNXHR HQX", "AVdh", "yuv422p10le"), 45),
    "dnxhr-444": ("mov", ("dnxhd", "DNXHR 444", "AVdh", "yuv444p10le"), 50),
    "hevc": ("mp4", ("hevc", "Main 10", "hvc1", "yuv420p10le"), 40),
    "av1": ("mp4", ("av1", "Main", "av01", "yuv420p10le"), 40),
    "ffv1": ("mkv", ("ffv1", None, None, "gbrp16le"), 200),
}


def picture(index, channels=3):
    """Smooth 16-bit ramps, which any master must keep to about a code of 10 bits."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float64)
    planes = [columns / 384, rows / 256, (columns + rows) / 640, 1 - columns / 384]
    return np.rint(np.stack(planes[:channels], axis=-1) * 60000 + index * 500).astype(np.uint16)


def write(path, spec, codec, channels=3, **changes):
    told = spec(*SIZE, rate=DROP, bit_depth=16, has_alpha=channels == 4, codec=codec, quality=4, **changes)
    with open_sink(path, told) as sink:
        for index in range(3):
            sink.write(Frame(picture(index, channels), index, DROP.time_s(index)))
        sink.commit()
    return sink


def probe(path):
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def decoded(path, pixel_format, channels):
    """All frames by the system's ffmpeg, which is another version than the library's."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:v:0",
        "-sws_flags",
        "accurate_rnd+full_chroma_int",
    ]
    command += ["-f", "rawvideo", "-pix_fmt", pixel_format, "-"]
    data = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(data, np.uint16).reshape(-1, SIZE[1], SIZE[0], channels)


@pytest.mark.parametrize("codec", MASTERS)
def test_tags_and_numbers(tmp_path, spec, codec):
    suffix, (name, profile, tag, pixel_format), least_db = MASTERS[codec]
    path = tmp_path / f"m.{suffix}"
    timecode = Timecode.parse("00:59:59;29", DROP)
    write(path, spec, codec, color=ColorTags(), timecode=timecode)
    told = probe(path)
    stream = told["streams"][0]
    assert stream["codec_name"] == name
    assert profile is None or stream["profile"] == profile
    assert tag is None or stream["codec_tag_string"] == tag
    assert stream["pix_fmt"] == pixel_format
    assert stream["r_frame_rate"] == "30000/1001"
    assert stream["nb_frames"] == "3" if suffix != "mkv" else True
    if codec != "ffv1":
        assert (stream["color_primaries"], stream["color_transfer"], stream["color_space"]) == ("bt709",) * 3
        assert stream.get("color_range", "tv") == "tv"
    stamps = {key.lower(): value for key, value in stream["tags"].items()}
    assert stamps["timecode"] == "00:59:59;29"
    if suffix == "mov":
        assert [other["codec_tag_string"] for other in told["streams"][1:]] == ["tmcd"]
    frames = decoded(path, "rgb48le", 3)
    assert len(frames) == 3
    for index, got in enumerate(frames):
        error = (got.astype(np.float64) - picture(index)) / 65535
        assert -10 * np.log10(max(np.mean(error**2), 1e-30)) > least_db
    with open_source(path) as source:
        assert source.info.timecode == timecode


@pytest.mark.parametrize("codec", ["prores422hq", "dnxhr-hqx", "hevc", "av1"])
def test_wide_gamut_tags(tmp_path, spec, codec):
    path = tmp_path / f"m.{MASTERS[codec][0]}"
    write(path, spec, codec, color=BT2020)
    stream = probe(path)["streams"][0]
    told = [stream.get(word) for word in ("color_primaries", "color_transfer", "color_space")]
    assert told == ["bt2020", "smpte2084", "bt2020nc"]


def test_alpha_of_prores_4444_keeps_ten_bits(tmp_path, spec):
    """The stream codes alpha in 16 bits; the encoder takes 10, so the numbers are exact to 1/1023."""
    path = tmp_path / "m.mov"
    write(path, spec, "prores4444", channels=4)
    assert probe(path)["streams"][0]["pix_fmt"] == "yuva444p12le"
    for index, got in enumerate(decoded(path, "rgba64le", 4)):
        expected = picture(index, 4)[..., 3].astype(np.int64)
        assert np.abs(got[..., 3].astype(np.int64) - expected).max() <= 65535 / 1023


def test_pixels_that_are_not_square(tmp_path, spec):
    path = tmp_path / "m.mov"
    write(path, spec, "prores422hq", pixel_aspect=Fraction(2))
    assert probe(path)["streams"][0]["sample_aspect_ratio"] == "2:1"
    with open_source(path) as source:
        assert source.info.pixel_aspect == 2


def test_av1_refuses_odd_sizes(tmp_path, spec):
    from lp_core.errors import MediaError

    with pytest.raises(MediaError, match="even width and height, not 101x100"):
        open_sink(tmp_path / "m.mp4", spec(101, 100, codec="av1"))
