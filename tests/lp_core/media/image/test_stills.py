from __future__ import annotations

import errno
import io
import os

import numpy as np
import pytest
import tifffile
from PIL import Image

from lp_core.errors import DiskFull, MediaError, OutputExists, TruncatedMedia, UnknownCodec, UnreadableMedia
from lp_core.frame import ColorTags
from lp_core.media.color_tags import SRGB
from lp_core.media.image.stills import StillSource, read_image, write_image

RGBA = np.random.default_rng(5).integers(0, 256, (30, 41, 4), dtype=np.uint8)
DEEP = RGBA.astype(np.uint16) * 257 + np.arange(4, dtype=np.uint16)
TIFF = {"photometric": "rgb", "extrasamples": ["unassalpha"]}


def pillow(pixels, kind, **options):
    data = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(data, kind, **options)
    return data.getvalue()


def tiff(pixels, **options):
    data = io.BytesIO()
    tifffile.imwrite(data, pixels, **options)
    return data.getvalue()


def as_rgb(gray):
    return np.repeat(gray[..., None], 3, axis=2)


EXACT = {  # name -> (file, pixels)
    "rgb8.png": lambda: (pillow(RGBA[..., :3], "PNG"), RGBA[..., :3]),
    "rgba8.png": lambda: (pillow(RGBA, "PNG"), RGBA),
    "gray8.png": lambda: (pillow(RGBA[..., 0], "PNG"), as_rgb(RGBA[..., 0])),
    "gray16.png": lambda: (pillow(DEEP[..., 0], "PNG"), as_rgb(DEEP[..., 0])),
    "grayalpha8.png": lambda: (
        pillow(Image.merge("LA", [Image.fromarray(RGBA[..., k]) for k in (0, 3)]), "PNG"),
        np.dstack([as_rgb(RGBA[..., 0]), RGBA[..., 3]]),
    ),
    "palette.png": lambda: (
        pillow(Image.fromarray(RGBA[..., :3]).convert("P"), "PNG"),
        np.asarray(Image.fromarray(RGBA[..., :3]).convert("P").convert("RGB")),
    ),
    "rgb8.tif": lambda: (tiff(RGBA[..., :3], photometric="rgb"), RGBA[..., :3]),
    "rgba8.tif": lambda: (tiff(RGBA, **TIFF), RGBA),
    "rgb16.tiff": lambda: (tiff(DEEP[..., :3], photometric="rgb"), DEEP[..., :3]),
    "rgba16.tif": lambda: (tiff(DEEP, **TIFF), DEEP),
    "rgba16be.tif": lambda: (tiff(DEEP, byteorder=">", **TIFF), DEEP),
    "gray16.tif": lambda: (tiff(DEEP[..., 0]), as_rgb(DEEP[..., 0])),
    "planar16.tif": lambda: (
        tiff(np.moveaxis(DEEP[..., :3], -1, 0).copy(), photometric="rgb", planarconfig="separate"),
        DEEP[..., :3],
    ),
    "grayalpha16.tif": lambda: (
        tiff(DEEP[..., [0, 3]], photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig"),
        np.dstack([as_rgb(DEEP[..., 0]), DEEP[..., 3]]),
    ),
    "tiled.tif": lambda: (
        tiff(np.tile(DEEP, (3, 3, 1)), tile=(32, 32), **TIFF),
        np.tile(DEEP, (3, 3, 1)),
    ),
    "big.tif": lambda: (tiff(DEEP[..., :3], photometric="rgb", bigtiff=True), DEEP[..., :3]),
    "lzw.tif": lambda: (pillow(RGBA[..., :3], "TIFF", compression="tiff_lzw"), RGBA[..., :3]),
    "float.tif": lambda: (
        tiff((RGBA[..., :3] / 100).astype(np.float32), photometric="rgb"),
        (RGBA[..., :3] / 100).astype(np.float32),
    ),
    "rgb.bmp": lambda: (pillow(RGBA[..., :3], "BMP"), RGBA[..., :3]),
    "rgba.webp": lambda: (pillow(RGBA, "WEBP", lossless=True, exact=True), RGBA),
    "wrong name.jpg": lambda: (pillow(RGBA, "PNG"), RGBA),
    "größe 顔.png": lambda: (pillow(RGBA, "PNG"), RGBA),
}


@pytest.mark.parametrize("name", EXACT)
def test_full_depth_and_alpha_are_kept(tmp_path, name):
    data, expected = EXACT[name]()
    path = tmp_path / name
    path.write_bytes(data)
    frame, info = read_image(path)
    assert frame.pixels.dtype == expected.dtype
    assert np.array_equal(frame.pixels, expected)
    assert frame.pixels.flags["C_CONTIGUOUS"]
    assert (info.height, info.width, info.is_still, info.frame_count) == (*expected.shape[:2], True, 1)
    assert info.bit_depth == expected.dtype.itemsize * 8
    assert info.has_alpha == (expected.shape[2] == 4)
    assert info.notes == ()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, kind, orientation):
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :16], stored[:8, 16:], stored[8:, :16] = (255, 255, 255), (255, 0, 0), (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": exif}
    path = tmp_path / f"photo.{kind.lower()}"
    path.write_bytes(pillow(stored, kind, **options))
    expected = {
        1: stored,
        2: np.fliplr(stored),
        3: np.rot90(stored, 2),
        4: np.flipud(stored),
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).swapaxes(0, 1),
        8: np.rot90(stored, 1),
    }[orientation]
    frame, info = read_image(path)
    assert (info.height, info.width) == expected.shape[:2]
    error = np.abs(frame.pixels.astype(int) - expected)
    assert error.mean() < (0.001 if kind in ("PNG", "TIFF") else 12)


