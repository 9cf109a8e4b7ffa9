"""A job that kills its worker is abandoned; one that gains something in between is not."""

import os
import subprocess
import sys
import threading

import pytest

from lp_core.worker.events import Hub
from lp_core.worker.job_runner import MOST_STARTS, JobRunner
from lp_core.worker.job_store import JobStore

_WORKER = """
import os, sys, threading
from pathlib import Path
from lp_core.render.report import Progress
from lp_core.worker.events import Hub
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore

folder, how = Path(sys.argv[1]), sys.argv[2]
gains = how == "gains"

class Deadly:
    def run(self, parameters, context):
        mark = context.folder / "frames"
        frame = int(mark.read_text()) + 1 if gains and mark.exists() else 1
        mark.write_text(str(frame))
        if frame > 4:
            return {}
        if how == "jitters":  # dies at one frame, of which reports come some frames before
            frame = 100 + (context.folder / "starts").exists() * 2
            (context.folder / "starts").touch()
        context.progress(Progress("render", frame, 200, 25.0 if how == "jitters" else 1.0, None))
        os.kill(os.getpid(), 9)

    def abandon(self, context):
        pass

store = JobStore(folder / "jobs.sqlite3")
lanes = JobRunner(store, Hub(), {"deadly": Deadly()}, folder / "jobs")
lanes.start()
while store.counts().keys() & {"queued", "running"}:
    threading.Event().wait(0.02)
lanes.close()
"""


@pytest.fixture
def store(tmp_path):
    made = JobStore(tmp_path / "jobs.sqlite3")
    yield made
    made.close()


def deaths(folder, how):
    """Starts the worker until it survives; how often it died."""
    for count in range(12):
        done = subprocess.run([sys.executable, "-c", _WORKER, folder, how], env=dict(os.environ), check=False)
        if done.returncode == 0:
            return count
        assert done.returncode == -9
    raise AssertionError("the job was never abandoned")


def test_a_job_that_kills_the_worker_twice_fails_and_the_next_one_runs(tmp_path, store):
    store.add("bad", "deadly", "cpu", 0, "o.mp4", {})
    store.add("next", "unknown", "cpu", 0, "p.mp4", {})
    assert deaths(tmp_path, "never") == MOST_STARTS
    row = store.get("bad")
    assert row.state == "failed"
    assert row.error["code"] == "worker_died"
    assert "2 times in the phase 'render'" in row.error["message"]
    assert store.get("next").error["code"] == "missing_dependency"


def test_a_job_that_gets_further_each_time_is_not_given_up(tmp_path, store):
    store.add("slow", "deadly", "cpu", 0, "o.mp4", {})
    assert deaths(tmp_path, "gains") == 4
    assert store.get("slow").state == "done"


def test_reports_some_frames_before_the_same_death_are_no_gain(tmp_path, store):
    store.add("bad", "deadly", "cpu", 0, "o.mp4", {})
    assert deaths(tmp_path, "jitters") == MOST_STARTS


def test_a_worker_that_is_stopped_does_not_count(tmp_path, store):
    store.add("calm", "waits", "cpu", 0, "o.mp4", {})

    class Waits:
        def run(self, parameters, context):
            begun.set()
            context.stopping.wait()
            context.check()

        def abandon(self, context):
            raise AssertionError("it was not abandoned")

    for _ in range(MOST_STARTS + 2):
        begun = threading.Event()
        lanes = JobRunner(store, Hub(), {"waits": Waits()}, tmp_path / "jobs")
        lanes.start()
        assert begun.wait(10)
        lanes.close()
    assert (store.get("calm").state, store.get("calm").starts) == ("queued", 0)


def test_what_a_kill_left_of_ended_jobs_is_swept_at_the_next_start(tmp_path, store):
    abandoned = []

    class Kind:
        def run(self, parameters, context):
            return {}

        def abandon(self, context):
            abandoned.append(context.id)

    for name, state in (("done", "done"), ("failed", "failed")):
        store.add(name, "kind", "cpu", 0, "o.mp4", {})
        store.claim("cpu")
        store.end(name, state, summary={})
    store.add("waits", "kind", "elsewhere", 0, "o.mp4", {})
    for name in ("done", "failed", "unknown", "waits"):
        (tmp_path / "jobs" / name).mkdir(parents=True)
    lanes = JobRunner(store, Hub(), {"kind": Kind()}, tmp_path / "jobs")
    lanes._sweep()
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["waits"]
    assert abandoned == ["failed"]
    lanes.close()
