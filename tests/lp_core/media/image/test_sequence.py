from __future__ import annotations

import errno
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lp_core.errors import (
    DiskFull,
    EmptyVideo,
    MediaError,
    OutputExists,
    TruncatedMedia,
    UnknownCodec,
)
from lp_core.frame import Frame
from lp_core.media.base import AudioTrack, ReadOptions
from lp_core.media.color_tags import SRGB
from lp_core.media.image.sequence import SequenceSink, SequenceSource
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.timing import FrameRate


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_round_trip_is_exact(tmp_path, spec, picture, bits, alpha):
    pattern = tmp_path / "new" / "out.%04d.png"
    pictures = [picture(index, 41, 30, bits, alpha) for index in range(5)]
    with SequenceSink(pattern, spec(41, 30, bit_depth=bits, has_alpha=alpha)) as sink:
        for index, pixels in enumerate(pictures):
            sink.write(Frame(pixels, index, Fraction(0)))
        sink.commit()
    assert sorted(entry.name for entry in pattern.parent.iterdir()) == [
        f"out.{k:04d}.png" for k in range(1, 6)
    ]
    with SequenceSource(pattern, ReadOptions(rate=FrameRate.parse("23.976"))) as source:
        frames = list(source)
        again = list(source)
    assert source.info.rate.fps == Fraction(24000, 1001)
    assert (source.info.frame_count, source.info.bit_depth, source.info.has_alpha) == (5, bits, alpha)
    assert all(np.array_equal(frame.pixels, pixels) for frame, pixels in zip(frames, pictures, strict=True))
    assert [frame.time_s for frame in frames] == [k * Fraction(1001, 24000) for k in range(5)]
    assert len(again) == 5


def test_start_number(tmp_path, spec, frame):
    with SequenceSink(tmp_path / "out.####.png", spec(start_number=1001)) as sink:
        sink.write(frame(0, 64, 48))
        sink.commit()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.1001.png"]


def test_a_damaged_picture_is_replaced_and_reported(tmp_path, picture):
    for index in range(6):
        write_image(tmp_path / f"a.{index:02d}.png", picture(index, 32, 24))
    for index in (2, 3):
        path = tmp_path / f"a.{index:02d}.png"
        path.write_bytes(path.read_bytes()[:200])
    source = SequenceSource(tmp_path / "a.%02d.png")
    frames = list(source)
    expected = [0, 1, 1, 1, 4, 5]
    for frame, index in zip(frames, expected, strict=True):
        assert np.array_equal(frame.pixels, picture(index, 32, 24))
    assert source.damaged_frames == (2, 3)
    assert any("2 damaged images" in note and "2-3" in note for note in source.notes)


def test_a_damaged_first_picture_is_an_error(tmp_path, picture):
    write_image(tmp_path / "a.1.png", picture(0, 32, 24))
    (tmp_path / "a.1.png").write_bytes((tmp_path / "a.1.png").read_bytes()[:200])
    with pytest.raises(TruncatedMedia, match=r"a\.1\.png"):
        SequenceSource(tmp_path / "a.%d.png")


@pytest.mark.parametrize("other", [(1, 30, 24), (1, 32, 24, 16), (1, 32, 24, 8, True)])
def test_pictures_of_another_kind_are_refused(tmp_path, picture, other):
    write_image(tmp_path / "a.1.png", picture(0, 32, 24))
    write_image(tmp_path / "a.2.png", picture(*other))
    frames = iter(SequenceSource(tmp_path / "a.%d.png"))
    next(frames)
    with pytest.raises(MediaError, match=r"a\.2\.png"):
        next(frames)


def test_the_rate_that_is_assumed_is_said(tmp_path, picture):
    write_image(tmp_path / "a.1.png", picture(0, 32, 24))
    source = SequenceSource(tmp_path / "a.%d.png")
    assert source.info.rate.fps == 24
    assert any("24 frames per second" in note for note in source.notes)


