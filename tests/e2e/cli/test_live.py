"""``lpsuite live``, with a virtual camera that is not there."""

import sys
from pathlib import Path

import pytest
from fakes.films import write_portrait

from lp_core.cli.main import run


@pytest.fixture
def portrait(tmp_path, astronaut):
    return str(write_portrait(tmp_path / "a.png", astronaut))


@pytest.fixture
def camera(tmp_path, monkeypatch):
    """Takes the place of the program that shows the camera; a folder with what was sent."""
    folder = tmp_path / "camera"
    folder.mkdir()
    program = Path(__file__).parents[2] / "fakes" / "camera_program.py"
    monkeypatch.setenv("LPSUITE_CAMERA", f"'{sys.executable}' '{program}' '{folder}'")
    return folder


PLAIN = ["--engine", "mesh", "--calibration", "off"]


def test_the_virtual_camera_gets_moving_pictures(portrait, camera, capsys):
    assert run(["live", portrait, "demo:expressive", "--virtual-camera", "--seconds", "4", *PLAIN]) == 0
    assert (camera / "closed").exists()
    assert len({path.read_bytes() for path in camera.glob("*.rgb")}) > 2
    assert "fake0" in capsys.readouterr().out


def test_no_virtual_camera_is_told(portrait, camera, capsys):
    command = ["live", portrait, "demo:still", "--virtual-camera", "--camera-device", "none", *PLAIN]
    assert run(command) == 11
    assert "could not be started" in capsys.readouterr().err


def test_a_missing_library_is_told(portrait, camera, capsys):
    command = ["live", portrait, "demo:still", "--virtual-camera", "--camera-device", "missing", *PLAIN]
    assert run(command) == 3
    assert "lp-suite[live]" in capsys.readouterr().err


def test_what_cannot_be_shown_is_told_before_anything_begins(portrait, tmp_path, camera, capsys):
    assert run(["live", portrait, "demo:still"]) == 2
    assert "--window" in capsys.readouterr().err
    assert run(["live", str(tmp_path / "none.png"), "demo:still", "--virtual-camera", *PLAIN]) == 2
    assert "none.png" in capsys.readouterr().err
