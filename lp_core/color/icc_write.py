"""Makes the color profile (ICC, version 4) of a named space, for files that describe colors in no other way. Pure."""

from __future__ import annotations

import struct

import numpy as np

from lp_core.color.primaries import CHROMATICITIES, D50_XYZ, adaptation_to_d50, adapted_to_d50
from lp_core.color.transfer import transfer_of

_SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_STEPS = 1024
_NAMES = {"smpte432": "Display P3", "bt2020": "BT.2020", "bt709": "BT.709", "smpte431": "DCI-P3"}


def profile_of(primaries: str, transfer: str) -> bytes | None:
    """The profile of codes with these words of ITU-T H.273.

    Returns:
        The profile's bytes; None where the words say nothing, or the curve is not made for an ordinary screen.
    """
    numbers, curve = CHROMATICITIES.get(primaries), transfer_of(transfer)
    if numbers is None or not curve.is_display:
        return None
    if transfer == "iec61966-2-1":
        trc = b"para\0\0\0\0\0\3\0\0" + _fixed(*_SRGB_PARAMETERS)
    else:
        samples = curve.to_linear(np.linspace(0, 1, _STEPS, dtype=np.float32))
        values = np.rint(np.clip(samples, 0, 1) * 65535).astype(">u2").tobytes()
        trc = b"curv\0\0\0\0" + struct.pack(">I", _STEPS) + values
    columns = adapted_to_d50(numbers).T
    name = _NAMES.get(primaries, primaries) if transfer == "iec61966-2-1" else f"{primaries}, {transfer}"
    tags = {
        b"desc": _words(name),
        b"cprt": _words("No copyright"),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50_XYZ),
        b"chad": b"sf32\0\0\0\0" + _fixed(*adaptation_to_d50(numbers).ravel()),
        **{name: b"XYZ \0\0\0\0" + _fixed(*column) for name, column in zip(_COLUMNS, columns, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), trc),
    }
    return _assembled(tags)


_COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")


def _assembled(tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        if content not in places:
            places[content] = at + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, places[content], len(content))
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04400000, b"mntr", b"RGB ", b"XYZ ")
    date = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    rest = b"acsp" + bytes(4 + 4 + 4 + 4 + 8 + 4) + _fixed(*D50_XYZ)
    header = head + date + rest
    return header + bytes(128 - len(header)) + table + body


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(float(number) * 65536) for number in numbers))


def _words(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded
