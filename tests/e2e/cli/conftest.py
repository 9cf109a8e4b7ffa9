"""Files that the end-to-end tests share; made once, never written to."""

import json

import pytest
from fakes.films import read_pictures, write_film, write_portrait, write_turning

from lp_core.cli.main import run


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder whose name has a space and an umlaut."""
    return tmp_path_factory.mktemp("Dreh tür")


@pytest.fixture(scope="session")
def portrait(files, astronaut):
    """A 256x256 portrait."""
    return write_portrait(files / "portrait.png", astronaut)


@pytest.fixture(scope="session")
def motion(files, portrait):
    """Twelve frames at 30000/1001: the portrait's own face turns there and back."""
    return write_turning(files / "turning.lpmotion", portrait, 12, "30000/1001")


@pytest.fixture(scope="session")
def driving(files, portrait, motion):
    """A video of 12 frames at 30000/1001 in which the portrait turns."""
    path = files / "driving.mp4"
    assert run(["animate", str(portrait), str(motion), "-o", str(path), "--quality", "8"]) == 0
    return path


@pytest.fixture(scope="session")
def gap(files, driving):
    """The same video with frames 4 and 5 gray."""
    pictures = read_pictures(driving)
    for index in (4, 5):
        pictures[index] = pictures[index] * 0 + 90
    return write_film(files / "gap.mp4", pictures, "30000/1001")


@pytest.fixture
def lpsuite(capsys):
    """A function that runs a command with `--progress json` and returns exit code and JSON lines."""

    def call(*arguments):
        capsys.readouterr()
        code = run([*map(str, arguments), "--progress", "json"])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call
