"""Installing the scripts: in, found by every Python a system may have, judged by status, and out again."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fakes.plates import told_index, write_plate
from fakes.pythons import python

from hosts.davinci.installer import LIBRARY, fusion_folder
from hosts.install import InstallOptions, open_installer
from lp_core.media.open import open_source

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SCRIPTS = sorted((ROOT / "hosts" / "davinci" / "scripts").rglob("*.py"))


@pytest.fixture
def davinci():
    return open_installer("davinci")


@pytest.fixture
def choices(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
    return InstallOptions(str(tmp_path / "Schnitt platz" / "Fusion"), ("sh", "-c"), ("/mnt/bühne",))


def test_in_and_out_again(davinci, choices, tmp_path):
    foreign = Path(choices.folder) / "Scripts" / "Edit" / "Mine.py"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("pass")
    davinci.install(choices)
    davinci.install(choices)
    assert all(finding.is_good for finding in davinci.status(choices)), davinci.status(choices)
    settings = json.loads((tmp_path / "host.json").read_text(encoding="utf-8"))
    assert settings == {"lpsuite": ["sh", "-c"], "serve": ["--allow", "/mnt/bühne"]}
    said = davinci.uninstall(choices)
    assert any("LivePortrait.setting was removed" in sentence for sentence in said)
    assert [path for path in Path(choices.folder).rglob("*") if path.is_file()] == [foreign]
    assert davinci.uninstall(choices) == ["Nothing of LP Suite was installed in Resolve."]
    assert [finding.is_good for finding in davinci.status(choices)] == [False]


def test_status_tells_what_was_altered(davinci, choices):
    davinci.install(choices)
    script = Path(choices.folder) / "Scripts" / "Edit" / "LivePortrait - Update.py"
    script.write_text("pass")
    assert any(
        "LivePortrait - Update.py is missing or altered" in f.sentence for f in davinci.status(choices)
    )
    davinci.install(InstallOptions(choices.folder, ("/no/such/program",)))
    assert any("/no/such/program is gone" in f.sentence for f in davinci.status(choices))


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        ("linux", "/home/me/.local/share/DaVinciResolve/Fusion"),
        ("darwin", "/home/me/Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion"),
        ("win32", "/roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion"),
    ],
)
def test_the_folder_of_each_system(monkeypatch, platform, wanted):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("APPDATA", "/roaming")
    assert fusion_folder(InstallOptions()).as_posix() == wanted


def test_the_wheel_carries_what_is_copied():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert "hosts" in built["targets"]["wheel"]["packages"], "a package is carried with all its files"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_installed_script_runs_and_says_that_resolve_is_not_there(davinci, choices, version):
    """Started outside of Resolve's menu it has no ``resolve``: all is imported, and the user is informed."""
    chosen = python(version)
    davinci.install(choices)
    for script in sorted((Path(choices.folder) / "Scripts").rglob("*.py")):
        done = subprocess.run(
            [chosen, "-W", "error", "-I", script], capture_output=True, text=True, timeout=60, cwd=choices.folder,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        lacking = (
            "composition; press"
            if "Render Macro" in script.name
            else "access; start the script from Workspace"
        )
        assert f"LivePortrait: Resolve gave no {lacking}" in done.stdout


PURE = """
import sys
sys.path.insert(0, sys.argv[1])
from hosts.davinci.lp_resolve.api_results import frame_of, rate_of
from hosts.davinci.lp_resolve.curves import settings_at, slider_curves
from hosts.davinci.lp_resolve.dialogs import animate_dialog, batch_dialog, settings_of
from hosts.davinci.lp_resolve.macro import published, setting_text
from hosts.davinci.lp_resolve.media import media_of
from hosts.davinci.lp_resolve.plan import DrivingClip, Use, plan
rate = rate_of("29,97 DF")
assert frame_of("01:00:00;00", rate, True) == 107892
media = media_of("a", "/x/pl\u00e4t.[1001-1100].exr", 0, rate, "01:00:00;00", "", "")
use = Use("id", "a", 1, 107900, 20, 10, media, rate, True)
made = plan(use, DrivingClip("demo:nod"), {}, "/x/out.%04d.exr", 4)
assert made.settings["input"] == {"frames": "1007-1034", "handles": 0, "driving_offset": -10}, made
assert made.start == "01:00:00;06"
dialog = animate_dialog(["a"], ["demo:nod"], ["the clip itself"], "/x", {})
values = {control.name: control.value for control in dialog.controls}
assert settings_of(values) == {}
values.update(strength=0.5, smile=1.0)
assert settings_of(values) == {"motion": {"strength": 0.5}, "sliders": {"edit": ["smile=1"]}}
found = {item.name: item.default for item in published()}
assert settings_at(lambda name, frame: found[name], 0) == {}
assert slider_curves(lambda name, frame: frame if name == "yaw" else found[name], 0, 5) == {"yaw": [[0, 0.0], [5, 5.0]]}
sys.stdout.buffer.write(setting_text().encode("utf-8"))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_ranges_dialogs_and_macro_are_the_same_in_every_python(davinci, choices, version, here):
    chosen = python(version)
    davinci.install(choices)
    library = Path(choices.folder) / LIBRARY
    done = subprocess.run([chosen, "-W", "error", "-I", "-c", PURE, library], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == (here / "LivePortrait.setting").read_bytes()


WHOLE = """
import json, sys
sys.path[:0] = sys.argv[1:3]
from fakes import resolve, resolve_pool
from fakes.resolve_ui import Bmd, Fusion
from hosts.davinci.lp_resolve.actions import main
about = {"File Path": sys.argv[3], "FPS": "25", "Frames": "8", "Start TC": "01:00:00:00", "Resolution": "640x360"}
def described(path, first=None, last=None):
    return dict(about, **{"File Path": str(path), "Start TC": ""})
resolve.described = described
host = resolve.Host()
timeline = host.project.timeline("Schnitt", "25", "01:00:00:00")
timeline.put(1, host.project.pool.add(about), 90000, 2, 5)
def user(dispatcher, window):
    items = window.GetItems()
    if "Accept" not in items:
        dispatcher.On.call("Timeout")
        return
    for name, value in (("engine", "mesh"), ("calibration", "off"), ("driver", "demo:nod")):
        items[name].CurrentIndex = items[name].choices.index(value)
    items["strength"].Text, items["folder"].Text = "0,75", sys.argv[4]
    window.On.call("Accept", "Clicked")
of_a_script = {"resolve": host.resolve, "fusion": Fusion(host), "bmd": Bmd(user)}
assert main("animate", of_a_script)
assert main("update", of_a_script)
(result,) = timeline.tracks[2]
assert (result.start, result.length, result.clip.properties["Start TC"]) == (90000, 5, "01:00:00:02")
data = json.loads(result.markers[0.0]["customData"])
assert data["settings"]["motion"] == {"strength": 0.75}
sys.stdout.buffer.write(data["output"].encode("utf-8"))
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clip_is_animated_and_updated_in_every_python(davinci, choices, version, worker, pictures):
    """Windows, client and conform with the real worker, in the Python that Resolve happens to find."""
    chosen = python(version)
    davinci.install(choices)
    plate = write_plate(worker.data / "plate ü.mov", pictures[:8], "25", "01:00:00:00")
    folder = worker.data / f"results {version}"
    command = [chosen, "-I", "-c", WHOLE, Path(choices.folder) / LIBRARY, ROOT / "tests", plate, folder]
    done = subprocess.run(command, capture_output=True, timeout=120, env=worker.environment)
    assert done.returncode == 0, done.stderr.decode()
    name = done.stdout.decode("utf-8").splitlines()[-1]
    assert name.endswith("plate_ü_lp_v002.mov")
    with open_source(name) as source:
        assert [told_index(frame.pixels) for frame in source] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "hosts" / "davinci" / "lp_resolve").glob("*.py")), *SCRIPTS]
)
def test_its_syntax_is_that_of_the_oldest_python(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_lua_entry_tells_wrong_folder_from_missing_python(davinci, choices):
    luajit = shutil.which("luajit")
    if luajit is None:
        pytest.skip("luajit is not installed")
    davinci.install(choices)
    script = Path(choices.folder) / "Scripts" / "Edit" / "LivePortrait - Check.lua"
    done = subprocess.run([luajit, script], capture_output=True, text=True, timeout=10)
    assert "LP Suite" in done.stdout
    assert "Resolve has found no Python" in done.stdout
    shutil.rmtree(Path(choices.folder) / LIBRARY)
    done = subprocess.run([luajit, script], capture_output=True, text=True, timeout=10)
    assert "are gone from" in done.stdout


@pytest.mark.parametrize("is_sandboxed", [True, False])
def test_the_app_stores_edition_is_told_apart(davinci, monkeypatch, tmp_path, is_sandboxed):
    from hosts.davinci import installer

    receipt = tmp_path / "receipt"
    if is_sandboxed:
        receipt.write_bytes(b"x")
    monkeypatch.setattr(installer, "APP_STORE", receipt)
    monkeypatch.setattr(installer.sys, "platform", "darwin")
    found = list(installer._sandbox_finding())
    assert [one.is_good for one in found] == ([False] if is_sandboxed else [])
    assert all("blackmagicdesign.com" in one.sentence for one in found)
