import numpy as np
import pytest

from lp_core.speech.phones import (
    LONGEST_AFTER_S,
    LONGEST_BEFORE_S,
    PEAK_LATE_S,
    PHONES,
    peaks,
    phone_probabilities,
    phones_from_peaks,
    token_classes,
    tokens,
)

BLANK = 190


def heard(*said):
    """Log-probabilities of tokens by row; blank elsewhere."""
    rows = np.full((40, 191), np.log(1e-4), np.float32)
    rows[:, BLANK] = 0
    for row, token, probability in said:
        rows[row, BLANK] = np.log(1e-3)
        rows[row, tokens().index(token)] = np.log(probability)
    return rows


def test_every_token_with_a_sound_has_a_class():
    nameless = {token for token, kind in zip(tokens(), token_classes(), strict=True) if kind < 0}
    letters = {name for name in nameless if name.isalpha() and name.islower() and not "ʰ" <= name <= "˿"}
    assert letters <= {"ᵝ"}
    assert set(token_classes()) - {-1} == {PHONES.index(name) for name in PHONES}


def test_peaks_are_found_once_with_their_probability():
    rows = heard((5, "p", 0.5), (6, "p", 0.9), (12, "ɑ", 0.8), (14, "ɑ", 0.7))
    assert [(row, PHONES[kind], round(strength, 2)) for row, kind, strength in peaks(rows)] == [
        (6, "P", 0.9),
        (12, "AA", 0.8),
        (14, "AA", 0.7),
    ]


def test_probabilities_of_spellings_add_up():
    rows = heard((3, "p", 0.4))
    rows[3, tokens().index("pʰ")] = np.log(0.3)
    assert phone_probabilities(rows)[3, PHONES.index("P")] == pytest.approx(0.7, abs=0.01)


def test_phones_meet_half_way_and_do_not_linger():
    first, second, third = phones_from_peaks([(1.0, 0, 1.0), (1.1, 1, 1.0), (3.0, 2, 1.0)])
    assert first.start_s == pytest.approx(1.0 - PEAK_LATE_S - LONGEST_BEFORE_S)
    assert first.end_s == pytest.approx(1.05 - PEAK_LATE_S) == second.start_s
    assert second.end_s == pytest.approx(1.1 - PEAK_LATE_S + LONGEST_AFTER_S)
    assert third.end_s == pytest.approx(3.0 - PEAK_LATE_S + LONGEST_AFTER_S)


def test_nothing_heard_gives_no_phones():
    assert phones_from_peaks([]) == []
    assert list(peaks(heard())) == []