def test_orientation_of_deep_tiff_is_applied_once(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(DEEP, extratags=[(274, 3, 1, 6, True)], **TIFF))
    assert np.array_equal(read_image(path)[0].pixels, np.rot90(DEEP, -1))


def test_jpeg_as_pillow_reads_it(tmp_path, astronaut):
    path = tmp_path / "a.jpg"
    path.write_bytes(pillow(astronaut, "JPEG", quality=95))
    frame, _ = read_image(path)
    with Image.open(path) as expected:
        assert np.abs(frame.pixels.astype(int) - np.asarray(expected)).max() <= 2


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_and_says_so(tmp_path, kind):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8, 0], inks[:, 8:, 3] = 255, 128  # cyan; half black
    path = tmp_path / f"print.{kind.lower()}"
    path.write_bytes(pillow(_cmyk(inks), kind))
    frame, info = read_image(path)
    assert frame.pixels.shape == (16, 16, 3)
    assert np.abs(frame.pixels[8, 4].astype(int) - [0, 255, 255]).max() < 8
    assert np.abs(frame.pixels[8, 12].astype(int) - 127).max() < 8
    assert any("CMYK" in note for note in info.notes)


def _cmyk(inks):
    return Image.merge("CMYK", [Image.fromarray(np.ascontiguousarray(inks[..., k])) for k in range(4)])


def test_premultiplied_tiff_becomes_straight(tmp_path):
    straight = DEEP.copy()
    straight[..., 3] |= 0x4000  # small alphas hold too little color to get it back
    alpha = straight[..., 3:] / 65535
    stored = np.dstack([np.rint(straight[..., :3] * alpha).astype(np.uint16), straight[..., 3]])
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(stored, photometric="rgb", extrasamples=["assocalpha"]))
    got = read_image(path)[0].pixels
    assert np.array_equal(got[..., 3], straight[..., 3])
    assert np.abs(got[..., :3].astype(int) - straight[..., :3]).max() <= 2


def test_a_foreign_profile_is_said(tmp_path):
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("PNG", "JPEG", "TIFF"):
        path = tmp_path / f"a.{kind.lower()}"
        path.write_bytes(pillow(RGBA[..., :3], kind, icc_profile=lab))
        assert any("profile" in note for note in read_image(path)[1].notes)
        path.write_bytes(pillow(RGBA[..., :3], kind, icc_profile=srgb))
        assert read_image(path)[1].notes == ()


