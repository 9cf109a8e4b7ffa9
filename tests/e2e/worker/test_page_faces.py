"""The page's face tools in a real Chromium: faces are clicked, clips dropped on them, points dragged."""

import json
import time

import numpy as np
import pytest
from fakes.films import read_pictures

from lp_core.media.image.stills import write_image

LIMIT_S = 60
DROPPED = """([selector, name, data]) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, { type: "image/png" }));
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def two(worker, astronaut):
    """Two faces side by side in the worker's folder."""
    path = worker.data / "two.png"
    small = np.ascontiguousarray(astronaut[::2, ::2])
    write_image(path, np.concatenate([small, small[:, ::-1]], axis=1))
    return path


def shown(page, source):
    page.fill("#source .path", str(source))
    page.locator("#faces summary").click()
    page.get_by_role("button", name="Show faces").click()
    page.wait_for_function(
        "() => document.querySelector('.stage img').naturalWidth > 0", timeout=LIMIT_S * 1000
    )
    page.wait_for_selector("#faces .words:not(:empty)")


def started(worker, page):
    """The job that the page's button starts, when it has ended."""
    before = {job.id for job in worker.client.jobs()}
    page.get_by_role("button", name="Start").click()
    until = time.monotonic() + LIMIT_S
    while not (new := [job for job in worker.client.jobs() if job.id not in before]):
        assert time.monotonic() < until, page.inner_text("#problem")
        page.wait_for_timeout(50)
    job = worker.client.wait(new[0].id)
    assert job.state == "done", job.error
    return job


def short(page):
    page.locator("#all summary").click()
    page.locator("#render").get_by_label("Calibration").select_option("off")
    page.locator("#render").get_by_label("Engine", exact=True).select_option("mesh")
    page.locator("#render").get_by_label("Frames", exact=True).fill("0-2")


def test_a_face_is_clicked_a_clip_dropped_on_another_and_both_are_rendered(worker, page, two, portrait):
    import base64

    shown(page, two)
    assert page.locator(".stage .face").count() == 2
    assert page.locator(".stage text").all_text_contents() == ["p0", "p1"]
    page.get_by_role("button", name="Face p0").click()
    page.get_by_label("Performance of p0").fill("demo:nod")
    data = base64.b64encode(portrait.read_bytes()).decode()
    page.evaluate(DROPPED, ['.face[data-face="1"]', "smile.png", data])
    page.wait_for_selector(".cast li:nth-child(2) img")
    short(page)
    job = started(worker, page)
    first, second = job.parameters["settings"]["face"]["face"]
    assert first == "0=demo:nod"
    assert second.startswith("1=") and second.endswith("smile.png")
    assert job.parameters["driving"] == "demo:nod"
    assert job.summary["frames"] == 3


def test_everyone_follows_one_performance(worker, page, two):
    shown(page, two)
    page.fill("#driving .path", "demo:still")
    page.locator(".follow input").check()
    assert page.locator(".stage .face.cast").count() == 2
    short(page)
    assert started(worker, page).parameters["settings"]["face"]["face"] == ["0", "1"]


def test_points_are_dragged_exported_imported_and_used(worker, page, portrait, tmp_path):
    shown(page, portrait)
    page.get_by_role("button", name="Set points").click()
    page.wait_for_function("() => document.querySelector('.stage .mesh')?.getAttribute('d')?.length > 1000")
    before = page.locator(".stage .mesh").get_attribute("d")
    nose = page.get_by_label("Nose tip").bounding_box()
    x, y = nose["x"] + nose["width"] / 2, nose["y"] + nose["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 8, steps=4)
    page.mouse.up()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "(d) => document.querySelector('.stage .mesh').getAttribute('d') !== d", arg=before
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "points.json"
    download.value.save_as(file)
    table = json.loads(file.read_text())
    assert (table["schema"], len(table["points"])) == ("lpsuite.points", 5)
    page.get_by_role("button", name="Remove", exact=True).first.click()
    assert page.locator(".stage .handle").count() == 0
    page.set_input_files(".points-file", file)
    page.wait_for_selector(".stage .handle")
    page.fill("#driving .path", "demo:nod")
    short(page)
    job = started(worker, page)
    (entry,) = (json.loads(text) for text in job.parameters["settings"]["face"]["face"])
    with open(entry["points"], encoding="utf-8") as sent:  # noqa: PTH123 - what the page sent
        assert json.load(sent)["points"] == table["points"]
    assert read_pictures(portrait)[0].shape == (256, 256, 3)


def test_points_that_are_no_face_are_told_in_the_workers_words(worker, page, portrait):
    from lp_core.errors import LpError

    with pytest.raises(LpError, match="5 or 9"):
        worker.client.request("POST", "/faces/mesh", {"points": [[1, 2]] * 4})
    shown(page, portrait)
    page.set_input_files(
        ".points-file", {"name": "x.json", "mimeType": "application/json", "buffer": b'{"schema": "other"}'}
    )
    page.wait_for_selector("#faces .problem:visible")
    assert "docs/faces.md" in page.inner_text("#faces .problem")
