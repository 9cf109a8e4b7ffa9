"""Inputs by size, time and content."""

import os

import pytest

from lp_core.errors import Cancelled, InputChanged, UnreadableMedia
from lp_core.media.input_files import input_files
from lp_core.render.inputs import NOT_WATCHED, InputWatch
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "a.mov"
    path.write_bytes(b"one")
    return path


def rewrite_keeping_time(path, data):
    about = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def replace_keeping_time(path, data):
    about = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(data)
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    other.replace(path)


CHANGES = {
    "longer": lambda path: path.write_bytes(b"longer"),
    "touched": lambda path: os.utime(path, ns=(1, 1)),
    "longer, time kept": lambda path: rewrite_keeping_time(path, b"longer"),
    "another file, time and size kept": lambda path: replace_keeping_time(path, b"two"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_seen(clip, change):
    watch = InputWatch.of(input_files([str(clip)]))
    watch.check()
    change(clip)
    with pytest.raises(InputChanged, match=r"a\.mov changed while it was in use"):
        watch.check()


def test_identities_tell_content_and_not_time(clip):
    before = InputWatch.of(input_files([str(clip)])).identities()
    os.utime(clip, ns=(1, 1))
    assert InputWatch.of(input_files([str(clip)])).identities() == before
    rewrite_keeping_time(clip, b"two")
    assert InputWatch.of(input_files([str(clip)])).identities() != before


def test_every_image_of_a_sequence_counts(tmp_path):
    for number in range(3):
        (tmp_path / f"f.{number}.png").write_bytes(b"x")
    watch = InputWatch.of(input_files([str(tmp_path / "f.#.png")]))
    (tmp_path / "f.3.png").write_bytes(b"new ones are another matter")
    watch.check()
    (tmp_path / "f.1.png").write_bytes(b"xx")
    (tmp_path / "f.2.png").write_bytes(b"xx")
    with pytest.raises(InputChanged, match=r"f\.1\.png and 1 more changed"):
        watch.check()


def test_files_that_settings_name_count_and_built_in_motions_do_not(clip, tmp_path):
    matte = tmp_path / "matte.png"
    matte.write_bytes(b"m")
    settings = with_values(RenderSettings(), {"holdout": str(matte)})
    assert input_files([str(clip), "demo:nod", str(tmp_path / "absent.mp4")], settings) == [clip, matte]


def test_failure_with_a_changed_input_is_explained_by_it(clip):
    watch = InputWatch.of(input_files([str(clip)]))
    with pytest.raises(ValueError, match="as it was"), watch.guarding():
        raise ValueError("as it was")
    clip.write_bytes(b"longer")
    with pytest.raises(InputChanged), watch.guarding():
        raise ValueError("a decoder's words")
    with pytest.raises(Cancelled), watch.guarding():
        raise Cancelled("The user's request comes first.")


def test_unreadable_input_is_one_sentence(tmp_path):
    watch = InputWatch.of(input_files([str(tmp_path / "d")]))
    assert watch == NOT_WATCHED
    (tmp_path / "f").write_bytes(b"x")
    watch = InputWatch.of(input_files([str(tmp_path / "f")]))
    (tmp_path / "f").unlink()
    (tmp_path / "f").mkdir()
    with pytest.raises(UnreadableMedia, match="is a folder"):
        watch.identities()