class TestDamage:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_cut(self, tmp_path, kind, share, capfd):
        data = pillow(RGBA[..., :3], kind)
        path = tmp_path / f"cut.{kind.lower()}"
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises((TruncatedMedia, UnreadableMedia), match="cut"):
            read_image(path)
        assert capfd.readouterr() == ("", "")

    def test_a_wrong_byte_in_png(self, tmp_path, capfd):
        data = bytearray(pillow(RGBA, "PNG"))
        data[len(data) // 2] ^= 0xFF
        path = tmp_path / "a.png"
        path.write_bytes(data)
        with pytest.raises(TruncatedMedia, match="checksum"):
            read_image(path)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"hello",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"II*\0\xff\xff\xff\x7f",
            b"RIFF\0\0\0\0WEBP",
            b"BM",
            bytes(1000),
        ],
    )
    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
    def test_hostile(self, tmp_path, content, suffix):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        with pytest.raises((UnreadableMedia, TruncatedMedia), match="a\\" + suffix):
            read_image(path)

    def test_huge_size_in_the_header(self, tmp_path):
        import struct
        import zlib

        body = struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0)
        parts = [b"\x89PNG\r\n\x1a\n"]
        for name, content in ((b"IHDR", body), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
            parts += [
                struct.pack(">I", len(content)),
                name,
                content,
                struct.pack(">I", zlib.crc32(name + content)),
            ]
        path = tmp_path / "huge.png"
        path.write_bytes(b"".join(parts))
        with pytest.raises(UnreadableMedia, match="huge.png"):
            read_image(path)

    def test_missing_and_folder(self, tmp_path):
        with pytest.raises(UnreadableMedia, match="does not exist"):
            read_image(tmp_path / "none.png")
        with pytest.raises(UnreadableMedia, match="is a folder"):
            read_image(tmp_path)


class TestWrite:
    @pytest.mark.parametrize(
        "pixels", [RGBA, RGBA[..., :3], DEEP, DEEP[..., :3]], ids=["8a", "8", "16a", "16"]
    )
    def test_png_is_exact(self, tmp_path, pixels):
        path = tmp_path / "a.png"
        write_image(path, pixels)
        frame, info = read_image(path)
        assert np.array_equal(frame.pixels, pixels)
        assert info.color == SRGB
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
        with Image.open(path) as seen:
            assert seen.info["srgb"] == 0

    def test_color_is_written(self, tmp_path):
        tags = ColorTags("bt2020", "smpte2084", "gbr", True)
        write_image(tmp_path / "a.png", DEEP, tags)
        assert read_image(tmp_path / "a.png")[1].color == tags

    def test_jpeg(self, tmp_path, astronaut):
        write_image(tmp_path / "a.jpg", astronaut)
        assert np.abs(read_image(tmp_path / "a.jpg")[0].pixels.astype(int) - astronaut).mean() < 2

    @pytest.mark.parametrize(
        ("name", "pixels", "error"),
        [
            ("a.jpg", RGBA, MediaError),
            ("a.jpg", DEEP[..., :3], MediaError),
            ("a.gif", RGBA, UnknownCodec),
            ("a.png", RGBA.astype(np.float32), MediaError),
        ],
    )
    def test_refused(self, tmp_path, name, pixels, error):
        with pytest.raises(error, match=name):
            write_image(tmp_path / name, pixels)
        assert list(tmp_path.iterdir()) == []

    def test_existing(self, tmp_path):
        path = tmp_path / "a.png"
        write_image(path, RGBA)
        with pytest.raises(OutputExists):
            write_image(path, RGBA, overwrite=False)
        write_image(path, DEEP)
        assert read_image(path)[1].bit_depth == 16

    def test_full_disk(self, tmp_path, monkeypatch):
        def full(handle, mode):
            os.close(handle)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("os.fdopen", full)
        with pytest.raises(DiskFull, match="a.png"):
            write_image(tmp_path / "a.png", RGBA)
        assert list(tmp_path.iterdir()) == []


def test_still_source(tmp_path):
    write_image(tmp_path / "a.png", DEEP)
    with StillSource(tmp_path / "a.png") as source:
        frames = list(source)
        assert source.info.is_still
        assert source.damaged_frames == ()
    source.close()
    assert np.array_equal(frames[0].pixels, DEEP)
