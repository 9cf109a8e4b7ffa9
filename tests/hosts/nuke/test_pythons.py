"""The installed package under the Pythons that Nuke 13 to 17 embed, with the double, real EXR and the real worker."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import stored
from fakes.nuke.signatures import SIGNATURES
from fakes.pythons import python

from hosts.install import InstallOptions, open_installer

pytest.importorskip("fastapi", reason="the extra worker is not installed")
pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
ROOT = Path(__file__).resolve().parents[3]
NUKES = {"13": "3.7", "14": "3.9", "15": "3.10", "16": "3.11", "17": "3.11"}
"""Nuke -> its Python."""
SCRIPT = """
import json, sys, threading
folder, plate, home, version = sys.argv[1:5]
sys.path.insert(0, folder)
import nuke
from nuke.checked import CALLS
from lp_nuke import buttons, panel, render

assert panel.qt.__module__ == "lp_nuke.panel"
double = nuke.double
found = {"python": "%d.%d" % sys.version_info[:2], "calls": [], "patterns": []}
for gui in (True, False):
    double.reset("13" if version < "16" else "17", gui, [folder])
    read = double.make("Read")
    for name, value in (("file", plate), ("first", 1001), ("last", 1006), ("raw", True)):
        read._knobs[name]._set(value)
    grade = double.make("Multiply")
    grade._connect(0, read)
    grade._knobs["value"]._set(1.0)
    node = nuke.createNode("LivePortrait")
    node.setInput(0, grade)
    for name, value in (("driver", "demo"), ("driver_demo", "expressive"), ("first", 1001), ("last", 1003),
                        ("engine", "mesh"), ("calibration", "off"), ("cache", home + ("/gui" if gui else "/terminal"))):
        node[name].setValue(value)
    node._knobs["smile"]._keys = {1001.0: 0.0, 1003.0: 0.8}
    thread = render.render(node)
    if gui:
        double.run_main_thread(lambda: not thread.is_alive() and double.jobs.empty())
        thread.join()
    assert double.messages == [], double.messages
    assert node["status"].value() == "up to date", node["status"].value()
    double.executed.clear()
    assert render.render(node) is None
    assert double.executed == []
    found["patterns"].append(node.node("Result")["file"].value())
    found["calls"] += sorted(CALLS)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dot-nuke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LPSUITE_SETTINGS", str(folder / "host.json"))
        open_installer("nuke").install(InstallOptions(str(folder), ("lpsuite",)))
    return folder / "lpsuite"


@pytest.mark.parametrize("version", NUKES)
def test_the_whole_way_in_nukes_own_python(worker, installed, plate, version):
    program = python(NUKES[version])
    home = worker.data / f"nuke-{version}"
    home.mkdir()
    done = subprocess.run(
        [program, "-W", "error", "-c", SCRIPT, installed, plate, home, version],
        env={**worker.environment, "PYTHONPATH": str(ROOT / "tests" / "fakes"), "LPFAKE_PYTHON": sys.executable,
             "PYTHONWARNINGS": ""},
        cwd=worker.folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["python"] == NUKES[version]
    assert set(told["calls"]) <= set(SIGNATURES)
    assert "rendering, frame" in done.stdout or "frame" in done.stdout  # nuke -t prints how far it is
    for pattern in told["patterns"]:
        for number in (1001, 1002, 1003):
            spec, pixels = stored(pattern % number)
            names = list(spec.channelnames)
            outside = pixels[..., names.index("matte.A")] == 0
            picture = np.stack([pixels[..., names.index(name)] for name in "RGBA"], axis=2).astype(np.float16)
            source = stored(plate % number)[1]
            np.testing.assert_array_equal(picture[outside].view(np.uint16), source[outside].view(np.uint16))


@pytest.mark.parametrize("path", sorted((ROOT / "hosts" / "nuke").rglob("*.py")))
def test_its_syntax_is_that_of_the_oldest_nuke(path):
    import ast

    if path.name != "installer.py":  # runs in LP Suite's own Python
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
