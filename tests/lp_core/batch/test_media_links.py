"""Media references as programs write them, and back."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.batch.media_links import (
    Finder,
    MediaLink,
    bracketed,
    is_remote,
    path_of,
    rebased,
    url_like,
    url_of,
)
from lp_core.media.frame_pattern import split_clip
from lp_core.timing import FrameRange

HERE = Path("/cut")


@pytest.mark.parametrize(
    "url,path",
    [
        ("file:///show/sh%20010/a%23b.exr", "/show/sh 010/a#b.exr"),
        ("file:///show/sh 010/a#b.exr", "/show/sh 010/a#b.exr"),
        ("file://localhost/show/a.mov", "/show/a.mov"),
        ("file:/show/a.mov", "/show/a.mov"),
        ("file:///C:/x/y.mov", "C:/x/y.mov"),
        ("file:///D%3a/x/y%20z.mov", "D:/x/y z.mov"),
        ("file://C:/x/y.mov", "C:/x/y.mov"),
        ("C:/x/y.mov", "C:/x/y.mov"),
        ("C:\\x\\y.mov", "C:\\x\\y.mov"),
        ("file://server/share/a.mov", "//server/share/a.mov"),
        ("//server/share/a.mov", "//server/share/a.mov"),
        ("\\\\server\\share\\a.mov", "\\\\server\\share\\a.mov"),
        ("/show/a.mov", "/show/a.mov"),
        ("media/a.mov", "/cut/media/a.mov"),
        ("../media/a.mov", "/media/a.mov"),
        ("media/a%20b.mov", "/cut/media/a%20b.mov"),
        ("file:///sh/gr%C3%BCn.mov", "/sh/gr\u00fcn.mov"),
    ],
)
def test_what_a_reference_means(url, path):
    assert path_of(url, HERE) == path


def test_a_name_that_looks_encoded_is_taken_as_it_is_where_that_file_is_there(tmp_path):
    (tmp_path / "100%25.mov").touch()
    assert path_of(f"file://{tmp_path}/100%25.mov", HERE) == str(tmp_path / "100%25.mov")
    (tmp_path / "100%.mov").touch()
    assert path_of(f"file://{tmp_path}/100%25.mov", HERE) == str(tmp_path / "100%.mov")
    (tmp_path / "a b.mov").touch()
    assert path_of("a%20b.mov", tmp_path) == str(tmp_path / "a b.mov")


NAMES = st.text(st.characters(exclude_characters="/\0\\", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(NAMES.filter(lambda name: name not in (".", "..")))
def test_an_address_comes_back_whatever_the_name(name):
    assert path_of(url_of(f"/show/{name}"), HERE) == f"/show/{name}"
    assert path_of(url_of(f"C:/show/{name}"), HERE) == f"C:/show/{name}"
    assert path_of(url_of(f"//server/{name}"), HERE) == f"//server/{name}"


@pytest.mark.parametrize(
    "model,address",
    [
        ("file:///a/b.mov", "file:///out/media/x%20y.mov"),
        ("/a/b.mov", "/out/media/x y.mov"),
        ("b.mov", "media/x y.mov"),
        ("", "file:///out/media/x%20y.mov"),
        ("https://host/b.mov", "file:///out/media/x%20y.mov"),
    ],
)
def test_new_addresses_are_written_in_the_manner_of_the_old_ones(model, address):
    assert url_like(model, Path("/out/media/x y.mov"), Path("/out")) == address


def test_relative_addresses_lead_to_the_same_file_from_another_folder(tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.mov").touch()
    out = tmp_path / "out"
    assert path_of(rebased("media/a.mov", tmp_path, out), out) == str(tmp_path / "media" / "a.mov")
    assert rebased("media/gone.mov", tmp_path, out) == "media/gone.mov"
    assert rebased("/x/a.mov", tmp_path, out) == "/x/a.mov"


def test_remote_media_is_told_from_files():
    assert is_remote("https://host/a.mov") and is_remote("s3://bucket/a.mov")
    assert not is_remote("file:///a.mov") and not is_remote("C:/a.mov") and not is_remote("a.mov")


def test_brackets_are_a_sequence(tmp_path):
    assert bracketed("/s/name.[1001-1099].exr") == MediaLink("/s/name.%04d.exr", FrameRange(1001, 1099))
    (tmp_path / "odd[1-2].mov").touch()
    assert bracketed(str(tmp_path / "odd[1-2].mov")) == MediaLink(str(tmp_path / "odd[1-2].mov"))


def test_missing_media_is_found_by_name_and_not_guessed(tmp_path):
    for folder in ("a/day1", "a/day2", "b"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a/day1/take.mov", "a/day2/take.mov", "b/One.MOV", "b/seq.1001.exr"):
        (tmp_path / name).touch()
    finder = Finder((str(tmp_path),))
    assert finder.find(MediaLink("/old/one.mov")) == MediaLink(str(tmp_path / "b" / "One.MOV"))
    assert finder.find(MediaLink("/old/day2/take.mov")) == MediaLink(str(tmp_path / "a/day2/take.mov"))
    assert finder.find(MediaLink("/old/take.mov")) is None  # two that fit equally well
    found = finder.find(MediaLink("/old/seq.%04d.exr", FrameRange(1001, 1002)))
    assert found == MediaLink(str(tmp_path / "b/seq.%04d.exr"), FrameRange(1001, 1002))
    shutil.rmtree(tmp_path / "b")


@pytest.mark.parametrize(
    "url,path",
    [
        ("file:///nowhere/Final%20dailies/gone.mov", "/nowhere/Final dailies/gone.mov"),
        ("/nowhere/Final%20dailies/gone.mov", "/nowhere/Final%20dailies/gone.mov"),
        ("file:///nowhere/50%25done%20seq/", "/nowhere/50%done seq"),
        ("file:///a/100%done/%23%25d.mov", "/a/100%done/#%d.mov"),
        ("file:///C:/Final%20dailies/gone.mov", "C:/Final dailies/gone.mov"),
        ("file:////server/share/Final%20dailies/a.mov", "//server/share/Final dailies/a.mov"),
        ("file:///x/" + "y" * 300 + ".mov", "/x/" + "y" * 300 + ".mov"),
    ],
)
def test_media_that_is_offline_is_named_and_no_error(url, path):
    assert path_of(url, HERE) == path
    link = bracketed(path)
    assert (link, link.exists, link.is_sequence) == (MediaLink(path), False, False)
    assert Finder(()).find(link) is None


@pytest.mark.parametrize(
    "folder,written",
    [
        ("Final dailies", "Final%20dailies"),
        ("Final%20dailies", "Final%20dailies"),
        ("Final dailies", "Final%2520dailies"),
        ("50%done seq", "50%25done%20seq"),
        ("50%done seq", "50%done seq"),
        ("take #2 %d", "take%20%232%20%25d"),
        ("gr\u00f6\u00dfe", "gr%C3%B6%C3%9Fe"),
    ],
)
def test_the_reading_that_is_there_counts(tmp_path, folder, written):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "a.0001.png").touch()
    (tmp_path / folder / "a %d.mov").touch()
    assert path_of(f"file://{tmp_path}/{written}/a%20%25d.mov", HERE) == str(tmp_path / folder / "a %d.mov")
    assert path_of(f"file://{tmp_path}/{written}/", HERE) == str(tmp_path / folder)
    assert path_of(f"{written}/", tmp_path) == str(tmp_path / folder)
    link = bracketed(path_of(f"{written}/a.[0001-0002].png", tmp_path))
    assert link.exists and link.is_sequence and link.frames == FrameRange(1, 2)


def test_a_colon_in_a_files_name_is_no_scheme(tmp_path):
    (tmp_path / "take:2.mov").touch()
    assert is_remote("take:2.mov") and not is_remote("take:2.mov", tmp_path)
    assert path_of("take:2.mov", tmp_path) == str(tmp_path / "take:2.mov")
    assert is_remote("https://host/a.mov", tmp_path)


@pytest.mark.parametrize(
    "name", ["/s/a.[1099-1001].exr", "/s/take [1-2].mov", "/s/[1-2]/a.exr", "/s/a.[x-2].exr"]
)
def test_brackets_that_are_no_range_are_literal(name):
    assert bracketed(name) == MediaLink(name)


def test_brackets_below_zero_and_the_last_pair_counts():
    assert bracketed("/s/a.[-0005-0010].exr") == MediaLink("/s/a.%04d.exr", FrameRange(-5, 10))
    assert bracketed("/s/a[1-2].[-5--1].exr") == MediaLink("/s/a[1-2].%01d.exr", FrameRange(-5, -1))


def test_the_address_gives_frames_where_the_files_alone_do_not():
    name, frames = "/s/t.%04d.png", FrameRange(1, 12)
    assert MediaLink(name, frames).address == name
    assert MediaLink(name, frames, 2).address == f"{name} 1-11x2"
    assert MediaLink(name, frames, 1, "hold").address == f"{name} 1-12x1"
    assert MediaLink("/s/t.mov", frames, 2).address == "/s/t.mov"
    assert split_clip(MediaLink(name, FrameRange(-5, 6), 3).address) == (Path(name), FrameRange(-5, 6), 3)


def test_a_moved_sequence_keeps_its_step(tmp_path):
    (tmp_path / "t #1_%d_.0001.png").touch()
    found = Finder((str(tmp_path),)).find(MediaLink("/old/t #1_%d_.%04d.png", FrameRange(1, 12), 2, "hold"))
    assert found == MediaLink(str(tmp_path / "t #1_%d_.%04d.png"), FrameRange(1, 12), 2, "hold")
