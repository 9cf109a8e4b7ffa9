"""One worker for all tests that only ask it things."""

import shutil

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
    """A 256x256 image with one face in the worker's allowed folder."""
    path = worker.data / "portrait.png"
    return path if path.exists() else write_portrait(path, astronaut)


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on PATH (make system installs it)")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield made
        made.close()


def is_fault(message):
    """Whether a line of the console is one of ours to fix; a refused request is reported there too."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def page(worker, browser):
    """The page, logged in by a one-time link, 400 pixels wide; a fault of its scripts fails the test."""
    context = browser.new_context(viewport={"width": 400, "height": 800})
    made = context.new_page()
    faults = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    made.goto(worker.client.login_link())
    made.wait_for_selector("body[data-ready]")
    yield made
    context.close()
    assert not faults
