from __future__ import annotations

import errno
import resource
import struct
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import DiskFull, EmptyVideo, MediaError, NoWritePermission, OutputExists, UnknownCodec
from lp_core.frame import ColorTags, Frame
from lp_core.media.video_read import VideoSource
from lp_core.media.video_write import VideoSink
from lp_core.timing import FrameRate

PATCHES = np.array(
    [(230, 30, 30), (30, 230, 30), (30, 30, 230), (220, 220, 40), (40, 200, 200), (200, 40, 200), (128, 128, 128)],
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
    """Flat colours side by side, 32 pixels each: chroma at reduced resolution does not blur their middles."""
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
        pixels.shape[1], pixels.shape[0], codec=codec, bit_depth=bits, has_alpha=alpha, quality=8,
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
    write(tmp_path / "a.mov", spec(224, 64, codec="prores4444", bit_depth=bits, has_alpha=True),
          [Frame(pixels, 0, Fraction(0))])
    _, (frame,) = read(tmp_path / "a.mov")
    assert (frame.pixels[:, :112, 3] == 0).all()
    assert (frame.pixels[:, 112:, 3] == 65535).all()


@pytest.mark.parametrize("codec_suffix", [("h264", ".mp4"), ("hevc", ".mov"), ("prores4444", ".mov")])
@pytest.mark.parametrize("tags", [
    ColorTags("bt709", "bt709", "bt709", False),
    ColorTags("smpte170m", "smpte170m", "smpte170m", False),
    ColorTags("bt2020", "smpte2084", "bt2020nc", False),
    ColorTags("bt709", "iec61966-2-1", "bt709", True),
], ids=["709", "601", "2020pq", "full"])
def test_tags_are_in_the_file_and_the_matrix_is_really_used(tmp_path, spec, codec_suffix, tags):
    codec, suffix = codec_suffix
    if codec == "prores4444":
        tags = replace(tags, is_full_range=False)  # all that the format has
    path = tmp_path / f"out{suffix}"
    write(path, spec(224, 64, codec=codec, color=tags, quality=4), [Frame(patches(), 0, Fraction(0))])
    # independently: the stored codes follow the matrix' formula
    kr, kb = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}[tags.matrix]
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


@pytest.mark.parametrize("size", [(101, 77), (64, 77), (101, 48), (3, 5)])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_odd_sizes_are_kept_and_said(tmp_path, spec, frame, codec, size):
    if codec == "hevc" and size == (3, 5):
        pytest.skip("below the smallest size of the format")
    path = tmp_path / "odd.mp4"
    sink = write(path, spec(*size, codec=codec), [frame(index, *size) for index in range(3)])
    source, frames = read(path)
    assert (source.info.width, source.info.height) == size
    assert frames[0].pixels.shape == (size[1], size[0], 3)
    assert any(f"{size[0]}x{size[1]}" in note for note in sink.notes)


def test_an_impossible_size_is_a_sentence(tmp_path, spec, frame):
    with pytest.raises(MediaError, match="tiny.mp4 cannot be written") as caught:
        write(tmp_path / "tiny.mp4", spec(1, 1, codec="hevc"), [frame(0, 1, 1)])
    assert str(caught.value).count("\n") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("codec", "suffix", "tag"), [("hevc", ".mp4", b"hvc1"), ("hevc", ".mov", b"hvc1"),
                                                       ("prores4444", ".mov", b"ap4h"), ("h264", ".mp4", b"avc1")])
def test_sample_entries(tmp_path, spec, frame, codec, suffix, tag):
    write(tmp_path / f"a{suffix}", spec(codec=codec), [frame(0, 64, 48)])
    assert tag in (tmp_path / f"a{suffix}").read_bytes()


def test_the_index_comes_first(tmp_path, spec, frame):
    write(tmp_path / "a.mp4", spec(), [frame(index, 64, 48) for index in range(5)])
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("words", [{"title": "Höhe", "comment": "made"}, {"title": "Höhe", "lp_engine": "mesh"}])
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


