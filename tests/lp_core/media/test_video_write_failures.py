"""What a video's sink leaves behind, and what it refuses."""

from __future__ import annotations

import errno
import resource
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import DiskFull, EmptyVideo, MediaError, NoWritePermission, OutputExists, UnknownCodec
from lp_core.frame import Frame
from lp_core.media.video.reader import VideoSource
from lp_core.media.video.writer import VideoSink


def write(path, spec, frames):
    with VideoSink(path, spec) as sink:
        for frame in frames:
            sink.write(frame)
        sink.commit()
    return sink


def read(path):
    with VideoSource(path) as source:
        return source, list(source)


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

    @pytest.mark.parametrize(
        "pixels",
        [
            np.zeros((48, 63, 3), np.uint8),
            np.zeros((48, 64, 4), np.uint8),
            np.zeros((48, 64, 3), np.uint16),
            np.zeros((48, 64), np.uint8),
        ],
    )
    def test_other_frames_than_announced(self, tmp_path, spec, pixels):
        with VideoSink(tmp_path / "out.mp4", spec()) as sink, pytest.raises(MediaError, match="announced"):
            sink.write(Frame(pixels, 0, Fraction(0)))

    @pytest.mark.parametrize(
        ("name", "codec"),
        [
            ("a.mp4", "prores4444"),
            ("a.mp4", "ffv1"),
            ("a.mov", "ffv1"),
            ("a.mkv", "prores4444"),
            ("a.mp4", "av2"),
            ("a.gif", "h264"),
        ],
    )
    def test_impossible_pairs(self, tmp_path, spec, name, codec):
        with pytest.raises(UnknownCodec, match=name):
            VideoSink(tmp_path / name, spec(codec=codec))
        assert list(tmp_path.iterdir()) == []

    def test_an_encoder_that_is_not_built_in(self, tmp_path, spec, monkeypatch):
        from lp_core.media.video import codecs

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
