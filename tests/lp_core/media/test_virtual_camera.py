"""The virtual camera is another program that receives frames; a stand-in takes its place."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lp_core.errors import MissingDependency, SettingError, UnreadableMedia
from lp_core.media import camera_program, virtual_camera
from lp_core.media.virtual_camera import VirtualCamera

STAND_IN = Path(__file__).parents[2] / "fakes" / "camera_program.py"
FAKE_LIBRARY = """
class Camera:
    device = "fake1"
    def __init__(self, width, height, fps, device, print_fps):
        if device == "none":
            raise RuntimeError("no device\\nat all")
        self.file = open(device, "wb")
    def __enter__(self): return self
    def __exit__(self, *_): self.file.close()
    def send(self, picture):
        assert picture.flags.c_contiguous
        self.file.write(picture.tobytes())
"""


def camera(folder, device=None, size=(6, 4)):
    return VirtualCamera(*size, 30.0, device, [sys.executable, str(STAND_IN), str(folder)])


def picture(value, size=(6, 4)):
    return np.full((size[1], size[0], 3), value, np.uint8)


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_frames_reach_the_program_and_its_end_is_waited_for(tmp_path):
    with camera(tmp_path) as made:
        assert made.device == "fake0"
        for value in range(3):
            made.send(picture(value)[:, ::-1])
            until((tmp_path / f"{value:04}.rgb").exists)
    made.close()
    assert (tmp_path / "closed").exists()
    assert (tmp_path / "0002.rgb").read_bytes() == picture(2).tobytes()
    given = json.loads((tmp_path / "given.json").read_text())
    assert given == {"width": 6, "height": 4, "fps": 30.0, "device": None, "token": None}


def test_a_slow_program_does_not_hold_the_stream_up(tmp_path):
    size = (640, 480)
    command = [
        sys.executable,
        "-c",
        "import json,time; input(); print(json.dumps({'device': 'slow'}), flush=True); time.sleep(60)",
    ]  # noqa: E501
    made = VirtualCamera(*size, 30.0, None, command)
    begun = time.monotonic()
    for value in range(20):
        made.send(picture(value, size))
    assert time.monotonic() - begun < 1
    made._program.kill()
    made.close()


@pytest.mark.parametrize(
    ("device", "kind", "words"),
    [
        ("none", UnreadableMedia, "could not be started"),
        ("missing", MissingDependency, "lp-suite\\[live\\]"),
        ("silent", UnreadableMedia, "does not answer"),
    ],
)
def test_what_the_program_cannot_do_is_a_sentence(tmp_path, device, kind, words):
    with pytest.raises(kind, match=words):
        camera(tmp_path, device)


def test_a_program_that_dies_is_a_sentence(tmp_path):
    with camera(tmp_path, "dies") as made:
        made.send(picture(1))
        until(lambda: made._program.poll() is not None)
        with pytest.raises(UnreadableMedia, match="has ended"):
            made.send(picture(2))


def test_another_program_is_named_by_a_variable(tmp_path, monkeypatch):
    monkeypatch.setenv(virtual_camera.VARIABLE, f"'{sys.executable}' '{STAND_IN}' '{tmp_path}'")
    VirtualCamera(6, 4, 30.0).close()
    assert (tmp_path / "given.json").exists()
    monkeypatch.setenv(virtual_camera.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(SettingError, match="LPSUITE_CAMERA"):
        VirtualCamera(6, 4, 30.0)


@pytest.mark.parametrize("library", [FAKE_LIBRARY, "raise ImportError(name='pyvirtualcam')"])
def test_the_program_that_comes_along_feeds_the_library(tmp_path, library, monkeypatch):
    monkeypatch.setattr(virtual_camera, "_END_S", 60.0)  # a busy machine needs longer to write
    (tmp_path / "pyvirtualcam.py").write_text(library)
    target = str(tmp_path / "frames")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runpy; runpy.run_path({camera_program.__file__!r}, run_name='__main__')"  # noqa: E501
    command = [sys.executable, "-c", code]
    if "ImportError" in library:
        with pytest.raises(MissingDependency):
            VirtualCamera(6, 4, 30.0, target, command)
        return
    with VirtualCamera(6, 4, 30.0, target, command) as made:
        assert made.device == "fake1"
        made.send(picture(7))
        until(made._frames.empty)
    assert Path(target).read_bytes() == picture(7).tobytes()
    with pytest.raises(UnreadableMedia, match="no device at all"):
        VirtualCamera(6, 4, 30.0, "none", command)


def test_lp_suite_never_imports_the_library():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, lp_core.media.virtual_camera, lp_core.cli.live; sys.exit('pyvirtualcam' in sys.modules)",
        ],  # noqa: E501
        check=False,
    )
    assert done.returncode == 0
