"""Images of the worker's page for the documents: the astronaut, driven by a video of herself, in real Chromium.

python benchmarks/worker_pictures.py docs/images [--state /srv/lpsuite]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.worker import Worker  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from lp_core.assemble import assemble  # noqa: E402
from lp_core.cli.demo import PORTRAIT  # noqa: E402
from lp_core.job import RenderJob  # noqa: E402
from lp_core.settings import EngineSettings, MeshSettings, RenderSettings  # noqa: E402

PLAIN = RenderSettings(engine=EngineSettings(engine="mesh"), mesh=MeshSettings(calibration="off"))
VIEWS = (("worker-page", (1280, 900), "light"), ("worker-dock", (400, 900), "dark"))


def take(
    browser: Browser, link: str, size: tuple[int, int], scheme: str, files: list[Path], to: Path
) -> None:
    """Makes a video through the page, plays it and takes an image."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(link)
    page.wait_for_selector("body[data-ready]")
    for place, file in zip(("#source", "#driving"), files, strict=True):
        page.set_input_files(f"{place} input[type=file]", file)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".job[data-state=running] progress")
    if scheme == "dark":
        page.wait_for_timeout(1500)
    else:
        page.wait_for_selector(".job[data-state=done] .play:visible", timeout=120_000)
        page.locator(".job .play").first.click()
        while page.evaluate("() => document.querySelector('.job video').currentTime < 1.4"):
            page.wait_for_timeout(50)
    page.screenshot(path=to)
    page.wait_for_selector(".job[data-state=done]", timeout=120_000)
    context.close()


def take_live(browser: Browser, link: str, portrait: Path, to: Path) -> None:
    """Begins a live stream in a dark dock, smiles, and takes an image."""
    context = browser.new_context(viewport={"width": 400, "height": 1150}, color_scheme="dark")
    page = context.new_page()
    page.goto(link)
    page.wait_for_selector("body[data-ready]")
    page.get_by_role("tab", name="Live").click()
    page.set_input_files("#live-portrait input[type=file]", portrait)
    page.fill("#live-driver .path", "demo:expressive")
    page.get_by_role("button", name="Go live").click()
    page.locator("#live summary").click()
    page.locator("#live-smile").fill("1.1")
    page.wait_for_timeout(4000)
    page.evaluate("() => scrollTo(0, 0)")
    page.screenshot(path=to)
    page.get_by_role("button", name="Stop").click()
    context.close()


def main() -> None:
    """Starts a worker, opens its page twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--state", type=Path, help="folder of the worker's, which the images show")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        worker = Worker(Path(folder))
        worker.state = options.state or worker.state
        portrait, clip = worker.data / "astronaut.png", worker.data / "acting.mp4"
        portrait.write_bytes(PORTRAIT.read_bytes())
        assemble(RenderJob(str(portrait), "demo:expressive", str(clip), replace(PLAIN))).run()
        client = worker.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size, scheme in VIEWS:
            take(browser, client.login_link(), size, scheme, [portrait, clip], options.folder / f"{name}.png")
        if "/streams" in client.request("GET", "/openapi.json")["paths"]:
            take_live(browser, client.login_link(), portrait, options.folder / "worker-live.png")
        browser.close()
        worker.stop()


if __name__ == "__main__":
    main()
