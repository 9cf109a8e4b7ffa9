"""EXR, DPX and TIFF through OpenImageIO: nothing is lost, and other programs read the same numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import (
    DiskFull,
    MediaError,
    MissingDependency,
    SettingError,
    TruncatedMedia,
    UnreadableMedia,
)
from lp_core.frame import Frame, Windows
from lp_core.media import open as media_open
from lp_core.media.base import Attribute, ReadOptions
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRange, FrameRate, Timecode

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

DISPLAY = (0, 0, 24, 16)
OVERSCAN = (-3, -2, 29, 21)
CROPPED = (4, 3, 20, 11)
NTSC = FrameRate.parse("23.976")


def wild(rng, box, kind, channels=4):
    """(H, W, C) of random bit patterns: negatives, infinities, many NaN, denormals."""
    bits, floats = {"half": (np.uint16, np.float16), "float": (np.uint32, np.float32)}[kind]
    shape = box[3] - box[1], box[2] - box[0], channels
    return rng.integers(0, np.iinfo(bits).max, shape, bits, endpoint=True).view(floats)


def write_exr(path, pixels, data=None, display=DISPLAY, names=None, **attributes):
    """One part, by OpenImageIO alone."""
    kind = {"float16": "half", "float32": "float"}[pixels.dtype.name]
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.x, spec.y = (data or (0, 0))[:2]
    spec.full_x, spec.full_y = display[:2]
    spec.full_width, spec.full_height = display[2] - display[0], display[3] - display[1]
    spec.channelnames = tuple(names or "RGBA"[: pixels.shape[2]])
    for name, value in attributes.items():
        spec.attribute(name, *value) if isinstance(value, tuple) else spec.attribute(name, value)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(pixels)
    assert file.close()
    return path


def stored(path, part=0):
    """(header, pixels as stored) by OpenImageIO alone."""
    file = oiio.ImageInput.open(str(path))
    file.seek_subimage(part, 0)
    spec = file.spec()
    pixels = file.read_image(part, 0, 0, spec.nchannels, spec.format)
    file.close()
    return spec, pixels


def copied(source, target, spec, **changes):
    """Reads a clip and writes it as it came, by the project's reader and writer."""
    with open_source(source) as clip:
        info = clip.info
        told = spec(
            info.width,
            info.height,
            rate=info.rate,
            bit_depth=info.bit_depth,
            has_alpha=info.has_alpha,
            color=info.color,
            alpha=info.alpha,
            sample_type=info.sample_type,
            windows=info.windows,
            pixel_aspect=info.pixel_aspect,
            timecode=info.timecode,
            attributes=info.metadata,
            start_number=info.first_frame or 0,
            **changes,
        )
        with open_sink(target, told) as sink:
            for frame in clip:
                sink.write(frame)
            sink.commit()
    return sink


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


def test_header_words_are_carried(tmp_path, spec):
    attributes = {
        "camera/lens": "50mm",
        "nuke/version": "15.1",
        "iso": 800,
        "shutter": 0.5,
        "worldToCamera": (oiio.TypeDesc("matrix"), tuple(range(16))),
        "chromaticities": (oiio.TypeDesc("float[8]"), (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329)),
        "DateTime": "2024:02:29 12:00:00",
        "PixelAspectRatio": 2.0,
        "FramesPerSecond": (oiio.TypeRational, (24000, 1001)),
        "smpte:TimeCode": (oiio.TypeTimeCode, (0x01020304, 0xABC)),
    }
    write_exr(tmp_path / "in.1001.exr", np.zeros((16, 24, 4), np.float16), **attributes)
    with open_source(tmp_path / "in.####.exr") as source:
        assert source.info.rate == NTSC
        assert source.info.timecode == Timecode.parse("01:02:03:04", NTSC)
        assert source.info.pixel_aspect == 2
        assert source.info.color.primaries == "unspecified"
        assert not any("carries no rate" in note for note in source.notes)
    copied(tmp_path / "in.####.exr", tmp_path / "out.####.exr", spec)
    before, after = stored(tmp_path / "in.1001.exr")[0], stored(tmp_path / "out.1001.exr")[0]
    told = {item.name: (str(item.type), item.value) for item in after.extra_attribs}
    for item in before.extra_attribs:
        if item.name not in ("compression", "openexr:chunkCount"):
            assert told[item.name] == (str(item.type), item.value), item.name


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


