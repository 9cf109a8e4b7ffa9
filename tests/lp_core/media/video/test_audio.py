from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import UnreadableMedia
from lp_core.media.base import AudioTrack
from lp_core.media.video.writer import VideoSink
from lp_core.timing import FrameRate

CLICK_EVERY_S = 0.25
FPS = Fraction(30000, 1001)


def clicks(rate, seconds, channels=2):
    """(channels, n) float32: 5 ms bursts in the middle of each quarter second."""
    time = np.arange(int(rate * seconds)) / rate
    near = np.abs(time % CLICK_EVERY_S - CLICK_EVERY_S / 2) < 0.0025
    return np.tile(np.where(near, np.sin(2 * np.pi * 1500 * time), 0).astype(np.float32), (channels, 1))


def sound_writer(codec="aac", rate=44100, seconds=2.0, delay_s=0.0):
    """For ``make_film``: adds a track of clicks that begins ``delay_s`` after the image."""

    def start(container):
        stream = container.add_stream(codec, rate=rate, layout="stereo")

        def finish():
            frame = av.AudioFrame.from_ndarray(clicks(rate, seconds), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, round(delay_s * rate), Fraction(1, rate)
            resampler = av.AudioResampler(format=stream.format.name, layout="stereo", rate=rate)
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))

        return finish

    return start


