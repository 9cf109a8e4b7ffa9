from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import OutputExists, SettingError, UnreadableMedia
from lp_core.media.sequence import (
    SequencePattern,
    name_runs,
    parse_pattern,
    refuse_existing_pictures,
    split_range,
    wanted_numbers,
)
from lp_core.timing import FrameRange


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("in.%04d.png", 4),
        ("in.####.png", 4),
        ("in.%d.png", 1),
        ("in.#.png", 1),
        ("in.%03d.png", 3),
        ("in.%3d.png", 3),
    ],
)
def test_patterns(text, digits):
    pattern = SequencePattern.parse(text)
    assert (pattern.prefix, pattern.digits, pattern.suffix) == ("in.", digits, ".png")
    assert pattern.path_of(7) == Path(f"in.{7:0{digits}d}.png")


@pytest.mark.parametrize("text", ["in.png", "in.0001.png", "100%.png", "50%x.png", "a/b#/c.png"])
def test_what_is_no_pattern(text):
    assert SequencePattern.parse(text) is None


@pytest.mark.parametrize("text", ["a.%04d.%04d.png", "a.####.%d.png", "a%04d/b.png", "a.##_##.png"])
def test_more_than_one_place(text):
    with pytest.raises(SettingError, match="number"):
        SequencePattern.parse(text)


def test_no_place_where_one_is_needed():
    with pytest.raises(SettingError, match=r"out\.png"):
        parse_pattern("out.png")


@given(st.integers(1, 8), st.integers(0, 10**9), st.sampled_from(["", "a.", "x(1)[2]+", "größe "]))
def test_a_number_is_found_again(digits, number, prefix):
    pattern = SequencePattern.parse(f"{prefix}%0{digits}d.png")
    assert re.fullmatch(r"\d+", pattern.path_of(number).name[len(prefix) : -4])
    assert int(pattern.path_of(number).name[len(prefix) : -4]) == number


def test_only_its_own_files_count(tmp_path):
    touch(
        tmp_path,
        "a.0001.png",
        "a.0002.png",
        "a.00003.png",
        "a.3.png",
        "b.0003.png",
        "a.0004.jpg",
        "a.10000.png",
    )
    assert SequencePattern.parse(tmp_path / "a.%04d.png").numbers() == [1, 2, 10000]
    assert SequencePattern.parse(tmp_path / "no" / "a.%04d.png").numbers() == []


def test_a_whole_sequence_may_start_anywhere(tmp_path):
    touch(tmp_path, *(f"a.{number}.png" for number in range(998, 1003)))
    assert wanted_numbers(SequencePattern.parse(tmp_path / "a.%d.png"), None, "error") == (
        range(998, 1003),
        frozenset(),
    )


def test_missing_pictures_are_listed(tmp_path):
    touch(tmp_path, *(f"a.{number:04d}.png" for number in (1, 2, 4, 8, 9)))
    with pytest.raises(UnreadableMedia, match=r"lacks 4 of the frames 1 to 9: 3, 5-7;"):
        wanted_numbers(SequencePattern.parse(tmp_path / "a.####.png"), None, "error")


def test_no_picture(tmp_path):
    with pytest.raises(UnreadableMedia, match="matches no picture"):
        wanted_numbers(SequencePattern.parse(tmp_path / "a.####.png"), None, "error")


def test_existing_pictures_are_refused(tmp_path):
    pattern = SequencePattern.parse(tmp_path / "a.####.png")
    refuse_existing_pictures(pattern, overwrite=False)
    touch(tmp_path, "a.0005.png", "a.0006.png")
    refuse_existing_pictures(pattern, overwrite=True)
    with pytest.raises(OutputExists, match="2 pictures"):
        refuse_existing_pictures(pattern, overwrite=False)


def test_runs():
    assert name_runs([]) == ""
    assert name_runs([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert name_runs(range(0, 100, 2)).endswith("38, and 30 more")


def test_frames_asked_for_and_what_stands_in(tmp_path):
    touch(tmp_path, *(f"a.{number:04d}.png" for number in (1, 2, 4, 8, 9)))
    pattern = SequencePattern.parse(tmp_path / "a.####.png")
    assert wanted_numbers(pattern, FrameRange(1, 2), "error") == (range(1, 3), frozenset())
    assert wanted_numbers(pattern, FrameRange(2, 5), "hold") == (range(2, 6), frozenset({3, 5}))
    with pytest.raises(UnreadableMedia, match=r"lacks 2 of the frames 8 to 11: 10-11; .*--missing hold"):
        wanted_numbers(pattern, FrameRange(8, 11), "error")
    with pytest.raises(UnreadableMedia, match=r"none of the frames 20 to 30; there are 1-2, 4, 8-9"):
        wanted_numbers(pattern, FrameRange(20, 30), "black")


@pytest.mark.parametrize(
    ("text", "name", "frames"),
    [
        ("shot.####.exr 1001-1100", "shot.####.exr", FrameRange(1001, 1100)),
        ("a b/shot.%04d.exr  7", "a b/shot.%04d.exr", FrameRange(7, 7)),
        ("shot 1-2", "shot 1-2", None),
        ("portrait 2024.png", "portrait 2024.png", None),
        ("shot.####.exr", "shot.####.exr", None),
    ],
)
def test_a_range_behind_the_name(text, name, frames):
    assert split_range(text) == (Path(name), frames)
