"""Color description of videos: numbers of ITU-T H.273 <-> FFmpeg's words, guesses, what is written."""

from __future__ import annotations

from dataclasses import replace

from lp_core.frame import ColorTags

UNSPECIFIED = "unspecified"
RGB_MATRIX = "gbr"

# ITU-T H.273 (2021), tables 2, 3 and 4.
PRIMARIES = {
    1: "bt709",
    2: UNSPECIFIED,
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    2: UNSPECIFIED,
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
MATRICES = {
    0: RGB_MATRIX,
    1: "bt709",
    2: UNSPECIFIED,
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}

SRGB = ColorTags(primaries="bt709", transfer="iec61966-2-1", matrix=RGB_MATRIX, is_full_range=True)
"""What a still without a color description is taken for."""

_WRITABLE_MATRICES = ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc")


def code_of(words: dict[int, str], word: str) -> int:
    """Number of a word in one of the tables above; 2 (unspecified) for an unknown word."""
    return next((code for code, known in words.items() if known == word), 2)


def complete_tags(tags: ColorTags, width: int, height: int) -> tuple[ColorTags, str | None]:
    """Fills in what a video does not state, and reports it.

    The matrix follows the size, as common players decide: BT.709 from 1280 columns or more than 576 lines,
    else BT.601. Primaries and transfer become BT.709's.

    Returns:
        The complete tags, and the words of the guess, None when nothing had to be guessed.
    """
    is_large = width >= 1280 or height > 576
    guessed = replace(
        tags,
        primaries="bt709" if tags.primaries == UNSPECIFIED else tags.primaries,
        transfer="bt709" if tags.transfer == UNSPECIFIED else tags.transfer,
        matrix=("bt709" if is_large else "smpte170m") if tags.matrix == UNSPECIFIED else tags.matrix,
    )
    if guessed == tags:
        return tags, None
    matrix = (
        "BT.709"
        if guessed.matrix == "bt709"
        else "BT.601"
        if guessed.matrix == "smpte170m"
        else guessed.matrix
    )
    return guessed, f"matrix {matrix}, primaries {guessed.primaries}, transfer {guessed.transfer}"


def film_tags(tags: ColorTags, is_rgb: bool, holds_full_range: bool) -> ColorTags:
    """Tags a video is written with.

    Args:
        tags: description of the frames.
        is_rgb: True when the codec stores RGB.
        holds_full_range: False when it stores video range only.

    Returns:
        For RGB: the same with matrix 'gbr', full range. For YCbCr: the same; but where the frames come from
        RGB or name a matrix that cannot be written, BT.709 in video range, which every player expects.
    """
    if is_rgb:
        return replace(tags, matrix=RGB_MATRIX, is_full_range=True)
    if tags.matrix not in _WRITABLE_MATRICES:
        return replace(tags, matrix="bt709", is_full_range=False)
    return replace(tags, is_full_range=tags.is_full_range and holds_full_range)
