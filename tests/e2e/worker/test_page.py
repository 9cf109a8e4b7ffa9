"""The page in a real Chromium: a video is made and played by hand and keyboard alone."""

import time

import pytest

LIMIT_S = 60


def test_a_film_is_made_by_dropping_and_keys_and_is_played(worker, page, portrait):
    assert "key" not in page.url
    assert worker.client.address.token not in page.content()
    page.set_input_files("#source input[type=file]", portrait)
    page.focus("#driving .path")
    page.keyboard.type("demo:still")
    page.locator("#all summary").click()
    page.locator("#render").get_by_label("Calibration").select_option("off")
    page.locator("#render").get_by_label("Engine", exact=True).select_option("mesh")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".job[data-state=done] .play:visible", timeout=LIMIT_S * 1000)
    page.wait_for_selector(".job img:visible")
    page.get_by_role("button", name="Play").press("Enter")
    until = time.monotonic() + LIMIT_S
    film = "() => { const v = document.querySelector('.job video'); return [v.videoWidth, v.currentTime]; }"
    while page.evaluate(film)[1] < 0.2:
        assert time.monotonic() < until, "the video does not play"
        page.wait_for_timeout(50)
    assert page.evaluate(film)[0] == 256


def test_a_wrong_setting_is_told_in_the_workers_words_and_nothing_begins(worker, page, portrait):
    before = len(worker.client.jobs())
    page.fill("#source .path", "/etc/passwd")
    page.fill("#driving .path", "demo:nod")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#problem:visible")
    assert "outside the folders" in page.inner_text("#problem")
    assert len(worker.client.jobs()) == before


@pytest.mark.parametrize("width", [320, 400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_dock_and_a_window_and_every_control_has_a_name(page, width, scheme):
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme)
    for summary in ("#expression", "#all"):
        page.locator(f"{summary} summary").click()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    unnamed = """() => [...document.querySelectorAll('input:not([type=file]), select, button')]
        .filter((item) => item.offsetParent && !item.labels?.length && !item.textContent.trim()
            && !item.getAttribute('aria-label')).length"""
    assert page.evaluate(unnamed) == 0


def test_sliders_come_from_the_schema(page):
    page.locator("#all summary").click()
    slider = page.locator("#setting-smoothing")
    assert slider.get_attribute("max") == "1"
    page.locator("#expression summary").click()
    assert page.locator("#setting-smile").get_attribute("max") == "1.3"


def test_the_live_panel_shows_the_portrait_and_hands_sliders_on(worker, page, portrait):
    page.get_by_role("tab", name="Live").click()
    page.fill("#live-portrait .path", str(portrait))
    page.fill("#live-driver .path", "demo:nod")
    page.get_by_role("button", name="Go live").click()
    until = time.monotonic() + LIMIT_S
    while not page.evaluate("() => document.querySelector('.preview img')?.naturalWidth"):
        assert time.monotonic() < until, "no image came"
        page.wait_for_timeout(100)
    page.locator("#live summary").click()
    page.locator("#live-smile").fill("1.1")
    while worker.client.streams()[0]["request"]["settings"]["sliders"]["edit"] != ["smile=1.1"]:
        assert time.monotonic() < until, "the slider was not handed on"
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Stop").click()
    while worker.client.streams():
        assert time.monotonic() < until, "the stream did not end"
        page.wait_for_timeout(50)


def test_the_file_that_hands_a_login_over_ends_at_the_page(worker, browser, monkeypatch):
    from lp_core.link.browser import open_page

    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(worker.run))
    opened = []
    link = worker.client.login_link() + "#fill=%7B%22driving%22%3A%22demo%3Anod%22%7D"
    assert open_page(link, lambda address: opened.append(address) or True)
    context = browser.new_context()
    page = context.new_page()
    page.goto(opened[0])
    page.wait_for_selector("body[data-ready]", timeout=LIMIT_S * 1000)
    assert page.url.startswith(worker.client.address.url + "/")
    assert "key" not in page.url
    assert page.locator("#driving .path").input_value() == "demo:nod"
    context.close()


def test_a_text_is_heard_rendered_and_offered_for_download(worker, page, portrait):
    pytest.importorskip("hibari")
    page.get_by_role("tab", name="Speak").click()
    page.set_input_files("#speak-portrait input[type=file]", portrait)
    page.fill("#speak textarea", "Hi.")
    page.wait_for_selector("#speak .voice option[value='hibari:heart']", state="attached")
    page.select_option("#speak .voice", "hibari:heart")
    assert "Apache-2.0" in page.inner_text("#speak .licenses")
    page.get_by_role("button", name="Hear it").click()
    page.wait_for_function(
        "() => document.querySelector('#speak audio').duration > 0.8", timeout=LIMIT_S * 1000
    )
    page.get_by_role("button", name="Render", exact=True).click()
    page.wait_for_selector("#speak a.download:visible", timeout=LIMIT_S * 1000)
    film = "() => { const v = document.querySelector('#speak video.result'); return [v.videoWidth, v.duration]; }"
    page.wait_for_function("() => document.querySelector('#speak video.result').duration > 0.8")
    assert page.evaluate(film)[0] == 256
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename.startswith("portrait-")
    assert saved.value.path().read_bytes()[4:8] == b"ftyp"


def test_a_portrait_talks_in_the_page(worker, page, portrait):
    pytest.importorskip("hibari")
    pytest.importorskip("aiortc")
    page.get_by_role("tab", name="Speak").click()
    page.fill("#speak-portrait .path", str(portrait))
    page.fill("#speak textarea", "Hello there.")
    page.evaluate(
        "() => { window.talked = []; document.querySelector('.talking video')"
        ".addEventListener('talk', ({ detail }) => window.talked.push(detail.kind)); }"
    )
    page.get_by_role("button", name="Begin").click()
    page.wait_for_function("() => window.talked.includes('stream/ready')", timeout=LIMIT_S * 1000)
    page.get_by_role("button", name="Say the text").click()
    page.wait_for_function("() => window.talked.includes('stream/done')", timeout=LIMIT_S * 1000)
    assert page.evaluate("() => document.querySelector('.talking video').videoWidth") == 512
    page.get_by_role("button", name="End", exact=True).click()
    page.wait_for_selector(".talking .begin:enabled")
