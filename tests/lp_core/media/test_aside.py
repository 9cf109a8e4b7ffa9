from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from lp_core.errors import DiskFull, MediaError, NoWritePermission, OutputExists
from lp_core.media import aside


def test_names_are_hidden_beside_and_short(tmp_path):
    path = tmp_path / ("x" * 251 + ".mp4")
    names = {aside.aside_path(path) for _ in range(100)}
    assert len(names) == 100
    assert all(
        name.parent == tmp_path and name.name.startswith(".") and name.suffix == ".mp4" for name in names
    )
    aside.write_aside(path, b"1")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_check_folder_leaves_nothing(tmp_path):
    aside.check_folder(tmp_path / "a.mp4")
    aside.check_folder(tmp_path / "new" / "deep" / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_check_folder_refuses(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="is a file"):
        aside.check_folder(tmp_path / "file" / "a.mp4")
    with pytest.raises(MediaError, match="is a folder"):
        aside.check_folder(tmp_path)


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
        aside.check_folder(tmp_path / "a.mp4")


def test_folders_are_made_and_removed_when_empty(tmp_path):
    path = tmp_path / "a" / "b" / "c.mp4"
    made = aside.make_folder(path)
    assert path.parent.is_dir()
    (tmp_path / "a" / "kept").touch()
    aside.remove_folders(made)
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["kept"]
    assert aside.make_folder(tmp_path / "x.mp4") == []


def test_a_refused_rename_leaves_nothing(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(errno.EACCES, "reason")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(NoWritePermission):
        aside.write_aside(tmp_path / "a.png", b"1")
    assert list(tmp_path.iterdir()) == []


def test_existing(tmp_path):
    path = tmp_path / "a.mp4"
    aside.refuse_existing(path, overwrite=False)
    path.touch()
    aside.refuse_existing(path, overwrite=True)
    with pytest.raises(OutputExists, match="a.mp4 exists"):
        aside.refuse_existing(path, overwrite=False)
