import shutil
import zipfile
from collections import namedtuple

import pytest

from lp_core.batch.otio import bundle
from lp_core.batch.otio.timeline import read_timeline
from lp_core.errors import DiskFull, UnreadableMedia


def pack(path, files, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../a", "media/../../a", "/etc/a", "..\\a", "C:/a"])
def test_names_outside_are_refused(name, tmp_path):
    path = pack(tmp_path / "a.otioz", {"content.otio": "{}", name: "x"})
    with pytest.raises(UnreadableMedia, match="outside its own folder"):
        bundle.check_bundle(path, tmp_path)


def test_an_archive_that_grows_beyond_measure_is_refused_and_leaves_nothing(tmp_path):
    path = pack(tmp_path / "a.otioz", {"media/zeros": bytes(80 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableMedia, match="would grow to 80 MB"):
        read_timeline(path, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MOST_ENTRIES", 3)
    path = pack(tmp_path / "a.otioz", {str(number): "" for number in range(4)})
    with pytest.raises(UnreadableMedia, match="holds 4 files"):
        bundle.check_bundle(path, tmp_path)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    path = pack(tmp_path / "a.otioz", {"content.otio": "{}"})
    usage = namedtuple("usage", "total used free")(1 << 40, 1 << 40, 100 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(DiskFull, match="to unpack"):
        bundle.check_bundle(path, tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_archive_is_refused_and_leaves_nothing(data, tmp_path):
    path = tmp_path / "a.otioz"
    path.write_bytes(data)
    with pytest.raises(UnreadableMedia, match="damaged archive"):
        read_timeline(path, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()
