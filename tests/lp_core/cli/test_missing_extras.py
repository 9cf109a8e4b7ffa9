"""Each command without the optional library that it needs: one sentence that names the extra, exit code 3."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lp_core.errors import EXTRAS, MissingDependency, absent_library, missing_extra

ROOT = Path(__file__).resolve().parents[3]
CASES = {
    "batch": (["batch", "cut.otio", "-o", "out"], "otio"),
    "batch mark": (["batch", "mark", "cut.otio", "-o", "x.otio", "--clip", "a", "--driver", "demo:nod"], "otio"),
    "liveportrait": (["animate", "p.png", "demo:nod", "-o", "o.png", "--engine", "liveportrait"], "neural"),
    "upscale": (["upscale", "p.png", "-o", "o.png"], "upscale"),
    "animate and upscale": (["animate", "p.png", "demo:nod", "-o", "o_%02d.png", "--upscale", "x4plus"], "upscale"),
    "EXR output": (["animate", "p.png", "demo:nod", "-o", "o_%02d.exr"], "vfx"),
    "EXR input": (["inspect", "p.exr"], "vfx"),
    "color space": (["animate", "p.png", "demo:nod", "-o", "o_%02d.png", "--input-space", "ACEScg"], "vfx"),
    "serve": (["serve"], "worker"),
    "virtual camera": (["live", "p.png", "demo:nod", "--virtual-camera"], "live"),
    "credentials": (["provenance", "show", "p.png"], "provenance"),
    "keys": (["provenance", "init", "--name", "x"], "provenance"),
    "watermark": (["animate", "p.png", "demo:nod", "-o", "o_%02d.png", "--watermark", "7"], "provenance"),
    "watermark search": (["provenance", "detect", "p.png"], "provenance"),
}  # fmt: skip
PROGRAM = """
import contextlib, io, json, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None
from lp_core.cli.main import run
for words in json.loads(sys.argv[2]):
    out = io.StringIO()
    with contextlib.redirect_stderr(out):
        code = run(words)
    print(json.dumps([code, out.getvalue()]), flush=True)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory, astronaut):
    """(exit code, last line on stderr) of every case, in a program without any optional library."""
    import cv2

    folder = tmp_path_factory.mktemp("bare")
    cv2.imwrite(str(folder / "p.png"), cv2.resize(astronaut, (256, 256))[..., ::-1])
    for name in ("p.exr", "cut.otio", "d.mp4"):
        (folder / name).write_bytes(b"x")
    words = [arguments for arguments, _ in CASES.values()]
    hidden = sorted(EXTRAS)
    program = str(ROOT / "lp_core" / "media" / "camera_program.py")
    without = "import runpy, sys; sys.modules['pyvirtualcam'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    camera = [sys.executable, "-c", without, program]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(hidden), json.dumps(words)],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder), "LPSUITE_CAMERA": shlex.join(camera)},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(lines) == len(words), done.stderr
    return dict(zip(CASES, lines, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_each_command_names_its_extra(answers, name):
    code, words = answers[name]
    sentence = words.strip().splitlines()[-1]
    assert code == MissingDependency.exit_code, words
    assert f"pip install 'lp-suite[{CASES[name][1]}]'" in sentence
    assert "defect" not in words


def test_every_extra_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS.values()) <= set(project["optional-dependencies"])


def test_one_phrase():
    assert str(missing_extra("A timeline", "otio")) == (
        "A timeline needs the extra 'otio', which is not installed; get it with: pip install 'lp-suite[otio]'."
    )
    assert str(missing_extra("X", "cpu", "use Y")).endswith("'lp-suite[cpu]', or use Y.")


@pytest.mark.parametrize("name", ["opentimelineio", "torch._C", "c2pa"])
def test_a_failed_import_at_the_edge(name):
    assert "lp-suite[" in str(absent_library(ModuleNotFoundError("no", name=name)))


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("no", name="lp_core.gone"), ImportError("no"), ValueError("no")]
)
def test_other_errors_stay_defects(error):
    assert absent_library(error) is None
