from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

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
from lp_core.frame import Frame
from lp_core.media import open as media_open
from lp_core.media.base import ReadOptions
from lp_core.media.frame_pattern import NUMBERED, SequencePattern, files_of
from lp_core.media.image.sequence import SequenceSink, SequenceSource
from lp_core.media.image.stills import StillSource, write_image
from lp_core.media.open import (
    SEQUENCE_SINKS,
    SEQUENCE_SOURCES,
    SINKS,
    SOURCES,
    check_output,
    open_sink,
    open_source,
)
from lp_core.media.video.reader import VideoSource
from lp_core.media.video.writer import VideoSink
from lp_core.provenance import signing
from lp_core.timing import FrameRange, FrameRate

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
        ("a.%04d.mp4", UnreadableMedia),
        ("x" * 300 + ".mp4", UnreadableMedia),
        ("x" * 300 + ".%04d.png", UnreadableMedia),
        ("a.%d.%d.png", SettingError),
    ],
)
def test_sources_refused(tmp_path, name, error):
    (tmp_path / "there.xyz").write_text("x")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(error):
        open_source(tmp_path / name)


def test_numbered_types_are_those_of_the_tables():
    assert set(NUMBERED) == set(SEQUENCE_SOURCES) == set(SEQUENCE_SINKS) | set(SEQUENCE_SOURCES)
    assert set(NUMBERED) == signing.NUMBERED


@pytest.mark.parametrize(
    "name", ["take#1.mp4", "100%done.mp4", "a:b.mp4", "-x.mp4", "50%d/größe %04d [1-2].mp4"]
)
def test_a_file_is_no_pattern_whatever_its_name_looks_like(tmp_path, make_film, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
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
            ("a.%04d", None, UnknownCodec),
            ("x" * 252 + ".mp4", None, MediaError),
            ("new/" + "x" * 256 + "/a.mp4", None, MediaError),
            ("ü" * 126 + ".mp4", None, MediaError),
            ("x" * 250 + ".%d.png", None, MediaError),
            ("x" * 247 + ".####.png", None, MediaError),
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


@pytest.mark.parametrize(
    "name", ["take #2.mp4", "take %2d.mov", "50%d #1/x.%04d.mkv", "-o.mp4", "a:b [1-2].mp4", "größe %20d.mp4"]
)
def test_a_video_is_written_under_exactly_its_name(tmp_path, spec, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_output(name, overwrite=False)
    with open_sink(name, spec(32, 24)) as sink:
        sink.write(Frame(PIXELS, 0, Fraction(0)))
        sink.commit()
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*.*") if path.is_file()] == [Path(name)]
    with open_source(name) as source:
        assert len(list(source)) == 1


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("out #1/frame.####.png", ["out #1/frame.-0001.png", "out #1/frame.0000.png"]),
        ("50%done seq/a.%d.png", ["50%done seq/a.-1.png", "50%done seq/a.0.png"]),
    ],
)
def test_a_sequence_in_an_odd_folder_and_below_zero(tmp_path, spec, name, made):
    with open_sink(tmp_path / name, spec(32, 24, start_number=-1)) as sink:
        for index in range(2):
            sink.write(Frame(PIXELS + index, index, Fraction(index)))
        sink.commit()
    pattern = SequencePattern.parse(tmp_path / name)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert found == made
    assert pattern.numbers() == [-1, 0]
    with open_source(f"{tmp_path / name} -1-0") as source:
        assert (source.info.first_frame, [frame.pixels[0, 0, 0] for frame in source]) == (-1, [0, 1])


def test_one_image_is_written_under_exactly_its_name(tmp_path, spec):
    with open_sink(tmp_path / "take #2 100%done.png", spec(32, 24)) as sink:
        sink.write(Frame(PIXELS, 0, Fraction(0)))
        sink.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["take #2 100%done.png"]


def test_on_twos_in_time_and_in_black(tmp_path):
    for number in (1, 3, 7):
        write_image(tmp_path / f"t.{number:04d}.png", PIXELS + number)
    name = f"{tmp_path / 't.%04d.png'} 1-7x2"
    options = ReadOptions(rate=FrameRate(Fraction(24)), missing="black")
    with open_source(name, options=options) as source:
        assert (source.info.frame_count, source.info.first_frame) == (8, 1)
        frames = list(source)
        assert any("every 2 frames" in note for note in source.notes)
        assert any("lacks 1 images" in note and note.endswith(": 5.") for note in source.notes)
    assert [int(frame.pixels.max()) for frame in frames] == [1, 1, 3, 3, 0, 0, 7, 7]
    assert [frame.time_s for frame in frames] == [Fraction(index, 24) for index in range(8)]
    with open_source(name, options=replace(options, frames=FrameRange(4, 6), missing="hold")) as source:
        assert [int(frame.pixels.max()) for frame in source] == [3, 3, 3]
        assert source.info.frames_before == 3


@pytest.mark.parametrize("name", ["voice.wav", "voice.M4A", "voice.mp3"])
def test_a_sound_file_is_named_as_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"RIFF")
    with pytest.raises(UnknownCodec, match="is a sound file .*give the video"):
        open_source(tmp_path / name)
