"""The mouth of phones whose times are known: a measured table, blended by Gaussians. Nothing is recognized.

It was fitted by least squares to eleven filmed speakers. Numbers are standard deviations from the speaker's mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lp_core.speech.analysis import HeardSpeech, Voice, levels
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.mouth_features import SILENCES, STATES, blurred, phone_states
from lp_core.speech.mouth_map import OUTPUTS
from lp_core.speech.phones import PHONES, Phone
from lp_core.speech.sound import MonoSound

F32 = NDArray[np.float32]

_COLUMNS = (
    "open", "width", "jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthPucker", "mouthPress", "mouthRollLower",
    "mouthRollUpper", "mouthStretch", "mouthSmile",
)  # fmt: skip
_TABLE = """
AA +1.2 -0.4 +1.6 +0.7 -0.2 -0.2 -0.2 -0.0 +0.5 -0.3 -0.2
AE +1.4 +1.3 +1.1 +1.3 +1.2 -0.6 -0.0 -0.1 -0.0 +0.9 +1.0
AH -0.0 +0.0 +0.1 -0.2 -0.2 -0.2 -0.2 -0.0 +0.3 -0.2 -0.1
AO -0.3 -1.3 +0.2 -0.6 -1.0 +1.1 -0.6 -0.1 +0.3 -0.8 -0.8
AW +0.7 -0.1 +0.9 +0.3 +0.0 +0.0 -0.3 -0.0 +0.2 -0.1 -0.1
AY +1.6 +1.0 +1.5 +1.5 +0.9 -0.5 +0.0 -0.1 +0.2 +0.3 +1.3
EH +1.2 +0.7 +0.8 +1.0 +0.8 -0.2 +0.1 -0.1 +0.2 +0.5 +0.6
ER -0.3 -0.9 -0.1 -0.6 -0.7 +0.5 -0.6 -0.2 +0.3 -0.7 -0.7
EY +0.9 +0.7 +0.6 +0.8 +0.9 -0.1 -0.5 -0.2 +0.1 +0.2 +0.8
IH +0.3 +0.4 +0.0 +0.3 +0.4 -0.3 -0.1 -0.3 -0.2 +0.6 +0.1
IY +0.4 +0.2 +0.2 +0.4 +0.4 -0.3 -0.1 -0.0 -0.2 +0.8 -0.2
OW -0.3 -1.0 +0.0 -0.4 -0.7 +0.8 -0.7 -0.1 +0.6 -0.7 -0.7
OY -0.4 -1.3 +0.3 -0.4 -0.6 +1.8 -0.8 -0.1 +0.5 -0.6 -0.5
UH -0.4 -0.5 -0.3 -0.4 -0.3 +0.7 -0.5 -0.4 +0.1 -0.4 -0.0
UW -0.7 -0.9 -0.2 -0.4 -0.7 +1.1 -0.5 -0.4 -0.0 -0.4 -0.5
B -1.3 -0.6 -0.6 -0.7 -0.8 -0.1 +1.1 +1.5 +0.8 -0.6 -0.6
P -0.9 -0.7 -0.3 -0.2 -0.9 +0.1 +0.7 +0.7 +0.3 +0.2 -0.6
M -1.7 -0.6 -0.9 -0.9 -1.1 +0.3 +0.9 +1.2 -0.2 -0.3 -0.8
F -1.1 -0.3 -0.7 -0.7 -0.8 -0.2 +0.3 -0.2 -0.4 -0.3 -0.5
V -1.0 -0.6 -0.9 -0.7 -0.7 +0.3 -0.1 +0.1 -0.0 -0.5 -0.5
TH -0.4 +0.1 -0.5 -0.5 -0.2 -0.1 +0.1 -0.2 -0.3 +0.3 +0.1
DH -0.3 -0.1 -0.5 -0.5 -0.2 -0.2 -0.1 -0.3 -0.4 -0.4 -0.1
T -0.1 +0.1 -0.2 -0.2 -0.0 +0.0 +0.0 -0.3 -0.1 -0.1 -0.1
D +0.1 +0.6 -0.5 +0.6 +0.8 -0.2 +0.2 -0.1 -0.4 +0.7 +0.5
N -0.3 +0.3 -0.4 -0.2 -0.0 -0.1 +0.2 +0.0 -0.0 +0.2 +0.1
L -0.5 -0.5 -0.3 -0.4 -0.3 +0.4 -0.2 -0.2 +0.0 -0.1 -0.1
S -0.1 +0.4 -0.6 -0.2 +0.3 -0.3 +0.0 -0.4 -0.3 +0.3 +0.3
Z -0.1 +0.2 -0.5 -0.1 +0.2 -0.3 +0.3 -0.3 -0.2 +0.2 -0.1
SH +0.4 -0.6 -0.0 -0.1 -0.0 +0.0 -0.8 -0.7 -0.3 -0.5 -0.4
ZH +0.2 -0.6 -0.2 -0.2 +0.0 -0.0 -0.5 -0.6 -0.4 -0.5 -0.5
CH +0.1 -0.6 -0.4 +0.3 +0.5 +0.4 -0.6 -0.3 +0.0 -0.3 -0.3
JH +0.0 -0.4 -0.3 +0.1 +0.3 +0.1 -0.5 -0.5 -0.1 -0.3 +0.0
K +0.3 -0.0 +0.3 +0.3 +0.1 -0.3 -0.2 -0.1 -0.0 +0.3 -0.0
G +0.1 +0.7 -0.5 +0.4 +0.6 -0.3 +0.3 -0.4 -0.3 +0.3 +0.6
NG +0.2 +0.4 -0.1 +0.1 +0.3 -0.4 +0.1 -0.2 -0.2 +0.1 +0.4
HH +1.2 +0.5 +1.2 +0.5 +0.7 -0.3 -0.0 -0.0 +0.1 +0.2 +0.9
R -0.6 -1.5 -0.2 -0.8 -0.9 +1.1 -0.9 -0.2 +0.1 -1.1 -0.9
W -1.5 -2.1 -0.5 -1.0 -1.2 +3.4 -0.5 +0.1 +1.0 -1.0 -1.1
Y -0.3 -0.2 -0.3 -0.2 -0.0 -0.2 -0.2 -0.2 -0.1 +0.2 -0.3
pause -0.3 +0.2 -0.1 -0.3 -0.1 -0.3 +0.5 +0.3 +0.1 -0.2 +0.1
onset +0.4 +0.1 +0.7 +0.3 +0.1 -0.1 -0.0 +0.3 +0.1 -0.1 +0.1
rest -0.3 +0.4 -0.4 -0.1 +0.1 -0.3 +0.7 +0.4 -0.3 -0.0 +0.4
"""
"""Rows of rare phones (under half a second heard) are means with their neighbors: UH with UW, TH with DH, ZH with SH,
JH with CH. Rounding is the column of the pucker, of which it almost entirely consists."""
_SIGMA = {"open": 4.5, "jawOpen": 4.5, "width": 6.5, "mouthStretch": 6.5, "mouthSmile": 6.5}
_OTHER_SIGMA = 5.0
_LEAD = 2
"""Ticks by which lips are ahead of the sound."""


@lru_cache(maxsize=1)
def table() -> F32:
    """(STATES, OUTPUTS) standard deviations for each phone and kind of silence."""
    rows = {
        line.split()[0]: [float(word) for word in line.split()[1:]] for line in _TABLE.split("\n") if line
    }
    source = np.array([rows[name] for name in (*PHONES, *SILENCES)], np.float32)
    columns = [_COLUMNS.index("mouthPucker" if name == "round" else name) for name in OUTPUTS]
    return source[:, columns]


def mouth_of_phones(phones: Sequence[Phone], ticks: int) -> F32:
    """(ticks, OUTPUTS) deviations of the mouth for phones with known times."""
    states = phone_states(phones, 0.0, ticks + _LEAD)[_LEAD:]
    assert states.shape[1] == STATES  # noqa: S101 - the table has as many rows
    weights = table()
    blurs = {sigma: blurred(states, sigma) for sigma in {*_SIGMA.values(), _OTHER_SIGMA}}
    columns = [blurs[_SIGMA.get(name, _OTHER_SIGMA)] @ weights[:, at] for at, name in enumerate(OUTPUTS)]
    return np.stack(columns, axis=1).astype(np.float32) if ticks else np.zeros((0, len(OUTPUTS)), np.float32)


def heard_from_phones(sound: MonoSound, phones: Sequence[Phone], voice: Voice | None = None) -> HeardSpeech:
    """What is heard of a sound whose phones are known.

    Args:
        sound: the sound.
        phones: in order of time.
        voice: what ``listen`` heard; None: it has not listened.
    """
    loudness, pitch, energy = levels(sound) if voice is None else (voice.loudness, voice.pitch, voice.energy)
    activity = np.zeros(sound.ticks, np.float32)
    for phone in phones:
        first, last = round(phone.start_s * TICKS_PER_S), round(phone.end_s * TICKS_PER_S) + 1
        activity[first:last] = 1
    known = tuple(phone for phone in phones if phone.start_s < sound.seconds)
    return HeardSpeech(Voice(activity, loudness, pitch, energy), known, mouth_of_phones(known, sound.ticks))
