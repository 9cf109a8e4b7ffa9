import os
import sys

import pytest

from lp_core.errors import WorkerError
from lp_core.link.ownership import open_own, read_own, refuse_foreign_folder
from lp_core.link.ring import RingReader, RingWriter
from lp_core.link.runtime import Address, live_folder, make_live_folder, read_runtime, write_runtime


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The runtime folder, named by the variable."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("LPSUITE_LIVE_DIR", str(folder / "live"))
    return folder


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o720, 0o702])
def test_a_folder_that_others_can_write_is_refused_though_a_variable_names_it(run, mode):
    write_runtime(Address("http", "127.0.0.1", 1, "t" * 20))
    assert read_runtime() is not None
    make_live_folder()
    run.chmod(mode)
    for use in (read_runtime, make_live_folder, lambda: write_runtime(Address("http", "a", 1, "t"))):
        with pytest.raises(WorkerError, match="can be written by others"):
            use()


def test_a_folder_above_counts_unless_it_keeps_names_to_their_owners(run):
    run.parent.chmod(0o777)
    with pytest.raises(WorkerError, match="can be written by others"):
        refuse_foreign_folder(run)
    run.parent.chmod(0o1777)
    refuse_foreign_folder(run)
    run.parent.chmod(0o700)


def test_a_runtime_file_that_others_can_read_or_that_is_a_link_is_not_believed(run, tmp_path):
    path = write_runtime(Address("http", "127.0.0.1", 1, "t" * 20))
    path.chmod(0o640)
    with pytest.raises(WorkerError, match="can be read by others"):
        read_runtime()
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert read_runtime() is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_another_user_owns_is_refused(run, tmp_path):
    ring = RingWriter(tmp_path / "a.ring", 2, 2)
    os.chown(ring.path, 1234, -1)
    with pytest.raises(WorkerError, match="another user"):
        RingReader(ring.path)
    ring.close()
    os.chown(run, 1234, -1)
    with pytest.raises(WorkerError, match="another user"):
        refuse_foreign_folder(run)


def test_pipes_and_long_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WorkerError, match="not a regular file"):
        open_own(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(bytes(11))
    with pytest.raises(WorkerError, match="larger than 10"):
        read_own(tmp_path / "long", 10)


def test_the_live_folder_is_the_users_alone(run):
    assert make_live_folder() == live_folder()
    assert live_folder().stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("which", ["file", "folder"])
def test_files_that_name_a_program_are_not_taken_from_everyone(tmp_path, monkeypatch, which):
    from lp_core.errors import KeyUnusable
    from lp_core.link.start import host_settings
    from lp_core.provenance.config import FILE_NAME, read_config
    from lp_core.worker.lock import locked_state

    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / "host.json").write_text('{"lpsuite": "/evil"}')
    (folder / FILE_NAME).write_text("{}")
    monkeypatch.setenv("LPSUITE_SETTINGS", str(folder / "host.json"))
    assert host_settings() == {"lpsuite": "/evil"}
    places = [folder] if which == "folder" else [folder / "host.json", folder / FILE_NAME]
    for place in places:
        place.chmod(place.stat().st_mode | 0o002)
    with pytest.raises(WorkerError, match="can be written by everyone"):
        host_settings()
    with pytest.raises(KeyUnusable, match="can be written by everyone"):
        read_config(folder)
    if which == "folder":
        with pytest.raises(WorkerError, match="can be written by others"), locked_state(folder):
            pass
