"""What a still's numbers mean: tags where ITU-T H.273 has words for them, else a conversion to sRGB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lp_core.color.icc import (
    SRGB_CURVE,
    Profile,
    ProfileError,
    gamma_curve,
    primaries_profile,
    read_profile,
    srgb_from,
)
from lp_core.color.primaries import CHROMATICITIES
from lp_core.errors import UnreadableMedia
from lp_core.frame import ColorTags, Pixels
from lp_core.media.color_tags import PRIMARIES, SRGB, TRANSFERS
from lp_core.media.image import tiff_tags
from lp_core.media.image.headers import StillHeader

_ROWS = 256  # at a time: conversions take 24 bytes for each number
_BEYOND = 2e-3  # half a code of 8 bits: rounding of a profile's numbers is not worth a word
_SRGB_GAMMA = (0.44, 0.47)  # what writers that mean sRGB put into gAMA
_ADOBE = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.329)
_VIDEO_GAMMA = (0.505, 0.515)  # what FFmpeg puts there for frames of BT.709 and its relatives


@dataclass(frozen=True)
class StillColor:
    """What happens to a still's numbers."""

    tags: ColorTags = SRGB
    """Color description of the pixels that are delivered."""
    profile: Profile | None = None
    """Converts the numbers to sRGB; None: they stay as they are."""
    note: str | None = None
    """What the user should know."""


def color_of(path: Path, header: StillHeader) -> StillColor:
    """The meaning of a still's numbers by its own words: cICP, profile, sRGB, gAMA and cHRM, in this order."""
    if header.color is not None:
        return StillColor(header.color)
    if header.icc is not None:
        try:
            return _by_profile(path, read_profile(header.icc), header)
        except ProfileError as error:
            note = f"{path} carries a damaged color profile ({error}); its values are used as sRGB."
            return StillColor(note=note)
    if header.is_adobe_rgb:
        return StillColor(profile=primaries_profile("Adobe RGB (1998)", _ADOBE, gamma_curve(563 / 256)))
    if header.is_srgb or (header.gamma is None and header.chromaticities is None):
        return StillColor()
    gamma = header.gamma or 0.4545
    is_video = _VIDEO_GAMMA[0] < gamma < _VIDEO_GAMMA[1]
    is_usual = is_video or _SRGB_GAMMA[0] < gamma < _SRGB_GAMMA[1]
    try:
        numbers = header.chromaticities or CHROMATICITIES["bt709"]
        curve = SRGB_CURVE if is_usual else gamma_curve(1 / gamma)
        told = _simple(primaries_profile("gAMA and cHRM", numbers, curve))
        if is_video and told.profile is None:
            return replace(told, tags=replace(told.tags, transfer="bt709"))
        return told
    except ProfileError as error:
        return StillColor(note=f"{path} describes colors that cannot be ({error}); they are used as sRGB.")


def _by_profile(path: Path, profile: Profile, header: StillHeader) -> StillColor:
    if header.tags.get(tiff_tags.PHOTOMETRIC, (0,))[0] in tiff_tags.PHOTOMETRIC_LAB:
        return StillColor()  # needs no profile: the decoder makes sRGB of it
    stored = "CMYK" if header.is_cmyk else "RGB"
    if profile.space != stored and not (stored == "RGB" and profile.space == "GRAY"):
        return StillColor(
            note=f"{path} stores {stored} with a color profile for {profile.space} ('{profile.name}'), which "
            "does not fit and is not applied."
        )
    if profile.cicp is not None:
        primaries, transfer = PRIMARIES.get(profile.cicp[0]), TRANSFERS.get(profile.cicp[1])
        if primaries and transfer and "unspecified" not in (primaries, transfer):
            return StillColor(replace(SRGB, primaries=primaries, transfer=transfer))
    return _simple(profile)


def _simple(profile: Profile) -> StillColor:
    if profile.srgb_primaries is not None:
        return StillColor(replace(SRGB, primaries=profile.srgb_primaries))
    if not profile.is_simple and profile.space == "RGB" and "sRGB" in profile.name:
        return StillColor()
    return StillColor(profile=profile)


def to_srgb(path: Path, pixels: Pixels, profile: Profile) -> tuple[Pixels, str]:
    """Converts a still's colors by a simple profile; whole numbers are cut to sRGB's range.

    Args:
        path: of the still, for messages.
        pixels: (H, W, 3 or 4) uint8, uint16 or float32, straight alpha.
        profile: one that ``is_simple``.

    Returns:
        Pixels of the same shape and type, and what the user should know.
    """
    is_float = pixels.dtype == np.float32
    white = 1.0 if is_float else float(np.iinfo(pixels.dtype).max)
    result, beyond = pixels.copy(), 0
    for top in range(0, len(pixels), _ROWS):
        codes = pixels[top : top + _ROWS, :, :3].astype(np.float32) / np.float32(white)
        srgb = srgb_from(profile, codes)
        beyond += int(((srgb < -_BEYOND) | (srgb > 1 + _BEYOND)).any(axis=-1).sum())
        coded = (
            srgb if is_float else np.rint(np.clip(np.nan_to_num(srgb, posinf=1.0, neginf=0.0), 0, 1) * white)
        )
        result[top : top + _ROWS, :, :3] = coded.astype(pixels.dtype)
    note = f"{path} was converted to sRGB from its color profile '{profile.name}'."
    share = beyond / max(pixels.shape[0] * pixels.shape[1], 1)
    if beyond and not is_float:
        note = f"{note[:-1]}; {max(share, 0.001):.1%} of its pixels hold colors beyond sRGB and were clipped."
    return result, note


def refuse_deep_tables(path: Path, profile: Profile, bit_depth: int) -> None:
    """Raises UnreadableMedia where a profile made of tables meets more than 8 bits."""
    if bit_depth > 8:
        raise UnreadableMedia(
            f"{path} has {bit_depth} bits and a color profile made of tables ('{profile.name}'), which is applied to "
            "8 bits only; convert it to sRGB, Display P3 or Adobe RGB and save it again."
        )
