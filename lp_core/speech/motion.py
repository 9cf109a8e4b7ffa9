"""SpeechMotion: what a face does with a voice, as named curves, 100 times a second, with phones and their times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MotionError
from lp_core.speech.analysis import HeardSpeech, speaking
from lp_core.speech.features import TICKS_PER_S
from lp_core.speech.mouth_map import OUTPUTS, MouthMap
from lp_core.speech.natural import Manner, mood_curves, natural_motion
from lp_core.speech.phones import CLOSURES, Phone
from lp_core.timing import FrameRate

F32 = NDArray[np.float32]

MOUTH_GAIN = 1.8
"""A ridge predicts too little motion: its spread is about half of the speaker's."""
_GAINS: Mapping[str, float] = {"round": 3.0, "mouthPucker": 3.0, "mouthSmile": 0.8}
_CHANGES = ("width", "mouthSmile")
"""Outputs whose mean is the speaker's own and not the portrait's."""
_CORE_S, _RAMP_S = 0.012, 0.045
_TEETH = 0.035
"""Largest opening while the lower lip touches the teeth, outer eye distances."""
_LIMITS: Mapping[str, tuple[float, float]] = {"open": (0.0, 0.42), "width": (-0.2, 0.15), "round": (0.0, 1.0)}
_ROUND = (0.0, 0.05, 0.07, 0.16, 0.40, 0.88, 0.95)
_WIDEST = (0.15, 0.0, -0.02, -0.04, -0.06, -0.08, -0.10)
"""Rounding of filmed mouths -> the greatest change of width at which 5 % of their frames are at least so round."""
_NARROW = (-0.14, -0.12, -0.10, -0.08, -0.06, -0.04, -0.02, 0.0)
_ROUND_CLOSED = (0.96, 0.82, 0.65, 0.42, 0.21, 0.08, 0.02, 0.0)
_ROUND_OPEN = (0.90, 0.70, 0.42, 0.20, 0.10, 0.06, 0.03, 0.0)
"""Change of width, from narrow to wide -> the least rounding of closed and of open lips: the mean of filmed mouths of
that width. Below -0.10 the clips show no open lips; those two values are extrapolated."""
_CLOSED, _OPENED = 0.03, 0.08
"""Opening up to which lips count as closed there, and from which on as open."""
SETTLE_S = 0.25
"""How long a mouth takes to come to rest."""
NEUTRAL_MOOD = ((0.0, "neutral"),)


