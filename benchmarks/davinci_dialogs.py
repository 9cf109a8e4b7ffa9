"""Draws the guide's images of the dialogs in DaVinci Resolve, from the definitions that open the windows.

    python benchmarks/davinci_dialogs.py docs/images

Needs Chromium. Resolve itself draws them in its own manner; words, order and values are these.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.resolve import Host  # noqa: E402
from fakes.resolve_picture import html_of  # noqa: E402
from fakes.resolve_ui import Bmd, Fusion  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from hosts.davinci.lp_resolve.dialogs import animate_dialog, batch_dialog  # noqa: E402
from hosts.davinci.lp_resolve.windows import ScriptWindows  # noqa: E402

CLIPS = ("Track 1: sh010_plate.mov", "Track 2: take 7.mov")
DRIVERS = ("Track 2: take 7.mov", "demo:expressive", "demo:blink", "Media pool: anna_talks.mov")
PORTRAITS = ("the clip itself", "Still: close-up")


def main() -> None:
    """Writes the images into the folder that is named."""
    folder = Path(sys.argv[1])
    drawn = []

    def close(dispatcher: object, window: object) -> None:
        drawn.append(window)
        dispatcher.ExitLoop()

    windows = ScriptWindows(Fusion(Host()), Bmd(close))
    proposed = {"output": {"codec": "prores4444"}}
    windows.ask(animate_dialog(CLIPS, DRIVERS, PORTRAITS, "/shows/ep1/LivePortrait", proposed))
    windows.ask(batch_dialog("Episode 1", "/shows/ep1/batch"))
    windows.watch("LivePortrait", lambda: ("Rendering 61 of 96, 4 s left", 0.63), lambda: None)
    animate, batch, progress = drawn
    progress.GetItems()["Words"].Text, progress.GetItems()["Share"].Value = (
        "Rendering 61 of 96, 4 s left",
        635,
    )
    tabs = animate.GetItems()["Tabs"].tabs
    pages = {
        "davinci-animate.png": html_of(animate),
        "davinci-expression.png": html_of(animate, tabs.index("Expression")),
        "davinci-batch.png": html_of(batch),
        "davinci-progress.png": html_of(progress),
    }
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 700, "height": 400})
        for name, text in pages.items():
            page.set_content(text)
            page.locator(".window").screenshot(path=folder / name)
            print(folder / name)
        browser.close()


if __name__ == "__main__":
    main()
