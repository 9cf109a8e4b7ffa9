"""One worker for all tests that only ask it things."""

import pytest
from fakes.films import write_portrait
from fakes.worker import Worker


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """A running worker, its client in ``client``."""
    made = Worker(tmp_path_factory.mktemp("worker"))
    made.client = made.start()
    yield made
    if made.process is not None:
        made.stop()


@pytest.fixture
def portrait(worker, astronaut):
    """A 256x256 picture with one face in the worker's allowed folder."""
    path = worker.data / "portrait.png"
    return path if path.exists() else write_portrait(path, astronaut)
