"""Phones whose order is known, found in a sound: Viterbi over the recognizer's CTC output.

The states are blank, phone, blank, phone, ..., blank. Rows are followed in a band around the best path, and what is
far enough back is settled, so memory does not grow with the sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.analysis import Voice, pieces
from lp_core.speech.features import RATE, TICKS_PER_S
from lp_core.speech.phones import PHONES, ROW_S, Phone, phone_probabilities, phones_from_peaks
from lp_core.speech.recognizer import Recognizer
from lp_core.speech.sound import MonoSound

F32 = NDArray[np.float32]
Peak = tuple[int, int, float]
"""Row, number of the phone in the given order, probability there."""

BAND, BEHIND = 1200, 500
"""States that are followed, and how many of them are before the best one: some 25 s of speech."""
LAG = 1500
"""Rows after which a path no longer changes: 30 s."""
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
    found = [(row * ROW_S, order[number], strength) for row, number, strength in best_rows(known, order)]
    return tuple(phones_from_peaks(found))


def align_sound(
    sound: MonoSound,
    voice: Voice,
    names: Sequence[str],
    recognizer: Recognizer,
    step: Callable[[float], None] | None = None,
) -> tuple[Phone, ...]:
    """Known phones with their times, in a sound of any length.

    Args:
        sound: the sound.
        voice: what ``listen`` hears in it.
        names: members of PHONES in the order in which they are said; at least one.
        recognizer: of phones.
        step: told the share that is done, 0..1.

    Returns:
        Phones in order of time. Their ``strength`` is small where the sound does not say them.
    """
    order = [PHONES.index(name) for name in names]
    follower = PhoneFollower(order)
    times: list[float] = []
    found: list[Peak] = []
    for piece in pieces(sound, voice, recognizer):
        ticks = piece.first + np.arange(len(piece.rows)) * ROW_S * TICKS_PER_S
        inside = (ticks >= piece.start) & (ticks < piece.stop)
        times += (ticks[inside] / TICKS_PER_S).tolist()
        found += follower.push(phone_probabilities(piece.rows[inside]))
        if step is not None:
            step(piece.stop / max(sound.ticks, 1))
    found += follower.finish()
    return tuple(
        phones_from_peaks([(times[row], order[number], strength) for row, number, strength in found])
    )


def best_rows(probabilities: F32, order: Sequence[int]) -> list[Peak]:
    """The row at which each phone peaks on the best path.

    Args:
        probabilities: (rows, phones); what is missing to 1 is blank.
        order: indices of the phones, in the order in which they are said; fewer than half of the rows.
    """
    follower = PhoneFollower(order)
    return [*follower.push(probabilities), *follower.finish()]


class PhoneFollower:
    """Follows known phones through rows that arrive."""

    def __init__(self, order: Sequence[int]) -> None:
        """Begins before the first phone.

        Args:
            order: indices of the phones among the columns of the rows, in the order in which they are said.
        """
        self._order = np.asarray(order, np.intp)
        count = 2 * len(order) + 1
        self._emits = np.full(count, -1, np.intp)
        """Column of each state; the last column is blank."""
        self._emits[1::2] = self._order
        self._may_skip = np.zeros(count, bool)
        self._may_skip[3::2] = np.diff(self._order) != 0
        self._width = min(count, BAND)
        self._low, self._first = 0, 0
        self._score = np.full(self._width, _NEVER)
        self._rows: list[F32] = []
        self._lows: list[int] = []
        self._steps: list[NDArray[np.int8]] = []

    def push(self, rows: F32) -> list[Peak]:
        """Takes (n, phones) probabilities; gives the phones that are settled now, in order."""
        for row in rows:
            self._advance(row)
        if len(self._rows) <= 2 * LAG:
            return []
        path = self._path(self._low + int(self._score.argmax()))
        stop = len(path) - LAG
        while stop > 0 and path[stop - 1] % 2:  # a run of a phone is never cut
            stop -= 1
        found = self._peaks(path[:stop])
        self._first += stop
        del self._rows[:stop], self._lows[:stop], self._steps[:stop]
        return found

    def finish(self) -> list[Peak]:
        """The phones that are left; those behind the best path where the sound ends before the text."""
        last = len(self._emits) - 1 - self._low
        ends = [at for at in (last, last - 1) if 0 <= at < self._width and self._score[at] > _NEVER / 2]
        at = max(ends, key=lambda end: float(self._score[end])) if ends else int(self._score.argmax())
        return self._peaks(self._path(self._low + at))

    def _advance(self, row: F32) -> None:
        blank = max(1 - float(row.sum()), _LEAST)
        values = np.log(np.maximum(np.append(row, blank), _LEAST))
        if not self._first and not self._rows:
            emitted = values[self._emits[: self._width]]
            self._score[:2] = emitted[:2]
            steps = np.zeros(self._width, np.int8)
        else:
            score = self._moved_band()
            emitted = values[self._emits[self._low : self._low + self._width]]
            may_skip = self._may_skip[self._low : self._low + self._width]
            one, two = np.full((2, self._width), _NEVER)
            one[1:], two[2:] = score[:-1], np.where(may_skip[2:], score[:-2], _NEVER)
            choices = np.stack([score, one, two])
            steps = choices.argmax(axis=0).astype(np.int8)
            self._score = choices.max(axis=0) + emitted
        self._rows.append(row)
        self._lows.append(self._low)
        self._steps.append(steps)

    def _moved_band(self) -> NDArray[np.float64]:
        """The scores in a band that has followed the best path."""
        best = self._low + int(self._score.argmax())
        low = min(max(best - BEHIND, self._low), len(self._emits) - self._width)
        shift, self._low = low - self._low, low
        return np.concatenate([self._score[shift:], np.full(shift, _NEVER)]) if shift else self._score

    def _path(self, state: int) -> NDArray[np.intp]:
        """(kept rows,) the states of the path that ends in a state."""
        path = np.empty(len(self._rows), np.intp)
        for index in range(len(self._rows) - 1, -1, -1):
            path[index] = state
            state -= int(self._steps[index][min(max(state - self._lows[index], 0), self._width - 1)])
        return path

    def _peaks(self, path: NDArray[np.intp]) -> list[Peak]:
        return list(self._found(path))

    def _found(self, path: NDArray[np.intp]) -> Iterator[Peak]:
        edges = np.flatnonzero(np.diff(path)) + 1
        bounds = [0, *edges.tolist(), len(path)]
        for start, stop in zip(bounds, bounds[1:], strict=False):
            if start == stop or path[start] % 2 == 0:
                continue
            number = int(path[start]) // 2
            column = [float(row[self._order[number]]) for row in self._rows[start:stop]]
            top = int(np.argmax(column))
            yield self._first + start + top, number, column[top]
