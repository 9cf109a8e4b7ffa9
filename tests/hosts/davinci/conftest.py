"""A worker and real plates for the tests of Resolve's scripts; the calls they made are listed at the end."""

from itertools import groupby
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


def pytest_terminal_summary(terminalreporter):
    """Lists every call of Resolve's and Fusion's interface that the double took."""
    if CALLS:
        terminalreporter.section(f"calls of Resolve's interface that were recorded: {len(CALLS)}")
        for owner, calls in groupby(sorted(CALLS), key=lambda call: call.partition(".")[0]):
            terminalreporter.write_line(f"{owner}: {', '.join(call.partition('.')[2] for call in calls)}")


@pytest.fixture
def here():
    """The folder of the host's files."""
    return Path(__file__).resolve().parents[3] / "hosts" / "davinci"
