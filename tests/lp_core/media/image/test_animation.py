"""Animated GIF, PNG and WebP: frames judged by FFmpeg and OpenCV, times by their definition."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from lp_core.errors import LpError, TruncatedMedia, UnreadableMedia
from lp_core.media.base import ReadOptions
from lp_core.media.color_tags import SRGB
from lp_core.media.image.animation_header import read_animation
from lp_core.media.image.stills import read_image
from lp_core.media.open import open_source
from lp_core.timing import FrameRange

KINDS = ("gif", "png", "apng", "webp")
RNG = np.random.default_rng(2)


def stills(count=5, channels=3):
    made = np.full((count, 24, 32, channels), 255, np.uint8)
    for k in range(count):
        made[k, ..., :3] = 20 + 30 * k
        made[k, 4:12, 3 * k : 3 * k + 8, :3] = 200, 40, 60
    return made


def save(path, images, durations, **options):
    kind = {"png": "PNG", "apng": "PNG", "gif": "GIF", "webp": "WEBP"}[path.suffix[1:]]
    first, *others = [Image.fromarray(image) for image in images]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    first.save(
        path, kind, save_all=True, append_images=others, duration=durations, loop=0, **lossless, **options
    )
    return path


def by_opencv(path):
    """RGBA frames by libwebp's own composition."""
    found, animation = cv2.imreadanimation(str(path))
    assert found
    kinds = {3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}
    return [cv2.cvtColor(frame, kinds[frame.shape[2]]) for frame in animation.frames]


def by_ffmpeg(path):
    kind = "gif" if path.suffix == ".gif" else "apng"
    with av.open(str(path), format=kind) as container:
        return [frame.to_ndarray(format="rgba") for frame in container.decode(video=0)]


def judged(path):
    return by_opencv(path) if path.suffix == ".webp" else by_ffmpeg(path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_kept_and_shown_for_its_time(tmp_path, kind):
    path = save(tmp_path / f"a.{kind}", stills(), [40, 80, 40, 120, 40])
    with open_source(path) as source:
        frames = list(source)
    info = source.info
    assert (info.rate.fps, info.frame_count, info.has_alpha, info.is_still) == (25, 8, False, False)
    assert [frame.index for frame in frames] == list(range(8))
    expected = [judged(path)[k][..., :3] for k in (0, 1, 1, 2, 3, 3, 3, 4)]
    assert np.array_equal([frame.pixels for frame in frames], expected)
    assert "constant 25 frames per second, which keeps them all" in info.notes[0]


@pytest.mark.parametrize(
    ("kind", "durations", "fps", "count"),
    [
        ("gif", 40, Fraction(25), 5),
        ("webp", 40, Fraction(25), 5),
        ("apng", 100, Fraction(10), 5),
        ("webp", [33, 33, 34, 33, 33], Fraction(30), 5),
        ("webp", [42, 41, 42, 42, 42], Fraction(24), 5),
        ("gif", [40, 40, 40, 40, 2000], Fraction(25), 54),
        ("webp", [20, 500, 20, 20, 20], Fraction(50), 29),
    ],
)
def test_rates(tmp_path, kind, durations, fps, count):
    path = save(tmp_path / f"a.{kind}", stills(), durations)
    with open_source(path) as source:
        frames = list(source)
    assert abs(source.info.rate.fps - fps) < fps / 100
    assert len(frames) == source.info.frame_count == count
    assert len({frame.pixels.tobytes() for frame in frames}) == 5


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_delay_of_nothing_is_a_tenth_of_a_second(tmp_path, kind):
    with open_source(save(tmp_path / f"a.{kind}", stills(), 1 if kind == "webp" else 0)) as source:
        assert source.info.rate.fps == 10


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_disposal_and_transparency(tmp_path, kind, disposal):
    images = np.zeros((4, 24, 32, 4), np.uint8)
    for k in range(4):
        images[k, 2 + 3 * k : 12 + 3 * k, 5:20] = 60 * k + 20, 30, 90, 255
    options = {"disposal": disposal} if kind != "webp" else {}
    if kind == "png":
        options["blend"] = disposal % 2
    path = save(tmp_path / f"a.{kind}", images, 40, **options)
    with open_source(path) as source:
        frames = [frame.pixels for frame in source]
    assert source.info.has_alpha
    expected = np.array(judged(path))
    assert len(frames) == len(expected)
    assert np.array_equal(np.array(frames)[..., 3], expected[..., 3])
    seen = expected[..., 3] > 0
    assert np.array_equal(np.array(frames)[seen], expected[seen])


def test_a_still_in_front_of_an_animated_png_is_not_a_frame(tmp_path):
    images = stills()
    options = {"default_image": True}
    path = save(tmp_path / "a.png", [images[4], *images[:3]], [40, 40, 40], **options)
    with open_source(path) as source:
        frames = [frame.pixels for frame in source]
    assert np.array_equal(frames, images[:3])


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_one_frame_is_a_still(tmp_path, kind):
    path = save(tmp_path / f"a.{kind}", stills(1), 40)
    with open_source(path) as source:
        (frame,) = source
    assert source.info.is_still
    assert not source.info.has_alpha
    assert np.array_equal(frame.pixels, stills(1)[0])
    assert source.notes == ()


def test_transparency_of_a_still_gif(tmp_path):
    image = np.zeros((8, 8, 4), np.uint8)
    image[2:6, 2:6] = 200, 10, 10, 255
    Image.fromarray(image).save(tmp_path / "a.gif")
    frame, info = read_image(tmp_path / "a.gif")
    assert info.has_alpha
    assert np.array_equal(frame.pixels[..., 3], image[..., 3])


def test_part_of_an_animation(tmp_path):
    path = save(tmp_path / "a.webp", stills(), 40)
    with open_source(path, options=ReadOptions(frames=FrameRange(1, 2))) as source:
        assert np.array_equal([frame.pixels for frame in source], stills()[1:3])


@pytest.mark.parametrize("kind", ["gif", "png"])
def test_a_cut_file_gives_what_is_there(tmp_path, kind):
    images = RNG.integers(0, 255, (6, 64, 64, 3)).astype(np.uint8)
    path = save(tmp_path / f"a.{kind}", images, 40)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    frames = []
    with pytest.raises(TruncatedMedia, match=f"a.{kind} ends early"), open_source(path) as source:
        frames.extend(source)
    assert len(frames) >= 3


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.98])
def test_a_cut_webp_is_one_sentence(tmp_path, share):
    images = RNG.integers(0, 255, (6, 64, 64, 3)).astype(np.uint8)
    path = save(tmp_path / "a.webp", images, 40)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises((TruncatedMedia, UnreadableMedia), match="a.webp"), open_source(path) as source:
        list(source)


