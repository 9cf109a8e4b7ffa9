"""Profiles and other words about color in stills, judged by LittleCMS."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from fakes import icc
from PIL import Image, ImageCms, PngImagePlugin

from lp_core.color.encoding import encoding_of
from lp_core.color.icc_write import profile_of
from lp_core.errors import UnreadableMedia
from lp_core.media.color_tags import SRGB
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_sink, open_source

SKIN = np.random.default_rng(3).integers(40, 200, (24, 32, 3)).astype(np.uint8)
SKIN[..., 0] = np.maximum(SKIN[..., 0], SKIN[..., 1])
P3 = replace(SRGB, primaries="smpte432")
ADOBE = icc.rgb_profile("Adobe RGB (1998)", icc.ADOBE, icc.gamma(2.19921875))
DISPLAY_P3 = icc.rgb_profile("Display P3", icc.P3, icc.SRGB_CURVE)
PROPHOTO = icc.rgb_profile("ProPhoto RGB", icc.PROPHOTO, icc.gamma(1.8))


def judged(pixels, profile):
    """The same by LittleCMS, with a separate profile for sRGB."""
    return np.asarray(
        ImageCms.profileToProfile(
            Image.fromarray(pixels),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    )


def seen(path):
    """A file's colors in sRGB, as a program sees them that follows the profile inside."""
    with Image.open(path) as image:
        return judged(np.asarray(image.convert("RGB")), image.info["icc_profile"])


def saved(tmp_path, kind, pixels, profile):
    path = tmp_path / f"a.{kind}"
    options = (
        {"quality": 100, "subsampling": 0} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}
    )
    Image.fromarray(pixels).save(path, icc_profile=profile, **options)
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
def test_display_p3_keeps_its_numbers_and_its_name(tmp_path, kind):
    path = saved(tmp_path, kind, SKIN, DISPLAY_P3)
    frame, info = read_image(path)
    assert info.color == P3
    assert info.notes == ()
    assert np.abs(frame.pixels.astype(int) - np.asarray(Image.open(path).convert("RGB"))).max() <= 1


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("profile", [ADOBE, PROPHOTO], ids=["Adobe RGB", "ProPhoto"])
def test_spaces_without_tags_are_converted(tmp_path, kind, profile):
    path = saved(tmp_path, kind, SKIN, profile)
    frame, info = read_image(path)
    assert info.color == SRGB
    assert "was converted to sRGB from its color profile" in info.notes[0]
    expected = judged(np.asarray(Image.open(path).convert("RGB")), profile)
    assert np.abs(frame.pixels.astype(int) - expected).max() <= 2


def test_colors_beyond_srgb_are_counted(tmp_path):
    pixels = SKIN.copy()
    pixels[:12] = 20, 250, 20
    notes = read_image(saved(tmp_path, "png", pixels, ADOBE))[1].notes
    assert "50.0% of its pixels hold colors beyond sRGB and were clipped" in notes[0]


def test_sixteen_bits_and_alpha(tmp_path):
    deep = np.dstack([SKIN.astype(np.uint16) * 257 + 7, np.full(SKIN.shape[:2], 999, np.uint16)])
    tifffile.imwrite(
        tmp_path / "a.tif", deep, photometric="rgb", extrasamples=["unassalpha"], iccprofile=ADOBE
    )
    frame, info = read_image(tmp_path / "a.tif")
    assert info.bit_depth == 16
    assert (frame.pixels[..., 3] == 999).all()
    assert np.abs(frame.pixels[..., :3] / 257 - judged(SKIN, ADOBE)).max() <= 2


@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_gray_profile(tmp_path, kind):
    profile = icc.gray_profile("Gray Gamma 1.0", icc.gamma(1.0))
    gray = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (16, 1))
    path = saved(tmp_path, kind, gray, profile)
    frame, info = read_image(path)
    stored = np.asarray(Image.open(path).convert("L"))
    assert "'Gray Gamma 1.0'" in info.notes[0]
    assert np.abs(frame.pixels.astype(int) - judged(stored, profile)).max() <= 1


