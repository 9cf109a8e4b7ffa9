"""EXR, DPX and TIFF written: nothing is lost, and other programs read the same numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fakes.exr import DISPLAY, copied, stored, wild, write_exr

from lp_core.errors import MediaError
from lp_core.frame import ColorTags, Frame, Windows
from lp_core.media.base import Attribute, ReadOptions
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRange

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

OVERSCAN = (-3, -2, 29, 21)
CROPPED = (4, 3, 20, 11)


@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("data", [DISPLAY, OVERSCAN, CROPPED], ids=["plain", "overscan", "cropped"])
def test_every_bit_of_an_exr_comes_back(tmp_path, rng, spec, kind, data):
    pixels = wild(rng, data, kind)
    assert np.isnan(pixels).any()
    write_exr(tmp_path / "in.1001.exr", pixels, data)
    copied(tmp_path / "in.%04d.exr", tmp_path / "out.%04d.exr", spec)
    header, got = stored(tmp_path / "out.1001.exr")
    assert str(header.format) == kind
    assert (header.x, header.y, header.x + header.width, header.y + header.height) == data
    assert (header.full_x, header.full_y, header.full_width, header.full_height) == (0, 0, 24, 16)
    assert got.tobytes() == pixels.tobytes()


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
def test_exact_compressions(tmp_path, rng, spec, compression):
    pixels = wild(rng, DISPLAY, "half")
    write_exr(tmp_path / "in.1.exr", pixels)
    sink = copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.exr", spec, exr_compression=compression)
    header, got = stored(tmp_path / "out.1.exr")
    assert header.getattribute("compression") == compression
    assert got.tobytes() == pixels.tobytes()
    assert not any("changes pixels" in note for note in sink.notes)


def test_a_lossy_compression_is_said(tmp_path, spec):
    write_exr(tmp_path / "in.1.exr", np.full((16, 24, 4), 0.25, np.float16))
    sink = copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.exr", spec, exr_compression="dwaa:45")
    header, got = stored(tmp_path / "out.1.exr")
    assert header.getattribute("compression").startswith("dwaa")
    np.testing.assert_allclose(got.astype(np.float32), 0.25, atol=0.01)
    assert any("dwaa:45, which changes pixels" in note for note in sink.notes)


def test_frames_count_on_in_timecode_and_keep_their_own_words(tmp_path, spec):
    for number in range(8, 12):
        write_exr(
            tmp_path / f"in.{number:04d}.exr",
            np.full((16, 24, 3), number, np.float16),
            take=f"take {number}",
            **{"smpte:TimeCode": (oiio.TypeTimeCode, (0x10000000 + number, 0))},
        )
    with open_source(tmp_path / "in.####.exr", options=ReadOptions(frames=FrameRange(9, 10))) as source:
        assert (source.info.first_frame, source.info.frames_before) == (9, 1)
        assert source.info.timecode.text == "10:00:00:09"
    copied(tmp_path / "in.####.exr 9-11", tmp_path / "out.####.exr", spec)
    for number in (9, 10, 11):
        header, pixels = stored(tmp_path / f"out.{number:04d}.exr")
        assert header.getattribute("take") == f"take {number}"
        seconds, frames = divmod(number, 24)
        assert header.getattribute("smpte:TimeCode") == (0x10000000 + (frames // 10 << 4) + frames % 10, 0)
        assert (pixels == number).all()


def test_overscan_is_left_out_where_a_file_knows_no_windows(tmp_path, spec):
    pixels = np.zeros((23, 32, 4), np.float32)
    pixels[2:18, 3:27] = (0.25, 0.5, 0.125, 0.5)  # premultiplied, inside the display window
    write_exr(tmp_path / "in.1.exr", pixels, OVERSCAN)
    sink = copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.png", spec)
    with open_source(tmp_path / "out.1.png") as source:
        (frame,) = source
    assert frame.pixels.shape == (16, 24, 4)
    assert (frame.pixels == np.rint(np.array([0.5, 1, 0.25, 0.5]) * 65535)).all()
    assert any("cut to 0..1" in note for note in sink.notes)


def test_layers_are_written_beside_the_picture(tmp_path, rng, spec):
    layers = {
        "matte": rng.random((16, 24, 1), np.float32),
        "stmap": rng.random((16, 24, 3), np.float32),
    }
    told = spec(24, 16, bit_depth=32, alpha="premultiplied", sample_type="half")
    matrix = np.arange(9.0).reshape(3, 3)
    frame = Frame(
        np.zeros((16, 24, 3), np.float32),
        0,
        Fraction(0),
        layers,
        {"frame_from_crop": matrix, "confidence": 0.5},
    )
    with open_sink(tmp_path / "out.%04d.exr", told) as sink:
        sink.write(frame)
        sink.commit()
    header, pixels = stored(tmp_path / "out.0001.exr")
    assert header.channelnames == ("R", "G", "B", "matte.A", "stmap.red", "stmap.green", "stmap.blue")
    assert [str(header.channelformat(index)) for index in range(7)] == ["half"] * 4 + ["float"] * 3
    assert np.array_equal(pixels[..., 4:], layers["stmap"])
    np.testing.assert_allclose(pixels[..., 3:4], layers["matte"], atol=5e-4)
    assert header.getattribute("frame_from_crop") == tuple(range(9))
    assert header.getattribute("confidence") == 0.5
    with open_sink(tmp_path / "bad.%04d.exr", told) as sink, pytest.raises(MediaError, match="'depth'"):
        sink.write(replace(frame, layers={"depth": layers["matte"]}))
    crop = rng.random((12, 12, 3), np.float32)
    with open_sink(tmp_path / "bad.%04d.exr", told) as sink, pytest.raises(MediaError, match="another size"):
        sink.write(replace(frame, layers={"crop": crop}))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_a_dpx_comes_back_to_the_bit(tmp_path, rng, spec, bits):
    header = oiio.ImageSpec(24, 16, 3, "uint8" if bits == 8 else "uint16")
    header.attribute("oiio:BitsPerSample", bits)
    header.attribute("smpte:TimeCode", oiio.TypeTimeCode, (0x01000000, 0))
    file = oiio.ImageOutput.create("x.dpx")
    path = str(tmp_path / "in.0086.dpx")
    assert file.open(path, header)
    assert file.write_image(
        rng.integers(0, 256 if bits == 8 else 65536, (16, 24, 3)).astype("uint8" if bits == 8 else "uint16")
    )
    assert file.close()
    copied(tmp_path / "in.####.dpx", tmp_path / "out.####.dpx", spec)
    before, after = stored(path), stored(tmp_path / "out.0086.dpx")
    assert np.array_equal(before[1], after[1])
    assert after[0].getattribute("oiio:BitsPerSample") == bits
    assert after[0].getattribute("smpte:TimeCode")[0] == 0x01000000


def test_other_programs_read_the_same_numbers(tmp_path, spec):
    openexr = pytest.importorskip("OpenEXR", reason="the reference library is not installed")
    if shutil.which("oiiotool") is None or shutil.which("ffprobe") is None:
        pytest.skip("oiiotool or ffprobe is not installed")
    pixels = (np.arange(16 * 24 * 4).reshape(16, 24, 4) / 512 - 1).astype(np.float16)
    write_exr(
        tmp_path / "in.1001.exr",
        pixels,
        **{"smpte:TimeCode": (oiio.TypeTimeCode, (0x01000000, 0)), "PixelAspectRatio": 2.0},
    )
    copied(tmp_path / "in.####.exr", tmp_path / "out.####.exr", spec)
    path = str(tmp_path / "out.1001.exr")
    told = subprocess.run(
        ["oiiotool", "--info", "-v", path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "half openexr" in told
    assert "smpte:TimeCode: 01:00:00:00" in told
    assert "PixelAspectRatio: 2" in told
    file = openexr.File(path)
    assert np.array_equal(file.channels()["RGBA"].pixels, pixels)
    stamp = file.header()["timeCode"]
    assert (stamp.hours, stamp.minutes, stamp.seconds, stamp.frame) == (1, 0, 0, 0)
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_streams", path], capture_output=True, check=True
    ).stdout
    (stream,) = json.loads(probe)["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("exr", 24, 16)


@pytest.mark.parametrize("program", ["exrheader", "exrinfo"])
def test_openexr_s_own_programs_open_it(tmp_path, spec, program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    write_exr(tmp_path / "in.1.exr", np.zeros((16, 24, 4), np.float16))
    copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.exr", spec)
    # The exit code is not looked at: that of exrinfo 3.1 is a number it never set.
    done = subprocess.run([program, tmp_path / "out.1.exr"], capture_output=True, text=True, check=False)
    assert not done.stderr
    assert "dataWindow" in done.stdout


def test_attributes_that_are_plain_values(tmp_path, spec):
    told = spec(
        24,
        16,
        bit_depth=32,
        attributes={
            "gone": Attribute("int", 1),
            "acesImageContainerFlag": Attribute("int", 1),  # a promise that a rewritten file does not keep
            "kept": "yes",
        },
    )
    frame = Frame(np.zeros((16, 24, 3), np.float32), 0, Fraction(0), metadata={"gone": None})
    with open_sink(tmp_path / "out.%d.exr", told) as sink:
        sink.write(frame)
        sink.commit()
    header, _ = stored(tmp_path / "out.1.exr")
    assert header.getattribute("kept") == "yes"
    assert header.getattribute("gone") is None
    assert header.getattribute("acesImageContainerFlag") is None


def test_windows_know_their_canvas():
    windows = Windows(DISPLAY, OVERSCAN)
    assert windows.canvas == OVERSCAN
    assert windows.display_in_frame == (3, 2, 27, 18)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_comes_back_by_another_reader(tmp_path, rng, spec, bits, channels):
    shape = 16, 24, channels
    pixels = rng.standard_normal(shape).astype(np.float32) * 4
    if bits < 32:
        dtype = {8: np.uint8, 16: np.uint16}[bits]
        pixels = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    told = spec(24, 16, bit_depth=bits, has_alpha=channels == 4)
    with open_sink(tmp_path / "out.%d.tif", told) as sink:
        sink.write(Frame(pixels, 0, Fraction(0)))
        sink.commit()
    with open_source(tmp_path / "out.1.tif") as source:  # OpenCV's reader
        (frame,) = source
    assert frame.pixels.dtype == pixels.dtype
    assert np.array_equal(frame.pixels, pixels)


@pytest.mark.parametrize(
    ("primaries", "transfer", "expected"),
    [
        ("ap1", "linear", (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)),
        ("smpte432", "linear", (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)),
        ("bt709", "linear", None),
        ("unspecified", "linear", None),
        ("smpte432", "iec61966-2-1", None),
    ],
)
def test_primaries_of_linear_light_are_named(tmp_path, spec, primaries, transfer, expected):
    tags = ColorTags(primaries, transfer, "gbr", True)
    with open_sink(tmp_path / "a.exr", spec(24, 16, bit_depth=32, color=tags)) as sink:
        sink.write(Frame(np.zeros((16, 24, 3), np.float32), 0, Fraction(0)))
        sink.commit()
    told = stored(tmp_path / "a.exr")[0].getattribute("chromaticities")
    assert told is None if expected is None else np.allclose(told, expected)
