"""A job that crashes its process fails alone: the worker, its lane and the jobs after it live on."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.deadly_kinds import kinds

from lp_core.errors import NotAllowed, TooBusy, UnreadableMedia, WorkerError
from lp_core.worker import lane_processes, lane_program, looks
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.events import Hub
from lp_core.worker.job_runner import MOST_STARTS, JobRunner
from lp_core.worker.job_store import JobStore
from lp_core.worker.lane_processes import LaneProcesses
from lp_core.worker.process_birth import birth_of
from lp_core.worker.service import Service

KINDS = "fakes.deadly_kinds:kinds"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """(table, runner) whose jobs run in another process."""
    monkeypatch.setenv("LPSUITE_TOKEN", "x" * 32)
    store = JobStore(tmp_path / "jobs.sqlite3")
    processes = LaneProcesses(tmp_path / "lanes", [tmp_path], KINDS)
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs", processes.do)
    yield store, runner
    runner.close()
    processes.close()
    processes.close()
    store.close()


def wait_for(condition):
    until = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


def ended(store, runner, job, kind="plain", lane="cpu", **parameters):
    store.add(job, kind, lane, 0, "o.mp4", parameters)
    runner.wake(lane)
    wait_for(lambda: store.get(job).has_ended)
    return store.get(job)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("how", "end"), [("abort", "SIGABRT"), ("fault", "SIGSEGV"), ("exit", "code 3")])
def test_a_native_crash_fails_one_job_after_two_tries(bench, tmp_path, how, end):
    store, runner = bench
    row = ended(store, runner, "bad", "deadly", how=how)
    assert (row.state, row.error["code"]) == ("failed", "worker_died")
    assert f"died {MOST_STARTS} times in the phase 'render'" in row.error["message"]
    said = [line["text"] for line in store.log("bad")]
    assert said == [f"The process that did the job ended ({end})."] * MOST_STARTS
    row = ended(store, runner, "next", how="plain")  # the lane takes it when the one before is put away
    assert not (tmp_path / "jobs" / "bad").exists()
    assert (tmp_path / "jobs" / "bad.abandoned").exists()
    assert (row.state, row.summary["token"]) == ("done", None)
    assert row.summary["pid"] != os.getpid()
    assert [line["text"] for line in store.log("next")] == ["A note."]
    assert ended(store, runner, "again", how="plain").summary["pid"] == row.summary["pid"]


def test_a_job_that_gets_further_after_each_crash_is_done(bench):
    store, runner = bench
    assert ended(store, runner, "slow", "deadly", how="exit", gains=True).state == "done"


def test_failures_and_defects_and_prints_are_what_they_were(bench, caplog):
    store, runner = bench
    row = ended(store, runner, "a", how="fails")
    assert row.error == {"code": "bad_setting", "message": "A sentence."}
    row = ended(store, runner, "b", how="defect")
    assert row.error["code"] == "defect"
    assert "KeyError" in row.error["message"]
    assert ended(store, runner, "c", how="prints").state == "done"
    assert ended(store, runner, "d", kind="unknown").error["code"] == "missing_dependency"


@pytest.mark.parametrize("how", ["waits", "deaf"])
def test_cancelling_reaches_the_process_and_ends_one_that_does_not_hear(bench, monkeypatch, how):
    monkeypatch.setattr(lane_processes, "CANCEL_S", 0.3)
    store, runner = bench
    store.add("long", "plain", "cpu", 0, "o.mp4", {"how": how})
    runner.wake("cpu")
    wait_for(lambda: (store.get("long").progress or {}).get("phase") == "render")
    runner.cancel("long")
    wait_for(lambda: store.get("long").state == "cancelled")
    assert ended(store, runner, "next", how="plain").state == "done"


@pytest.mark.parametrize("how", ["waits", "deaf"])
def test_a_worker_that_stops_puts_the_job_back(bench, monkeypatch, how):
    monkeypatch.setattr(lane_processes, "STOP_S", 0.3)
    store, runner = bench
    store.add("long", "plain", "cpu", 0, "o.mp4", {"how": how})
    runner.wake("cpu")
    wait_for(lambda: (store.get("long").progress or {}).get("phase") == "render")
    runner.close()
    assert (store.get("long").state, store.get("long").starts) == ("queued", 0)


def test_lanes_have_processes_of_their_own(bench):
    store, runner = bench
    first = ended(store, runner, "a", lane="cpu", how="plain").summary["pid"]
    assert ended(store, runner, "b", lane="cuda:0/../x", how="plain").summary["pid"] != first


def test_a_process_that_was_killed_between_jobs_is_started_again(bench):
    store, runner = bench
    pid = ended(store, runner, "a", how="plain").summary["pid"]
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not alive(pid))
    assert ended(store, runner, "b", how="plain").state == "done"


def test_a_process_that_cannot_begin_is_a_sentence(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite3")
    processes = LaneProcesses(tmp_path / "lanes", [tmp_path], "fakes.deadly_kinds:nothing")
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs", processes.do)
    row = ended(store, runner, "a", how="plain")
    assert row.error["code"] == "worker"
    assert "cannot be started: it ended as it began (code 1)" in row.error["message"]
    runner.close()
    processes.close()
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("deaths", "state"), [(1, "done"), (2, "failed")])
def test_a_process_that_is_killed_as_it_begins_is_started_once_more(tmp_path, deaths, state):
    store = JobStore(tmp_path / "jobs.sqlite3")
    more = {"killed_at_start": str(tmp_path / "starts"), "deaths": deaths}
    processes = LaneProcesses(tmp_path / "lanes", [tmp_path], KINDS, more)
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs", processes.do)
    row = ended(store, runner, "a", how="plain")
    assert row.state == state
    assert state == "done" or "it ended as it began (SIGKILL)" in row.error["message"]
    runner.close()
    processes.close()
    store.close()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


_WORKER = """
import sys, time
from pathlib import Path
from fakes.deadly_kinds import kinds
from lp_core.worker.events import Hub
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore
from lp_core.worker.lane_processes import LaneProcesses
from lp_core.worker.process_birth import birth_of
folder = Path(sys.argv[1])
store = JobStore(folder / "jobs.sqlite3")
processes = LaneProcesses(folder / "lanes", [folder], "fakes.deadly_kinds:kinds")
runner = JobRunner(store, Hub(), kinds(None), folder / "jobs", processes.do)
runner.start()
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", ["waits", "deaf", "stopped"])
def test_a_killed_worker_takes_its_process_along_before_the_next_begins(tmp_path, monkeypatch, how):
    monkeypatch.setattr(lane_program, "PATIENCE_S", 0.3)
    store = JobStore(tmp_path / "jobs.sqlite3")
    store.add("long", "plain", "cpu", 0, "o.mp4", {"how": "waits" if how == "stopped" else how})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, tmp_path], env=environment)
    wait_for(lambda: (store.get("long").progress or {}).get("phase") == "render")
    holder = int((tmp_path / "lanes" / "cpu" / "pid").read_text().split()[0])
    assert alive(holder)
    if how == "stopped":  # it cannot notice by itself, so the next one ends it
        os.kill(holder, signal.SIGSTOP)
    worker.kill()
    worker.wait()
    if how == "stopped":
        with lane_program._alone(tmp_path / "lanes" / "cpu"):
            assert not alive(holder)
    wait_for(lambda: not alive(holder))
    store.close()


