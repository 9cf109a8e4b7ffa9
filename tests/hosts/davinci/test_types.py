"""The facade against the published stubs of Resolve's API: pyright finds a misspelt call, and none in ours."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH, which pyright runs on"),
    pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="the extra test is not installed"),
]


def pyright(*paths):
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--pythonpath",
        sys.executable,
        "--pythonversion",
        "3.9",
        *paths,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    if "No configuration file" not in done.stdout and "error" not in done.stdout:
        pytest.skip(f"pyright did not start: {done.stderr[-200:]}")
    return done


def test_no_call_of_ours_is_unknown_to_the_stubs():
    done = pyright("hosts/davinci")
    assert "0 errors" in done.stdout, done.stdout


def test_a_misspelt_call_is_found():
    facade = (ROOT / "hosts" / "davinci" / "lp_resolve" / "facade.py").read_text(encoding="utf-8")
    wrong = ROOT / "hosts" / "davinci" / "lp_resolve" / "facade_misspelt.py"
    try:
        wrong.write_text(facade.replace("GetCurrentVideoItem", "GetCurentVideoItem"), encoding="utf-8")
        done = pyright(str(wrong))
    finally:
        wrong.unlink(missing_ok=True)
    assert 'Cannot access attribute "GetCurentVideoItem"' in done.stdout
