"""Phones whose order is known, found in a sound: Viterbi over the recognizer's CTC output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.features import RATE
from lp_core.speech.phones import PHONES, ROW_S, Phone, phone_probabilities, phones_from_peaks
from lp_core.speech.recognizer import Recognizer

F32 = NDArray[np.float32]

_LEAST = 1e-4
"""Least probability of a phone that is known to be said."""
_LONGEST_S = 29
_NEVER = -1e9


def align_phones(samples: F32, names: Sequence[str], recognizer: Recognizer) -> tuple[Phone, ...]:
    """Known phones with their times.

    Args:
        samples: (n,) mono, 16 kHz, -1..1, at most 29 s.
        names: members of PHONES in the order in which they are said.
        recognizer: of phones.

    Returns:
        As many phones as names; none where the sound is too short or too long for them.
    """
    rows = recognizer.log_probabilities(samples)
    if not names or len(rows) < 2 * len(names) + 1 or len(samples) > _LONGEST_S * RATE:
        return ()
    known = phone_probabilities(rows)
    order = [PHONES.index(name) for name in names]
    peaks = best_rows(known, order)
    return tuple(
        phones_from_peaks(
            [(row * ROW_S, kind, float(known[row, kind])) for row, kind in zip(peaks, order, strict=True)]
        )
    )


def best_rows(probabilities: F32, order: Sequence[int]) -> list[int]:
    """The row at which each phone peaks on the best path: blank, phone, blank, phone, ..., blank.

    Args:
        probabilities: (rows, phones); what is missing to 1 is blank.
        order: indices of the phones, in the order in which they are said; fewer than half of the rows.
    """
    count = 2 * len(order) + 1
    emitted = np.empty((len(probabilities), count), np.float64)
    emitted[:, 0::2] = np.log(np.maximum(1 - probabilities.sum(axis=1), _LEAST))[:, None]
    emitted[:, 1::2] = np.log(np.maximum(probabilities[:, list(order)], _LEAST))
    may_skip = np.zeros(count, bool)
    may_skip[3::2] = np.diff(np.asarray(order)) != 0
    score = np.full(count, _NEVER)
    score[:2] = emitted[0, :2]
    steps = np.zeros((len(probabilities), count), np.int8)
    for row in range(1, len(probabilities)):
        one = np.concatenate([[_NEVER], score[:-1]])
        two = np.where(may_skip, np.concatenate([[_NEVER, _NEVER], score[:-2]]), _NEVER)
        choices = np.stack([score, one, two])
        steps[row] = choices.argmax(axis=0)
        score = choices.max(axis=0) + emitted[row]
    state = count - 1 if score[-1] >= score[-2] else count - 2
    path = np.empty(len(probabilities), np.intp)
    for row in range(len(probabilities) - 1, -1, -1):
        path[row] = state
        state -= int(steps[row, state])
    found = []
    for index, phone in enumerate(order):
        inside = np.flatnonzero(path == 2 * index + 1)
        found.append(int(inside[probabilities[inside, phone].argmax()]))
    return found
