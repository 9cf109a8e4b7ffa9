"""What holds for every test: seeds, tolerances by dtype, no thread and no error line left behind.

The helpers are fixtures, because test modules are imported by path and cannot import from here.
"""

import ctypes
import importlib.util
import logging
import random
import sys
import threading
import time
from collections import Counter
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

ROOT = Path(__file__).resolve().parent.parent
SEED = 20240703
THREAD_GRACE_S = 10.0
RESOLVE_CALLS: set[str] = set()

TOLERANCES = {  # dtype -> (relative, absolute); never widened to pass
    "float64": (1e-9, 1e-12),
    "float32": (1e-5, 1e-6),
    "float16": (1e-3, 1e-3),
    "uint16": (0.0, 0.0),
    "uint8": (0.0, 0.0),
    "bool": (0.0, 0.0),
}

hypothesis_settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("suite")


def pytest_collection_modifyitems(items):
    """Marks tests that ask for the sample media, so that ``-m 'not media'`` leaves them out; orders the files.

    Processes take whole files from the top: those with slow tests come first, so that none is left for the end.
    """
    for item in items:
        if "media" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.media)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow[item.path], -size[item.path]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Shares out the files; after a crash of a process, the tests that it has not run.

    pytest-xdist 3.8 waits forever then: it also shares out what the process had run, and hands a new process one
    test, which is run only once another one follows (its issues 1378 and 1327).
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def remove_node(self, node):
            work = self.assigned_work[node]
            for file in [file for file, tests in work.items() if all(tests.values())]:
                del work[file]
            return super().remove_node(node)

        def schedule(self):
            super().schedule()
            for node in self.nodes:
                self._reschedule(node)

    return Files(config, log)


def pytest_runtest_setup(item):
    """Seeds every random generator a test could reach."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - code under test may use the old generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)


def pytest_runtest_logreport(report):
    """Collects what ``record`` of the tests of Resolve noted, from this process or another."""
    if report.when == "teardown":
        RESOLVE_CALLS.update(*(calls for name, calls in report.user_properties if name == "resolve_calls"))


def pytest_terminal_summary(terminalreporter):
    """Lists every call of Resolve's and Fusion's interface that the double took."""
    if RESOLVE_CALLS:
        terminalreporter.section(f"calls of Resolve's interface that were recorded: {len(RESOLVE_CALLS)}")
        for owner, calls in groupby(sorted(RESOLVE_CALLS), key=lambda call: call.partition(".")[0]):
            terminalreporter.write_line(f"{owner}: {', '.join(call.partition('.')[2] for call in calls)}")


@pytest.fixture(autouse=True)
def _no_key_of_the_user(tmp_path_factory, monkeypatch):
    """Tests neither use nor touch the signing key of anyone who runs them."""
    monkeypatch.setenv("LPSUITE_CONFIG", str(tmp_path_factory.getbasetemp() / "no-configuration"))


@pytest.fixture
def rng():
    """A generator of its own for each test."""
    return np.random.default_rng(SEED)


@pytest.fixture
def assert_close():
    """A function (actual, wanted) that compares within the tolerance of the coarser dtype of the two."""

    def check(actual, wanted):
        actual, wanted = np.asarray(actual), np.asarray(wanted)
        rtol, atol = max(TOLERANCES[actual.dtype.name], TOLERANCES[wanted.dtype.name])
        np.testing.assert_allclose(actual, wanted, rtol=rtol, atol=atol)

    return check


@pytest.fixture(autouse=True, scope="module")
def _memory_given_back():
    """Gives what a file's tests needed back to the system: the C library would keep gigabytes to the end of the run."""
    yield
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@pytest.fixture(autouse=True)
def _no_thread_left_behind():
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    until = time.monotonic() + THREAD_GRACE_S
    for thread in left:
        thread.join(max(until - time.monotonic(), 0.0))
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"the test left threads behind: {', '.join(names)}"


class _ErrorLines(logging.Handler):
    def __init__(self):
        super().__init__(level=logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_error_logged():
    handler = _ErrorLines()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    assert not handler.lines, f"the test logged errors: {handler.lines}"


@pytest.fixture(scope="session")
def nuke_rules():
    """The rules of Nuke's EXR reader, as a module with ``judge(path)``; None where they or OpenImageIO are absent."""
    places = [above / "shared" / "tools" / "nuke_exr_rules.py" for above in ROOT.parents[:2]]
    path = next((place for place in places if place.exists()), None)
    if path is None or importlib.util.find_spec("OpenImageIO") is None:
        return None
    found = importlib.util.spec_from_file_location("nuke_exr_rules", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def _judged_exr(nuke_rules):
    """What Nuke would refuse of the EXR files that this process writes, noted as they are written."""
    refused = []
    if nuke_rules is None:
        yield refused
        return
    from lp_core.media.image import oiio_writer

    write = oiio_writer._write

    def judged(path, header, pixels):
        write(path, header, pixels)
        if path.suffix == ".exr":
            refused.extend(nuke_rules.judge(str(path))[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oiio_writer, "_write", judged)
        yield refused


@pytest.fixture(autouse=True)
def _nuke_opens_what_is_written(_judged_exr):
    """Every EXR file of the suite is one that Nuke opens."""
    _judged_exr.clear()
    yield
    assert not _judged_exr, f"Nuke would refuse: {_judged_exr}"


@pytest.fixture(scope="session")
def media():
    """Folder of the shared sample media; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "media"
    if not (folder / "driving").is_dir():
        pytest.skip("the shared sample media is not here")
    return folder


@pytest.fixture(scope="session")
def astronaut():
    """(512, 512, 3) uint8 RGB, read-only: the public-domain portrait that scikit-image installs."""
    from skimage import data

    picture = data.astronaut()
    picture.flags.writeable = False
    return picture
