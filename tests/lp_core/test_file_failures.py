from __future__ import annotations

import errno

import av
import pytest

from lp_core.errors import DiskFull, EmptyVideo, MediaError, NoWritePermission, UnreadableMedia
from lp_core.files import check_readable, read_failure, write_failure


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