@pytest.mark.parametrize("kind", ["jpg", "tif"])
def test_cmyk_by_its_profile(tmp_path, kind):
    profile = icc.table_profile("Test press", 4)
    inks = np.random.default_rng(1).integers(0, 256, (4, 4, 4)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    path = tmp_path / f"a.{kind}"
    image = Image.frombytes("CMYK", (32, 32), inks.tobytes())
    image.save(path, icc_profile=profile, **({"quality": 100, "subsampling": 0} if kind == "jpg" else {}))
    frame, info = read_image(path)
    with Image.open(path) as stored:
        expected = ImageCms.profileToProfile(
            stored,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    assert np.array_equal(frame.pixels, np.asarray(expected))
    assert "from CMYK by its color profile 'Test press'" in info.notes[0]
    assert np.ptp(frame.pixels) > 50


def test_profiles_of_tables(tmp_path):
    profile = icc.table_profile("Scanner", 3)
    frame, info = read_image(saved(tmp_path, "png", SKIN, profile))
    assert "'Scanner'" in info.notes[0]
    assert np.abs(frame.pixels.astype(int) - SKIN).mean() > 5
    tifffile.imwrite(tmp_path / "deep.tif", SKIN.astype(np.uint16), photometric="rgb", iccprofile=profile)
    with pytest.raises(UnreadableMedia, match="16 bits and a color profile made of tables"):
        read_image(tmp_path / "deep.tif")


def test_profiles_that_cannot_be_used_are_said(tmp_path):
    assert "damaged color profile" in read_image(saved(tmp_path, "png", SKIN, b"nonsense" * 30))[1].notes[0]
    cmyk = icc.table_profile("Test press", 4)
    assert "RGB with a color profile for CMYK" in read_image(saved(tmp_path, "tif", SKIN, cmyk))[1].notes[0]


def test_a_camera_s_word_for_adobe_rgb(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    Image.fromarray(SKIN).save(tmp_path / "a.jpg", quality=100, subsampling=0, exif=exif)
    frame, info = read_image(tmp_path / "a.jpg")
    assert "'Adobe RGB (1998)'" in info.notes[0]
    expected = judged(np.asarray(Image.open(tmp_path / "a.jpg")), ADOBE)
    assert np.abs(frame.pixels.astype(int) - expected).max() <= 2
    exif.get_ifd(0x8769)[0xA005] = {1: "R98", 2: b"0100"}
    Image.fromarray(SKIN).save(tmp_path / "b.jpg", exif=exif)
    assert read_image(tmp_path / "b.jpg")[1].notes == ()


def test_a_profile_in_several_segments(tmp_path):
    large = icc.rgb_profile("Adobe RGB (1998)", icc.ADOBE, icc.gamma(2.19921875), zzzz=bytes(100_000))
    path = saved(tmp_path, "jpg", SKIN, large)
    assert "'Adobe RGB (1998)'" in read_image(path)[1].notes[0]


def test_numbers_of_h273_in_a_profile(tmp_path):
    cicp = b"cicp\0\0\0\0" + bytes((9, 16, 0, 1))
    profile = icc.rgb_profile("Rec. 2100 PQ", icc.P3, icc.gamma(2.2), cicp=cicp)
    color = read_image(saved(tmp_path, "jpg", SKIN, profile))[1].color
    assert (color.primaries, color.transfer) == ("bt2020", "smpte2084")


def png(pixels, *chunks):
    data = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    for name, body in chunks:
        info.add(name, body)
    Image.fromarray(pixels).save(data, "PNG", pnginfo=info)
    return data.getvalue()


def gama(value):
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(*red_green_blue, white=(0.3127, 0.329)):
    return b"cHRM", struct.pack(">8I", *(round(100_000 * number) for number in (*white, *red_green_blue)))


P3_XY = 0.68, 0.32, 0.265, 0.69, 0.15, 0.06
BT709_XY = 0.64, 0.33, 0.3, 0.6, 0.15, 0.06


@pytest.mark.parametrize(
    ("chunks", "primaries"),
    [
        ([gama(0.45455)], "bt709"),
        ([gama(0.45455), chrm(*BT709_XY)], "bt709"),
        ([gama(0.45455), chrm(*P3_XY)], "smpte432"),
        ([chrm(*P3_XY)], "smpte432"),
        ([gama(1.0), (b"sRGB", b"\0")], "bt709"),
        ([gama(1.0), (b"cICP", bytes((12, 13, 0, 1)))], "smpte432"),
    ],
)
def test_png_words_that_tags_can_say(tmp_path, chunks, primaries):
    (tmp_path / "a.png").write_bytes(png(SKIN, *chunks))
    frame, info = read_image(tmp_path / "a.png")
    assert np.array_equal(frame.pixels, SKIN)
    assert info.color == replace(SRGB, primaries=primaries)
    assert info.notes == ()


def test_png_from_video_keeps_its_numbers(tmp_path):
    """FFmpeg describes BT.709 as an exponent of 1.961; converting by it would brighten every exported frame."""
    (tmp_path / "a.png").write_bytes(png(SKIN, gama(1 / 1.961), chrm(*BT709_XY)))
    frame, info = read_image(tmp_path / "a.png")
    assert np.array_equal(frame.pixels, SKIN)
    assert info.color == replace(SRGB, transfer="bt709")
    assert info.notes == ()


def test_png_of_another_gamma_is_converted(tmp_path):
    (tmp_path / "a.png").write_bytes(png(SKIN, gama(1.0)))
    frame, info = read_image(tmp_path / "a.png")
    light = SKIN / 255
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(frame.pixels - srgb * 255).max() <= 0.51
    assert "gAMA and cHRM" in info.notes[0]
    (tmp_path / "b.png").write_bytes(png(SKIN, gama(0.45455), chrm(0.64, 0.33, 0.64, 0.33, 0.64, 0.33)))
    assert "colors that cannot be" in read_image(tmp_path / "b.png")[1].notes[0]
    (tmp_path / "c.png").write_bytes(png(SKIN, gama(0)))
    assert np.array_equal(read_image(tmp_path / "c.png")[0].pixels, SKIN)


class TestWritten:
    """What other programs see of a result of Display P3."""

    EXPECTED = judged(SKIN, DISPLAY_P3)

    @pytest.mark.parametrize("kind", ["png", "jpg"])
    def test_by_a_program_that_follows_profiles(self, tmp_path, kind):
        blocks = SKIN[:4, :4].repeat(8, 0).repeat(8, 1)
        write_image(tmp_path / f"a.{kind}", blocks, P3)
        error = np.abs(seen(tmp_path / f"a.{kind}").astype(int) - judged(blocks, DISPLAY_P3))
        assert error.max() <= (1 if kind == "png" else 4)
        assert read_image(tmp_path / f"a.{kind}")[1].color == P3

    def test_by_a_program_that_follows_chunks(self, tmp_path):
        write_image(tmp_path / "a.png", SKIN, P3)
        data = (tmp_path / "a.png").read_bytes()
        at = data.index(b"cICP")
        assert data[at + 4 : at + 8] == bytes((12, 13, 0, 1))
        assert b"sRGB" not in data

    def test_in_tiff(self, tmp_path, spec):
        pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
        source = saved(tmp_path, "png", SKIN, DISPLAY_P3)
        with (
            open_source(source) as clip,
            open_sink(tmp_path / "b.tif", spec(32, 24, color=clip.info.color)) as sink,
        ):
            for frame in clip:
                sink.write(frame)
            sink.commit()
        assert np.abs(seen(tmp_path / "b.tif").astype(int) - self.EXPECTED).max() <= 1

    def test_in_linear_light(self, tmp_path):
        encoding = encoding_of(read_image(saved(tmp_path, "png", SKIN, DISPLAY_P3))[1].color)
        linear = encoding.to_linear(SKIN.astype(np.float32) / 255)
        srgb = np.where(
            linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
        )
        assert np.abs(np.clip(srgb, 0, 1) * 255 - self.EXPECTED).max() <= 1.2

    def test_profiles_are_read_as_they_were_made(self):
        for primaries in ("bt709", "smpte432", "bt2020", "smpte431"):
            made = profile_of(primaries, "iec61966-2-1")
            assert ImageCms.ImageCmsProfile(io.BytesIO(made)).profile.is_matrix_shaper
        assert profile_of("bt2020", "smpte2084") is None
        assert profile_of("unspecified", "bt709") is None
        assert zlib.crc32(profile_of("smpte432", "bt709")) == zlib.crc32(profile_of("smpte432", "bt709"))


def test_lab_needs_no_profile(tmp_path):
    Image.fromarray(SKIN).convert("LAB").save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif")[1].notes == ()


def gray_png(depth, codes, transparent):
    """A gray PNG of one row with a transparent code, written by hand."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    bits = "".join(f"{code:0{depth}b}" for code in codes)
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    head = struct.pack(">IIBBBBB", len(codes), 1, depth, 0, 0, 0, 0)
    parts = [
        (b"IHDR", head),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(b"\0" + row)),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_transparent_gray(tmp_path, depth):
    top = (1 << depth) - 1
    codes = [0, top, 0, top, *([1] * 4)]
    (tmp_path / "a.png").write_bytes(gray_png(depth, codes, top))
    frame, info = read_image(tmp_path / "a.png")
    white = 65535 if depth == 16 else 255
    assert info.has_alpha
    assert frame.pixels[0, :, 3].tolist() == [0 if code == top else white for code in codes]
    assert frame.pixels[0, :2, 0].tolist() == [0, white]


@pytest.mark.parametrize("bits", [8, 16])
def test_transparent_color(tmp_path, bits):
    pixels = np.array([[[1, 2, 3], [4, 5, 6], [1, 2, 3], [1, 2, 4]]], np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", transparency=(1, 2, 3))
    written = data.getvalue()
    if bits == 16:
        chunks = [
            (b"IHDR", struct.pack(">IIBBBBB", 4, 1, 16, 2, 0, 0, 0)),
            (b"tRNS", struct.pack(">3H", 1, 2, 3)),
        ]
        chunks += [(b"IDAT", zlib.compress(b"\0" + pixels.astype(">u2").tobytes())), (b"IEND", b"")]
        written = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    (tmp_path / "a.png").write_bytes(written)
    frame, _ = read_image(tmp_path / "a.png")
    assert frame.pixels[0, :, 3].tolist() == [0, (1 << bits) - 1, 0, (1 << bits) - 1]


def test_transparency_of_a_palette(tmp_path):
    image = Image.fromarray(np.arange(8, dtype=np.uint8).reshape(2, 4)).convert("P")
    image.save(tmp_path / "a.png", transparency=bytes([0, 128, 255]))
    frame, _ = read_image(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as judge:
        assert np.array_equal(frame.pixels, np.asarray(judge.convert("RGBA")))
