"""The Pythons that hosts embed, where they are installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDERS = "LPSUITE_TEST_PYTHONS"


def python(version):
    """A program of that Python, on PATH or in LPSUITE_TEST_PYTHONS (folders of installations); else a skip."""
    homes = [Path(folder) for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
    found = [home / f"bin/python{version}" for folder in homes for home in sorted(folder.glob(f"{version}*"))]
    found.append(Path(shutil.which(f"python{version}") or "/nowhere"))
    for program in found:
        asked = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        if program.exists():
            done = subprocess.run(asked, capture_output=True, text=True, timeout=30)
            if done.stdout.strip() == version:
                return program
    return pytest.skip(f"no Python {version} on PATH or in {FOLDERS}")
