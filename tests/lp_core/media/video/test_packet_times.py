"""Frame counts and times of cut, joined and odd videos; ffprobe is the judge where it is installed."""

from __future__ import annotations

import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import UnreadableMedia
from lp_core.media.base import ReadOptions
from lp_core.media.open import open_source
from lp_core.media.video.packet_times import hides_frame, is_jump
from lp_core.media.video.reader import VideoSource, first_frame_s

RATE = Fraction(30)
LONG = {"g": "12", "bf": "2"}


def grays(frames):
    """Which frame of ``make_film`` each one shows."""
    return [round((float(frame.pixels[..., 1].mean()) - 10) / 5) for frame in frames]


def read(path):
    """Reads a video, and holds that what it promises is what it delivers."""
    with VideoSource(path) as source:
        promised = source.info.frame_count
        frames = list(source)
    assert len(frames) == promised
    assert source.damaged_frames == ()
    assert not any("damaged" in note for note in source.notes)
    return source, frames


def counted(path):
    """Frames by ffprobe, which decodes them all."""
    words = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0"]
    words += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", str(path)]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[0].strip(","))


@pytest.mark.parametrize("name", ["c.mp4", "c.mov", "c.mkv", "c.ts", "c.avi", "c.flv", "c.m4v"])
@pytest.mark.parametrize("start", ["0.3", "0.5"])
def test_a_cut_video_has_the_frames_that_ffprobe_counts(make_film, ffmpeg, tmp_path, name, start):
    whole = make_film("whole.mp4", 40, rate=RATE, options=LONG)
    ffmpeg("-ss", start, "-i", whole, "-t", "0.6", "-c", "copy", tmp_path / name)
    source, frames = read(tmp_path / name)
    assert source.info.rate.fps == RATE
    shown = grays(frames)
    assert shown == sorted(shown)
    # a cut by decoding time leaves out frames between the last ones: the one before is held in their place
    assert len(set(shown)) == counted(tmp_path / name)
    assert shown[:10] == list(range(shown[0], shown[0] + 10))
    if not name.endswith("avi"):  # it has no presentation times to find the gap by
        assert len(shown) == shown[-1] - shown[0] + 1


@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "frag_every_frame+empty_moov", "faststart"])
def test_fragments_hold_the_same_frames(make_film, flags):
    source, frames = read(make_film("f.mp4", rate=RATE, options=LONG, container_options={"movflags": flags}))
    assert grays(frames) == list(range(20))
    assert source.info.rate.fps == RATE


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4", "mjpeg"])
def test_avi_counts_packets_and_frames_come_in_their_order(make_film, encoder):
    pixel_format = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    options = {"bf": "2", "b": "4M"} if encoder != "mjpeg" else {}
    path = make_film("b.avi", rate=RATE, encoder=encoder, pixel_format=pixel_format, options=options)
    source, frames = read(path)
    assert source.info.rate.fps == RATE
    assert grays(frames) == list(range(20))


def test_a_lost_frame_of_an_avi_keeps_the_count(make_film, packets_of):
    path = make_film("l.avi", rate=RATE, encoder="mjpeg", pixel_format="yuvj420p")
    position, size = packets_of(path)[7]
    with path.open("r+b") as file:
        file.seek(position)
        file.write(bytes(size))
    with VideoSource(path) as source:
        frames = list(source)
        assert len(frames) == source.info.frame_count == 20
        assert source.damaged_frames == (7,)
    assert grays(frames) == [*range(7), 6, *range(8, 20)]


