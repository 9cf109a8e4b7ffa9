"""A reader's home and the files that the documents name."""

import os
import shutil
from types import SimpleNamespace

import pytest
from fakes.document_stage import build
from fakes.networks import FakeNetworks

from lp_core.engines.liveportrait import engine as liveportrait
from upscale import stage as upscaling


def own_home(patch, home):
    """Keeps settings, models, keys and caches of the user out of it."""
    patch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        patch.delenv(name, raising=False)
    for name in ("CONFIG", "MODELS", "RUNTIME_DIR", "LIVE_DIR", "SPEECH_CACHE"):
        patch.setenv(f"LPSUITE_{name}", str(home / name.lower()))
    patch.setenv("LPSUITE_SETTINGS", str(home / "host.json"))
    patch.setenv("BROWSER", "true")


def small_networks(patch):
    """Networks that compute little take the place of LivePortrait's, and a light published one that of x4plus."""
    patch.setattr(liveportrait, "load_for", lambda settings: FakeNetworks())
    load = upscaling.load
    light = {"x4plus": "animevideov3"}
    patch.setattr(upscaling, "load", lambda name, denoise: load(light.get(name, name), denoise))


@pytest.fixture(scope="module")
def stage(tmp_path_factory, astronaut):
    """The files, and the home in which they were made."""
    folder, home = (tmp_path_factory.mktemp(name) for name in ("stage", "home"))
    with pytest.MonkeyPatch.context() as patch:
        own_home(patch, home)
        small_networks(patch)
        build(folder, astronaut)
    return SimpleNamespace(folder=folder, home=home)


@pytest.fixture
def reader(stage, tmp_path, monkeypatch):
    """A folder with the files of the documents, which is the current one."""
    shutil.copytree(stage.home, tmp_path / "home")
    own_home(monkeypatch, tmp_path / "home")
    small_networks(monkeypatch)
    folder = tmp_path / "work"
    shutil.copytree(stage.folder, folder, copy_function=os.link)
    monkeypatch.chdir(folder)
    return folder
