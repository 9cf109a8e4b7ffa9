"""Color profiles (ICC): what a profile says, the way from its codes to sRGB, and profiles of named spaces. Pure.

Convention:
    Colors (..., 3) RGB or (..., 1) gray, 1.0 = white. Profiles relate colors to XYZ under D50; matrices here are
    (3, 3) for column vectors.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lp_core.color.primaries import CHROMATICITIES, adapted_to_d50
from lp_core.color.transfer import SRGB

F64 = NDArray[np.float64]

_ALIKE_PRIMARIES, _ALIKE_CURVES = 4e-3, 4e-3
_PROBES = np.linspace(0, 1, 65)
_MOST_TAGS = 200


class ProfileError(ValueError):
    """A profile that is damaged or of a kind that says nothing here."""


@dataclass(frozen=True)
class ToneCurve:
    """Codes to linear light: a power law with a linear part, or a table."""

    parameters: tuple[float, ...] = (1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0)
    """g, a, b, c, d, e, f: (a x + b) ** g + e from d upward, below c x + f."""
    table: F64 | None = None
    """Values at even steps from 0 to 1; takes the place of the parameters."""

    def to_linear(self, codes: F64) -> F64:
        """Codes of any shape to linear light; a table ends at 0 and 1."""
        if self.table is not None:
            return np.interp(codes, np.linspace(0, 1, len(self.table)), self.table)
        g, a, b, c, d, e, f = self.parameters
        with np.errstate(all="ignore"):  # a damaged profile may hold any numbers
            bent = np.maximum(a * codes + b, 0) ** g + e
        result: F64 = np.where(codes >= d, bent, c * codes + f)
        return result


def gamma_curve(exponent: float) -> ToneCurve:
    """A plain power law, going on as 0 below 0."""
    return ToneCurve((exponent, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0))


SRGB_CURVE = ToneCurve((2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0))


@dataclass(frozen=True)
class Profile:
    """What a color profile says."""

    space: str
    """RGB, GRAY, CMYK, or what else it is for."""
    name: str
    """Its description, for messages."""
    curves: tuple[ToneCurve, ...] = ()
    """Of each channel; empty where it has tables of colors only."""
    d50_from_own: F64 | None = None
    """(3, 3) linear light to XYZ under D50; None for gray and for tables."""
    cicp: tuple[int, int] | None = None
    """Numbers of primaries and transfer (ITU-T H.273), where it says so."""

    @property
    def is_simple(self) -> bool:
        """True where curves and a matrix say everything."""
        return bool(self.curves) and (self.space == "GRAY" or self.d50_from_own is not None)

    @property
    def srgb_primaries(self) -> str | None:
        """H.273's word for the primaries of codes that have sRGB's curve; None for others."""
        if not self.is_simple or any(
            np.abs(curve.to_linear(_PROBES) - SRGB_CURVE.to_linear(_PROBES)).max() > _ALIKE_CURVES
            for curve in self.curves
        ):
            return None
        if self.d50_from_own is None:
            return "bt709"
        for word, numbers in CHROMATICITIES.items():
            if np.allclose(self.d50_from_own, adapted_to_d50(numbers), atol=_ALIKE_PRIMARIES):
                return word
        return None


def srgb_from(profile: Profile, codes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Codes of a simple profile to sRGB, relative to white; beyond 0..1 where sRGB has no such color.

    Args:
        profile: one that ``is_simple``.
        codes: (..., 3); of a gray profile three equal ones.

    Returns:
        (..., 3) sRGB codes, not cut.
    """
    wide = np.asarray(codes, np.float64)
    curves = profile.curves if len(profile.curves) == 3 else profile.curves * 3
    linear = np.stack([curve.to_linear(wide[..., k]) for k, curve in enumerate(curves)], axis=-1)
    if profile.d50_from_own is not None:
        bt709 = adapted_to_d50(CHROMATICITIES["bt709"])
        linear = linear @ np.linalg.solve(bt709, profile.d50_from_own).T
    return SRGB.from_linear(linear.astype(np.float32))


def primaries_profile(name: str, chromaticities: Sequence[float], curve: ToneCurve) -> Profile:
    """The profile of a description by primaries, white (eight numbers) and curve.

    Raises:
        ProfileError: the primaries span no space.
    """
    try:
        with np.errstate(all="raise"):
            matrix = adapted_to_d50(chromaticities)
    except (np.linalg.LinAlgError, FloatingPointError) as error:
        raise ProfileError("its primaries span no space") from error
    return Profile("RGB", name, (curve,) * 3, matrix)


def read_profile(data: bytes) -> Profile:
    """Reads a profile of any version.

    Raises:
        ProfileError: damaged.
    """
    try:
        return _profile(data)
    except (struct.error, IndexError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise ProfileError("its parts point outside of it") from error


def _profile(data: bytes) -> Profile:
    if data[36:40] != b"acsp":
        raise ProfileError("it has no signature")
    count = struct.unpack_from(">I", data, 128)[0]
    if count > _MOST_TAGS:
        raise ProfileError("its table of contents is damaged")
    tags = {}
    for k in range(count):
        name, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * k)
        tags[name] = data[offset : offset + size]
    space = data[16:20].decode("latin-1").strip()
    cicp = tags.get(b"cicp", b"")
    wanted = {"RGB": (b"rTRC", b"gTRC", b"bTRC"), "GRAY": (b"kTRC",)}.get(space, ())
    matrix = None
    if all(name in tags for name in (b"rXYZ", b"gXYZ", b"bXYZ")):
        matrix = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
    return Profile(
        space=space,
        name=_description(tags.get(b"desc", b"")) or "without a name",
        curves=tuple(_curve(tags[name]) for name in wanted) if all(n in tags for n in wanted) else (),
        d50_from_own=matrix,
        cicp=(cicp[8], cicp[9]) if len(cicp) >= 12 else None,
    )


def _xyz(tag: bytes) -> F64:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: bytes) -> ToneCurve:
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        values = np.frombuffer(tag, ">u2", count, 12)
        if count == 0:
            return ToneCurve()
        return gamma_curve(values[0] / 256) if count == 1 else ToneCurve(table=values / 65535)
    if tag[:4] != b"para":
        raise ValueError("a curve of another kind")
    kind = struct.unpack_from(">H", tag, 8)[0]
    numbers = [n / 65536 for n in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
    g, a, b = (*numbers, 1.0, 0.0)[:3] if kind == 0 else numbers[:3]
    if kind == 0:
        return gamma_curve(g)
    offset = numbers[3] if kind == 2 else 0.0
    if kind < 3:
        return ToneCurve((g, a, b, 0.0, -b / a, offset, offset))
    c, d = numbers[3:5]
    e, f = numbers[5:7] if kind == 4 else (0.0, 0.0)
    return ToneCurve((g, a, b, c, d, e, f))


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        length = struct.unpack_from(">I", tag, 8)[0]
        return tag[12 : 12 + length].split(b"\0")[0].decode("latin-1").strip()
    if tag[:4] == b"mluc":
        length, offset = struct.unpack_from(">II", tag, 20)
        return tag[offset : offset + length].decode("utf-16-be", "replace").strip("\0 ")
    return ""
