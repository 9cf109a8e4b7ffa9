"""Every file the program writes, against a disk that is full or refuses: one typed sentence, nothing left behind."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from fakes.faces import make_face
from fakes.motion import performance

from lp_core.batch import report, up_to_date
from lp_core.batch.otio.timeline import write_timeline
from lp_core.batch.plan import BatchPlan
from lp_core.batch.results import BatchSummary
from lp_core.errors import DiskFull, MediaError, NoWritePermission, WorkerError
from lp_core.files import write_whole
from lp_core.frame import ColorTags
from lp_core.link.runtime import FOLDER_VARIABLE, Address, write_runtime
from lp_core.media.base import SinkSpec
from lp_core.media.resumable import SequenceParts
from lp_core.motion.files.lpmotion import write_motion
from lp_core.provenance.config import KeyConfig, write_config
from lp_core.provenance.keys import make_chain
from lp_core.render import stored_arrays
from lp_core.render.stored_faces import write_faces
from lp_core.timing import FrameRate

resource = pytest.importorskip(
    "resource", reason="Windows has no limit on file sizes to stand for a full disk"
)


@contextlib.contextmanager
def full_disk():
    """The kernel refuses every further byte with EFBIG, as a full disk does with ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def plan_at(folder, shots=()):
    return BatchPlan(str(folder / "cut.otio"), str(folder), tuple(shots))


def otio_timeline(folder):
    otio = pytest.importorskip("opentimelineio")
    write_timeline(otio.schema.Timeline("cut"), folder / "cut.otio")


def hashes(folder):
    (folder / "input").touch()
    known = up_to_date.Hashes(folder / "hashes.json")
    known.of(folder / "input")
    known.keep()


def motion(folder):
    write_motion(folder / "m.lpmotion", performance())


class Nowhere:
    """A sink that keeps nothing, so that only the journal meets the disk."""

    notes = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, _frame):
        pass

    def commit(self):
        pass


def parts(folder):
    spec = SinkSpec(8, 8, FrameRate.parse(25), 8, False, ColorTags(), "png", 80, False)
    made = SequenceParts(folder / "a.%04d.png", spec, folder / "parts", lambda *_: Nowhere())
    made.write(7, [None])


def hosts_obs(folder):
    from hosts.install import InstallOptions
    from hosts.obs.installer import ObsInstaller

    ObsInstaller().install(InstallOptions(folder=str(folder), command=("lpsuite",)))


def hosts_nuke(folder):
    from hosts.install import InstallOptions
    from hosts.nuke.installer import NukeInstaller

    NukeInstaller().install(InstallOptions(folder=str(folder), command=("lpsuite",)))


def hosts_davinci(folder):
    from hosts.davinci.installer import DavinciInstaller
    from hosts.install import InstallOptions

    DavinciInstaller().install(InstallOptions(folder=str(folder), command=("lpsuite",)))


WRITERS = {
    "solution facts": lambda folder: stored_arrays.write_json(folder / "solution.json", {"a": 1}),
    "solution arrays": lambda folder: stored_arrays.save_arrays(folder / "tuning.npz", {"a": np.zeros(9)}),
    "faces": lambda folder: write_faces(folder, [make_face(1)], []),
    "motion": motion,
    "plan": lambda folder: plan_at(folder).write(),
    "batch key": lambda folder: up_to_date.write_json(folder / "key.json", {"key": "k"}),
    "batch hashes": hashes,
    "batch reports": lambda folder: report.write_reports(
        BatchSummary(plan_at(folder), (), ("cut.otio",), ())
    ),
    "timeline": otio_timeline,
    "parts of a sequence": parts,
    "signing keys": lambda folder: make_chain(folder, "Studio", 30),
    "signing settings": lambda folder: write_config(folder, KeyConfig()),
    "host obs": hosts_obs,
    "host nuke": hosts_nuke,
    "host davinci": hosts_davinci,
    "any": lambda folder: write_whole(folder / "x", b"1"),
}


@pytest.fixture
def target(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LPSUITE_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "input"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk(target, name):
    with full_disk(), pytest.raises(DiskFull, match="does not fit"):
        WRITERS[name](target)
    assert not leftovers(target)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.EROFS, NoWritePermission), (errno.EACCES, NoWritePermission), (errno.ENAMETOOLONG, MediaError),
     (errno.EIO, MediaError)],
)  # fmt: skip
def test_a_disk_that_refuses_the_name(target, monkeypatch, name, code, kind):
    def refuse(source, _target, **_keys):
        raise OSError(code, os.strerror(code), source)

    monkeypatch.setattr("os.replace", refuse)  # pathlib calls it too
    monkeypatch.setattr("os.rename", refuse)
    with pytest.raises(kind) as caught:
        WRITERS[name](target)
    assert type(caught.value) is kind
    assert not leftovers(target)


@pytest.mark.skipif(os.name == "nt", reason="needs /proc")
@pytest.mark.parametrize("name", ["solution facts", "solution arrays", "plan", "batch key", "batch reports", "timeline",
                                  "signing settings", "host obs", "host nuke", "host davinci"])  # fmt: skip
def test_a_file_system_that_refuses_root_too(target, name):
    folder = Path("/proc/self/lpsuite")
    with pytest.raises(MediaError, match="cannot be written"):
        WRITERS[name](folder)


def test_the_worker_says_where_its_file_cannot_be_written(target, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(target / "run"))
    with full_disk(), pytest.raises(WorkerError, match="File too large"):
        write_runtime(Address("http", "127.0.0.1", 1, "token"))
    assert not leftovers(target)


def test_the_journal_of_a_sequence(target, monkeypatch):
    monkeypatch.setattr("lp_core.media.resumable.write_whole", lambda *_: None)
    with full_disk(), pytest.raises(DiskFull, match="finished does not fit"):
        parts(target)
