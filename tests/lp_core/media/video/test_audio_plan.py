"""Sound that a container cannot hold as it is: encoded, mixed or left out, and never the end of the process."""

import os
import subprocess
import sys
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.errors import UnreadableMedia
from lp_core.media.base import AudioTrack
from lp_core.media.open import open_source
from lp_core.media.video.audio_plan import plan_sound, usable_sound
from lp_core.media.video.codec_tag import codec_tag
from lp_core.media.video.join import join_segments
from lp_core.media.video.writer import VideoSink

ENCODED = {".mp4": "aac", ".mov": "pcm_s24le", ".mkv": "flac"}
SOURCE_CODECS = {"u8": "pcm_u8", "s16": "pcm_s16le", "f64": "pcm_f64le", "s32": "pcm_s32be"}


def tone_file(path, layout, rate=48000, sample="f64", seconds=0.3, tracks=1):
    """A MOV or MKV of sound alone: channel c plays 200 + 60 c Hz, in a codec that no output copies."""
    count = av.AudioLayout(layout).nb_channels
    time = np.arange(int(rate * seconds)) / rate
    tones = np.stack([0.2 * np.sin(2 * np.pi * (200 + 60 * c) * time) for c in range(count)], 1)
    with av.open(str(path), "w") as container:
        streams = [
            container.add_stream(SOURCE_CODECS[sample], rate=rate, layout=layout) for _ in range(tracks)
        ]
        for stream in streams:
            row = np.ascontiguousarray(tones.astype(np.float64)).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(row, format="dbl", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def written(tmp_path, spec, frame, sound, suffix, count=8):
    """(path, notes) of a small video next to the sound."""
    path = tmp_path / f"out{suffix}"
    codec = "prores4444" if suffix == ".mov" else "h264"
    with VideoSink(path, spec(audio=AudioTrack(sound), codec=codec)) as sink:
        for index in range(count):
            sink.write(frame(index, 64, 48))
        sink.commit()
        return path, sink.notes


def heard(path):
    """(codec, layout, rate, loudest frequency of each channel) of the first track."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        facts = stream.codec_context.name, stream.layout.name, stream.rate
        resampler = av.AudioResampler(format="flt", layout=stream.layout.name)
        parts = [
            part.to_ndarray().reshape(-1, stream.channels)
            for one in container.decode(stream)
            for part in resampler.resample(one)
        ]
    samples = np.concatenate(parts)[:9600]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))[:, None], axis=0))
    return *facts, spectrum.argmax(0) * facts[2] / len(samples)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "layout", ["mono", "stereo", "2.1", "quad", "5.1", "6.1", "7.1", "7.1(wide)", "8 channels", "hexadecagonal",
               "22.2", "16 channels"]
)  # fmt: skip
def test_any_number_of_channels_is_written_or_left_out_with_a_note(tmp_path, spec, frame, layout, suffix):
    sound = tone_file(tmp_path / "in.mov", layout)
    path, notes = written(tmp_path, spec, frame, sound, suffix)
    count = av.AudioLayout(layout).nb_channels
    with av.open(str(sound)) as container:  # what MOV keeps of the layout
        given = container.streams.audio[0].layout.name
    if suffix == ".mp4" and given == f"{count} channels" and count > 8:
        assert "left out" in " ".join(notes)
        with av.open(str(path)) as container:
            assert not container.streams.audio
        return
    codec, _, rate, peaks = heard(path)
    assert rate == 48000
    if suffix == ".mp4" and len(peaks) < count:
        assert codec == "aac"
        assert len(peaks) == 6
        assert "mixed from" in " ".join(notes)
        return
    assert codec == ("pcm_s24le" if suffix == ".mkv" and count > 8 else ENCODED[suffix])
    assert len(peaks) == count
    full = [c for c in range(count) if c != 3 and (layout, c) != ("2.1", 2)]  # AAC's LFE is low-passed
    assert np.allclose(peaks[full], 200 + 60 * np.array(full), atol=6)
    assert not any("left out" in note or "mixed" in note for note in notes)


@pytest.mark.parametrize("sample", list(SOURCE_CODECS))
@pytest.mark.parametrize("rate", [22050, 96000, 192000])
def test_odd_rates_and_sample_formats_keep_their_pitch(tmp_path, spec, frame, sample, rate):
    sound = tone_file(tmp_path / "in.mkv", "stereo", rate, sample) if sample != "s16" else tone_file(
        tmp_path / "in.mov", "stereo", rate, sample
    )  # fmt: skip
    path, notes = written(tmp_path, spec, frame, sound, ".mp4")
    _, _, found, peaks = heard(path)
    assert found == (48000 if rate == 192000 else rate)
    assert np.allclose(peaks, [200, 260], atol=6)
    assert any("resampled from 192000 to 48000 Hz" in note for note in notes) == (rate == 192000)


def test_a_track_without_samples_gives_a_silent_film(tmp_path, spec, frame):
    sound = tmp_path / "in.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((2, 2, 48000, 0, "NONE", ""))
    path, _ = written(tmp_path, spec, frame, sound, ".mp4")
    with open_source(path) as source:
        assert len(list(source)) == 8


def test_the_first_of_several_tracks_is_used_and_named(tmp_path, spec, frame):
    sound = tone_file(tmp_path / "in.mov", "stereo", tracks=2)
    path, notes = written(tmp_path, spec, frame, sound, ".mp4")
    assert "2 tracks of sound; track 1 is used" in " ".join(notes)
    assert len(heard(path)[3]) == 2


def test_a_track_without_decoder_is_left_out_by_its_tag(tmp_path, spec, frame):
    sound = tone_file(tmp_path / "in.mov", "stereo", tracks=1)
    data = sound.read_bytes()
    assert b"fl64" in data or b"lpcm" in data
    sound.write_bytes(data.replace(b"fl64", b"apac").replace(b"lpcm", b"apac"))
    path, notes = written(tmp_path, spec, frame, sound, ".mp4")
    assert notes == (
        f"The sound of {sound} is left out, because the media library has no decoder for its codec 'apac'; "
        "convert it to AAC or PCM to keep it.",
    )
    with av.open(str(path)) as container:
        assert not container.streams.audio
    assert usable_sound(sound, "o.mp4", Fraction(0)) == (None, notes)


def test_a_second_track_takes_the_place_of_one_without_decoder(tmp_path):
    sound = tone_file(tmp_path / "in.mov", "stereo", tracks=2)
    data = sound.read_bytes()
    tag = b"fl64" if b"fl64" in data else b"lpcm"
    sound.write_bytes(data.replace(tag, b"apac", 1))
    with av.open(str(sound)) as container:
        plan, notes = plan_sound(sound, container, ".mp4", False)
    assert plan is not None
    assert plan.track == 1
    assert "track 2 is used" in notes[0]


_MANY = """
import sys
from fractions import Fraction
from pathlib import Path
from lp_core.media.video.header import open_film
from lp_core.media.video.audio_plan import plan_sound
for _ in range(20):
    with open_film(Path(sys.argv[1])) as container:
        plan_sound(Path(sys.argv[1]), container, ".mp4", False)
        count = sum(frame.samples for frame in container.decode(container.streams.audio[0]))
print(count)
"""


@pytest.mark.parametrize("layout", ["5.1", "7.1", "22.2"])
def test_channels_described_one_by_one_do_not_end_the_process(tmp_path, layout):
    # MOV keeps such a description; with a checking allocator a second release of it ends the process at once.
    sound = tone_file(tmp_path / "in.mov", layout, sample="s16", seconds=0.2)
    command = [sys.executable, "-c", _MANY, str(sound)]
    found = subprocess.run(
        command, env={**os.environ, "MALLOC_CHECK_": "3"}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout.strip()) == (0, "9600"), found.stderr[-500:]


@pytest.mark.parametrize("output", ["o.%04d.png", "o.####.exr", "o.png"])
def test_images_hold_no_sound(tmp_path, output):
    found, notes = usable_sound(tmp_path / "in.mov", output, Fraction(0))
    assert found is None
    assert notes == (f"{output} is written without sound, which images cannot hold.",)


def test_joined_segments_report_what_became_of_the_sound(tmp_path, spec, frame):
    segment = tmp_path / "a.mp4"
    with VideoSink(segment, spec(codec="h264")) as sink:
        for index in range(4):
            sink.write(frame(index, 64, 48))
        sink.commit()
    sound = tone_file(tmp_path / "in.mov", "7.1(wide)", seconds=0.2)
    given = spec(audio=AudioTrack(sound), codec="h264")
    notes = join_segments([segment], tmp_path / "o.mp4", given, [0], 4)
    assert "mixed from 7.1(wide) to 5.1" in " ".join(notes)


def test_a_video_without_decoder_is_refused_by_its_tag(tmp_path, make_film):
    path = make_film("a.mp4", 3)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"avc1", b"zzzz").replace(b"isomzzzz", b"isomavc1"))
    with pytest.raises(UnreadableMedia, match="no decoder for the codec 'zzzz'"):
        open_source(path)
    assert codec_tag(path, 0) == "zzzz"


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"RIFF\0\0\0\0AVI strh", b"\0\0\0\x10moov\0\0\0\xffstsd"])
def test_no_tag_is_found_in_what_has_none(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    assert codec_tag(path, 0) is None
