"""Installing the scripts: in, found by every Python a system may have, judged by status, and out again."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.davinci.installing import LIBRARY, fusion_folder
from hosts.install import Wishes, open_installer

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SCRIPTS = sorted((ROOT / "hosts" / "davinci" / "scripts").rglob("*.py"))


@pytest.fixture
def davinci():
    return open_installer("davinci")


@pytest.fixture
def wishes(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
    return Wishes(str(tmp_path / "Schnitt platz" / "Fusion"), ("sh", "-c"), ("/mnt/bühne",))


def test_in_and_out_again(davinci, wishes, tmp_path):
    foreign = Path(wishes.folder) / "Scripts" / "Edit" / "Mine.py"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("pass")
    davinci.install(wishes)
    davinci.install(wishes)
    assert all(finding.is_good for finding in davinci.status(wishes)), davinci.status(wishes)
    settings = json.loads((tmp_path / "host.json").read_text(encoding="utf-8"))
    assert settings == {"lpsuite": ["sh", "-c"], "serve": ["--allow", "/mnt/bühne"]}
    said = davinci.uninstall(wishes)
    assert any("LivePortrait.setting was removed" in sentence for sentence in said)
    assert [path for path in Path(wishes.folder).rglob("*") if path.is_file()] == [foreign]
    assert davinci.uninstall(wishes) == ["Nothing of LP Suite was installed in Resolve."]
    assert [finding.is_good for finding in davinci.status(wishes)] == [False]


def test_status_tells_what_was_altered(davinci, wishes):
    davinci.install(wishes)
    script = Path(wishes.folder) / "Scripts" / "Edit" / "LivePortrait - Update.py"
    script.write_text("pass")
    assert any("LivePortrait - Update.py is missing or altered" in f.sentence for f in davinci.status(wishes))
    davinci.install(Wishes(wishes.folder, ("/no/such/program",)))
    assert any("/no/such/program is gone" in f.sentence for f in davinci.status(wishes))


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
    assert fusion_folder(Wishes()).as_posix() == wanted


def test_the_wheel_carries_what_is_copied():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"**/*.setting"' in text
    assert '"davinci/scripts/**/*"' in text


def program(version):
    homes = [
        Path(folder) for folder in os.environ.get("LPSUITE_TEST_PYTHONS", "").split(os.pathsep) if folder
    ]
    found = [home / f"bin/python{version}" for folder in homes for home in sorted(folder.glob(f"{version}*"))]
    found.append(Path(shutil.which(f"python{version}") or "/nowhere"))
    for path in found:
        if path.exists():
            done = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                                  capture_output=True, text=True, timeout=30)  # fmt: skip
            if done.stdout.strip() == version:
                return path
    pytest.skip(f"no Python {version} on PATH or in LPSUITE_TEST_PYTHONS")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_installed_script_runs_and_says_that_resolve_is_not_there(davinci, wishes, version):
    """Started outside of Resolve's menu it has no ``resolve``: all is imported, and the user is told."""
    python = program(version)
    davinci.install(wishes)
    for script in sorted((Path(wishes.folder) / "Scripts").rglob("*.py")):
        done = subprocess.run(
            [python, "-W", "error", "-I", script], capture_output=True, text=True, timeout=60, cwd=wishes.folder,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        if "Render Macro" in script.name:
            assert "comp" in done.stderr + done.stdout
            continue
        assert done.returncode == 0, done.stderr
        assert (
            "LivePortrait: Resolve gave no access; start the script from Workspace, Scripts." in done.stdout
        )


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "hosts" / "davinci" / "lp_resolve").glob("*.py")), *SCRIPTS]
)
def test_its_syntax_is_that_of_the_oldest_python(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_lua_entry_tells_wrong_folder_from_missing_python(davinci, wishes):
    luajit = shutil.which("luajit")
    if luajit is None:
        pytest.skip("luajit is not installed")
    davinci.install(wishes)
    script = Path(wishes.folder) / "Scripts" / "Edit" / "LivePortrait - Check.lua"
    done = subprocess.run([luajit, script], capture_output=True, text=True, timeout=10)
    assert "LP Suite" in done.stdout
    assert "Resolve has found no Python" in done.stdout
    shutil.rmtree(Path(wishes.folder) / LIBRARY)
    done = subprocess.run([luajit, script], capture_output=True, text=True, timeout=10)
    assert "are gone from" in done.stdout
