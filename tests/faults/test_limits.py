"""Few descriptors, and clocks that jump: a result or one sentence, and nobody's state is lost."""

import os
import random
import subprocess
import sys
import time

import cv2
import pytest
from fakes.deadly_kinds import kinds
from fakes.films import write_portrait

from lp_core.worker.events import Hub
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore
from lp_core.worker.lane_processes import LaneProcesses
from lp_core.worker.uploads import KEPT_S, Uploads

resource = pytest.importorskip("resource", reason="limits of POSIX")
KINDS = "fakes.deadly_kinds:kinds"
JUMPING = """
import random, sys, time
chance, real = random.Random(3), time.time
time.time = lambda: real() + chance.choice((-4e8, -3600, 0, 3600, 4e8))
from lp_core.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def portrait(tmp_path_factory, astronaut):
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    return write_portrait(tmp_path_factory.mktemp("limits") / "p.png", small)


def words_of(portrait, output):
    given = ["animate", str(portrait), "demo:blink", "-o", str(output), "--frames", "0-2"]
    return [*given, "--engine", "mesh", "--calibration", "off", "--progress", "none"]


@pytest.mark.parametrize("descriptors", [5, 9, 14, 20])
def test_few_descriptors_are_a_result_or_one_sentence(portrait, tmp_path, descriptors):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = subprocess.run(
        [sys.executable, "-m", "lp_core", *words_of(portrait, tmp_path / "o.mp4")],
        capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard)),
    )  # fmt: skip
    assert done.returncode != 70, done.stderr
    assert "Traceback" not in done.stderr
    there = [path.name for path in tmp_path.iterdir()]
    assert there == (["o.mp4"] if done.returncode == 0 else []), (done.returncode, done.stderr)


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_without_descriptors_fails_jobs_and_lives(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite3")
    processes = LaneProcesses(tmp_path / "lanes", [tmp_path], KINDS)
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs", processes.do)
    runner.wake("cpu")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = os.dup(0)  # the lowest free number
    os.close(used)
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
    try:
        store.add("a", "plain", "cpu", 0, "o.mp4", {"how": "plain"})
        runner.wake("cpu")
        until(lambda: store.get("a").has_ended)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert store.get("a").error["code"] == "worker"
    assert "cannot be started" in store.get("a").error["message"]
    store.add("b", "plain", "cpu", 0, "o.mp4", {"how": "plain"})
    runner.wake("cpu")
    until(lambda: store.get("b").state == "done")
    runner.close()
    processes.close()
    store.close()


def test_a_jumping_clock_changes_no_byte(portrait, tmp_path):
    made = []
    for name, start in (("calm", ["-m", "lp_core"]), ("jumping", ["-c", JUMPING])):
        (tmp_path / name).mkdir()
        output = tmp_path / name / "o.%04d.png"
        done = subprocess.run(
            [sys.executable, *start, *words_of(portrait, output)], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert len(made[0]) == 3


def test_jobs_under_a_jumping_clock_are_done_once_in_order(tmp_path):
    chance, clock = random.Random(5), time.time
    store = JobStore(tmp_path / "jobs.sqlite3", lambda: clock() + chance.choice((-4e8, -10, 0, 10, 4e8)))
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs")
    for number in range(12):
        store.add(str(number), "plain", "cpu", 0, "o.mp4", {"how": "plain"})
    runner.wake("cpu")
    until(lambda: store.counts() == {"done": 12})
    runner.close()
    for row in store.newest(None, 100):
        assert row.starts == 1
        assert row.started_s <= row.ended_s
    store.close()


@pytest.mark.parametrize("jump", [-10 * KEPT_S, 10 * KEPT_S])
def test_uploads_that_jobs_wait_for_survive_a_jump(tmp_path, jump):
    clock = [time.time()]
    uploads = Uploads(tmp_path / "uploads", clock=lambda: clock[0])
    kept = tmp_path / "uploads" / "ab" / "a.mp4"
    kept.parent.mkdir()
    kept.write_bytes(b"a")
    clock[0] += jump
    uploads.clean(f'["{kept}", "{kept.parent.name}"]')
    assert kept.exists()