def test_orientation_and_color_of_an_animated_webp(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.webp", stills(), 40, exif=exif.tobytes())
    with open_source(path) as source:
        frames = [frame.pixels for frame in source]
    assert (source.info.width, source.info.height) == (24, 32)
    assert source.info.color == SRGB
    assert np.array_equal(frames[1], np.rot90(stills()[1], -1))


def test_an_animation_read_as_a_still_says_so(tmp_path):
    frame, info = read_image(save(tmp_path / "a.gif", stills(), 40))
    assert np.array_equal(frame.pixels, stills()[0])
    assert "holds 5 frames; only the first is used" in info.notes[0]


def deep_animation():
    """Two frames of 16 bits, written by hand."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    row = b"\0" + struct.pack(">12H", *range(0, 60000, 5000))
    data = zlib.compress(row * 4)

    def control(number):
        return chunk(b"fcTL", struct.pack(">5I2H2B", number, 4, 4, 0, 0, 1, 25, 0, 0))

    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)),
            chunk(b"acTL", struct.pack(">II", 2, 0)),
            control(0),
            chunk(b"IDAT", data),
            control(1),
            chunk(b"fdAT", struct.pack(">I", 2) + data),
            chunk(b"IEND", b""),
        ]
    )


def test_sixteen_bits_are_read_with_eight_and_said(tmp_path):
    (tmp_path / "a.png").write_bytes(deep_animation())
    with open_source(tmp_path / "a.png") as source:
        frames = list(source)
    assert len(frames) == 2
    assert frames[0].pixels[0, 0].tolist() == [0, 5000 // 256, 10000 // 256]
    assert "animated image of 16 bits; it is read with 8" in source.notes[0]


@pytest.mark.parametrize(
    "data", [b"GIF89a", b"GIF89a" + bytes(7), b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n", b""]
)
def test_noise_is_no_animation(data):
    for more in (b"", b"\x2c" * 40, b"\x21\xf9\4" * 30, b"ANMF" * 40, bytes(100)):
        read_animation(data + more)


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_damage_is_one_sentence(tmp_path, kind):
    """Pillow's readers raise errors of many kinds where a byte is wrong."""
    good = save(tmp_path / f"good.{kind}", stills(3), [40, 80, 40]).read_bytes()
    path = tmp_path / f"a.{kind}"
    first = {"webp": 30, "gif": 10, "png": 0}[
        kind
    ]  # before it is the canvas's size: a gigabyte is slow, not wrong
    for _ in range(40):
        data = bytearray(good)
        for place in RNG.integers(first, len(data), RNG.integers(1, 4)):
            data[place] = RNG.integers(256)
        path.write_bytes(data)
        try:
            with open_source(path) as source:
                list(source)
        except LpError as error:
            assert f"a.{kind}" in str(error)
