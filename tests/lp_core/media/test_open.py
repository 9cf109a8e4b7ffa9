from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from lp_core.errors import (
    EmptyVideo,
    MediaError,
    NoWritePermission,
    OutputExists,
    SettingError,
    UnknownCodec,
    UnreadableMedia,
)
from lp_core.media import open as media_open
from lp_core.media.images import StillSource, write_image
from lp_core.media.open import (
    SEQUENCE_SINKS,
    SEQUENCE_SOURCES,
    SINKS,
    SOURCES,
    check_output,
    open_sink,
    open_source,
)
from lp_core.media.picture_sequence import SequenceSink, SequenceSource
from lp_core.media.sequence import files_of
from lp_core.media.video_read import VideoSource
from lp_core.media.video_write import VideoSink
from lp_core.timing import FrameRate

PIXELS = np.zeros((24, 32, 3), np.uint8)


def test_every_name_in_the_tables_is_there():
    for table in (SOURCES, SEQUENCE_SOURCES, SINKS, SEQUENCE_SINKS):
        for suffix in table:
            assert suffix == suffix.lower()
            assert media_open._backend(media_open.Path(f"x{suffix}"), table, "read")


def test_importing_it_loads_no_library():
    code = "import sys, lp_core.media.open; print([m for m in ('av', 'cv2', 'PIL') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_sources_by_kind(tmp_path, make_film):
    write_image(tmp_path / "a.png", PIXELS)
    write_image(tmp_path / "b.0001.png", PIXELS)
    assert isinstance(open_source(tmp_path / "a.png"), StillSource)
    assert isinstance(open_source(str(tmp_path / "b.0001.png")), StillSource)
    assert isinstance(open_source(tmp_path / "b.####.png"), SequenceSource)
    assert open_source(tmp_path / "b.%04d.png", FrameRate(Fraction(25))).info.rate.fps == 25
    upper = make_film("a.mp4", 2).rename(tmp_path / "A.MP4")
    with open_source(upper) as source:
        assert isinstance(source, VideoSource)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("none.mp4", UnreadableMedia),
        ("none.png", UnreadableMedia),
        ("none.xyz", UnreadableMedia),
        ("there.xyz", UnknownCodec),
        ("empty.mp4", EmptyVideo),
        ("", UnreadableMedia),
        ("none.%04d.png", UnreadableMedia),
        ("a.%04d.mp4", UnknownCodec),
        ("a.%d.%d.png", SettingError),
    ],
)
def test_sources_refused(tmp_path, name, error):
    (tmp_path / "there.xyz").write_text("x")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(error):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["take#1.mp4", "100%done.mp4"])
def test_a_file_is_no_pattern_whatever_its_name_looks_like(tmp_path, make_film, name):
    path = tmp_path / name
    make_film("plain.mp4", 3).rename(path)
    with open_source(path) as source:
        assert isinstance(source, VideoSource)
    assert files_of(str(path)) == [path]


def test_sinks_by_kind(tmp_path, spec):
    with (
        open_sink(tmp_path / "a.mp4", spec()) as film,
        open_sink(tmp_path / "n" / "a.%d.png", spec()) as sequence,
    ):
        assert isinstance(film, VideoSink)
        assert isinstance(sequence, SequenceSink)
    assert list(tmp_path.iterdir()) == []


class TestCheckOutput:
    def test_good_ones_leave_nothing(self, tmp_path):
        for name in ("a.mp4", "new/a.mov", "new/a.%04d.png"):
            check_output(tmp_path / name, overwrite=False)
            check_output(str(tmp_path / name), overwrite=True)
        check_output(tmp_path / "a.mov", False, "prores4444")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("name", "codec", "error"),
        [
            ("a.gif", None, UnknownCodec),
            ("a", None, UnknownCodec),
            ("a.%04d.mp4", None, UnknownCodec),
            ("a.mp4", "ffv1", UnknownCodec),
            ("a.mp4", "nothing", UnknownCodec),
            ("a.%d.%d.png", None, SettingError),
            ("old.mp4", None, OutputExists),
            ("old.%d.png", None, OutputExists),
            ("old.mp4/a.mp4", None, MediaError),
        ],
    )
    def test_refused(self, tmp_path, name, codec, error):
        (tmp_path / "old.mp4").touch()
        (tmp_path / "old.1.png").touch()
        with pytest.raises(error):
            check_output(tmp_path / name, overwrite=False, codec=codec)

    def test_overwriting_is_enough_for_existing_ones(self, tmp_path):
        (tmp_path / "old.mp4").touch()
        check_output(tmp_path / "old.mp4", overwrite=True)

    @pytest.mark.parametrize("suffix", [".png", ".exr"])
    def test_a_single_picture(self, tmp_path, suffix):
        check_output(tmp_path / f"out{suffix}", overwrite=False, codec="h264")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder(self, tmp_path):
        (tmp_path / "x.mp4").mkdir()
        with pytest.raises(MediaError, match="is a folder"):
            check_output(tmp_path / "x.mp4", overwrite=True)

    def test_no_permission(self, tmp_path):
        import os
        import tempfile

        folder = tempfile.mkdtemp(dir="/tmp") if os.geteuid() == 0 else str(tmp_path)
        path = media_open.Path(folder)
        path.chmod(0o555)
        try:
            if os.geteuid() == 0:
                os.seteuid(65534)  # the superuser may write anywhere
            with pytest.raises(NoWritePermission, match="a.mp4"):
                check_output(path / "a.mp4", overwrite=False)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            path.chmod(0o755)
            if folder != str(tmp_path):
                path.rmdir()


@pytest.mark.parametrize("name", ["voice.wav", "voice.M4A", "voice.mp3"])
def test_a_sound_file_is_named_as_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"RIFF")
    with pytest.raises(UnknownCodec, match="is a sound file .*give the video"):
        open_source(tmp_path / name)
