"""EXR read: headers, windows, missing and damaged images."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from fakes.exr import DISPLAY, copied, stored, wild, write_exr

from lp_core.errors import (
    DiskFull,
    LpError,
    MediaError,
    MissingDependency,
    TruncatedMedia,
    UnreadableMedia,
)
from lp_core.frame import Frame
from lp_core.media import open as media_open
from lp_core.media.base import Attribute, ReadOptions
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRange, FrameRate, Timecode

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

OVERSCAN = (-3, -2, 29, 21)
CROPPED = (4, 3, 20, 11)
NTSC = FrameRate.parse("23.976")


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
        if item.name not in ("compression", "openexr:chunkCount", "oiio:RowsPerChunk"):
            assert told[item.name] == (str(item.type), item.value), item.name


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
        assert any("lacks 4 images" in note and "1000, 1003-1004, 1006" in note for note in source.notes)

    def test_a_range_outside_the_one_in_the_name(self, pattern):
        with pytest.raises(UnreadableMedia, match="1006"):
            open_source(f"{pattern} 1005-1006")


class TestDamage:
    def test_words_in_another_script_are_carried(self, tmp_path, spec):
        path = write_exr(
            tmp_path / "in.1.exr", np.full((16, 24, 3), 0.5, np.float16), camera="Kamera gr?n", take="7"
        )
        path.write_bytes(path.read_bytes().replace(b"gr?n", b"gr\xfcn"))
        copied(tmp_path / "in.%d.exr", tmp_path / "out.%d.exr", spec)
        assert b"Kamera gr\xfcn" in (tmp_path / "out.1.exr").read_bytes()
        with open_source(tmp_path / "out.%d.exr") as source:
            assert source.info.metadata["take"] == Attribute("string", "7")

    def test_attributes_of_unexpected_kinds(self, tmp_path):
        odd = {
            "FramesPerSecond": "fast",
            "smpte:TimeCode": "01:00:00:00",
            "chromaticities": (oiio.TypeDesc("float[2]"), (1.0, 2.0)),
        }
        write_exr(tmp_path / "in.exr", np.zeros((16, 24, 3), np.float16), **odd)
        with open_source(tmp_path / "in.exr") as source:
            assert (source.info.rate.fps, source.info.timecode) == (24, None)

    def test_a_header_of_any_bytes_is_read_or_refused_in_words(self, tmp_path, rng):
        path = write_exr(tmp_path / "in.exr", np.zeros((16, 24, 4), np.float16), camera="A", shutter=0.5)
        whole = path.read_bytes()
        for _ in range(150):
            data = bytearray(whole)
            for place in rng.integers(0, min(len(data), 700), 4):
                data[place] = rng.integers(0, 256)
            path.write_bytes(data)
            try:
                with open_source(path) as source:
                    list(source)
            except LpError as error:
                assert "in.exr" in str(error)

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
        from lp_core.media.image import oiio_writer

        def failing(_path, _header, _pixels):
            raise OSError("Failed to write pixel data")  # all that the library says

        monkeypatch.setattr(oiio_writer, "_write", failing)
        usage = oiio_writer.shutil.disk_usage(tmp_path)
        monkeypatch.setattr(oiio_writer.shutil, "disk_usage", lambda _folder: usage._replace(free=100))
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