def test_a_codec_without_decoder_is_named_as_the_cause(make_film):
    path = make_film("u.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"isomzzzz", b"isomavc1"))
    with pytest.raises(UnreadableMedia, match="no decoder for the codec .zzzz."):
        VideoSource(path)


def test_h264_copied_into_avi(make_film, ffmpeg, tmp_path):
    ffmpeg("-i", make_film("s.mp4", rate=RATE, options=LONG), "-c", "copy", tmp_path / "b.avi")
    source, frames = read(tmp_path / "b.avi")
    assert grays(frames) == list(range(20))
    assert source.info.rate.fps == RATE


@pytest.mark.parametrize("name", ["r.h264", "r.hevc", "r.m2v"])
def test_a_bare_stream_is_read_at_the_rate_it_states(make_film, name):
    encoder = {"r.h264": "libx264", "r.hevc": "libx265", "r.m2v": "mpeg2video"}[name]
    options = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
    path = make_film(name, rate=RATE, encoder=encoder, options=options)
    with open_source(path) as source:
        assert source.info.frame_count == 20
        assert source.info.rate.fps == RATE
        assert grays(list(source)) == list(range(20))


class TestJoined:
    @pytest.mark.parametrize("parts", [2, 3])
    @pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
    def test_a_clock_that_starts_again(self, make_film, tmp_path, name, parts):
        encoder = "libx264" if name == "a.ts" else "mpeg2video"
        data = make_film(name, 12, rate=RATE, encoder=encoder, options=LONG | {"b": "4M"}).read_bytes()
        path = tmp_path / f"joined{name}"
        path.write_bytes(data * parts)
        source, frames = read(path)
        assert grays(frames) == list(range(12)) * parts
        assert source.info.rate.fps == RATE
        assert any(f"jumps {parts - 1} times" in note for note in source.notes)

    def test_a_clock_that_leaps_ahead(self, make_film, tmp_path):
        first = make_film("a.ts", 12, rate=RATE, options=LONG).read_bytes()
        late = make_film("b.ts", 12, rate=RATE, options=LONG, times=[9000 + k for k in range(12)])
        path = tmp_path / "joined.ts"
        path.write_bytes(first + late.read_bytes())
        _, frames = read(path)
        assert grays(frames) == list(range(12)) * 2

    def test_a_short_pause_is_held(self, make_film, tmp_path):
        first = make_film("a.ts", 12, rate=RATE, options={"bf": "0"}).read_bytes()
        late = make_film("b.ts", 12, rate=RATE, options={"bf": "0"}, times=[15 + k for k in range(12)])
        path = tmp_path / "joined.ts"
        path.write_bytes(first + late.read_bytes())
        _, frames = read(path)
        shown = grays(frames)
        assert len(shown) == 27
        assert sorted(set(shown)) == list(range(12))

    def test_a_clock_that_wraps_late_in_the_file(self, make_film, tmp_path):
        """The library itself undoes a wrap only within a minute of the beginning."""
        tick = Fraction(1, 90000)
        start = 2**33 - 100 * 90000
        times = [start + k * 9000 * 90 for k in range(20)]  # 9 s apart, so 11 frames lie before the wrap
        path = make_film("w.ts", rate=RATE, tick=tick, times=times, options={"bf": "0", "g": "1"})
        with av.open(str(path)) as container:
            raw = [packet.pts for packet in container.demux(video=0) if packet.size]
        source, frames = read(path)
        assert sorted(set(grays(frames))) == list(range(20))
        seconds = len(frames) / source.info.rate.fps
        assert abs(seconds - 19 * 9) < 12, raw[:3]

    def test_audio_follows_the_same_clock(self, make_film, ffmpeg, tmp_path):
        whole = make_film("s.mp4", 30, rate=RATE, options=LONG)
        one = tmp_path / "one.ts"
        ffmpeg("-i", whole, "-f", "lavfi", "-i", "sine=d=1", "-t", "1", "-c:v", "copy", "-c:a", "mp2", one)
        path = tmp_path / "joined.ts"
        path.write_bytes(one.read_bytes() * 2)
        assert _sound_end_s(path, tmp_path) == pytest.approx(2.0, abs=0.1)


def _sound_end_s(path, folder):
    from lp_core.frame import ColorTags, Frame
    from lp_core.media.base import AudioTrack, SinkSpec
    from lp_core.media.video.writer import VideoSink
    from lp_core.timing import FrameRate

    out = folder / "out.mov"
    rate = FrameRate(RATE)
    spec = SinkSpec(64, 48, rate, 8, False, ColorTags(), "prores422hq", 18, True, AudioTrack(path))
    with VideoSink(out, spec) as sink:
        for index in range(60):
            sink.write(Frame(np.zeros((48, 64, 3), np.uint8), index, rate.time_s(index)))
        sink.commit()
    with av.open(str(out)) as container:
        loud = np.concatenate([np.abs(frame.to_ndarray()).reshape(-1) for frame in container.decode(audio=0)])
        channels, rate_hz = container.streams.audio[0].channels, container.streams.audio[0].rate
    return (np.flatnonzero(loud > loud.max() / 10)[-1] + 1) / channels / rate_hz


@pytest.mark.parametrize("name", ["c.mp4", "c.mkv", "c.ts"])
def test_audio_begins_with_the_first_frame_of_a_cut_video(make_film, ffmpeg, tmp_path, name):
    whole = make_film("whole.mp4", 40, rate=RATE, options=LONG)
    ffmpeg("-i", whole, "-f", "lavfi", "-i", "sine=d=1.3", "-c:v", "copy", "-c:a", "aac", tmp_path / "s.mp4")
    ffmpeg("-ss", "0.3", "-i", tmp_path / "s.mp4", "-t", "0.6", "-c", "copy", tmp_path / name)
    judge = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "frame=best_effort_timestamp_time",
    ]
    told = subprocess.run(
        [*judge, "-of", "csv=p=0", str(tmp_path / name)], capture_output=True, text=True, check=True
    )
    expected = min(float(word.strip(",")) for word in told.stdout.split())
    found = first_frame_s(tmp_path / name)
    assert found is not None
    assert float(found[0]) == pytest.approx(expected, abs=0.002)


