"""How soon, how smoothly and how much in sync a portrait talks in Chromium.

    python benchmarks/talk.py portrait.png                  with the browser's recorder
    python benchmarks/talk.py portrait.png --no-recording   without it, which takes a core of its processor time

Starts a worker, opens its page in a headless Chromium, and lets the portrait say texts over WebRTC. Prints, as the page
sees it: the time from the click to the first frame of the utterance and to its first sound, frames per second while it
speaks (received and shown), the offset of sound and video by the browser's own playout clocks, and what the lip-sync
check reads from a recording that the browser makes.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.worker import Worker  # noqa: E402

from lp_core.speech.check import check_film  # noqa: E402

TEXTS = (
    "Good morning, and welcome to the tour.",
    "Maybe you would like to begin with the garden.",
    "It was planted by a family of gardeners, who brought palms, maples and five old apple trees. Please mind the "
    "step. The house behind it is warm in winter, because its walls are very thick. Come in, and open the window.",
)
WATCH = """async () => {
  const video = document.querySelector('.talking video');
  const w = window.watch = { frames: [], events: [], sounds: [], offsets: [], received: [], chunks: [] };
  video.addEventListener('talk', ({ detail }) => w.events.push([detail.kind, detail.time]));
  const step = (now, meta) => {
    w.frames.push([meta.receiveTime ?? now, meta.expectedDisplayTime]);
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real { constructor(...given) { super(...given); window.peer = this; } };
}"""
LISTEN = """async (isRecording) => {
  const w = window.watch, stream = document.querySelector('.talking video').srcObject;
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(512);
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    w.sounds.push([performance.now(), Math.max(...samples.map(Math.abs))]);
  }, 10);
  setInterval(async () => {
    const at = {};
    (await window.peer.getStats()).forEach((report) => {
      if (report.type !== 'inbound-rtp') return;
      at[report.kind] = report.estimatedPlayoutTimestamp;
      if (report.kind === 'video') w.received.push([performance.now(), report.framesReceived]);
    });
    if (at.audio && at.video) w.offsets.push([performance.now(), at.audio - at.video]);
  }, 200);
  if (!isRecording) return;
  w.recorder = new MediaRecorder(stream, { videoBitsPerSecond: 4e6 });
  w.recorder.addEventListener('dataavailable', ({ data }) => w.chunks.push(data));
  w.recorder.start(500);
}"""
RECORDING = """async () => {
  const w = window.watch;
  await new Promise((done) => { w.recorder.addEventListener('stop', done); w.recorder.stop(); });
  const bytes = new Uint8Array(await new Blob(w.chunks).arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}"""
LOUD = 0.02


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("portrait", type=Path)
    parser.add_argument("--keep", type=Path, help="file for the browser's recording (.webm)")
    parser.add_argument(
        "--no-recording", dest="recording", action="store_false", help="lets the browser record nothing"
    )
    parser.add_argument("--shot", type=Path, help="file for an image of the page while it talks (.png)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        worker = Worker(Path(folder))
        portrait = shutil.copy(given.portrait, worker.data / f"portrait{given.portrait.suffix}")
        client = worker.start()
        program = shutil.which("chromium") or shutil.which("google-chrome")
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        try:
            talk(browser.new_page(), client.login_link(), str(portrait), given)
        finally:
            browser.close()
            worker.stop()


def talk(page: Page, link: str, portrait: str, given: argparse.Namespace) -> None:
    """Says the texts and prints what was seen and heard."""
    page.goto(link)
    page.wait_for_selector("body[data-ready]")
    page.evaluate(WATCH)
    page.get_by_role("tab", name="Speak").click()
    page.fill("#speak-portrait .path", portrait)
    page.fill("#speak textarea", TEXTS[0])
    page.get_by_role("button", name="Begin").click()
    _until(page, "stream/ready", 1)
    page.wait_for_function("() => window.watch.frames.length > 50")
    page.evaluate(LISTEN, given.recording)
    page.wait_for_timeout(1000)
    clicks = []
    for number, text in enumerate(TEXTS, 1):
        page.fill("#speak textarea", text)
        clicks.append(
            page.evaluate("() => { document.querySelector('.say').click(); return performance.now(); }")
        )
        if given.shot and number == len(TEXTS):
            page.wait_for_timeout(3000)
            page.screenshot(path=str(given.shot))
        _until(page, "stream/done", number)
        page.wait_for_timeout(700)
    film = base64.b64decode(page.evaluate(RECORDING)) if given.recording else b""
    seen = page.evaluate("() => { const { frames, events, sounds, offsets, received } = window.watch; "
                         "return { frames, events, sounds, offsets, received }; }")  # fmt: skip
    report(clicks, seen)
    page.get_by_role("button", name="End", exact=True).click()
    if not film:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "recording.webm"
        path.write_bytes(film)
        found = check_film(path)
        print(
            f"lip-sync of the browser's recording: {found.verdict}, sound {1000 * found.offset_s:+.0f} ms late, "
            f"score {found.score:.2f}"
        )


def _until(page: Page, kind: str, count: int) -> None:
    page.wait_for_function(
        "([kind, count]) => window.watch.events.filter((event) => event[0] === kind).length >= count",
        arg=[kind, count], timeout=120_000,
    )  # fmt: skip


def rate_received(counts: list[tuple[float, int]], start: float, end: float) -> float:
    """Frames a second that arrived between two times in milliseconds."""
    (first, before), *_, (last, after) = [entry for entry in counts if start - 200 <= entry[0] <= end + 200]
    return 1000 * (after - before) / (last - first)


def report(clicks: list[float], seen: dict[str, Any]) -> None:
    """Prints the figures of each utterance; times are milliseconds of the page's clock."""
    begun = [at for kind, at in seen["events"] if kind == "stream/started"]
    ended = [at for kind, at in seen["events"] if kind == "stream/done"]
    for number, (click, start, end) in enumerate(zip(clicks, begun, ended, strict=True), 1):
        shown = next(display for received, display in seen["frames"] if received >= start)
        heard = next(at for at, level in seen["sounds"] if at > start and level > LOUD)
        frames = [display for _, display in seen["frames"] if start <= display <= end]
        gaps = sorted(b - a for a, b in zip(frames, frames[1:], strict=False))
        print(
            f"text {number}: first frame {shown - click:.0f} ms, first sound {heard - click:.0f} ms after the click; "
            f"{1000 * (len(frames) - 1) / (frames[-1] - frames[0]):.1f} frames a second shown, "
            f"{rate_received(seen['received'], start, end):.1f} received, "
            f"95 % of the gaps below {gaps[int(0.95 * len(gaps))]:.0f} ms, longest {gaps[-1]:.0f} ms"
        )
    print_clocks([offset for at, offset in seen["offsets"] if begun[0] <= at <= ended[-1]])


def print_clocks(offsets: list[float]) -> None:
    """Prints what the browser's playout clocks say; milliseconds of audio minus video."""
    if offsets:
        print(
            f"audio against video by the playout clocks: median {statistics.median(offsets):+.0f} ms, "
            f"least {min(offsets):+.0f}, greatest {max(offsets):+.0f} of {len(offsets)} readings"
        )


if __name__ == "__main__":
    main()
