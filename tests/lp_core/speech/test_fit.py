import numpy as np
import pytest

from lp_core.errors import ModelDamaged, SettingError, UnreadableMedia
from lp_core.speech.analysis import Voice
from lp_core.speech.fit import FilmedMouth, Speaker, fit_map
from lp_core.speech.mouth_features import FEATURES, blurred
from lp_core.speech.mouth_map import OUTPUTS, default_map, parse_map, read_map
from lp_core.speech.score import agreement


def planted(seed, late_s=0.0):
    """A speaker whose mouth is a linear function of the features."""
    rng = np.random.default_rng(seed)
    rows = blurred(rng.standard_normal((1500, FEATURES)), 4) * 4
    truth = np.random.default_rng(0).standard_normal((FEATURES, len(OUTPUTS)))
    curves = (rows @ truth).astype(np.float32) * 0.01 + 0.3
    mouth = FilmedMouth(
        np.arange(25, 350) / 25 + late_s,
        {name: curves[100:1400:4, index] for index, name in enumerate(OUTPUTS)},
    )
    ones = np.ones(1500, np.float32)
    return Speaker(f"speaker {seed}", Voice(ones, ones, ones, ones), rows, mouth)


def test_a_planted_map_predicts_a_speaker_it_has_not_seen():
    fitted = fit_map([planted(seed) for seed in range(1, 5)])
    unseen = planted(9)
    scores = agreement(fitted.deviations(unseen.features), unseen.voice, unseen.mouth)
    assert scores["open"] > 0.6
    assert scores["width"] > 0.6
    assert fitted.mean == pytest.approx(0.3, abs=0.05)


def test_agreement_looks_for_the_lag_but_not_far():
    fitted = fit_map([planted(seed) for seed in range(1, 5)])
    scores = []
    for late_s in (0.0, 0.05, 0.4):
        unseen = planted(9, late_s)
        scores.append(agreement(fitted.deviations(unseen.features), unseen.voice, unseen.mouth)["open"])
    assert scores[1] == pytest.approx(scores[0], abs=0.02)
    assert scores[2] < 0.3


def test_the_shipped_map_survives_its_file(tmp_path):
    shipped = default_map()
    path = tmp_path / "own.npz"
    path.write_bytes(shipped.to_bytes())
    again = read_map(path)
    assert shipped.speakers == again.speakers == 7
    assert (again.weights == shipped.weights).all()
    assert len(shipped.to_bytes()) < 30_000


def test_what_is_no_map_is_refused(tmp_path):
    for content in (b"", b"PK\x03\x04 no archive", default_map().to_bytes()[:2000]):
        with pytest.raises(ModelDamaged, match="is not a mouth map"):
            parse_map(content, "own.npz")
    with pytest.raises(UnreadableMedia, match="does not exist"):
        read_map(tmp_path / "absent.npz")


def test_a_map_needs_a_speaker():
    with pytest.raises(SettingError, match="at least one speaker"):
        fit_map([])