class TestSink:
    def test_abort_removes_this_run_only(self, tmp_path, spec, frame):
        write_image(tmp_path / "out.0009.png", frame(0, 64, 48).pixels)
        with SequenceSink(tmp_path / "out.%04d.png", spec(overwrite=True)) as sink:
            sink.write(frame(0, 64, 48))
            sink.write(frame(1, 64, 48))
            assert sorted(entry.name for entry in tmp_path.iterdir()) == [
                f"out.000{k}.png" for k in (1, 2, 9)
            ]
        sink.abort()
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.0009.png"]

    def test_abort_removes_the_folder_it_made(self, tmp_path, spec, frame):
        with SequenceSink(tmp_path / "new" / "out.%04d.png", spec()) as sink:
            sink.write(frame(0, 64, 48))
        assert list(tmp_path.iterdir()) == []

    def test_older_pictures_beside_are_said(self, tmp_path, spec, frame):
        for number in (2, 3, 4):
            write_image(tmp_path / f"out.{number:04d}.png", frame(0, 64, 48).pixels)
        with SequenceSink(tmp_path / "out.%04d.png", spec(overwrite=True)) as sink:
            sink.write(frame(0, 64, 48))
            sink.write(frame(1, 64, 48))
            sink.commit()
        assert any("older images" in note and "3-4" in note for note in sink.notes)

    def test_existing_pictures(self, tmp_path, spec, frame):
        write_image(tmp_path / "out.0009.png", frame(0, 64, 48).pixels)
        with pytest.raises(OutputExists):
            SequenceSink(tmp_path / "out.%04d.png", spec())

    def test_sound_is_said_to_be_left_out(self, tmp_path, spec):
        sink = SequenceSink(tmp_path / "out.%04d.png", spec(audio=AudioTrack(Path("voice.wav"))))
        assert any("without sound" in note for note in sink.notes)
        sink.abort()

    def test_no_picture(self, tmp_path, spec):
        with SequenceSink(tmp_path / "out.%04d.png", spec()) as sink, pytest.raises(EmptyVideo):
            sink.commit()

    @pytest.mark.parametrize(
        ("name", "changes", "error"),
        [
            ("a.%d.jpg", {"has_alpha": True}, MediaError),
            ("a.%d.jpg", {"bit_depth": 16}, MediaError),
            ("a.%d.gif", {}, UnknownCodec),
        ],
    )
    def test_kinds_that_cannot_hold_it(self, tmp_path, spec, name, changes, error):
        with pytest.raises(error):
            SequenceSink(tmp_path / "new" / name, spec(**changes))
        assert list(tmp_path.iterdir()) == []

    def test_wrong_frame_and_closed_sink(self, tmp_path, spec, frame):
        sink = SequenceSink(tmp_path / "a.%d.png", spec())
        with pytest.raises(MediaError, match="announced"):
            sink.write(frame(0, 63, 48))
        sink.write(frame(0, 64, 48))
        sink.commit()
        sink.abort()
        assert (tmp_path / "a.1.png").exists()
        with pytest.raises(MediaError, match="open it again"):
            sink.write(frame(0, 64, 48))

    def test_full_disk(self, tmp_path, spec, frame, monkeypatch):
        sink = SequenceSink(tmp_path / "a.%d.png", spec())
        sink.write(frame(0, 64, 48))

        def full(handle, mode):
            os.close(handle)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("os.fdopen", full)
        with pytest.raises(DiskFull, match=r"a\.2\.png"):
            sink.write(frame(1, 64, 48))
        sink.abort()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pixels: np.dstack([pixels, pixels[..., 0]]), "has an alpha channel"),
        (lambda pixels: pixels[:-8], "has 64x40 pixels, not 64x48"),
        (lambda pixels: pixels.astype(np.uint16) * 257, "has 16 bits a channel, not 8"),
    ],
)
def test_a_change_in_mid_sequence_names_the_frame(tmp_path, picture, change, said):
    for number in range(1001, 1005):
        pixels = picture(number, 64, 48)
        write_image(tmp_path / f"in.{number}.png", change(pixels) if number == 1003 else pixels)
    with (
        open_source(tmp_path / "in.####.png") as source,
        pytest.raises(MediaError, match=rf"Frame 1003 \(.*in.1003.png\) {said}, unlike frame 1001"),
    ):
        list(source)


def test_a_change_of_color_space_in_mid_sequence_is_refused(tmp_path, picture):
    for number, primaries in ((1, "bt709"), (2, "smpte432")):
        write_image(tmp_path / f"in.{number}.png", picture(1, 64, 48), replace(SRGB, primaries=primaries))
    with (
        open_source(tmp_path / "in.#.png") as source,
        pytest.raises(MediaError, match="in.2.png has colors of smpte432 primaries"),
    ):
        list(source)
