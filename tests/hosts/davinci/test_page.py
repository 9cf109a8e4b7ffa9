"""The free edition's way in a real browser: the job is filled into the worker's page, and the script waits for it."""

import shutil
import threading

import pytest
from fakes.films import write_portrait

from hosts.davinci.lp_resolve.job import by_page
from lp_core.errors import Cancelled

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH (make system installs it)")


def test_a_prepared_job_is_filled_in_and_started_by_hand(worker, astronaut):
    portrait = write_portrait(worker.data / "portrait ü.png", astronaut)
    output = worker.data / "by page.mp4"
    parameters = {
        "source": str(portrait),
        "driving": "demo:nod",
        "output": str(output),
        "settings": {
            "engine": {"engine": "mesh"},
            "mesh": {"calibration": "off"},
            "input": {"frames": "0-9", "driving_offset": -3},
            "motion": {"strength": 0.5},
        },
    }
    link, ended = [], []
    opened = threading.Event()

    def open_page(address):
        link.append(address)
        opened.set()
        return True

    script = threading.Thread(
        target=lambda: ended.append(by_page(worker.client, parameters, print, open_page))
    )
    script.start()
    assert opened.wait(20)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(link[0])
        page.wait_for_selector("body[data-ready]")
        assert "fill" not in page.url
        assert page.input_value("#source .path") == str(portrait)
        assert page.input_value("#output") == str(output)
        assert page.get_attribute("#output", "readonly") is not None
        offset = page.locator("#setting-driving_offset")
        assert (offset.get_attribute("type"), offset.input_value()) == ("number", "-3")
        page.locator("#start").click()
        page.wait_for_selector(".job[data-state=done]", timeout=60000)
        browser.close()
    script.join(30)
    assert not faults
    assert ended[0].state == "done"
    assert ended[0].summary["frames"] == 10
    settings = ended[0].parameters["settings"]
    assert settings["input"]["driving_offset"] == -3
    assert settings["motion"]["strength"] == 0.5


def test_cancel_on_the_page_ends_the_script(worker, astronaut):
    portrait = write_portrait(worker.data / "cancelled.png", astronaut)
    parameters = {
        "source": str(portrait),
        "driving": "demo:nod",
        "output": str(worker.data / "no.mp4"),
        "settings": {},
    }
    link, ended = [], []
    opened = threading.Event()

    def script():
        try:
            by_page(
                worker.client, parameters, print, lambda address: link.append(address) or opened.set() or True
            )
        except Cancelled as error:
            ended.append(str(error))

    thread = threading.Thread(target=script)
    thread.start()
    assert opened.wait(20)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(link[0])
        page.wait_for_selector("body[data-ready]")
        page.locator("#host button").click()
        page.wait_for_selector("#host", state="hidden")
        thread.join(10)
        browser.close()
    assert ended == ["The job was cancelled on the page; nothing was rendered."]
    assert not (worker.data / "no.mp4").exists()
