"""A small disk that can be filled: tmpfs where mounting is allowed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path):
    """A function (kilobytes) that mounts a disk of that size and returns its folder; unmounted at the end."""
    mounted = []

    def mount(kilobytes):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        program = shutil.which("mount")
        if sys.platform != "linux" or program is None:
            pytest.skip("no tmpfs can be mounted on this system")
        command = [program, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave_kilobytes: int = 0) -> Path:
    """Fills a disk but for some kilobytes; returns the file that does."""
    path = folder / "filler"
    room = shutil.disk_usage(folder).free - leave_kilobytes * 1024
    with path.open("wb") as file:
        file.write(bytes(max(room, 0)))
    return path
