"""``lpsuite live``, with a virtual camera that is not there."""

import sys
import types

import numpy as np
import pytest
from fakes.films import write_portrait

from lp_core.cli.main import run


@pytest.fixture
def portrait(tmp_path, astronaut):
    return str(write_portrait(tmp_path / "a.png", astronaut))


@pytest.fixture
def camera(monkeypatch):
    """Takes pyvirtualcam's place; collects what was sent."""
    sent = []

    class Camera:
        device = "fake0"

        def __init__(self, width, height, fps, device=None, print_fps=False):
            if device == "none":
                raise RuntimeError("virtual camera output could not be started")
            self.size = (height, width, 3)

        def send(self, picture):
            assert picture.shape == self.size
            assert picture.flags.c_contiguous
            sent.append(picture)

        def close(self):
            sent.append("closed")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", types.SimpleNamespace(Camera=Camera))
    return sent


PLAIN = ["--engine", "mesh", "--calibration", "off"]


def test_the_virtual_camera_gets_moving_pictures(portrait, camera, capsys):
    assert run(["live", portrait, "demo:expressive", "--virtual-camera", "--seconds", "2", *PLAIN]) == 0
    assert camera.pop() == "closed"
    assert len({picture.tobytes() for picture in camera}) > 3
    assert camera[0].dtype == np.uint8
    assert "fake0" in capsys.readouterr().out


def test_no_virtual_camera_is_told(portrait, camera, capsys):
    command = ["live", portrait, "demo:still", "--virtual-camera", "--camera-device", "none", *PLAIN]
    assert run(command) == 11
    assert "could not be started" in capsys.readouterr().err


def test_a_missing_library_is_told(portrait, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    assert run(["live", portrait, "demo:still", "--virtual-camera", *PLAIN]) == 3
    assert "lp-suite[live]" in capsys.readouterr().err


def test_what_cannot_be_shown_is_told_before_anything_begins(portrait, tmp_path, camera, capsys):
    assert run(["live", portrait, "demo:still"]) == 2
    assert "--window" in capsys.readouterr().err
    assert run(["live", str(tmp_path / "none.png"), "demo:still", "--virtual-camera", *PLAIN]) == 2
    assert "none.png" in capsys.readouterr().err
