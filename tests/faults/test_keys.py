"""Signing keys survive full disks and crashes between any two steps of setting up."""

import os
import subprocess
import sys

import pytest
from fakes.small_disk import fill

from lp_core.cli.main import run
from lp_core.provenance.config import read_config

pytest.importorskip("cryptography", reason="the extra provenance is not installed")
from lp_core.provenance.keys import open_identity

DIE = """
import os, sys
from pathlib import Path
steps, at = 0, int(sys.argv[1])
def dying(real):
    def step(*given, **more):
        global steps
        steps += 1
        if steps > at:
            os._exit(9)
        return real(*given, **more)
    return step
for name in ("fsync", "replace", "rename", "open", "mkdir"):
    setattr(os, name, dying(getattr(os, name)))
from lp_core.cli.main import run
sys.exit(run(["provenance", "init", "--overwrite", "--name", "New"]))
"""


def signs(folder):
    identity = open_identity(folder, read_config(folder))
    assert identity.sign(b"data")
    return identity.name


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.mark.parametrize("room", [0, 4, 8, 12, 16, 20])
def test_full_disk_keeps_the_old_key(small_disk, monkeypatch, room):
    disk = small_disk(256)
    monkeypatch.setenv("LPSUITE_CONFIG", str(disk / "config"))
    assert run(["provenance", "init", "--name", "Old"]) == 0
    filler = fill(disk, room)
    code = run(["provenance", "init", "--overwrite", "--name", "New"])
    assert code in (0, 17)
    assert signs(disk / "config") == ("New, LP Suite signer" if code == 0 else "Old, LP Suite signer")
    filler.unlink()
    assert run(["provenance", "init", "--overwrite", "--name", "New"]) == 0
    assert signs(disk / "config") == "New, LP Suite signer"


@pytest.mark.parametrize("room", [0, 4, 8, 12])
def test_first_key_on_a_full_disk_leaves_nothing(small_disk, monkeypatch, room):
    disk = small_disk(128)
    monkeypatch.setenv("LPSUITE_CONFIG", str(disk / "config"))
    filler = fill(disk, room)
    code = run(["provenance", "init"])
    assert code in (0, 17)
    if code:
        assert list(disk.iterdir()) == [filler]


def test_kill_at_any_step_leaves_one_whole_key(config):
    assert run(["provenance", "init", "--name", "Old"]) == 0
    seen = set()
    for at in (*range(0, 64, 8), 10_000):
        environment = {**os.environ, "LPSUITE_CONFIG": str(config)}
        done = subprocess.run([sys.executable, "-c", DIE, str(at)], env=environment, check=False)
        assert done.returncode in (0, 9)
        seen.add(signs(config))
    assert seen == {"Old, LP Suite signer", "New, LP Suite signer"}
