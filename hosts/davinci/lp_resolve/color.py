"""Resolve's color management, said in the names of OpenColorIO's ACES studio configuration.

The result has to have the numbers of its source, for Resolve reads both by the same rule; so the worker is given what
those numbers mean, and the output space is the same. Without management (DaVinci YRGB) files go by their own tags.
"""

from __future__ import annotations

from .facade import Clip, ResolveSession

CONFIGURATION = "ocio://studio-config-latest"
UNMANAGED = "davinciYRGB"
SPACES = {
    "ACES": "ACES2065-1",
    "ACEScc": "ACEScc",
    "ACEScct": "ACEScct",
    "ACEScg": "ACEScg",
    "ARRI LogC": "ARRI LogC3 (EI800)",
    "ARRI LogC3": "ARRI LogC3 (EI800)",
    "ARRI LogC4": "ARRI LogC4",
    "Blackmagic Design Video Gen 5": "BMDFilm WideGamut Gen5",
    "Canon Cinema Gamut/Canon Log2": "CanonLog2 CinemaGamut D55",
    "Canon Cinema Gamut/Canon Log3": "CanonLog3 CinemaGamut D55",
    "DaVinci WG/Intermediate": "DaVinci Intermediate WideGamut",
    "DaVinci Wide Gamut Intermediate": "DaVinci Intermediate WideGamut",
    "Panasonic V-Gamut/V-Log": "V-Log V-Gamut",
    "RED WideGamutRGB/Log3G10": "Log3G10 REDWideGamutRGB",
    "Linear": "Linear Rec.709 (sRGB)",
    "Rec.709 (Scene)": "Camera Rec.709",
    "Rec.709 Gamma 2.2": "Gamma 2.2 Encoded Rec.709",
    "Rec.709 Gamma 2.4": "Gamma 2.4 Encoded Rec.709",
    "Sony S-Gamut3.Cine/S-Log3": "S-Log3 S-Gamut3.Cine",
    "Sony S-Gamut3/S-Log3": "S-Log3 S-Gamut3",
    "sRGB": "sRGB Encoded Rec.709 (sRGB)",
}
"""Resolve's name -> OpenColorIO's."""


def color_settings(session: ResolveSession, clip: Clip, is_exr: bool) -> tuple[dict[str, str], str | None]:
    """Settings of the group ``color`` for a clip, and a sentence where they are not known.

    Args:
        session: gives the project's color management.
        clip: gives its own input space.
        is_exr: scene-linear files are read as such where the project says nothing else.
    """
    mode = session.setting("colorScienceMode")
    if mode in ("", UNMANAGED):
        return {}, None
    named = clip.says("Input Color Space")
    if not named or named.lower().startswith("project"):
        named = session.setting("colorSpaceInput")
    if is_exr and mode.lower().startswith("aces") and not named:
        named = "ACES"
    return space_settings(named)


def space_settings(named: str) -> tuple[dict[str, str], str | None]:
    """The same from Resolve's name of a space."""
    if not named:
        return {}, None
    space = SPACES.get(named)
    if space is None:
        return {}, f"Resolve's color space {named} has no name here; the file is read by its own tags."
    return {"ocio": CONFIGURATION, "input_space": space, "output_space": space}, None


def working_space(session: ResolveSession) -> tuple[dict[str, str], str | None]:
    """Settings of the group ``color`` for what a Fusion composition in a timeline sees.

    Managed projects hand scene-linear light to Fusion, which is how EXR is read anyway; else the timeline's own curve.
    """
    if session.setting("colorScienceMode") not in ("", UNMANAGED):
        return {}, None
    return space_settings(session.setting("colorSpaceTimeline"))