def test_windows_may_differ_from_picture_to_picture(tmp_path, rng, spec):
    boxes = {1: CROPPED, 2: OVERSCAN, 3: (0, 0, 5, 4)}
    pictures = {number: wild(rng, box, "half") for number, box in boxes.items()}
    for number, box in boxes.items():
        write_exr(tmp_path / f"in.{number}.exr", pictures[number], box)
    with open_source(tmp_path / "in.%d.exr") as source:
        assert (source.info.width, source.info.height) == (32, 23)
        assert source.info.windows.canvas == OVERSCAN
    copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.exr", spec)
    for number, box in boxes.items():
        header, got = stored(tmp_path / f"out.{number}.exr")
        assert (header.x, header.y) == box[:2]
        assert got.tobytes() == pictures[number].tobytes()


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


class TestLayers:
    @pytest.fixture
    def path(self, tmp_path):
        """Two parts, two layers, two views."""
        names = [
            "R",
            "G",
            "B",
            "A",
            "diffuse.R",
            "diffuse.G",
            "diffuse.B",
            "right.R",
            "right.G",
            "right.B",
            "Z",
        ]
        first = oiio.ImageSpec(8, 4, len(names), "half")
        first.channelnames = tuple(names)
        first.attribute("multiView", oiio.TypeDesc("string[2]"), ("left", "right"))
        first.attribute("oiio:subimagename", "rgba")
        second = oiio.ImageSpec(8, 4, 3, "half")
        second.attribute("oiio:subimagename", "hero")
        file = oiio.ImageOutput.create("x.exr")
        path = str(tmp_path / "x.exr")
        assert file.open(path, [first, second])
        values = np.arange(len(names), dtype=np.float32)
        assert file.write_image(np.broadcast_to(values, (4, 8, len(names))).copy())
        assert file.open(path, second, "AppendSubimage")
        assert file.write_image(np.full((4, 8, 3), 77, np.float32))
        assert file.close()
        return path

    @pytest.mark.parametrize(
        ("layer", "view", "expected"),
        [
            (None, None, (0, 1, 2, 3)),
            (None, "left", (0, 1, 2, 3)),
            ("diffuse", None, (4, 5, 6)),
            (None, "right", (7, 8, 9)),
            ("hero", None, (77, 77, 77)),
        ],
    )
    def test_the_choice(self, path, layer, view, expected):
        with open_source(path, options=ReadOptions(layer=layer, view=view)) as source:
            (frame,) = source
        assert source.info.is_still
        assert frame.pixels[0, 0].tolist() == list(expected)

    def test_what_is_not_there_is_named(self, path):
        with pytest.raises(
            SettingError, match=r"no picture in a layer 'spec'; its layers are .*diffuse, hero"
        ):
            open_source(path, options=ReadOptions(layer="spec"))
        with pytest.raises(SettingError, match="no view 'centre'; its views are left, right"):
            open_source(path, options=ReadOptions(view="centre"))

    def test_data_alone_is_no_picture(self, tmp_path):
        write_exr(tmp_path / "z.exr", np.zeros((16, 24, 1), np.float32), names=["Z"])
        with pytest.raises(UnreadableMedia, match="R, G and B"):
            open_source(tmp_path / "z.exr")


