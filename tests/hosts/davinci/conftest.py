"""A worker and real plates for the tests of Resolve's scripts; the calls they made are listed at the end."""

from pathlib import Path

import pytest
from fakes.plates import real_pictures
from fakes.resolve import Host
from fakes.resolve_desk import CASES, lay
from fakes.worker import Worker


@pytest.fixture(scope="session")
def pictures(media):
    """24 real images, and six more."""
    return real_pictures(media / "source_video" / "s18.mp4", 30)


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """A running worker, its client in ``client``."""
    made = Worker(tmp_path_factory.mktemp("davinci"))
    made.client = made.start()
    yield made
    made.stop()


@pytest.fixture
def record(record_property):
    """Takes hosts whose calls belong in the report at the end."""
    hosts = []
    yield hosts.append
    record_property("resolve_calls", sorted({call for host in hosts for call in host.calls}))


@pytest.fixture
def here():
    """The folder of the host's files."""
    return Path(__file__).resolve().parents[3] / "hosts" / "davinci"


@pytest.fixture
def cut(worker, pictures, record):
    """A timeline at 25 with the plate on track 1."""
    host = Host()
    record(host)
    timeline, clip, item = lay(host, worker, pictures, CASES["25"], "25")
    return host, timeline, clip, item
