from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import MediaError
from lp_core.frame import ColorTags, Frame
from lp_core.media.video.reader import VideoSource
from lp_core.media.video.writer import VideoSink
from lp_core.timing import FrameRate

PATCHES = np.array(
    [
        (230, 30, 30),
        (30, 230, 30),
        (30, 30, 230),
        (220, 220, 40),
        (40, 200, 200),
        (200, 40, 200),
        (128, 128, 128),
    ],
    np.uint8,
)


def write(path, spec, frames):
    with VideoSink(path, spec) as sink:
        for frame in frames:
            sink.write(frame)
        sink.commit()
    return sink


def read(path):
    with VideoSource(path) as source:
        return source, list(source)


def patches(bits=8, height=64):
    """Flat colors side by side, 32 pixels each: chroma at reduced resolution does not blur their middles."""
    picture = np.repeat(np.broadcast_to(PATCHES, (height, *PATCHES.shape)), 32, axis=1)
    return np.ascontiguousarray(picture) if bits == 8 else picture.astype(np.uint16) * 257


CASES = [  # codec, suffix, bits, alpha, largest error in 8-bit codes (0: bit for bit), mean error
    ("h264", ".mp4", 8, False, 6, 2.0),
    ("h264", ".mov", 8, False, 6, 2.0),
    ("h264", ".mkv", 16, False, 6, 2.0),
    ("hevc", ".mp4", 8, False, 6, 1.5),
    ("hevc", ".mov", 16, False, 6, 1.5),
    ("hevc", ".mkv", 16, False, 6, 1.5),
    ("prores4444", ".mov", 8, False, 1.5, 0.6),
    ("prores4444", ".mov", 16, False, 1.5, 0.6),
    ("prores4444", ".mov", 8, True, 1.5, 0.6),
    ("prores4444", ".mov", 16, True, 1.5, 0.6),
    ("ffv1", ".mkv", 8, False, 0, 0),
    ("ffv1", ".mkv", 16, False, 0, 0),
    ("ffv1", ".mkv", 8, True, 0, 0),
    ("ffv1", ".mkv", 16, True, 0, 0),
]


@pytest.mark.parametrize(("codec", "suffix", "bits", "alpha", "largest", "mean"), CASES)
def test_known_colors_come_back(tmp_path, spec, codec, suffix, bits, alpha, largest, mean):
    pixels = patches(bits)
    top = 255 if bits == 8 else 65535
    if alpha:
        ramp = np.linspace(0, top, pixels.shape[1]).astype(pixels.dtype)
        pixels = np.dstack([pixels, np.broadcast_to(ramp, pixels.shape[:2])])
    path = tmp_path / f"out{suffix}"
    specification = spec(
        pixels.shape[1],
        pixels.shape[0],
        codec=codec,
        bit_depth=bits,
        has_alpha=alpha,
        quality=8,
        rate=FrameRate(Fraction(30000, 1001)),
    )
    write(path, specification, [Frame(pixels, index, Fraction(0)) for index in range(3)])
    source, frames = read(path)
    assert len(frames) == 3
    assert source.info.rate.fps == Fraction(30000, 1001)
    assert source.info.has_alpha == alpha
    got = frames[1].pixels / (255 if frames[1].pixels.dtype == np.uint8 else 65535) * 255
    error = np.abs(got - pixels / top * 255)[16:48, 16::32]
    if largest == 0:
        assert frames[1].pixels.dtype == pixels.dtype
        assert np.array_equal(frames[1].pixels, pixels)
    else:
        assert error.max() <= largest
        assert error.mean() <= mean


@pytest.mark.parametrize("bits", [8, 16])
def test_prores_keeps_opaque_opaque_and_clear_clear(tmp_path, spec, bits):
    top = 255 if bits == 8 else 65535
    pixels = np.dstack([patches(bits), np.full((64, 224), top, np.uint8 if bits == 8 else np.uint16)])
    pixels[:, :112, 3] = 0
    write(
        tmp_path / "a.mov",
        spec(224, 64, codec="prores4444", bit_depth=bits, has_alpha=True),
        [Frame(pixels, 0, Fraction(0))],
    )
    _, (frame,) = read(tmp_path / "a.mov")
    assert (frame.pixels[:, :112, 3] == 0).all()
    assert (frame.pixels[:, 112:, 3] == 65535).all()


@pytest.mark.parametrize("codec_suffix", [("h264", ".mp4"), ("hevc", ".mov"), ("prores4444", ".mov")])
@pytest.mark.parametrize(
    "tags",
    [
        ColorTags("bt709", "bt709", "bt709", False),
        ColorTags("smpte170m", "smpte170m", "smpte170m", False),
        ColorTags("bt2020", "smpte2084", "bt2020nc", False),
        ColorTags("bt709", "iec61966-2-1", "bt709", True),
    ],
    ids=["709", "601", "2020pq", "full"],
)
def test_tags_are_in_the_file_and_the_matrix_is_really_used(tmp_path, spec, codec_suffix, tags):
    codec, suffix = codec_suffix
    if codec == "prores4444":
        tags = replace(tags, is_full_range=False)  # all that the format has
    path = tmp_path / f"out{suffix}"
    write(path, spec(224, 64, codec=codec, color=tags, quality=4), [Frame(patches(), 0, Fraction(0))])
    # independently: the stored codes follow the matrix' formula
    kr, kb = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[
        tags.matrix
    ]
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0))
        bits = stored.format.components[0].bits
        plane = stored.planes[0]
        codes = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)
        codes = codes.reshape(plane.height, -1)[32, 16:224:32] / 2 ** (bits - 8)
    linear = PATCHES / 255 @ [kr, 1 - kr - kb, kb]
    expected = linear * 255 if tags.is_full_range else 16 + 219 * linear
    assert np.abs(codes - expected).max() < 1.6
    # the container says the same, byte by byte (the older kind of box in mov knows no range)
    data = path.read_bytes()
    at = data.index(b"colrnclx" if suffix == ".mp4" else b"colrnclc")
    numbers = struct.unpack(">HHHB", data[at + 8 : at + 15])
    by_name = {"bt709": 1, "smpte170m": 6, "bt2020": 9, "smpte2084": 16, "iec61966-2-1": 13, "bt2020nc": 9}
    assert numbers[:3] == (by_name[tags.primaries], by_name[tags.transfer], by_name[tags.matrix])
    if suffix == ".mp4":
        assert numbers[3] >> 7 == tags.is_full_range
    assert read(path)[0].info.color == tags


