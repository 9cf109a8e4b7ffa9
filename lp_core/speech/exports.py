"""A speech motion for other programs: Live Link Face CSV with 61 curves, and the 15 visemes with times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lp_core.files import write_whole
from lp_core.speech.motion import SpeechMotion
from lp_core.speech.read_mouth import BLENDSHAPES
from lp_core.speech.rig import blendshapes
from lp_core.timing import FrameRate

F32 = NDArray[np.float32]

CSV_RATE = FrameRate.parse(60)
"""Rows per second of a Live Link Face file."""
LIVE_LINK_NAMES = (
    "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft",
    "EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight",
    "EyeSquintRight", "EyeWideRight", "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel",
    "MouthPucker", "MouthRight", "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft",
    "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight",
    "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight",
    "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft",
    "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft",
    "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut", "HeadYaw", "HeadPitch", "HeadRoll",
    "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
)  # fmt: skip
"""The 61 curves in the order of the app's files."""
_EYE_YAW, _EYE_PITCH = 0.60, 0.55
_BLOCK = 600

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
"""The 15 visemes in their usual order."""
_VISEME_OF = {
    "PP": "P B M", "FF": "F V", "TH": "TH DH", "DD": "T D", "kk": "K G HH", "CH": "CH JH SH ZH", "SS": "S Z",
    "nn": "N L NG", "RR": "R ER", "aa": "AA AE AH AY AW", "E": "EH EY", "I": "IH IY Y", "O": "AO OW OY", "U": "UH UW W",
}  # fmt: skip
_OF_PHONE = {phone: viseme for viseme, phones in _VISEME_OF.items() for phone in phones.split()}


def live_link_csv(motion: SpeechMotion) -> Iterator[str]:
    """The lines of a Live Link Face file: 63 columns, 60 rows a second, the first at the first sample of the sound.

    Head and eyes are in radians: yaw is positive towards the person's right, pitch downwards.
    """
    yield ",".join(("Timecode", "BlendShapeCount", *LIVE_LINK_NAMES))
    total = motion.frames(CSV_RATE)
    for start in range(0, total, _BLOCK):
        stop = min(start + _BLOCK, total)
        sampled = motion.sampled(CSV_RATE, start, stop)
        for row in range(stop - start):
            numbers = _live_link_row({name: float(curve[row]) for name, curve in sampled.items()})
            values = ",".join(f"{numbers[name] + 0.0:.10f}" for name in LIVE_LINK_NAMES)
            yield f"{timecode(Fraction(start + row, 60))},{len(LIVE_LINK_NAMES)},{values}"


def timecode(time_s: Fraction) -> str:
    """``HH:MM:SS:FF.sss``; FF counts sixtieths whatever the rate."""
    seconds, part = divmod(time_s, 1)
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{float(part * 60):06.3f}"


def _live_link_row(values: dict[str, float]) -> dict[str, float]:
    shapes = blendshapes(values)
    row = {name[0].upper() + name[1:]: float(value) for name, value in zip(BLENDSHAPES, shapes, strict=True)}
    row["TongueOut"] = 0.0
    row["HeadYaw"], row["HeadPitch"], row["HeadRoll"] = (
        float(np.radians(angle)) for angle in (-values["yaw"], values["pitch"], values["roll"])
    )
    for side, sign in (("Left", -1.0), ("Right", 1.0)):
        row[f"{side}EyeYaw"] = sign * _EYE_YAW * (row[f"EyeLookOut{side}"] - row[f"EyeLookIn{side}"])
        row[f"{side}EyePitch"] = _EYE_PITCH * (row[f"EyeLookDown{side}"] - row[f"EyeLookUp{side}"])
        row[f"{side}EyeRoll"] = 0.0
    return row


def visemes(motion: SpeechMotion) -> list[dict[str, object]]:
    """Visemes with start and end in seconds, without gaps; silence is ``sil``."""
    found: list[dict[str, object]] = []
    at = 0.0
    for phone in motion.phones:
        start, end = max(phone.start_s, at), min(phone.end_s, motion.seconds)
        if end <= start:
            continue
        if start - at > 1e-3:
            found.append(_viseme("sil", "", at, start))
        found.append(_viseme(_OF_PHONE[phone.name], phone.name, start, end))
        at = end
    if motion.seconds - at > 1e-3:
        found.append(_viseme("sil", "", at, motion.seconds))
    return found


def _viseme(name: str, phone: str, start_s: float, end_s: float) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": VISEMES.index(name), "viseme": name, "start_s": round(start_s, 3), "end_s": round(end_s, 3)
    }  # fmt: skip
    return {**entry, "phone": phone} if phone else entry


def write_csv(motion: SpeechMotion, path: Path) -> int:
    """Writes a Live Link Face file; returns the number of rows.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    lines = list(live_link_csv(motion))
    write_whole(path, "\n".join(lines) + "\n")
    return len(lines) - 1


def write_visemes(motion: SpeechMotion, path: Path) -> int:
    """Writes visemes as JSON; returns their number.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    found = visemes(motion)
    content = {
        "schema": "lpsuite.visemes", "version": 1, "source": motion.source, "seconds": round(motion.seconds, 3),
        "names": list(VISEMES), "visemes": found,
    }  # fmt: skip
    write_whole(path, json.dumps(content, indent=1) + "\n")
    return len(found)