def test_layers_are_written_beside_the_picture(tmp_path, rng, spec):
    layers = {
        "matte": rng.random((16, 24, 1), np.float32),
        "stmap": rng.random((16, 24, 2), np.float32),
        "crop": rng.random((12, 12, 3), np.float32),
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
    assert header.channelnames == ("R", "G", "B", "matte.A", "stmap.red", "stmap.green")
    assert [str(header.channelformat(index)) for index in range(6)] == ["half"] * 4 + ["float"] * 2
    assert np.array_equal(pixels[..., 4:], layers["stmap"])
    np.testing.assert_allclose(pixels[..., 3:4], layers["matte"], atol=5e-4)
    assert header.getattribute("frame_from_crop") == tuple(range(9))
    assert header.getattribute("confidence") == 0.5
    part, crop = stored(tmp_path / "out.0001.exr", 1)
    assert part.channelnames == ("crop.R", "crop.G", "crop.B")
    assert (part.width, part.height, part.full_width) == (12, 12, 24)
    np.testing.assert_allclose(crop, layers["crop"], atol=5e-4)
    with open_sink(tmp_path / "bad.%04d.exr", told) as sink, pytest.raises(MediaError, match="'depth'"):
        sink.write(replace(frame, layers={"depth": layers["matte"]}))


class TestMissingPictures:
    @pytest.fixture
    def pattern(self, tmp_path):
        for number in (1001, 1002, 1005):
            write_exr(tmp_path / f"in.{number}.exr", np.full((16, 24, 3), number, np.float32))
        return tmp_path / "in.####.exr"

    def test_all_are_listed_in_one_error(self, pattern):
        with pytest.raises(UnreadableMedia, match=r"lacks 2 of the frames 1001 to 1005: 1003-1004;"):
            open_source(pattern)

    @pytest.mark.parametrize(
        ("policy", "values"),
        [("hold", [1001, 1001, 1002, 1002, 1002, 1005, 1005]), ("black", [0, 1001, 1002, 0, 0, 1005, 0])],
    )
    def test_stand_ins(self, pattern, policy, values):
        with open_source(
            pattern, options=ReadOptions(frames=FrameRange(1000, 1006), missing=policy)
        ) as source:
            got = [frame.pixels[0, 0, 0] for frame in source]
        assert got == values
        assert (source.info.first_frame, source.info.frames_before) == (1000, -1)
        assert any("lacks 4 pictures" in note and "1000, 1003-1004, 1006" in note for note in source.notes)

    def test_a_range_outside_the_one_in_the_name(self, pattern):
        with pytest.raises(UnreadableMedia, match="1006"):
            open_source(f"{pattern} 1005-1006")


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


class TestDamage:
    def test_a_truncated_picture_is_named(self, tmp_path, rng):
        path = write_exr(tmp_path / "in.exr", wild(rng, DISPLAY, "float"))
        whole = path.read_bytes()
        for length in (3, 40, 200, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises((TruncatedMedia, UnreadableMedia), match="in.exr"):
                open_source(path)

    def test_garbage(self, tmp_path):
        (tmp_path / "g.exr").write_bytes(b"\x76\x2f\x31\x01" + b"\xff" * 5000)
        (tmp_path / "g.dpx").write_bytes(b"SDPX" + b"\xff" * 5000)
        for name in ("g.exr", "g.dpx"):
            with pytest.raises(MediaError, match=name):
                open_source(tmp_path / name)

    def test_a_full_disk(self, tmp_path, spec, monkeypatch):
        from lp_core.media import oiio_write

        def full(_path, _parts):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(oiio_write, "_write", full)
        told = spec(24, 16, bit_depth=32)
        with open_sink(tmp_path / "out.%d.exr", told) as sink, pytest.raises(DiskFull):
            sink.write(Frame(np.zeros((16, 24, 3), np.float32), 0, Fraction(0)))
        assert list(tmp_path.iterdir()) == []

    def test_without_the_library_the_extra_is_named(self, monkeypatch, tmp_path):
        def absent(_name):
            raise ModuleNotFoundError("No module named 'OpenImageIO'", name="OpenImageIO")

        monkeypatch.setattr(media_open.importlib, "import_module", absent)
        (tmp_path / "a.exr").write_bytes(b"x")
        with pytest.raises(MissingDependency, match=r"pip install 'lp-suite\[vfx\]'"):
            open_source(tmp_path / "a.exr")


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
