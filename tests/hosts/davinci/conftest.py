"""A worker and real plates for the tests of Resolve's scripts; the calls they made are listed at the end."""

from pathlib import Path

import pytest
from fakes.plates import real_pictures
from fakes.worker import Worker

CALLS = set()


@pytest.fixture(scope="session")
def pictures(media):
    """24 real pictures, and six more."""
    return real_pictures(media / "source_video" / "s18.mp4", 30)


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """A running worker, its client in ``client``."""
    made = Worker(tmp_path_factory.mktemp("davinci"))
    made.client = made.start()
    yield made
    made.stop()


@pytest.fixture
def record():
    """Takes hosts whose calls belong into the report."""
    hosts = []
    yield hosts.append
    for host in hosts:
        CALLS.update(host.calls)


@pytest.fixture(scope="session", autouse=True)
def _report(request):
    yield
    if CALLS:
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line("")
            reporter.write_line(f"Calls of Resolve's API that the tests recorded ({len(CALLS)}):")
            reporter.write_line("  " + " ".join(sorted(CALLS)))


@pytest.fixture
def here():
    """The folder of the host's files."""
    return Path(__file__).resolve().parents[3] / "hosts" / "davinci"
