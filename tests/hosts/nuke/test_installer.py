"""Installing the node: into nothing, next to other things, twice, damaged, out again; what Nuke runs at its start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.install import InstallOptions, open_installer
from hosts.nuke.installer import LINES

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def host():
    return open_installer("nuke")


@pytest.fixture
def choices(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
    monkeypatch.delenv("LPSUITE", raising=False)
    return InstallOptions(str(tmp_path / "dot nuke"), (sys.executable, "-m", "lp_core"), ("/mnt/shows",))


def test_into_nothing_and_out_again(host, choices, tmp_path):
    said = host.install(choices)
    assert any("installed" in sentence for sentence in said)
    assert [finding.sentence for finding in host.status(choices) if not finding.is_good] == []
    told = json.loads((tmp_path / "host.json").read_text())
    assert told == {"lpsuite": [sys.executable, "-m", "lp_core"], "serve": ["--allow", "/mnt/shows"]}
    assert any("removed" in sentence for sentence in host.uninstall(choices))
    assert list(Path(choices.folder).iterdir()) == []
    assert host.uninstall(choices) == ["Nothing of LP Suite was installed in Nuke."]


def test_what_stands_in_init_py_is_kept_and_the_lines_come_once(host, choices):
    init = Path(choices.folder) / "init.py"
    init.parent.mkdir()
    init.write_text("import studio  # no line end")
    host.install(choices)
    host.install(choices)
    assert init.read_text() == "import studio  # no line end\n" + "\n".join(LINES) + "\n"
    host.uninstall(choices)
    assert init.read_text() == "import studio  # no line end\n"


def test_status_names_what_is_wrong(host, choices):
    assert "missing" in host.status(choices)[0].sentence
    host.install(choices)
    folder = Path(choices.folder)
    (folder / "lpsuite" / "LivePortrait.gizmo").write_text("Group {\n}\nend_group\n")
    (folder / "init.py").write_text("")
    bad = [finding.sentence for finding in host.status(choices) if not finding.is_good]
    assert len(bad) == 2
    assert "LivePortrait.gizmo is of another version" in bad[0]
    assert "does not name" in bad[1]


def test_files_of_others_stay(host, choices):
    host.install(choices)
    mine = Path(choices.folder) / "lpsuite" / "mine.nk"
    mine.write_text("x")
    host.uninstall(choices)
    assert mine.read_text() == "x"
    assert not (Path(choices.folder) / "init.py").exists()


START = """
import runpy, sys, nuke
folder = sys.argv[1]
nuke.double.reset(sys.argv[2], sys.argv[3] == "gui")
runpy.run_path(folder + "/init.py")  # the user's own, by Nuke
runpy.run_path(folder + "/lpsuite/init.py")  # that of a folder added in an init.py, by Nuke
if sys.argv[3] == "gui":
    runpy.run_path(folder + "/lpsuite/menu.py")
    import nukescripts
    print([row[0] for row in nuke.double.menus], nukescripts.registered)
import lp_nuke.render, lp_core
assert lp_core.__file__.startswith(folder) and lp_nuke.__file__.startswith(folder)
node = nuke.createNode("LivePortrait")
print(nuke.double.folders, node["lp_version"].value(), "PySide2" in sys.modules or "PySide6" in sys.modules)
"""


@pytest.mark.parametrize("window", ["gui", "terminal"])
@pytest.mark.parametrize("style", ["13", "17"])
def test_nuke_starts_with_what_was_installed(host, choices, style, window):
    host.install(choices)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", START, choices.folder, style, window],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "fakes")},
        cwd="/", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if window == "gui":
        assert (
            "['LP Suite', 'LivePortrait'] [('lp_nuke.panel.make', 'LP Suite', 'lpsuite.panel')]"
            in done.stdout
        )
    assert done.stdout.splitlines()[-1].endswith(" 1 False")