class TestVariableRate:
    @pytest.mark.parametrize(("name", "scale"), [("v.mp4", 20), ("v.mkv", 33)])
    def test_fast_parts_set_the_rate(self, make_film, name, scale):
        times = [k * scale for k in range(10)] + [(9 + 3 * k) * scale for k in range(1, 14)]
        tick = Fraction(1, 600) if scale == 20 else Fraction(1, 1000)
        source, frames = read(make_film(name, 23, times=times, tick=tick, rate=RATE))
        assert sorted(set(grays(frames))) == list(range(23))
        assert source.info.rate.fps == 30 or abs(float(source.info.rate.fps) - 30.3) < 0.1
        assert any("keeps every frame" in note for note in source.notes)

    @pytest.mark.parametrize("seed", range(4))
    def test_no_frame_is_ever_left_out(self, make_film, seed):
        rng = np.random.default_rng(seed)
        times = np.cumsum(rng.integers(3, 60, 30)).tolist()
        _, frames = read(make_film("r.mp4", 30, times=times, tick=Fraction(1, 600), rate=RATE))
        shown = grays(frames)
        assert shown == sorted(shown)
        assert sorted(set(shown)) == list(range(30))

    def test_a_pause_of_one_frame_and_a_long_one(self, make_film):
        times = [k + (k > 5) + 70 * (k > 12) for k in range(20)]
        source, frames = read(make_film("gap.mkv", times=times, rate=RATE))
        assert source.info.rate.fps == 30
        assert len(frames) == 91
        assert sorted(set(grays(frames))) == list(range(20))


@pytest.mark.parametrize("name", ["one.mp4", "one.mkv", "one.ts", "one.avi", "one.mov"])
def test_a_single_frame(make_film, name):
    source, frames = read(make_film(name, 1, rate=RATE))
    assert grays(frames) == [0]
    assert source.info.rate.fps == RATE


@pytest.mark.parametrize(("timescale", "rate"), [(1001, 30), (12345, 25), (600, 24), (90000, 60)])
def test_odd_time_bases(make_film, timescale, rate):
    times = [round(Fraction(k * timescale, rate)) for k in range(20)]
    source, frames = read(make_film("o.mp4", times=times, tick=Fraction(1, timescale), rate=Fraction(rate)))
    assert grays(frames) == list(range(20))
    assert source.info.rate.fps == rate


def test_a_recording_that_begins_between_keyframes(make_film, tmp_path, ffmpeg):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(24)]
    path = make_film(
        "s.ts", 24, rate=RATE, encoder="mpeg2video", pictures=noise, options={"g": "8", "bf": "2"}
    )
    data = path.read_bytes()
    cut = tmp_path / "mid.ts"
    cut.write_bytes(data[188 * (len(data) // 188 // 6) :])
    source, frames = read(cut)
    assert 8 <= len(frames) < 24
    assert len(frames) == counted(cut)
    assert any("begins in the middle" in note for note in source.notes)


class TestChanges:
    @pytest.mark.parametrize("choice", ["refuse", "frame"])
    def test_another_size_is_fitted_and_named(self, make_film, tmp_path, choice):
        first = make_film("a.ts", 6, rate=RATE, options=LONG).read_bytes()
        second = make_film("b.ts", 6, rate=RATE, size=(48, 64), times=range(6, 12), options=LONG).read_bytes()
        path = tmp_path / "two.ts"
        path.write_bytes(first + second)
        with VideoSource(path, ReadOptions(interlaced=choice)) as source:
            frames = list(source)
        assert {frame.pixels.shape for frame in frames} == {(48, 64, 3)}
        assert sorted(grays(frames)) == sorted([*range(6), *range(6)])
        note = next(note for note in source.notes if "changes within" in note)
        assert "48x64 yuv420p from frame 6" in note

    def test_another_pixel_format_is_converted_and_named(self, make_film, tmp_path):
        first = make_film("a.ts", 6, rate=RATE, encoder="libx264").read_bytes()
        second = make_film("b.ts", 6, rate=RATE, pixel_format="yuv444p", times=range(6, 12)).read_bytes()
        path = tmp_path / "two.ts"
        path.write_bytes(first + second)
        source, frames = read(path)
        assert grays(frames) == [*range(6), *range(6)]
        assert any("yuv444p from frame 6" in note for note in source.notes)


def test_the_scan_is_forgotten_when_the_file_changes(make_film):
    assert VideoSource(make_film("a.ts", 12)).info.frame_count == 12
    assert VideoSource(make_film("a.ts", 15)).info.frame_count == 15


def test_jumps():
    assert is_jump(Fraction(5), Fraction(0))
    assert is_jump(Fraction(5), Fraction(16))
    assert not is_jump(Fraction(5), Fraction(14))
    assert not is_jump(Fraction(5), Fraction(5))


class TestHiddenFrames:
    @pytest.mark.parametrize(
        ("codec", "data", "is_hidden"),
        [
            ("vp8", bytes([0b10000, 0, 0]), False),
            ("vp8", bytes([0b00001, 0, 0]), True),
            ("vp9", bytes([0b10000010, 0, 0]), False),  # profile 0, key frame, shown
            ("vp9", bytes([0b10000000, 0, 0]), True),
            ("vp9", bytes([0b10001000, 0, 0]), False),  # shows a frame that was sent before
            ("vp9", bytes([0b10000000, 0, 0b11000001]), False),  # superframe
            ("h264", bytes(3), False),
        ],
    )
    def test_by_the_first_bits(self, codec, data, is_hidden):
        assert hides_frame(codec, av.Packet(data)) is is_hidden
