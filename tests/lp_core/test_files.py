from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from lp_core import files
from lp_core.errors import DiskFull, MediaError, NoWritePermission, OutputExists, UnreadableMedia


def test_names_are_hidden_beside_and_short(tmp_path):
    path = tmp_path / ("x" * 251 + ".mp4")
    names = {files.temporary_path(path) for _ in range(100)}
    assert len(names) == 100
    assert all(
        name.parent == tmp_path and name.name.startswith(".") and name.suffix == ".mp4" for name in names
    )
    files.write_whole(path, b"1")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_check_folder_leaves_nothing(tmp_path):
    files.check_folder(tmp_path / "a.mp4")
    files.check_folder(tmp_path / "new" / "deep" / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_check_folder_refuses(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="is a file"):
        files.check_folder(tmp_path / "file" / "a.mp4")
    with pytest.raises(MediaError, match="is a folder"):
        files.check_folder(tmp_path)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EACCES, NoWritePermission),
        (errno.EROFS, NoWritePermission),
        (errno.ENOSPC, DiskFull),
    ],
)
def test_check_folder_asks_the_file_system(tmp_path, monkeypatch, code, kind):
    def refuse(**_options):
        raise OSError(code, "reason")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(kind, match="a.mp4"):
        files.check_folder(tmp_path / "a.mp4")


def test_folders_are_made_and_removed_when_empty(tmp_path):
    path = tmp_path / "a" / "b" / "c.mp4"
    made = files.make_folder(path)
    assert path.parent.is_dir()
    (tmp_path / "a" / "kept").touch()
    files.remove_folders(made)
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["kept"]
    assert files.make_folder(tmp_path / "x.mp4") == []


def test_a_refused_rename_leaves_nothing(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(errno.EACCES, "reason", source)

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(NoWritePermission):
        files.write_whole(tmp_path / "a.png", b"1")
    assert list(tmp_path.iterdir()) == []


def test_existing(tmp_path):
    path = tmp_path / "a.mp4"
    files.refuse_existing(path, overwrite=False)
    path.touch()
    files.refuse_existing(path, overwrite=True)
    with pytest.raises(OutputExists, match="a.mp4 exists"):
        files.refuse_existing(path, overwrite=False)


def test_an_older_file_survives_a_failed_write(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("old")
    with pytest.raises(DiskFull, match="plan.json"), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]


def test_an_error_of_the_program_passes_and_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), files.replacing(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == []


def test_a_source_that_vanishes_is_named_instead_of_the_target(tmp_path):
    with pytest.raises(UnreadableMedia, match="gone.png does not exist"), files.replacing(tmp_path / "a.zip"):
        (tmp_path / "gone.png").read_bytes()


def test_the_data_is_on_disk_before_the_name_is(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        "os.fsync",
        lambda handle: (
            done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"),
            fsync(handle),
        ),
    )
    monkeypatch.setattr("os.replace", lambda *names: (done.append("rename"), replace(*names)))
    files.write_whole(tmp_path / "a.json", "{}")
    assert done == (["file", "rename"] if os.name == "nt" else ["file", "rename", "folder"])
    done.clear()
    files.write_whole(tmp_path / "b.json", "{}", durable=False)
    assert done == ["rename"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_private_file_is_readable_by_its_owner_alone(tmp_path):
    files.write_whole(tmp_path / "key.pem", b"secret", private=True)
    files.write_whole(tmp_path / "public.pem", b"open")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "public.pem").stat().st_mode) & 0o600 == 0o600


def test_a_folder_can_be_replaced_with_a_folder(tmp_path):
    with files.replacing(tmp_path / "timeline.otiod") as temporary:
        temporary.mkdir()
        (temporary / "content.otio").write_text("{}")
    assert (tmp_path / "timeline.otiod" / "content.otio").read_text() == "{}"
    with pytest.raises(ZeroDivisionError), files.replacing(tmp_path / "other.otiod") as temporary:
        temporary.mkdir()
        raise ZeroDivisionError
    assert [entry.name for entry in tmp_path.iterdir()] == ["timeline.otiod"]


LONG = "x" * 252 + ".mp4"


@pytest.mark.parametrize(
    "name", [LONG, "y" * 300, "ä" * 130 + ".png", f"{'z' * 256}/a.mp4", "a/" * 2100 + "a.mp4"]
)
@pytest.mark.parametrize("call", [
    files.check_folder, files.check_name, files.make_folder, files.check_readable,
    lambda path: files.refuse_existing(path, False), lambda path: files.write_whole(path, b"1"),
    lambda path: files.ensure_folder(path / "deep"),
])  # fmt: skip
def test_a_name_that_is_too_long_is_one_sentence(tmp_path, name, call):
    with pytest.raises(MediaError, match=r"bytes, and the (file )?system allows fewer") as caught:
        call(tmp_path / name)
    assert str(caught.value).count(". ") == 0
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("length", [241, 251, 255])
def test_the_longest_allowed_names_are_written(tmp_path, length):
    for suffix in (".mp4", "." + "e" * 200, ""):
        path = tmp_path / ("n" * (length - len(suffix)) + suffix)
        files.write_whole(path, b"1")
        assert path.read_bytes() == b"1"
        path.unlink()


@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="needs a file system that refuses root, such as /proc"
)
def test_a_file_system_that_refuses_everyone():
    with pytest.raises(MediaError, match="/proc/x.json cannot be written"):
        files.write_whole("/proc/x.json", b"1")
    with pytest.raises(MediaError, match="cannot be written"):
        files.ensure_folder(Path("/proc/deep/folder"))
    with pytest.raises(MediaError, match="cannot be written"):
        files.check_folder(Path("/proc/deep/x.mp4"))


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "deep"
    for call, path in (
        (files.ensure_folder, inside.parent),
        (files.ensure_folder, inside),
        (files.check_folder, inside),
    ):
        with pytest.raises(MediaError, match="is a file"):
            call(path)


def test_a_missing_folder(tmp_path):
    with pytest.raises(NoWritePermission, match="its folder does not exist"):
        files.write_whole(tmp_path / "none" / "a.json", b"1")


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (errno.ENOSPC, None, DiskFull),
        (errno.ENOSPC, "a.json", DiskFull),
        (errno.EROFS, "a.json", NoWritePermission),
        (errno.EACCES, "none/a.json", NoWritePermission),
        (errno.ENOENT, "none/a.json", UnreadableMedia),
        (errno.ENAMETOOLONG, "x" * 256, UnreadableMedia),
    ],
)
def test_what_reaches_the_edge_of_the_program(code, name, kind):
    failure = files.environment_failure(OSError(code, "reason", name))
    assert type(failure) is kind
    assert name is None or name[:20] in str(failure)


@pytest.mark.parametrize("error", [OSError("no number"), OSError(errno.EINVAL, "r", "a"), OSError(errno.EPIPE, "r"),
                                   OSError(errno.ENOENT, "no name")])  # fmt: skip
def test_a_defect_stays_a_defect(error):
    assert files.environment_failure(error) is None