_LATE = """
import sys, time
from pathlib import Path
from lp_core.worker.lane_program import _alone
folder = Path(sys.argv[1])
with _alone(folder / "lanes" / "added" / "cpu"):
    print(flush=True)
    sys.stdin.read()
    time.sleep(0.5)  # a frame is being written
    (folder / "late.png").touch()
"""


def test_a_worker_that_starts_waits_for_what_the_last_one_still_writes(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", _LATE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with program:
        program.stdout.readline()
        program.stdin.close()
        lane_program.wait_for_earlier(tmp_path / "lanes")
        assert (tmp_path / "late.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("named", ["another birth", "no birth"])
def test_a_process_that_only_has_the_number_of_the_last_one_lives(tmp_path, monkeypatch, named):
    """Numbers are given again: the file may name a process that has nothing to do with the worker."""
    monkeypatch.setattr(lane_program, "PATIENCE_S", 0.2)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with lane_program._alone(tmp_path / "lane"):
        written = (tmp_path / "lane" / "pid").read_text()
        assert written == f"{os.getpid()} {birth_of(os.getpid())}"
        birth = " 1" if named == "another birth" else ""
        (tmp_path / "lane" / "pid").write_text(f"{bystander.pid}{birth}")
        with (
            pytest.raises(WorkerError, match="Another process does the jobs"),
            lane_program._alone(tmp_path / "lane"),
        ):
            pass
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_files_are_looked_into_elsewhere(tmp_path, astronaut, monkeypatch):
    from fakes.films import write_portrait

    path = str(write_portrait(tmp_path / "a.png", astronaut))
    folders = Folders((tmp_path,))
    with LaneProcesses(tmp_path / "lanes", [tmp_path], looks.KINDS) as processes:
        contained, here = looks.ContainedLooks(folders, processes, tmp_path), looks.MediaLooks(folders)
        assert contained.jpeg("picture", {"path": path}) == here.jpeg("picture", {"path": path})
        found = contained.look("faces", {"source": path, "frame": 0})
        assert found == here.look("faces", {"source": path, "frame": 0})
        assert len(found["faces"]) == 1
        sent = {"path": path, "kind": "image", "most_s": 1.0}
        assert contained.look("sent", sent) == {"seconds": None}
        (tmp_path / "b.png").write_bytes(b"no image")
        (tmp_path / "c.png").symlink_to("/etc/hostname")
        for name, error in (("b.png", UnreadableMedia), ("c.png", NotAllowed)):
            for what, values in (
                ("picture", {}),
                ("faces", {"frame": 0}),
                ("sent", {"kind": "audio", "most_s": 1}),
            ):
                with pytest.raises(error, match=name if error is UnreadableMedia else None):
                    contained.look(
                        what, {"path": str(tmp_path / name), "source": str(tmp_path / name), **values}
                    )
        pid = int((tmp_path / "lanes" / "pictures" / "pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid))
        assert contained.jpeg("face_picture", {"source": path, "frame": 0})
        monkeypatch.setattr(looks, "_TURN_S", 0.01)
        with contained._locks["pictures"], pytest.raises(TooBusy):
            contained.jpeg("picture", {"path": path})


def test_no_route_decodes_in_the_worker():
    """Live streams apart, whose frames must not wait; SECURITY.md says so."""
    folder = Path(looks.__file__).parent
    decoding = re.compile(r"\b(open_source|open_film|filmed_face|one_frame|open_analyzer|imdecode|imread)\b")
    found = {path.name for path in folder.rglob("*.py") if decoding.search(path.read_text(encoding="utf-8"))}
    assert found == {"thumbnails.py", "face_looks.py", "sent_files.py"}
    users = re.compile(r"\b(small_picture|find_faces|frame_jpeg|look_into)\(")
    assert {path.name for path in folder.rglob("*.py") if users.search(path.read_text(encoding="utf-8"))} == {
        *found, "looks.py", "talk_job.py",
    }  # fmt: skip


def test_jobs_of_added_kinds_are_done_elsewhere_too(tmp_path):
    with Service(tmp_path / "state", Folders.of([tmp_path])) as service:
        service.kinds["plain"] = kinds(None)["plain"]
        service.contain("plain", "fakes.deadly_kinds:added_kinds", {"says": "a word"})
        service.store.add("a", "plain", "cpu", 0, "o.mp4", {"how": "plain"})
        service.lanes.wake("cpu")
        wait_for(lambda: service.store.get("a").has_ended)
        summary = service.store.get("a").summary
        assert summary["pid"] != os.getpid()
        assert summary["notes"] == ["a word"]