class TestPlace:
    def test_nothing_under_the_name_before_commit(self, tmp_path, spec, frame):
        path = tmp_path / "out.mp4"
        with VideoSink(path, spec()) as sink:
            sink.write(frame(0, 64, 48))
            assert not path.exists()
            assert all(entry.name.startswith(".") for entry in tmp_path.iterdir())
            sink.commit()
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]

    @pytest.mark.parametrize("count", [0, 1, 100])
    def test_abort_leaves_nothing(self, tmp_path, spec, frame, count):
        path = tmp_path / "new" / "deep" / "out.mp4"
        sink = VideoSink(path, spec())
        for index in range(count):
            sink.write(frame(index, 64, 48))
        sink.abort()
        sink.abort()
        assert list(tmp_path.iterdir()) == []

    def test_an_exception_inside_leaves_the_old_film(self, tmp_path, spec, frame):
        path = tmp_path / "out.mp4"
        path.write_bytes(b"old")
        with pytest.raises(KeyboardInterrupt), VideoSink(path, spec(overwrite=True)) as sink:
            sink.write(frame(0, 64, 48))
            raise KeyboardInterrupt
        assert path.read_bytes() == b"old"
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]

    def test_overwrite_replaces(self, tmp_path, spec, frame):
        path = tmp_path / "out.mp4"
        path.write_bytes(b"old")
        write(path, spec(overwrite=True), [frame(0, 64, 48)])
        assert len(read(path)[1]) == 1

    def test_it_does_not_replace_what_came_meanwhile(self, tmp_path, spec, frame):
        path = tmp_path / "out.mp4"
        with VideoSink(path, spec()) as sink:
            sink.write(frame(0, 64, 48))
            path.write_bytes(b"other")
            with pytest.raises(OutputExists):
                sink.commit()
        assert path.read_bytes() == b"other"

    def test_abort_after_commit_does_nothing(self, tmp_path, spec, frame):
        sink = write(tmp_path / "out.mp4", spec(), [frame(0, 64, 48)])
        sink.abort()
        assert (tmp_path / "out.mp4").exists()
        with pytest.raises(MediaError, match="open it again"):
            sink.write(frame(1, 64, 48))

    def test_the_film_being_read_can_be_replaced(self, tmp_path, spec, frame):
        path = tmp_path / "same.mp4"
        write(path, spec(), [frame(index, 64, 48) for index in range(10)])
        with VideoSource(path) as source:
            count = len(write(path, spec(overwrite=True), source).notes)
        assert count == 0
        assert len(read(path)[1]) == 10


class TestRefused:
    def test_no_frame(self, tmp_path, spec):
        with VideoSink(tmp_path / "out.mp4", spec()) as sink, pytest.raises(EmptyVideo):
            sink.commit()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("pixels", [
        np.zeros((48, 63, 3), np.uint8), np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3), np.uint16),
        np.zeros((48, 64), np.uint8),
    ])
    def test_other_frames_than_announced(self, tmp_path, spec, pixels):
        with VideoSink(tmp_path / "out.mp4", spec()) as sink, pytest.raises(MediaError, match="announced"):
            sink.write(Frame(pixels, 0, Fraction(0)))

    @pytest.mark.parametrize(("name", "codec"), [
        ("a.mp4", "prores4444"), ("a.mp4", "ffv1"), ("a.mov", "ffv1"), ("a.mkv", "prores4444"), ("a.mp4", "av2"),
        ("a.gif", "h264"),
    ])
    def test_impossible_pairs(self, tmp_path, spec, name, codec):
        with pytest.raises(UnknownCodec, match=name):
            VideoSink(tmp_path / name, spec(codec=codec))
        assert list(tmp_path.iterdir()) == []

    def test_an_encoder_that_is_not_built_in(self, tmp_path, spec, monkeypatch):
        from lp_core.media import codecs

        strange = {"h264": replace(codecs.CODECS["h264"], encoder="no_such_encoder")}
        monkeypatch.setattr(codecs, "CODECS", strange)
        with pytest.raises(UnknownCodec, match="not built into"):
            VideoSink(tmp_path / "a.mp4", spec())
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_while_writing(self, tmp_path, spec, rng):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        noise = [Frame(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8), k, Fraction(0)) for k in range(4)]
        sink = VideoSink(tmp_path / "big.mkv", spec(320, 240, codec="ffv1"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
        try:
            with pytest.raises(DiskFull, match="big.mkv"):
                for index in range(60):
                    sink.write(noise[index % 4])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_at_the_very_end(self, tmp_path, spec, frame):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        sink = VideoSink(tmp_path / "big.mp4", spec())
        sink.write(frame(0, 64, 48))
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            with pytest.raises(DiskFull, match="big.mp4"):
                sink.commit()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list(tmp_path.iterdir()) == []

    def test_no_space_as_the_library_reports_it(self, tmp_path, spec, frame, monkeypatch):
        sink = VideoSink(tmp_path / "a.mp4", spec())
        full = av.error.OSError(errno.ENOSPC, "No space left on device", "a.mp4")
        monkeypatch.setattr(sink, "_from_rgb", _raising(full))
        with pytest.raises(DiskFull):
            sink.write(frame(0, 64, 48))
        assert list(tmp_path.iterdir()) == []

    def test_no_permission(self, tmp_path, spec, monkeypatch):
        denied = av.error.PermissionError(errno.EACCES, "Permission denied", "a.mp4")
        monkeypatch.setattr(av, "open", _raising(denied))
        with pytest.raises(NoWritePermission, match="a.mp4"):
            VideoSink(tmp_path / "a.mp4", spec())


def _raising(error):
    def fail(*_args, **_options):
        raise error

    return fail
