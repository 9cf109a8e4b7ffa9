"""What every source and every sink promises, whatever is behind it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import MediaError, OutputExists
from lp_core.frame import Frame
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import SRGB
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRate

RATE = FrameRate(Fraction(24))
COUNT = 6
SIZE = (100, 66)  # width, height; rows of 100 are padded inside the media library

SINKS = {
    "h264.mp4": ("h264", 8, False),
    "h264.mkv": ("h264", 8, False),
    "hevc.mov": ("hevc", 16, False),
    "prores.mov": ("prores4444", 16, True),
    "ffv1.mkv": ("ffv1", 16, True),
    "seq8/out.%04d.png": ("h264", 8, False),
    "seq16/out.####.png": ("h264", 16, True),
    "seqjpeg/out.%04d.jpg": ("h264", 8, False),
    "av1.mp4": ("av1", 16, False),
    "prores422.mov": ("prores422hq", 16, False),
    "hqx.mov": ("dnxhr-hqx", 16, False),
    "dnx444.mov": ("dnxhr-444", 8, False),
    "seqhalf/out.%04d.exr": ("h264", 32, True),
    "seqfloat/out.####.exr": ("h264", 32, False),
    "seqdpx/out.%04d.dpx": ("h264", 16, False),
    "seqtiff/out.%04d.tif": ("h264", 16, True),
}
VFX = (".exr", ".dpx", ".tif")
LARGER = (256, 258)
"""DNxHR takes no smaller one."""


def size_of(name):
    return LARGER if "dnxhr" in SINKS[name][0] else SIZE


def needs(name):
    """Skips where the backend's library is not installed."""
    if str(name).endswith(VFX):
        pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


def make_frame(index, bits, has_alpha, size=SIZE):
    rows, columns = np.mgrid[: size[1], : size[0]]
    planes = [columns * 2 + index * 5, rows * 3, columns + rows + index, 255 - columns][
        : 4 if has_alpha else 3
    ]
    pixels = np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)
    if bits == 32:
        floats = pixels.astype(np.float32) / 64 - 0.5  # beyond 0..1 either way, exact in half
        return Frame(floats, index, RATE.time_s(index))
    return Frame(pixels if bits == 8 else pixels.astype(np.uint16) * 257, index, RATE.time_s(index))


def make_spec(name, **changes):
    codec, bits, has_alpha = SINKS[name]
    values = {
        "rate": RATE,
        "bit_depth": bits,
        "has_alpha": has_alpha,
        "color": SRGB,
        "codec": codec,
        "quality": 12,
        "overwrite": False,
        "alpha": "premultiplied" if bits == 32 else "straight",
        "sample_type": "half" if "half" in name else "float" if bits == 32 else "int",
    }
    return SinkSpec(*size_of(name), **(values | changes))


def written(folder, name, count=COUNT):
    _, bits, has_alpha = SINKS[name]
    path = folder / name
    with open_sink(path, make_spec(name)) as sink:
        for index in range(count):
            sink.write(make_frame(index, bits, has_alpha, size_of(name)))
        sink.commit()
    return path


@pytest.fixture(params=[*SINKS, "still.png", "still.exr"])
def source_path(request, tmp_path):
    if request.param == "still.png":
        write_image(tmp_path / "still.png", make_frame(0, 8, False).pixels)
        return tmp_path / "still.png", 1
    needs(request.param)
    if request.param == "still.exr":
        return written(tmp_path, "seqfloat/out.####.exr", 1).parent / "out.0001.exr", 1
    return written(tmp_path, request.param), COUNT


@pytest.fixture(params=SINKS)
def name(request):
    needs(request.param)
    return request.param


