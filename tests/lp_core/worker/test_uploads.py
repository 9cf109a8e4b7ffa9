import asyncio
import os
import shutil
from collections import namedtuple

import pytest

from lp_core.errors import DiskFull, MediaError, TooBusy
from lp_core.worker import uploads
from lp_core.worker.uploads import KEPT_S, Uploads


async def pieces(*data):
    for item in data:
        yield item


def take(made, name, *data):
    return asyncio.run(made.take(name, pieces(*data)))


def test_a_file_is_kept_whole_and_counts(tmp_path):
    made = Uploads(tmp_path / "up", quota=10)
    path, count = take(made, "a.png", b"12345", b"67")
    assert (path.read_bytes(), count) == (b"1234567", 7)
    with pytest.raises(DiskFull, match="uploads hold"):
        take(made, "b.png", b"1234")
    assert [item.name for item in (tmp_path / "up").rglob("*.png*")] == ["a.png"]
    take(Uploads(tmp_path / "up", quota=10), "c.png", b"123")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    made = Uploads(tmp_path)
    usage = namedtuple("usage", "total used free")(2, 1, uploads.KEPT_FREE - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DiskFull, match="nearly full"):
        take(made, "a.png", b"1")
    assert not any(tmp_path.iterdir())


def test_what_is_cut_off_leaves_nothing(tmp_path):
    async def broken():
        yield b"1"
        raise ConnectionError

    made = Uploads(tmp_path, quota=1)
    with pytest.raises(MediaError):
        asyncio.run(made.take("a.png", broken()))
    assert not any(tmp_path.iterdir())
    take(made, "b.png", b"1")


def test_only_so_many_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_AT_ONCE", 0)
    with pytest.raises(TooBusy):
        take(Uploads(tmp_path), "a.png", b"1")


def test_old_and_unfinished_ones_are_removed_at_the_start(tmp_path):
    clock = [1e9]
    made = Uploads(tmp_path, clock=lambda: clock[0])
    old, needed, new = (take(made, f"{name}.png", b"1")[0] for name in ("old", "needed", "new"))
    for path in (old, needed):
        os.utime(path.parent, (1e9 - KEPT_S - 1,) * 2)
    os.utime(new.parent, (1e9, 1e9))
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "a.png.part").touch()
    made.clean(f'[{{"source": "{needed}"}}]')
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["needed.png", "new.png"]
