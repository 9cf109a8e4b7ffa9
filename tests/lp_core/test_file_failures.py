from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from lp_core.errors import DiskFull, EmptyVideo, MediaError, NoWritePermission, OutOfMemory, UnreadableMedia
from lp_core.files import check_readable, known_failure, read_failure, write_failure

ROOT = Path(__file__).resolve().parents[2]


def both(code):
    """The same failure as Python and as the library tell it."""
    return [OSError(code, "reason"), av.error.classes[code](code, "reason", "a.mp4")]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EFBIG, DiskFull),
        (errno.EACCES, NoWritePermission),
        (errno.EPERM, NoWritePermission),
        (errno.EROFS, NoWritePermission),
        (errno.EIO, MediaError),
        (errno.ENAMETOOLONG, MediaError),
    ],
)
def test_writing(tmp_path, code, kind):
    for error in both(code):
        failure = write_failure(tmp_path / "a.mp4", error)
        assert type(failure) is kind
        assert "a.mp4" in str(failure)


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.EIO])
def test_reading(tmp_path, code):
    for error in both(code):
        failure = read_failure(tmp_path / "a.mp4", error)
        assert type(failure) is UnreadableMedia
        assert "a.mp4" in str(failure)


def test_every_kind_of_the_library_becomes_one_of_ours(tmp_path):
    for code, kind in av.error.classes.items():
        error = kind(code, "reason", "a.mp4")
        assert isinstance(read_failure(tmp_path / "a.mp4", error), MediaError)
        assert isinstance(write_failure(tmp_path / "a.mp4", error), MediaError)


def test_check_readable(tmp_path):
    path = tmp_path / "a.mp4"
    with pytest.raises(UnreadableMedia, match="does not exist"):
        check_readable(path)
    path.touch()
    with pytest.raises(EmptyVideo, match="0 bytes"):
        check_readable(path)
    path.write_bytes(b"x")
    check_readable(path)
    with pytest.raises(UnreadableMedia, match="is a folder"):
        check_readable(tmp_path)
    with pytest.raises(UnreadableMedia):
        check_readable(path / "inside a file.mp4")


def test_a_current_folder_that_was_removed_is_one_sentence(tmp_path):
    code = "import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); "
    code += "from lp_core.cli.main import main; main()"
    for words in (
        ["animate", "a.png", "demo:nod", "-o", "o.mp4"],
        ["inspect", "a.png"],
        ["batch", "a.otio", "-o", "o"],
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode not in (0, 1, 70), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            NoWritePermission,
        ),
        (OSError(errno.EMFILE, "Too many open files"), MediaError),
        (RuntimeError("can't start new thread"), OutOfMemory),
    ],
    ids=repr,
)
def test_limits_of_the_system_are_no_defects(error, kind):
    assert type(known_failure(error)) is kind


def test_other_errors_without_a_name_stay_defects():
    assert known_failure(FileNotFoundError(errno.ENOENT, "x")) is None
    assert known_failure(RuntimeError("x")) is None