class TestSource:
    def test_frames_are_what_info_says(self, source_path):
        path, count = source_path
        with open_source(path) as source:
            info = source.info
            frames = list(source)
        assert (info.width, info.height) in (SIZE, LARGER)
        assert len(frames) == info.frame_count == count
        dtype = {8: np.uint8, 16: np.uint16, 32: np.float32}[info.bit_depth]
        for index, frame in enumerate(frames):
            assert frame.index == index
            assert frame.time_s == info.rate.time_s(index)
            assert frame.pixels.shape == (info.height, info.width, 4 if info.has_alpha else 3)
            assert frame.pixels.dtype == dtype
            assert frame.pixels.flags["C_CONTIGUOUS"]
        assert info.is_still == (count == 1)
        assert not info.has_audio

    def test_nothing_is_damaged_and_notes_begin_with_those_of_info(self, source_path):
        with open_source(source_path[0]) as source:
            list(source)
        assert source.damaged_frames == ()
        assert source.notes[: len(source.info.notes)] == source.info.notes

    def test_frames_are_not_written_to_later(self, source_path):
        with open_source(source_path[0]) as source:
            kept = [(frame.pixels, frame.pixels.copy()) for frame in source]
        assert all(np.array_equal(pixels, copy) for pixels, copy in kept)

    def test_close_twice_and_half_read(self, source_path):
        source = open_source(source_path[0])
        next(iter(source))
        source.close()
        source.close()

    def test_an_exception_inside_closes_and_passes(self, source_path):
        with pytest.raises(KeyError), open_source(source_path[0]):
            raise KeyError


class TestSink:
    def test_what_is_written_is_read(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        path = written(tmp_path, name)
        with open_source(path) as source:
            frames = list(source)
        assert len(frames) == COUNT
        for frame in frames:
            expected = make_frame(frame.index, bits, has_alpha, size_of(name)).pixels
            if bits == 32:
                assert np.array_equal(frame.pixels, expected)
                continue
            got = frame.pixels if frame.pixels.dtype == expected.dtype else frame.pixels // 257
            assert np.abs(got.astype(int) - expected).mean() < (6 if bits == 8 else 6 * 257)

    def test_only_the_output_stands_there_afterwards(self, tmp_path, name):
        path = written(tmp_path, name)
        left = [entry.name for entry in path.parent.iterdir()]
        assert len(left) == (COUNT if "out." in name else 1)
        assert not any(entry.startswith(".") for entry in left)

    def test_leaving_without_commit_leaves_nothing(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        with open_sink(tmp_path / name, make_spec(name)) as sink:
            sink.write(make_frame(0, bits, has_alpha, size_of(name)))
        sink.abort()
        assert list(tmp_path.iterdir()) == []

    def test_an_exception_inside_leaves_nothing_and_passes(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        with pytest.raises(KeyboardInterrupt), open_sink(tmp_path / name, make_spec(name)) as sink:
            sink.write(make_frame(0, bits, has_alpha, size_of(name)))
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []

    def test_an_output_that_exists_is_kept(self, tmp_path, name):
        path = written(tmp_path, name)
        before = {entry: entry.read_bytes() for entry in path.parent.iterdir()}
        with pytest.raises(OutputExists):
            open_sink(path, make_spec(name))
        assert {entry: entry.read_bytes() for entry in path.parent.iterdir()} == before

    def test_overwriting(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        path = written(tmp_path, name)
        with open_sink(path, make_spec(name, overwrite=True)) as sink:
            for index in range(COUNT):
                sink.write(make_frame(index + 3, bits, has_alpha, size_of(name)))
            sink.commit()
        with open_source(path) as source:
            assert len(list(source)) == COUNT

    def test_other_frames_than_announced_are_refused(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        wrong = [
            make_frame(0, bits, not has_alpha),
            make_frame(0, 16 if bits == 8 else 8, has_alpha),
            make_frame(0, bits, has_alpha, (98, 66)),
        ]
        with open_sink(tmp_path / name, make_spec(name)) as sink:
            for frame in wrong:
                with pytest.raises(MediaError, match="announced"):
                    sink.write(frame)

    def test_no_frame_is_an_error(self, tmp_path, name):
        with open_sink(tmp_path / name, make_spec(name)) as sink, pytest.raises(MediaError):
            sink.commit()
        assert list(tmp_path.iterdir()) == []

    def test_after_commit_it_is_over(self, tmp_path, name):
        _, bits, has_alpha = SINKS[name]
        with open_sink(tmp_path / name, make_spec(name)) as sink:
            sink.write(make_frame(0, bits, has_alpha, size_of(name)))
            sink.commit()
            sink.abort()
            with pytest.raises(MediaError):
                sink.write(make_frame(1, bits, has_alpha, size_of(name)))
            with pytest.raises(MediaError):
                sink.commit()
        with open_source(tmp_path / name) as source:
            assert len(list(source)) == 1

    def test_notes_are_sentences(self, tmp_path, name):
        with open_sink(tmp_path / name, make_spec(name)) as sink:
            assert all(note.endswith(".") for note in sink.notes)
