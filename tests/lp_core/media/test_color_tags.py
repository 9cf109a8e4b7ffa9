from __future__ import annotations

import pytest

from lp_core.frame import ColorTags
from lp_core.media.color_tags import MATRICES, PRIMARIES, SRGB, TRANSFERS, code_of, complete_tags, film_tags

UNTOLD = ColorTags("unspecified", "unspecified", "unspecified", False)


@pytest.mark.parametrize("words", [PRIMARIES, TRANSFERS, MATRICES])
def test_words_and_numbers_match_one_to_one(words):
    assert len(set(words.values())) == len(words)
    assert all(code_of(words, word) == code for code, word in words.items())
    assert code_of(words, "no such word") == 2


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((720, 480), "smpte170m"),
        ((720, 576), "smpte170m"),
        ((512, 512), "smpte170m"),
        ((1280, 544), "bt709"),
        ((720, 1280), "bt709"),
        ((1920, 1080), "bt709"),
    ],
)
def test_the_matrix_is_guessed_by_size(size, matrix):
    tags, guess = complete_tags(UNTOLD, *size)
    assert tags == ColorTags("bt709", "bt709", matrix, False)
    assert ("BT.709" if matrix == "bt709" else "BT.601") in guess


def test_what_is_told_stays():
    told = ColorTags("bt2020", "smpte2084", "bt2020nc", True)
    assert complete_tags(told, 100, 100) == (told, None)
    tags, guess = complete_tags(ColorTags("bt709", "unspecified", "bt709", True), 100, 100)
    assert tags == ColorTags("bt709", "bt709", "bt709", True)
    assert guess


def test_film_tags():
    assert film_tags(SRGB, False, True) == ColorTags("bt709", "iec61966-2-1", "bt709", False)
    assert film_tags(ColorTags(), True, True) == ColorTags("bt709", "bt709", "gbr", True)
    full = ColorTags(is_full_range=True)
    assert film_tags(full, False, True) == full
    assert film_tags(full, False, False) == ColorTags()
    assert film_tags(ColorTags(matrix="ictcp"), False, True).matrix == "bt709"
