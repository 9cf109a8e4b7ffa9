"""Files known by their content."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from lp_core.errors import UnknownCodec, UnreadableMedia
from lp_core.media.image.stills import read_image
from lp_core.media.kinds import foreign_format, kind_of
from lp_core.media.open import open_source

PIXELS = np.random.default_rng(4).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def brand(major, *others):
    body = major + bytes(4) + b"".join(others)
    return struct.pack(">I", len(body) + 8) + b"ftyp" + body + bytes(40)


def raw_tiff(*extra, **options):
    """A TIFF whose first image is as in a camera raw file."""
    data = io.BytesIO()
    tags = [(number, "I", 1, value, True) for number, value in extra]
    with tifffile.TiffWriter(data) as file:
        file.write(PIXELS, photometric="rgb", extratags=tags, **options)
        if options.get("subifds"):
            file.write(PIXELS, photometric="rgb")
    return data.getvalue()


FOREIGN = {
    "HEIC": brand(b"heic", b"mif1", b"heic"),
    "HEIC behind mif1": brand(b"mif1", b"mif1", b"heic"),
    "HEIF": brand(b"mif1", b"mif1"),
    "AVIF": brand(b"avif", b"mif1", b"miaf"),
    "AVIF behind mif1": brand(b"mif1", b"avif", b"miaf"),
    "animated AVIF": brand(b"avis", b"avif", b"msf1"),
    "CR3": brand(b"crx ", b"isom"),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    "JPEG 2000 stream": b"\xff\x4f\xff\x51" + bytes(40),
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "JPEG XL box": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "PSD": b"8BPS\0\1" + bytes(40),
    "PDF": b"%PDF-1.7\n",
    "SVG": b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "plain SVG": b"<svg/>",
    "CR2": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "RAF": b"FUJIFILMCCD-RAW " + bytes(40),
    "NEF": raw_tiff(subifds=1, subfiletype=1),
    "DNG": raw_tiff((50706, 0x01040000)),
}


@pytest.mark.parametrize("suffix", [".heic", ".png", ".jpg", ".mp4", ".tif", ""])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_formats_are_named_with_a_remedy(tmp_path, name, suffix):
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(FOREIGN[name])
    word = name.replace(" behind mif1", "").replace("plain ", "").replace(" stream", "").replace(" box", "")
    with pytest.raises(UnknownCodec) as caught:
        open_source(path)
    assert word in str(caught.value)
    assert f"photo{suffix} is a" in str(caught.value)
    assert "export" in str(caught.value) or "convert it to mp4" in str(caught.value)
    with pytest.raises(UnknownCodec, match=word):
        read_image(path)


def test_a_raw_file_is_known_by_its_name_too(tmp_path):
    assert foreign_format(raw_tiff(), ".nef")[0] == "a camera raw file (NEF)"
    assert foreign_format(raw_tiff(), ".tif") is None


@pytest.mark.parametrize(
    "suffix", [".jfif", ".jpe", ".JPG", ".JFIF", ".png", ".tif", ".mp4", ".exr", ".heic", ""]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_stills_are_read_whatever_their_name(tmp_path, suffix, kind):
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(PIXELS).save(path, kind)
    with open_source(path) as source:
        (frame,) = source
    assert source.info.is_still
    assert frame.pixels.shape == PIXELS.shape


def test_video_and_exr_are_read_whatever_their_name(tmp_path, make_film):
    film = make_film("film.mp4", 3)
    (tmp_path / "film.png").write_bytes(film.read_bytes())
    with open_source(tmp_path / "film.png") as source:
        assert len(list(source)) == 3
    pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
    from fakes.exr import write_exr

    exr = write_exr(tmp_path / "a.exr", np.full((16, 24, 3), 0.25, np.float32))
    (tmp_path / "a.png").write_bytes(exr.read_bytes())
    with open_source(tmp_path / "a.png") as source:
        (frame,) = source
    assert (frame.pixels == 0.25).all()
    assert source.info.color.transfer == "linear"


def test_numbered_files_of_a_foreign_format_are_named(tmp_path):
    (tmp_path / "a.0001.heic").write_bytes(FOREIGN["HEIC"])
    with pytest.raises(UnknownCodec, match="a.0001.heic is an HEIC image"):
        open_source(tmp_path / "a.####.heic")
    (tmp_path / "b.0001.png").write_bytes(b"\x76\x2f\x31\x01" + bytes(40))
    with pytest.raises(UnreadableMedia, match="its content is OpenEXR; let its name end in .exr"):
        open_source(tmp_path / "b.####.png")


def test_what_does_not_show_itself_goes_by_its_name(tmp_path):
    (tmp_path / "a.xyz").write_bytes(b"some words")
    assert kind_of(tmp_path / "a.xyz") is None
    with pytest.raises(UnknownCodec, match="known types are"):
        open_source(tmp_path / "a.xyz")
