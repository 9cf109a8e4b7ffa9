"""The facade against the published stubs of Resolve's API: pyright finds a misspelt call, and none in ours."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import resolve, resolve_item, resolve_pool
from fakes.resolve_api import Api

ROOT = Path(__file__).resolve().parents[3]
needs = pytest.mark.skipif(
    shutil.which("node") is None or importlib.util.find_spec("pyright") is None,
    reason="pyright (extra test) or node, which it runs on, is not installed",
)


def stub_calls():
    """Class -> calls, of the published stubs."""
    spec = importlib.util.find_spec("fusionscript-stubs")
    folders = spec.submodule_search_locations if spec else []
    paths = [Path(folder) / "fusionscript.pyi" for folder in folders]
    if not paths or not paths[0].is_file():
        pytest.skip("the package fusionscript-stubs is not installed")
    tree = ast.parse(paths[0].read_text(encoding="utf-8"))
    return {
        item.name: {part.name for part in item.body if isinstance(part, ast.FunctionDef)}
        for item in tree.body
        if isinstance(item, ast.ClassDef)
    }


NEWER = {"Timeline": {"GetSelectedClips"}}
"""Calls that are newer than the stubs. Source: Blackmagic's scripting README of 24 Jul 2026."""


def test_the_double_invents_no_call():
    """What the tests' Resolve answers, the published one has too."""
    published = stub_calls()
    doubles = [item for module in (resolve, resolve_item, resolve_pool) for item in vars(module).values()
               if isinstance(item, type) and issubclass(item, Api) and item.__module__ == module.__name__]  # fmt: skip
    assert len(doubles) > 9
    for double in doubles:
        calls = {name for name, item in vars(double).items() if hasattr(item, "__wrapped__")}
        assert calls - NEWER.get(double.__name__, set()) <= published[double.__name__], double.__name__


def pyright(*paths):
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--pythonpath",
        sys.executable,
        "--pythonversion",
        "3.9",
        *paths,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    if "No configuration file" not in done.stdout and "error" not in done.stdout:
        pytest.skip(f"pyright did not start: {done.stderr[-200:]}")
    return done


@pytest.mark.slow
@needs
def test_no_call_of_ours_is_unknown_to_the_stubs():
    done = pyright("hosts/davinci")
    assert "0 errors, 0 warnings" in done.stdout, done.stdout


@pytest.mark.slow
@needs
def test_a_misspelt_call_is_found():
    facade = (ROOT / "hosts" / "davinci" / "lp_resolve" / "facade.py").read_text(encoding="utf-8")
    wrong = ROOT / "hosts" / "davinci" / "lp_resolve" / "facade_misspelt.py"
    try:
        wrong.write_text(facade.replace("GetCurrentVideoItem", "GetCurentVideoItem"), encoding="utf-8")
        done = pyright(str(wrong))
    finally:
        wrong.unlink(missing_ok=True)
    assert 'Cannot access attribute "GetCurentVideoItem"' in done.stdout
