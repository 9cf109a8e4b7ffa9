"""How far sound and video are apart in a browser's recording of a talking portrait's stream: a clapper is sent.

    python benchmarks/talk_clapper.py
    python benchmarks/talk_clapper.py --seconds 40 --keep /tmp/clapper.webm

The worker's own WebRTC sender sends gray frames, and every second a white one together with a beep, to a headless
Chromium. Printed: by how much the beeps come after the white frames
* as the page plays them: a frame's expected time of display, and the stream's sound in Web Audio;
* in what the browser's recorder makes of the same stream, as benchmarks/talk.py has it record a portrait;
and what the browser's playout clocks say. What the recording reads beyond the page is the recorder's.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Page, sync_playwright
from talk import RECORDING, print_clocks

from lp_core.live.phrases import FPS, SOUND_RATE
from lp_core.live.talking import AHEAD_S, BLOCK, TalkFrame
from lp_core.worker.talking.peer import Peer

SIDE = 512
BEEP_S, BEEP_HZ = 0.04, 1000
LOUD = 0.1
BRIGHT = 200
CONNECT = """async (sdp) => {
  const w = window.watch = { offsets: [], chunks: [], claps: [], beeps: [] };
  const peer = window.peer = new RTCPeerConnection();
  const stream = new MediaStream(), video = document.querySelector('video');
  const tracks = new Promise((done) => peer.addEventListener('track', ({ track }) => {
    stream.addTrack(track);
    if (stream.getTracks().length === 2) done();
  }));
  await peer.setRemoteDescription({ type: 'offer', sdp });
  await peer.setLocalDescription(await peer.createAnswer());
  await tracks;
  video.srcObject = stream;
  video.play();
  const canvas = new OffscreenCanvas(8, 8), paint = canvas.getContext('2d', { willReadFrequently: true });
  let wasBright = false;
  const step = (now, meta) => {
    paint.drawImage(video, 0, 0, 8, 8);
    const isBright = paint.getImageData(4, 4, 1, 1).data[1] > BRIGHT;
    if (isBright && !wasBright) w.claps.push(meta.expectedDisplayTime);
    wasBright = isBright;
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const first = samples.findIndex((sample) => Math.abs(sample) > LOUD);
    const at = performance.now() - (1000 * (samples.length - first)) / context.sampleRate;
    if (first > 0 && !(at - w.beeps[w.beeps.length - 1] < 500)) w.beeps.push(at);
  }, 10);
  setInterval(async () => {
    const at = {};
    (await peer.getStats()).forEach((report) => {
      if (report.type === 'inbound-rtp') at[report.kind] = report.estimatedPlayoutTimestamp;
    });
    if (at.audio && at.video) w.offsets.push(at.audio - at.video);
  }, 200);
  return peer.localDescription.sdp;
}""".replace("BRIGHT", str(BRIGHT)).replace("LOUD", str(LOUD))
RECORD = """() => {
  const w = window.watch;
  w.recorder = new MediaRecorder(document.querySelector('video').srcObject, { videoBitsPerSecond: 4e6 });
  w.recorder.addEventListener('dataavailable', ({ data }) => w.chunks.push(data));
  w.recorder.start(500);
  for (const list of [w.offsets, w.claps, w.beeps]) list.length = 0;
}"""


class Clapper:
    """Has the interface of a TalkingPortrait; each second a white frame and a beep begin at the same time."""

    size = (SIDE, SIDE)

    def __init__(self) -> None:
        self.start_s: float | None = None
        self._stop = threading.Event()

    def begin(self, show: Callable[[TalkFrame], None]) -> None:
        """Starts the clock, and the thread that makes the frames."""
        self.start_s = time.monotonic()
        threading.Thread(target=self._draw_all, args=(show,), daemon=True).start()

    def _draw_all(self, show: Callable[[TalkFrame], None]) -> None:
        rng, index, start_s = np.random.default_rng(0), 0, self.start_s or 0.0
        gray = rng.integers(60, 100, (SIDE, SIDE, 3), dtype=np.uint8)
        white = np.full_like(gray, 255)
        while not self._stop.wait(max(start_s + index / FPS - AHEAD_S - time.monotonic(), 0)):
            show(TalkFrame(index, white if index % FPS == 0 else gray, ()))
            index += 1

    def sound(self, block: int) -> np.ndarray:
        """(BLOCK,) int16: silence, or a part of a beep."""
        time_s = (block * BLOCK + np.arange(BLOCK)) / SOUND_RATE
        heard = np.sin(2 * np.pi * BEEP_HZ * time_s) * (time_s % 1.0 < BEEP_S)
        return (12000 * heard).astype(np.int16)

    def interrupt(self) -> None:
        """Does nothing: a clapper has nothing to interrupt."""

    def close(self) -> None:
        """Ends the frames."""
        self._stop.set()


def record(page: Page, seconds: float) -> tuple[bytes, dict[str, list[float]]]:
    """The browser's recording, and what the page noted, milliseconds: claps, beeps, offsets (audio - video)."""
    loop, clapper = asyncio.new_event_loop(), Clapper()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def on_loop(work):  # noqa: ANN001, ANN202
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    async def made() -> tuple[Peer, str]:
        peer = Peer(clapper, lambda _event: None)
        return peer, (await peer.offer()).sdp

    peer, offer = on_loop(made())
    page.set_content("<video autoplay playsinline></video>")
    on_loop(peer.answer(page.evaluate(CONNECT, offer)))
    page.wait_for_timeout(4000)
    page.evaluate(RECORD)
    page.wait_for_timeout(1000 * seconds)
    seen = page.evaluate(
        "() => { const { offsets, claps, beeps } = window.watch; return { offsets, claps, beeps }; }"
    )
    film = base64.b64decode(page.evaluate(RECORDING))
    clapper.close()
    on_loop(peer.close())
    loop.call_soon_threadsafe(loop.stop)
    return film, seen


def claps(path: Path) -> tuple[list[float], list[float]]:
    """Times in seconds at which the image gets bright, and at which the sound gets loud."""
    with av.open(str(path)) as film:
        shown = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in film.decode(video=0)]
    times, levels = [], []
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32)).max(axis=0)
            if frame.format.name.startswith("s16"):
                samples = samples / 32768
            times.append(frame.time + np.arange(len(samples)) / frame.sample_rate)
            levels.append(samples)
    at, level = np.concatenate(times), np.concatenate(levels)
    heard: list[float] = []
    for moment in at[level > LOUD]:
        if not heard or moment - heard[-1] > 0.5:
            heard.append(float(moment))
    seen = [
        now for (now, light), (_, before) in zip(shown[1:], shown, strict=False) if light > BRIGHT > before
    ]
    return seen, heard


def main() -> None:
    """Measures once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--keep", type=Path, help="file for the browser's recording (.webm)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        film, noted = record(browser.new_page(), given.seconds)
        browser.close()
        path = given.keep or Path(folder) / "recording.webm"
        path.write_bytes(film)
        seen, heard = claps(path)
    print_late("page", [at / 1000 for at in noted["claps"]], [at / 1000 for at in noted["beeps"]])
    print_late("recording", seen, heard)
    print_clocks(noted["offsets"])


def print_late(name: str, seen: list[float], heard: list[float]) -> None:
    """By how much the nearest beep comes after each white frame; times in seconds."""
    late = [1000 * min((beep - clap for beep in heard), key=abs) for clap in seen]
    print(
        f"{name}: beeps after their white frames by median {statistics.median(late):+.0f} ms, "
        f"{min(late):+.0f} to {max(late):+.0f} of {len(late)} claps"
    )


if __name__ == "__main__":
    main()