def heard(path):
    """(codec, rate, clicks after the first image, end of sound, end of image) in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        name, rate = stream.codec_context.name, stream.rate
        samples, start = [], None
        for frame in container.decode(stream):
            array = frame.to_ndarray().astype(np.float64)
            if not frame.format.is_planar:
                array = array.reshape(-1, 2).T
            start = frame.pts * frame.time_base if start is None else start
            samples.append(array[0])
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        times = sorted(frame.pts * video.time_base for frame in container.decode(video))
    signal = np.concatenate(samples)
    signal = np.abs(signal / np.abs(signal).max())
    loud = np.flatnonzero(signal > 0.3)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > rate * 0.02) + 1)
    offset = float(start - times[0])
    middles = [(group[0] + group[-1]) / 2 / rate + offset for group in groups if len(group)]
    return name, rate, middles, offset + len(signal) / rate, float(times[-1] - times[0] + 1 / FPS)


def film_with(tmp_path, spec, frame, name, track, count=45):
    path = tmp_path / name
    codec = "h264" if name.endswith(("mp4", "mkv")) else "prores4444"
    with VideoSink(path, spec(rate=FrameRate(FPS), audio=track, codec=codec)) as sink:
        for index in range(count):
            sink.write(frame(index, 64, 48))
        sink.commit()
    return path


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_sound_is_copied_in_time_and_as_long_as_the_picture(tmp_path, make_film, spec, frame, name):
    driving = make_film("driving.mp4", 60, rate=FPS, sound=sound_writer())
    path = film_with(tmp_path, spec, frame, name, AudioTrack(driving))
    codec, rate, found, sound_end, picture_end = heard(path)
    assert (codec, rate) == ("aac", 44100)
    expected = np.arange(len(found)) * CLICK_EVERY_S + CLICK_EVERY_S / 2
    assert len(found) == 6
    assert np.abs(np.array(found) - expected).max() < 0.002
    assert -0.025 < sound_end - picture_end < 0.025


def test_copied_packets_are_bit_for_bit_the_same(tmp_path, make_film, spec, frame):
    driving = make_film("driving.mp4", 60, rate=FPS, sound=sound_writer())
    path = film_with(tmp_path, spec, frame, "out.mp4", AudioTrack(driving))

    def packets(file):
        with av.open(str(file)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    copied = packets(path)
    assert len(copied) > 60
    assert copied == packets(driving)[: len(copied)]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("out.mp4", "aac"),
        ("out.mov", "pcm_s16le"),
        ("out.mkv", "pcm_s16le"),
    ],
)
def test_pcm_is_copied_or_encoded(tmp_path, make_film, spec, frame, name, written):
    driving = make_film("driving.mov", 60, rate=FPS, sound=sound_writer("pcm_s16le", 48000))
    codec, rate, found, sound_end, picture_end = heard(
        film_with(tmp_path, spec, frame, name, AudioTrack(driving))
    )
    assert (codec, rate) == (written, 48000)
    expected = np.arange(len(found)) * CLICK_EVERY_S + CLICK_EVERY_S / 2
    assert len(found) == 6
    assert np.abs(np.array(found) - expected).max() < 0.002
    assert abs(sound_end - picture_end) < 0.03


def test_what_mov_cannot_hold_becomes_pcm(tmp_path, make_film, spec, frame):
    driving = make_film("driving.mkv", 60, rate=FPS, sound=sound_writer("flac", 48000))
    codec, _, found, _, _ = heard(film_with(tmp_path, spec, frame, "out.mov", AudioTrack(driving)))
    assert codec == "pcm_s24le"
    assert np.abs(np.array(found) - (np.arange(6) + 0.5) * CLICK_EVERY_S).max() < 0.002


@pytest.mark.parametrize("codec", ["aac", "flac"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_a_later_start_and_a_length(tmp_path, make_film, spec, frame, codec, name):
    driving = make_film("driving.mkv", 60, rate=FPS, sound=sound_writer(codec, 48000))
    track = AudioTrack(driving, Fraction(3, 5), Fraction(1, 2))
    _, _, found, sound_end, _ = heard(film_with(tmp_path, spec, frame, name, track))
    # clicks at 0.625 and 0.875 of the driving clip; 1.125 is beyond the length
    assert np.abs(np.array(found[:2]) - [0.025, 0.275]).max() < 0.003
    assert len(found) == 2
    assert sound_end < 0.53


def test_sound_that_begins_late_stays_late(tmp_path, make_film, spec, frame):
    driving = make_film(
        "driving.mkv", 60, rate=FPS, sound=sound_writer("flac", 48000, seconds=1.0, delay_s=0.3)
    )
    for name in ("out.mp4", "out.mkv"):
        _, _, found, _, _ = heard(film_with(tmp_path, spec, frame, name, AudioTrack(driving)))
        assert np.abs(np.array(found) - (0.3 + (np.arange(4) + 0.5) * CLICK_EVERY_S)).max() < 0.003


def test_a_sound_file_without_picture(tmp_path, spec, frame):
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        sound_writer("pcm_s16le", 16000, 2.0)(container)()
    codec, rate, found, _, _ = heard(film_with(tmp_path, spec, frame, "out.mp4", AudioTrack(path)))
    assert (codec, rate) == ("aac", 16000)
    assert np.abs(np.array(found) - (np.arange(6) + 0.5) * CLICK_EVERY_S).max() < 0.003


def test_sound_shorter_than_the_picture_just_ends(tmp_path, make_film, spec, frame):
    driving = make_film("driving.mp4", 60, rate=FPS, sound=sound_writer(seconds=0.5))
    _, _, found, sound_end, picture_end = heard(
        film_with(tmp_path, spec, frame, "out.mp4", AudioTrack(driving))
    )
    assert len(found) == 2
    assert sound_end < 0.6 < picture_end


def test_no_drift_over_a_long_clip(tmp_path, make_film, spec, frame):
    driving = make_film("driving.mkv", 2, size=(16, 16), sound=sound_writer("flac", 44100, seconds=40.0))
    path = tmp_path / "long.mp4"
    with VideoSink(path, spec(16, 16, rate=FrameRate(FPS), audio=AudioTrack(driving))) as sink:
        for index in range(1190):
            sink.write(frame(index % 7, 16, 16))
        sink.commit()
    _, _, found, _, _ = heard(path)
    assert len(found) == 159
    assert np.abs(np.array(found) - (np.arange(159) + 0.5) * CLICK_EVERY_S).max() < 0.003


def test_a_film_without_sound_is_refused(tmp_path, make_film, spec):
    driving = make_film("silent.mp4", 3)
    with pytest.raises(UnreadableMedia, match="silent.mp4 has no sound"):
        VideoSink(tmp_path / "out.mp4", spec(audio=AudioTrack(driving)))
    assert [path.name for path in tmp_path.iterdir()] == ["silent.mp4"]
