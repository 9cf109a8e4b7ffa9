"""The real OBS Studio, headless, in separate folders, spoken to by its own obs-websocket (standard library only)."""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from lp_core.errors import WorkerError
from lp_core.faces.open import open_analyzer
from lp_core.link.ring import RingReader
from lp_core.media.open import open_source

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "LP Suite"
PROFILE = "Test"


def missing():
    """Why OBS cannot be run here; None when it can."""
    for program in ("obs", "Xvfb"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Socket:
    """A WebSocket client, as little as obs-websocket needs."""

    def __init__(self, port):
        self._stream = socket.create_connection(("127.0.0.1", port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self._stream.sendall(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: obswebsocket.json\r\n\r\n".encode()
        )
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            self._data += self._stream.recv(4096)
        self._data = self._data.partition(b"\r\n\r\n")[2]

    def _take(self, size):
        while len(self._data) < size:
            part = self._stream.recv(1 << 16)
            if not part:
                raise ConnectionError("OBS closed the connection")
            self._data += part
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def receive(self):
        while True:
            first, second = self._take(2)
            size = second & 127
            if size > 125:
                size = struct.unpack(">H" if size == 126 else ">Q", self._take(2 if size == 126 else 8))[0]
            data = self._take(size)
            if first & 15 == 1:
                return json.loads(data)

    def send(self, values):
        data = json.dumps(values).encode()
        size = struct.pack(">BH", 254, len(data)) if len(data) > 125 else struct.pack("B", 128 | len(data))
        if len(data) > 65535:
            size = struct.pack(">BQ", 255, len(data))
        self._stream.sendall(b"\x81" + size + b"\0\0\0\0" + data)  # masked by zeros: unchanged

    def close(self):
        self._stream.close()


class Obs:
    """One OBS with the script installed and the helper scene collection on show."""

    def __init__(self, folder, size=(512, 512), fps=30):
        self.folder, self.size, self.fps = Path(folder), size, fps
        self.live = self.folder / "live"
        shared = Path("/dev/shm")  # noqa: S108 - memory, as in real use
        if shared.is_dir():
            self.live = shared / f"lpsuite-test-{os.getpid()}-{self.folder.name}"
        self.config = self.folder / "config" / "obs-studio"
        self.data = self.folder / "data"
        self.records = self.folder / "records"
        self._processes = []
        self._socket = None
        self._count = 0
        self.port = _free_port()

    @property
    def environment(self):
        own = {
            "HOME": self.folder,
            "XDG_CONFIG_HOME": self.folder / "config",
            "XDG_RUNTIME_DIR": self.folder / "run",
            "LPSUITE_LIVE_DIR": self.live,
            "LPSUITE_RUNTIME_DIR": self.folder / "run" / "lpsuite",
            "LPSUITE_CACHE": os.environ.get("LPSUITE_CACHE", ""),
            "PYTHONPATH": ROOT,
            "DISPLAY": f":{self.display}",
        }
        # OpenCV points Qt at its own plugins, which OBS cannot use.
        kept = {n: v for n, v in os.environ.items() if n != "LPSUITE" and not n.startswith("QT_")}
        return {**kept, **{name: str(value) for name, value in own.items() if str(value)}}

    def install(self, settings):
        """Writes OBS's settings, and installs the source as a user does, with what it shall show."""
        for path in (
            self.data,
            self.records,
            self.folder / "run",
            self.config / "basic" / "profiles" / PROFILE,
        ):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.config / "global.ini").write_text(
            "[BasicWindow]\nPreviewEnabled=false\n[General]\nFirstRun=true\nInfoIncrement=99\nLastVersion=486539266\n[OBSWebSocket]\nFirstLoad=false\n"
            f"ServerEnabled=true\nServerPort={self.port}\nAuthRequired=false\nAlertsEnabled=false\n"
        )
        width, height = self.size
        (self.config / "basic" / "profiles" / PROFILE / "basic.ini").write_text(
            f"[General]\nName={PROFILE}\n[Video]\nBaseCX={width}\nBaseCY={height}\nOutputCX={width}\nOutputCY={height}\n"
            f"FPSType=1\nFPSInt={self.fps}\nFPSCommon={self.fps}\n[Output]\nMode=Simple\n[SimpleOutput]\n"
            f"FilePath={self.records}\nRecFormat=mkv\nRecQuality=Small\nRecEncoder=x264_lowcpu\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "lp_core", "host", "install", "obs", "--folder", str(self.config)],
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        path = self.config / "basic" / "scenes" / f"{COLLECTION.replace(chr(32), chr(95))}.json"
        values = json.loads(path.read_text())
        values["sources"][0]["settings"] = settings
        path.write_text(json.dumps(values))

    def start(self):
        self._start_screen()
        log = (self.folder / "obs.log").open("wb")
        command = ["obs", "--multi", "--collection", COLLECTION, "--profile", PROFILE, "--minimize-to-tray"]
        self.obs = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=self.folder)
        self._processes.append(self.obs)
        log.close()
        until = time.monotonic() + 60
        while True:
            try:
                self._socket = Socket(self.port)
                break
            except OSError:
                assert self.obs.poll() is None, self.log()
                assert time.monotonic() < until, "OBS does not answer: " + self.log()
                time.sleep(0.1)
        assert self._socket.receive()["op"] == 0
        self._socket.send({"op": 1, "d": {"rpcVersion": 1, "eventSubscriptions": 0}})
        assert self._socket.receive()["op"] == 2
        until = time.monotonic() + 30
        while self.try_ask("GetSceneList") is None:  # answers once the scene collection is loaded
            assert time.monotonic() < until, "OBS does not load its scenes: " + self.log()
            time.sleep(0.1)

    def _start_screen(self):
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._processes.append(subprocess.Popen(command, pass_fds=[write], **quiet))
        os.close(write)
        with os.fdopen(read) as told:
            self.display = int(told.readline())

    def log(self):
        return (self.folder / "obs.log").read_text(errors="replace")[-3000:]

    def try_ask(self, request, **data):
        """The answer's data; None where OBS refuses."""
        self._count += 1
        name = str(self._count)
        self._socket.send({"op": 6, "d": {"requestType": request, "requestId": name, "requestData": data}})
        while True:
            message = self._socket.receive()
            if message["op"] == 7 and message["d"]["requestId"] == name:
                answer = message["d"]
                self.refusal = answer["requestStatus"].get("comment", "")
                return answer.get("responseData") or {} if answer["requestStatus"]["result"] else None

    def ask(self, request, **data):
        answer = self.try_ask(request, **data)
        assert answer is not None, f"{request}: {self.refusal}"
        return answer

    def shot(self, name):
        """A source or scene as (H, W, 4) uint8 RGBA; None while it has no image."""
        answer = self.try_ask("GetSourceScreenshot", sourceName=name, imageFormat="png")
        if answer is None:
            return None
        data = base64.b64decode(answer["imageData"].partition(",")[2])
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGBA)

    def window(self, path):
        """An image of the whole screen."""
        command = ["import", "-window", "root", str(path)]
        subprocess.run(command, env=self.environment, check=True, timeout=30)

    def record(self, seconds):
        """Records and returns the video's path."""
        self.ask("StartRecord")
        time.sleep(seconds)
        path = Path(self.ask("StopRecord")["outputPath"])
        until = time.monotonic() + 20
        while self.ask("GetRecordStatus")["outputActive"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        return path

    def ring(self, known=()):
        """The ring of the only source, or of the one that is not known; None while there is none of an image."""
        for path in set(self.live.glob("*.ring")) - set(known):
            try:
                ring = RingReader(path)
            except WorkerError:
                continue
            if ring.width > 2:
                return ring
            ring.close()
        return None

    def workers(self):
        """Process numbers of the workers of this OBS: they have its live folder in their environment."""
        found, mark = [], f"LPSUITE_LIVE_DIR={self.live}".encode()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                if b"serve" in words and mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
            except OSError:
                continue
        return found

    def account(self):
        """What the streams and the worker say, for the message of a failed test."""
        lines = []
        for path in sorted(self.live.glob("*.ring")):
            with RingReader(path) as ring:
                age_s = (time.monotonic_ns() - ring.heartbeat_ns) / 1e9
                lines.append(
                    f"{path.name}: {ring.status()}, heartbeat {age_s:.1f} s ago, drawn {ring.drawn()}"
                )
        lines += [path.read_text(errors="replace")[-2000:] for path in self.folder.rglob("obs-worker.log")]
        return "\n".join(lines)

    def stop(self):
        """Ends OBS as a user does, then everything else; returns OBS's log."""
        if self._socket is not None:
            self._socket.close()
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for pid in self.workers():
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + 20
        while self.workers() and time.monotonic() < until:
            time.sleep(0.1)
        log = (
            (self.folder / "obs.log").read_text(errors="replace")
            if (self.folder / "obs.log").exists()
            else ""
        )
        shutil.rmtree(self.live, ignore_errors=True)
        return log


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


CHANNELS = ("yaw", "roll", "jawOpen", "eyeBlinkLeft")


def read_face(path):
    """(N, 4) channels of a video's face, NaN where there is none; resampled to 30 frames a second."""
    rows = []
    with open_source(path) as source, closing(open_analyzer(is_video=True)) as analyzer:
        fps = float(source.info.rate.fps)
        for frame in source:
            faces = analyzer.analyze(frame.as_rgb8(), int(frame.time_s * 1000))
            face = faces[0] if faces else None
            pose = (face.pose.yaw_deg, face.pose.roll_deg) if face else (np.nan, np.nan)
            rows.append([*pose, *(face.blendshapes[name] if face else np.nan for name in CHANNELS[2:])])
    rows = np.array(rows)
    times = np.arange(int(len(rows) / fps * 30)) / 30 * fps
    return np.stack([np.interp(times, np.arange(len(rows)), row) for row in rows.T], axis=1)


def closed_loop(driver, result, slack=0):
    """(shift in frames of 30 a second, correlation by channel) where the result follows the looped driver best.

    Args:
        driver: (N, 4) of the performer's video.
        result: (M, 4) of the recording.
        slack: frames by which a single image may be early or late, for machines that are busy; among those the
            performer's nearest face is taken.
    """
    driver, result = driver[~np.isnan(driver).any(axis=1)], result[~np.isnan(result).any(axis=1)]
    spread = driver.std(axis=0)

    def played(shift):
        at = np.arange(len(result))[:, None] + shift + np.arange(-slack, slack + 1)
        near = driver[at % len(driver)]
        distance = (((near - result[:, None]) / spread) ** 2).sum(axis=2)
        return near[np.arange(len(result)), distance.argmin(axis=1)]

    def correlations(shift):
        pairs = zip(played(shift).T, result.T, strict=True)
        return [np.corrcoef(a, b)[0, 1] if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0 for a, b in pairs]

    best = max(range(len(driver)), key=lambda shift: sum(correlations(shift)))
    return best, dict(zip(CHANNELS, correlations(best), strict=True))
