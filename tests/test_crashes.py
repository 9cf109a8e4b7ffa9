"""A test process that crashes costs its test and nothing else: the run ends and names the test."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xdist", reason="pytest-xdist is not installed")

CALM = "".join(f"def test_{name}(): pass\n" for name in "abcd")  # larger files come first
CRASH = """
import os, pathlib
def test_before(): pass
def test_crash():
    mark = pathlib.Path(__file__).with_suffix(".crashed")
    if not mark.exists():
        mark.touch()
        os._exit(1)
def test_after(): pass
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_ends_after_a_crash(tmp_path, processes):
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(CALM)
    (tmp_path / "test_7.py").write_text(CRASH)
    (tmp_path / "test_8.py").write_text("def test_alone(): pass\n")
    options = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder", "-p", "conftest", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 failed, 28 passed" in done.stdout, done.stdout
    assert "crashed while running 'test_7.py::test_crash'" in done.stdout
