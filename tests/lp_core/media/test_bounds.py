"""Images of any declared size are refused by their headers, before a decoder sees them."""

import os
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import LpError, MediaError, UnreadableMedia
from lp_core.frame import ColorTags
from lp_core.live.drivers import PUSH, LiveDriver
from lp_core.media import bounds
from lp_core.media.base import SinkSpec
from lp_core.media.bounds import LONGEST_SIDE, MOST_BYTES, MOST_PIXELS, check_size
from lp_core.media.image.headers import read_header
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRate

TOO_LONG = LONGEST_SIDE + 1


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, *more):
    rows = zlib.compress(bytes(64))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *more, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def apng(width, height):
    control = [
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", n, width, height, 0, 0, 1, 10, 0, 0)) for n in range(2)
    ]
    return png(width, height, chunk(b"acTL", struct.pack(">II", 2, 0)), *control)


def jpeg(width, height):
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    return b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + scan + b"\0\xff\xd9"


def tiff(width, height):
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (279, 1)]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)


def webp(width, height):
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    body += b"".join(b"ANMF" + struct.pack("<I", 16) + bytes(12) + b"\x40\0\0\0" for _ in range(2))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(width, height):
    image = b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0" + image * 2 + b";"


def bmp(width, height):
    return b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 24, 0, 0, 0, 0, 0, 0)


KINDS = {
    "a.png": png,
    "b.png": apng,
    "a.jpg": jpeg,
    "a.tif": tiff,
    "a.webp": webp,
    "a.gif": gif,
    "a.bmp": bmp,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size", [(TOO_LONG, 4), (4, TOO_LONG), (20_000, 20_000)], ids=str)
def test_stills_too_large_are_refused_by_their_headers(tmp_path, name, size):
    (tmp_path / name).write_bytes(KINDS[name](*size))
    with pytest.raises(UnreadableMedia, match=f"{size[0]}x{size[1]} pixels, and images of up to"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", KINDS)
def test_sequences_too_large_are_refused(tmp_path, name):
    (tmp_path / f"f.0001{name[1:]}").write_bytes(KINDS[name](TOO_LONG, 2))
    with pytest.raises(UnreadableMedia, match="pixels, and images of up to"):
        open_source(tmp_path / f"f.####{name[1:]}")


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_pushed_frames_too_large_are_refused(make):
    said = []
    driver = LiveDriver(PUSH, "mesh", said, said.append)
    with pytest.raises(LpError, match="The pushed frame has .* pixels, and images of up to"):
        driver.push(make(TOO_LONG, 3))
    assert not said


def test_sizes_are_read_from_every_kind_of_header():
    assert {name: read_header(make(300, 200)).size for name, make in KINDS.items()} == dict.fromkeys(
        KINDS, (300, 200)
    )


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (5, 0)])
def test_images_without_pixels_are_refused(size):
    with pytest.raises(UnreadableMedia, match="export it again"):
        check_size("a.exr", *size)


def test_bounds_themselves_are_legal():
    check_size("a.png", LONGEST_SIDE, MOST_PIXELS // LONGEST_SIDE)
    check_size("a.png", 16_384, 16_384)
    with pytest.raises(UnreadableMedia):
        check_size("a.png", 16_384, 16_385)


@pytest.mark.parametrize(
    "header",
    [
        {"width": TOO_LONG, "full_width": TOO_LONG},
        {"full_width": TOO_LONG},
        {"x": 1_000_000},
        {"x": -1_000_000},
        {"full_width": 20_000, "full_height": 20_000},
    ],
    ids=str,
)
def test_exr_windows_too_large_are_refused(tmp_path, header):
    oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
    spec = oiio.ImageSpec(header.get("width", 4), 4, 3, "half")
    for name, value in header.items():
        setattr(spec, name, value)
    file = oiio.ImageOutput.create(str(tmp_path / "a.exr"))
    assert file.open(str(tmp_path / "a.exr"), spec)
    file.write_image(np.zeros((4, header.get("width", 4), 3), np.float16))
    file.close()
    with pytest.raises(UnreadableMedia, match="pixels, and images of up to"):
        open_source(tmp_path / "a.exr")


def test_channels_far_apart_are_not_read_together(tmp_path, monkeypatch):
    oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
    monkeypatch.setattr(bounds, "MOST_SAMPLES", 4 * 4 * 3 - 1)
    file = oiio.ImageOutput.create(str(tmp_path / "a.exr"))
    assert file.open(str(tmp_path / "a.exr"), oiio.ImageSpec(4, 4, 3, "half"))
    file.write_image(np.zeros((4, 4, 3), np.float16))
    file.close()
    with pytest.raises(UnreadableMedia, match="3 must be read; export the layer to a file"):
        open_source(tmp_path / "a.exr")


def test_videos_too_large_are_refused_before_they_are_decoded(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = TOO_LONG + 1, 2, "yuv420p"
        frame = av.VideoFrame(TOO_LONG + 1, 2, "yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UnreadableMedia, match="pixels, and images of up to"):
        open_source(path)


def test_huge_files_are_not_loaded(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(4, 4))
    os.truncate(path, MOST_BYTES + 1)
    with pytest.raises(UnreadableMedia, match="images of up to 8 GiB are read"):
        open_source(path)


def test_outputs_too_large_are_refused_before_they_are_begun(tmp_path):
    spec = SinkSpec(
        40_000, 20, FrameRate(Fraction(25)), 8, False, ColorTags(), codec="h264", quality=20, overwrite=False
    )
    with pytest.raises(MediaError, match="would have 40000x20 pixels"):
        open_sink(tmp_path / "a.mp4", spec)
    assert not any(tmp_path.iterdir())


def test_large_legal_still_is_read(tmp_path):
    path = tmp_path / "a.png"
    write_image(path, np.zeros((8, LONGEST_SIDE, 3), np.uint8))
    with open_source(path) as source:
        assert source.info.width == LONGEST_SIDE