@dataclass(frozen=True)
class SpeechMotion:
    """What a face does with a voice.

    Curves ``open`` (gap of the inner lips), ``width`` (change of the mouth's width; both in outer eye distances),
    ``round`` and the mouth's blendshapes (0..1, the mean of both sides), ``press``, ``pitch``, ``yaw``, ``roll``
    (degrees), ``blink``, ``brow``, ``smile`` (parts), ``gaze_x``, ``gaze_y`` (eye widths), ``speaking`` (0..1).
    All are 0 at the first tick, which is the portrait at rest.
    """

    curves: Mapping[str, F32]
    """Name -> (ticks,), a value each 10 ms."""
    phones: tuple[Phone, ...] = ()
    """Phones that were heard, in order of time."""
    source: str = ""
    """Name of the sound."""
    seed: int = 0
    """Of head, blinks and gaze."""
    closures: tuple[float, ...] = field(default=())
    """Seconds at which the lips are closed."""

    def __post_init__(self) -> None:
        if len({len(curve) for curve in self.curves.values()}) > 1:
            raise MotionError("The curves of a speech motion differ in length; make it again.")

    def __len__(self) -> int:
        return len(next(iter(self.curves.values()), ()))

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self) / TICKS_PER_S

    def frames(self, rate: FrameRate) -> int:
        """Frames at a rate that cover the motion; at least one."""
        return max(-(-len(self) * rate.fps.numerator // (TICKS_PER_S * rate.fps.denominator)), 1)

    def sampled(self, rate: FrameRate, start: int, stop: int) -> dict[str, F32]:
        """The curves at frames start to stop, half-open, of a rate.

        Each frame has the mean over its period, centered at its time. Every closure of the lips owns the frame that is
        nearest to it, at any rate.
        """
        values = {name: self._means(curve, rate, start, stop) for name, curve in self.curves.items()}
        fps = float(rate.fps)
        for middle_s in self.closures:
            frame = round(middle_s * fps)
            if start <= frame < stop:
                values["open"][frame - start] = 0.0
                values["press"][frame - start] = max(values["press"][frame - start], 0.6)
        return values

    def _means(self, curve: F32, rate: FrameRate, start: int, stop: int) -> F32:
        """Means over each frame's period; a frame's value does not depend on which others are asked for."""
        ticks = TICKS_PER_S / float(rate.fps)
        edges = np.clip((np.arange(start, stop + 1) - 0.5) * ticks + 0.5, 0, len(curve))
        first, last = edges[:-1, None], edges[1:, None]
        columns = np.floor(first) + np.arange(int(np.ceil(ticks)) + 2)
        weights = np.clip(np.minimum(last, columns + 1) - np.maximum(first, columns), 0, None)
        width = weights.sum(axis=1)
        if not len(curve):
            return np.zeros(stop - start, np.float32)
        values = curve[np.minimum(columns.astype(np.intp), len(curve) - 1)]
        means = (weights * values).sum(axis=1) / np.maximum(width, 1e-9)
        rest: F32 = np.where(width > 1e-6, means, curve[-1]).astype(np.float32)
        if start == 0 and len(rest):
            rest[0] = curve[0]
        return rest


def perform(
    heard: HeardSpeech,
    mouth_map: MouthMap,
    manner: Manner,
    mouth_strength: float = 1.0,
    moods: tuple[tuple[float, str], ...] = NEUTRAL_MOOD,
    source: str = "",
) -> SpeechMotion:
    """What a face does with what is heard.

    Args:
        heard: of the sound.
        mouth_map: that predicted its mouth.
        manner: of head, blinks, brows and gaze.
        mouth_strength: multiplies the mouth's motion, 0: none.
        moods: (seconds, mood) in order of time.
        source: name of the sound.
    """
    active = _from_rest(speaking(heard.voice))
    curves = mouth_curves(heard.mouth, mouth_map, active, mouth_strength)
    lips = [phone for phone in heard.phones if phone.name in CLOSURES]
    _close(curves, lips, [phone for phone in heard.phones if phone.name in ("F", "V")])
    curves.update(natural_motion(heard.voice, active, manner))
    for name, added in mood_curves(moods, len(active)).items():
        curves[name] = curves.get(name, np.zeros_like(added)) + added
    curves["speaking"] = active
    return SpeechMotion(
        curves,
        heard.phones,
        source,
        manner.seed,
        tuple(phone.middle_s for phone in lips if phone.middle_s >= 0),
    )


def mouth_curves(deviations: F32, mouth_map: MouthMap, active: F32, strength: float) -> dict[str, F32]:
    """The mouth's curves from the map's deviations.

    Args:
        deviations: (ticks, outputs) in standard deviations.
        mouth_map: has the speaker's means and spreads.
        active: (ticks,) 0 at rest, 1 speaking.
        strength: multiplies the motion.
    """
    curves = {}
    for index, name in enumerate(OUTPUTS):
        change = deviations[:, index] * mouth_map.spread[index] * _GAINS.get(name, MOUTH_GAIN)
        value = change if name in _CHANGES else change + mouth_map.mean[index]
        low, high = _LIMITS.get(name, (0.0, 1.0))
        curves[name] = np.clip(value * active * strength, low, high).astype(np.float32)
    curves["round"] = _rounded(curves)
    curves["width"] = np.minimum(curves["width"], np.interp(curves["round"], _ROUND, _WIDEST)).astype(
        np.float32
    )
    curves["press"] = np.zeros(len(active), np.float32)
    return curves


def _rounded(curves: Mapping[str, F32]) -> F32:
    """Rounding as lips can have it: narrow lips are somewhat round, closed ones more than open ones.

    Source: frames of seven filmed speakers by the width itself, for a mouth that is USUAL_WIDTH wide at rest
    (``benchmarks/speech.py`` prints the table): how round lips are depends on how narrow they are, not on how much
    narrower they have become.
    """
    closed, opened = (np.interp(curves["width"], _NARROW, row) for row in (_ROUND_CLOSED, _ROUND_OPEN))
    share = np.clip((curves["open"] - _CLOSED) / (_OPENED - _CLOSED), 0, 1)
    result: F32 = np.maximum(curves["round"], closed + share * (opened - closed)).astype(np.float32)
    return result


def _from_rest(active: F32) -> F32:
    """The same, from 0 at the first tick."""
    rise = np.clip(np.arange(len(active)) / 8, 0, 1)
    result: F32 = (active * rise).astype(np.float32)
    return result


def _close(curves: Mapping[str, F32], lips: Iterable[Phone], teeth: Iterable[Phone]) -> None:
    """Closes the lips for p, b, m and lets the lower lip meet the teeth for f, v; in place."""
    for phone in lips:
        at, weight = _around(phone, len(curves["open"]))
        curves["open"][at] *= 1 - weight
        curves["press"][at] = np.maximum(curves["press"][at], 0.6 * weight)
    for phone in teeth:
        at, weight = _around(phone, len(curves["open"]))
        opened = curves["open"][at]
        curves["open"][at] = opened + weight * (np.minimum(opened, _TEETH) - opened)
    curves["round"][:] = _rounded(curves)


def close_lips(curves: Mapping[str, F32], phones: Iterable[Phone], time_s: float) -> None:
    """The same for curves of one value, at a time; in place."""
    for phone in phones:
        away = abs(time_s - phone.middle_s)
        part = float(np.clip((_CORE_S + _RAMP_S - away) / _RAMP_S, 0, 1))
        weight = part * part * (3 - 2 * part)
        if phone.name in CLOSURES:
            curves["open"][:] *= 1 - weight
            curves["press"][:] = np.maximum(curves["press"], 0.6 * weight)
        elif phone.name in ("F", "V"):
            curves["open"][:] += weight * (np.minimum(curves["open"], _TEETH) - curves["open"])
    curves["round"][:] = _rounded(curves)


def _around(phone: Phone, count: int) -> tuple[slice, F32]:
    """Ticks of a phone with its flanks, and its weight there: 1 at the middle, 0 at the ends."""
    reach = _CORE_S + _RAMP_S
    first = max(int(np.ceil((phone.middle_s - reach) * TICKS_PER_S)), 0)
    last = min(int((phone.middle_s + reach) * TICKS_PER_S) + 1, count)
    away = np.abs(np.arange(first, max(last, first)) / TICKS_PER_S - phone.middle_s)
    part = np.clip((reach - away) / _RAMP_S, 0, 1)
    return slice(first, max(last, first)), (part * part * (3 - 2 * part)).astype(np.float32)


def settled(motion: SpeechMotion) -> SpeechMotion:
    """The motion with half a second more, in which the face comes to rest."""
    ease = np.clip(1 - np.arange(1, TICKS_PER_S // 2 + 1) / (SETTLE_S * TICKS_PER_S), 0, 1)
    ease = (ease * ease * (3 - 2 * ease)).astype(np.float32)
    last = {
        name: curve[-1:] if len(curve) else np.zeros(1, np.float32) for name, curve in motion.curves.items()
    }
    curves = {name: np.concatenate([curve, last[name] * ease]) for name, curve in motion.curves.items()}
    return replace(motion, curves=curves)


def with_head(motion: SpeechMotion, angles_deg: Sequence[F32]) -> SpeechMotion:
    """The motion with another head: pitch, yaw and roll, each (n,) at ticks; what is missing holds the last value."""
    curves = dict(motion.curves)
    for name, row in zip(("pitch", "yaw", "roll"), angles_deg, strict=True):
        fitted = row[: len(motion)]
        curves[name] = np.pad(fitted, (0, len(motion) - len(fitted)), mode="edge").astype(np.float32)
    return replace(motion, curves=curves)
