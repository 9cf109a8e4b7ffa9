"""The double in place of Nuke, a worker, and plates as EXR."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fakes.worker import Worker

ROOT = Path(__file__).resolve().parents[3]
FIRST, LAST = 1001, 1006


@pytest.fixture
def nuke(monkeypatch):
    """The double as the module nuke, freshly started; ``nuke.double`` is its state."""
    import fakes.nuke as module

    module.double.reset("17", True, [str(ROOT / "hosts" / "nuke")])
    scripts = ModuleType("nukescripts")
    scripts.registered = []
    scripts.panels = SimpleNamespace(registerWidgetAsPanel=lambda *given: scripts.registered.append(given))
    monkeypatch.setitem(sys.modules, "nuke", module)
    monkeypatch.setitem(sys.modules, "nukescripts", scripts)
    return module


@pytest.fixture
def lp(nuke):
    """The package's modules by name."""
    names = (
        "arriving",
        "before_render",
        "buttons",
        "cache",
        "colors",
        "farm",
        "node_state",
        "panel",
        "plates",
        "render",
        "knob_settings",
        "single_frame",
        "upstream",
    )
    return SimpleNamespace(**{name: importlib.import_module(f"hosts.nuke.lp_nuke.{name}") for name in names})


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A worker that does not run yet; plates and results are in its allowed folder, ``data``."""
    return Worker(tmp_path_factory.mktemp("nuke"))


@pytest.fixture(scope="module")
def worker(space):
    """The same, running; its client in ``client``."""
    space.client = space.start()
    yield space
    space.stop()


@pytest.fixture
def home(space, monkeypatch, request):
    """A folder of this test that the worker may touch, and the way to the worker."""
    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(space.run))
    monkeypatch.setenv("LPSUITE_SETTINGS", str(space.folder / "host.json"))
    monkeypatch.delenv("LPSUITE", raising=False)
    folder = space.data / re.sub(r"\W+", "-", request.node.name)
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def plate(space):
    """Pattern of six half-float images 1001-1006 of a face, with values below 0 and above 1, noise in each."""
    from fakes.exr import write_exr
    from skimage import data, transform

    face = transform.resize(data.astronaut(), (256, 256), anti_aliasing=True) ** 2.2
    rng = np.random.default_rng(7)
    folder = space.data / "plates"
    folder.mkdir()
    for number in range(FIRST, LAST + 1):
        noise = rng.normal(0, 0.01, face.shape)
        picture = np.concatenate([face * 1.3 + noise, np.ones((256, 256, 1))], axis=2)
        write_exr(folder / f"plate.{number:04d}.exr", picture.astype(np.float16), display=(0, 0, 256, 256))
    return str(folder / "plate.%04d.exr")


def read_node(nuke, pattern, first=FIRST, last=LAST, raw=True):
    """A Read of the double."""
    node = nuke.double.make("Read")
    for name, value in (("file", pattern), ("first", first), ("last", last), ("raw", raw)):
        node._knobs[name]._set(value)
    return node


@pytest.fixture
def make(nuke, home, plate):
    """A function that makes a LivePortrait node on the plate, driven by a demo; keywords set knobs."""

    def made(source=None, **knobs):
        node = nuke.createNode("LivePortrait")
        node.setInput(0, source if source is not None else read_node(nuke, plate))
        chosen = {
            "driver": "demo", "driver_demo": "expressive", "first": FIRST, "last": LAST, "engine": "mesh",
            "calibration": "off", "cache": str(home),
        }  # fmt: skip
        for name, value in {**chosen, **knobs}.items():
            node[name].setValue(value)
        return node

    return made


@pytest.fixture
def rendered(nuke, lp):
    """A function that renders a node to its end."""

    def render(node):
        thread = lp.render.render(node)
        if thread is not None:
            nuke.double.run_main_thread(lambda: not thread.is_alive() and nuke.double.jobs.empty())
            thread.join()
        return node

    return render


@pytest.fixture
def reads():
    """The function that makes a Read."""
    return read_node