def test_chroma_lies_left_where_decoders_expect_it(tmp_path, spec):
    columns = np.arange(256)
    pixels = np.full((64, 256, 3), 100, np.uint8)
    pixels[..., 2] = np.rint(50 + 0.6 * columns)
    write(tmp_path / "a.mp4", spec(256, 64, quality=1), [Frame(pixels, 0, Fraction(0))])
    with av.open(str(tmp_path / "a.mp4")) as container:
        plane = next(container.decode(video=0)).planes[1]
        found = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[16, :128].astype(float)
    blue = 50 + 0.6 * columns
    luma = 0.9278 * 100 + 0.0722 * blue
    slope, start = np.polyfit(columns, 128 + 224 * (blue - luma) / 255 / (2 * (1 - 0.0722)), 1)
    offset = ((found - start) / slope - 2 * np.arange(128))[8:-8].mean()
    assert abs(offset) < 0.2  # 0.5 would be the middle between two columns


@pytest.mark.parametrize(
    ("codec", "size"),
    [
        ("h264", (101, 77)),
        ("h264", (64, 77)),
        ("h264", (101, 48)),
        ("h264", (3, 5)),
        ("h264", (1, 1)),
        ("hevc", (101, 77)),
        ("hevc", (64, 77)),
        ("hevc", (101, 64)),
    ],
)
def test_odd_sizes_are_kept_and_said(tmp_path, spec, frame, codec, size):
    path = tmp_path / "odd.mp4"
    sink = write(path, spec(*size, codec=codec), [frame(index, *size) for index in range(3)])
    source, frames = read(path)
    assert (source.info.width, source.info.height) == size
    assert frames[0].pixels.shape == (size[1], size[0], 3)
    assert any(f"{size[0]}x{size[1]}" in note for note in sink.notes)


@pytest.mark.parametrize("size", [(63, 64), (64, 63), (1, 1)])
def test_a_size_below_the_codec_is_a_sentence(tmp_path, spec, size):
    with pytest.raises(MediaError, match="too small for hevc"):
        VideoSink(tmp_path / "tiny.mp4", spec(*size, codec="hevc"))
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_hevc_is_sound(tmp_path, spec, frame):
    for index in range(10):  # too small ones bring the process down within a few videos
        path = tmp_path / f"small{index}.mp4"
        write(path, spec(64, 64, codec="hevc"), [frame(index, 64, 64) for index in range(6)])
        assert len(read(path)[1]) == 6


@pytest.mark.parametrize(
    ("codec", "suffix", "tag"),
    [
        ("hevc", ".mp4", b"hvc1"),
        ("hevc", ".mov", b"hvc1"),
        ("prores4444", ".mov", b"ap4h"),
        ("h264", ".mp4", b"avc1"),
    ],
)
def test_sample_entries(tmp_path, spec, frame, codec, suffix, tag):
    write(tmp_path / f"a{suffix}", spec(64, 64, codec=codec), [frame(0, 64, 64)])
    assert tag in (tmp_path / f"a{suffix}").read_bytes()


def test_the_index_comes_first(tmp_path, spec, frame):
    write(tmp_path / "a.mp4", spec(), [frame(index, 64, 48) for index in range(5)])
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize(
    "words", [{"title": "Höhe", "comment": "made"}, {"title": "Höhe", "lp_engine": "mesh"}]
)
def test_metadata_is_kept(tmp_path, spec, frame, name, words):
    write(tmp_path / name, spec(metadata=words), [frame(0, 64, 48)])
    with av.open(str(tmp_path / name)) as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
    assert found | words == found


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001", "12.5", "1"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_length_and_rate_are_exact(tmp_path, spec, frame, rate, name):
    exact = FrameRate.parse(rate)
    write(tmp_path / name, spec(rate=exact), [frame(index, 64, 48) for index in range(31)])
    source, frames = read(tmp_path / name)
    assert source.info.rate == exact
    assert (source.info.frame_count, len(frames)) == (31, 31)
    if name != "a.mkv":
        with av.open(str(tmp_path / name)) as container:
            stream = container.streams.video[0]
            assert stream.duration * stream.time_base == exact.time_s(31)


def test_alpha_that_cannot_be_kept_is_said(tmp_path, spec, frame):
    sink = write(tmp_path / "a.mp4", spec(has_alpha=True), [frame(0, 64, 48, 8, True)])
    assert any("without alpha" in note for note in sink.notes)
    assert not read(tmp_path / "a.mp4")[0].info.has_alpha
