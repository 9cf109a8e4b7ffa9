"""A small, seeded share of ``benchmarks/kills.py``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the campaign forks its workers")
@pytest.mark.parametrize("kind", ["sequence"])
def test_killed_jobs_give_the_same_bytes(kind):
    command = [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--kills", "2", "--kinds", kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all identical" in done.stdout
