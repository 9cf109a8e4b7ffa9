from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import OutputExists, SettingError, UnreadableMedia
from lp_core.media.frame_pattern import (
    SequencePattern,
    files_of,
    name_runs,
    numbering_of,
    parse_pattern,
    refuse_existing_pictures,
    split_clip,
    split_range,
    without_places,
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


LITERAL = (
    "a%04d/b.png",
    "50%done seq/b.png",
    "100%done.png",
    "Final%20dailies.png",
    "take #2.png",
    "take ##2.png",
    "take %2d.mov",
    "take #.mp4",
    "x.%04d.lpmotion",
    "x.####.wav",
    "x.@@@@.png",
    "x.[0001-0009].png",
    "frame.####",
    "x.%123456789d.png",
)


@pytest.mark.parametrize("text", ["in.png", "in.0001.png", "100%.png", "50%x.png", "a/b#/c.png", *LITERAL])
def test_what_is_no_pattern(text):
    assert SequencePattern.parse(text) is None


@pytest.mark.parametrize("text", ["a.%04d.%04d.png", "a.####.%d.png", "a.##_##.png"])
def test_more_than_one_place(text):
    with pytest.raises(SettingError, match="number"):
        SequencePattern.parse(text)


def test_no_place_where_one_is_needed():
    with pytest.raises(SettingError, match=r"out\.png"):
        parse_pattern("out.png")


@given(st.integers(1, 8), st.integers(-(10**9), 10**9), st.sampled_from(["", "a.", "x(1)[2]+", "größe "]))
def test_a_number_is_found_again(digits, number, prefix):
    pattern = SequencePattern.parse(f"{prefix}%0{digits}d.png")
    assert re.fullmatch(r"-?\d+", pattern.path_of(number).name[len(prefix) : -4])
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
    found = numbering_of(SequencePattern.parse(tmp_path / "a.%d.png"), None, "error")
    assert (found.frames, found.images, found.missing) == (
        range(998, 1003),
        (*range(998, 1003),),
        frozenset(),
    )


def test_missing_pictures_are_listed(tmp_path):
    touch(tmp_path, *(f"a.{number:04d}.png" for number in (1, 2, 4, 8, 9)))
    with pytest.raises(UnreadableMedia, match=r"lacks 4 of the frames 1 to 9: 3, 5-7;"):
        numbering_of(SequencePattern.parse(tmp_path / "a.####.png"), None, "error")


def test_no_picture(tmp_path):
    with pytest.raises(UnreadableMedia, match="matches no image"):
        numbering_of(SequencePattern.parse(tmp_path / "a.####.png"), None, "error")


def test_existing_pictures_are_refused(tmp_path):
    pattern = SequencePattern.parse(tmp_path / "a.####.png")
    refuse_existing_pictures(pattern, overwrite=False)
    touch(tmp_path, "a.0005.png", "a.0006.png")
    refuse_existing_pictures(pattern, overwrite=True)
    with pytest.raises(OutputExists, match="2 images"):
        refuse_existing_pictures(pattern, overwrite=False)


def test_runs():
    assert name_runs([]) == ""
    assert name_runs([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert name_runs(range(0, 100, 2)).endswith("38, and 30 more")


def test_frames_asked_for_and_what_stands_in(tmp_path):
    touch(tmp_path, *(f"a.{number:04d}.png" for number in (1, 2, 4, 8, 9)))
    pattern = SequencePattern.parse(tmp_path / "a.####.png")
    assert numbering_of(pattern, FrameRange(1, 2), "error").missing == frozenset()
    found = numbering_of(pattern, FrameRange(2, 5), "hold")
    assert (found.frames, found.missing) == (range(2, 6), frozenset({3, 5}))
    assert found.images == (2, 2, 4, 4)
    assert numbering_of(pattern, FrameRange(5, 8), "hold").images == (4, 4, 4, 8)  # as in the whole clip
    with pytest.raises(UnreadableMedia, match=r"lacks 2 of the frames 8 to 11: 10-11; .*--missing hold"):
        numbering_of(pattern, FrameRange(8, 11), "error")
    with pytest.raises(UnreadableMedia, match=r"none of the frames 20 to 30; there are 1-2, 4, 8-9"):
        numbering_of(pattern, FrameRange(20, 30), "black")


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


@pytest.mark.parametrize(
    ("text", "prefix", "digits"),
    [
        ("50%done seq/a.%04d.png", "a.", 4),
        ("50%done.%04d.png", "50%done.", 4),
        ("Final%20dailies.####.exr", "Final%20dailies.", 4),
        ("take #2.####.png", "take #2.", 4),
        ("-lead-%d.png", "-lead-", 1),
        ("größe [1-9] @.%03d.TIF", "größe [1-9] @.", 3),
    ],
)
def test_only_the_last_part_and_only_a_real_place_counts(text, prefix, digits):
    pattern = SequencePattern.parse(text)
    assert (pattern.folder, pattern.prefix, pattern.digits) == (Path(text).parent, prefix, digits)
    assert str(SequencePattern.parse(str(pattern))) == str(pattern)


@pytest.mark.parametrize("name", ["in.####.png", "take #.png", "x %d.png", "a.%04d.%04d.png", "a.## 1-2.png"])
def test_a_file_of_exactly_that_name_is_literal(tmp_path, name):
    touch(tmp_path, name, "in.0001.png")
    assert SequencePattern.parse(tmp_path / name) is None
    assert files_of(str(tmp_path / name)) == [tmp_path / name]
    assert split_clip(tmp_path / name) == (tmp_path / name, None, 1)


def test_the_files_show_which_of_several_places_is_meant(tmp_path):
    touch(tmp_path, "50%d_##.0001.png", "50%d_##.0002.png")
    assert SequencePattern.parse(tmp_path / "50%d_##.%04d.png").numbers() == [1, 2]


def test_a_name_longer_than_the_system_allows_is_only_not_there(tmp_path):
    path = tmp_path / ("x" * 300 + ".####.png")
    assert SequencePattern.parse(path).numbers() == []
    assert SequencePattern.parse(tmp_path / ("x" * 300) / "a.####.png").numbers() == []
    assert files_of(str(tmp_path / ("x" * 300 + ".mp4"))) == []


def test_negative_numbers_as_opentimelineio_and_as_c_write_them(tmp_path):
    touch(tmp_path, "a.-0012.png", "a.-003.png", "a.-0001.png", "a.0000.png", "a.0001.png", "a.-00002.png")
    pattern = SequencePattern.parse(tmp_path / "a.%04d.png")
    assert pattern.numbers() == [-12, -3, -1, 0, 1]
    assert [pattern.path_of(n).name for n in (-12, -3, -2)] == ["a.-0012.png", "a.-003.png", "a.-0002.png"]
    touch(tmp_path, "b-1.png", "b--1.png", "b0.png")
    assert SequencePattern.parse(tmp_path / "b-%d.png").numbers() == [-1, 1]
    assert SequencePattern.parse(tmp_path / "b%d.png").numbers() == [-1, 0]


@pytest.mark.parametrize(
    ("text", "frames", "step"),
    [
        ("a.####.exr -5-10", FrameRange(-5, 10), 1),
        ("a.####.exr -5--1", FrameRange(-5, -1), 1),
        ("a.####.exr -5 - -1", FrameRange(-5, -1), 1),
        ("a.####.exr -5", FrameRange(-5, -5), 1),
        ("a.####.exr 1-11x2", FrameRange(1, 12), 2),
        ("a.####.exr 1-12x2", FrameRange(1, 12), 2),
        ("a.####.exr -4-4x4", FrameRange(-4, 7), 4),
    ],
)
def test_ranges_below_zero_and_with_a_step(text, frames, step):
    assert split_clip(text) == (Path("a.####.exr"), frames, step)


@pytest.mark.parametrize("text", ["a.####.exr --5--1", "a.####.exr 1-11x0", "a.mov 1-5", "b#/a.exr 1-5"])
def test_what_is_no_range_stays_in_the_name(text):
    assert split_clip(text) == (Path(text), None, 1)


def test_on_twos_each_image_lasts_until_the_next(tmp_path):
    touch(tmp_path, *(f"t.{number:04d}.png" for number in (1, 3, 4, 7, 9, 11)))
    pattern = SequencePattern.parse(tmp_path / "t.%04d.png")
    clip = FrameRange(1, 12)
    with pytest.raises(UnreadableMedia, match=r"lacks 1 of the frames 1 to 12: 5;"):
        numbering_of(pattern, None, "error", clip, 2)
    found = numbering_of(pattern, None, "hold", clip, 2)
    assert found.images == (1, 1, 3, 3, 3, 3, 7, 7, 9, 9, 11, 11)
    assert (found.missing, found.lacking) == (frozenset({5, 6}), (5,))
    assert numbering_of(pattern, FrameRange(8, 10), "error", clip, 2).images == (7, 9, 9)
    assert numbering_of(pattern, FrameRange(6, 7), "black", clip, 2).images == (3, 7)
    paths = files_of(str(tmp_path / "t.%04d.png 1-11x2"))
    assert [path.name for path in paths] == [f"t.{n:04d}.png" for n in (1, 3, 7, 9, 11)]


def test_a_name_without_places():
    assert without_places("take #.%04d.x") == "take _._04d.x"
    assert without_places("take #2 100%done.x") == "take #2 100%done.x"
