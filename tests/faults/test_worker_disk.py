"""The disk of the worker's state is full: lanes live, jobs end as they should, and the worker says what is wrong."""

import sqlite3
import threading
import time

import pytest
from fakes.films import write_portrait
from fakes.small_disk import fill
from fakes.worker import Worker

from lp_core.errors import DiskFull, WorkerError
from lp_core.errors import WorkerError as ClientError
from lp_core.render.report import Progress
from lp_core.worker import job_runner
from lp_core.worker.events import Hub
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore, store_failure


class Waits:
    """A job that reports, waits for a word, and reports again."""

    def __init__(self):
        self.begun, self.may_end = threading.Event(), threading.Event()

    def run(self, parameters, context):
        context.progress(Progress("render", 1, 2, 1.0, None))
        self.begun.set()
        assert self.may_end.wait(20)
        context.say("A sentence.")
        context.progress(Progress("render", 2, 2, 1.0, None))
        return {"output": "o.mp4", "notes": ["x" * 2000]}

    def abandon(self, context):
        pass


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch, caplog):
    monkeypatch.setattr(job_runner, "RETRY_S", 0.05)


def full(disk):
    """Fills a disk to the last block, whatever SQLite frees meanwhile."""
    return fill(disk)


def test_job_that_ends_on_a_full_disk_ends_when_there_is_room(small_disk):
    disk = small_disk(512)
    store, kind = JobStore(disk / "jobs.sqlite3"), Waits()
    lanes = JobRunner(store, Hub(), {"waits": kind}, disk / "jobs")
    store.add("one", "waits", "cpu", 0, "o.mp4", {})
    store.add("two", "waits", "cpu", 0, "p.mp4", {})
    lanes.start()
    assert kind.begun.wait(10)
    filler = full(disk)
    with pytest.raises(DiskFull, match="disk of the worker's state is full"):
        for index in range(1000):
            store.add(f"more{index}", "unknown", "other", 0, "o" * 3000, {})
    kind.may_end.set()
    until(lambda: lanes.problem is not None)
    assert "full" in lanes.problem
    assert store.get("one").state == "running"
    filler.unlink()
    until(lambda: store.get("two").state == "done")
    assert store.get("one").state == "done"
    until(lambda: lanes.problem is None)
    lanes.close()
    store.close()


def test_worker_that_stops_on_a_full_disk_loses_no_job(small_disk):
    disk = small_disk(512)
    store, kind = JobStore(disk / "jobs.sqlite3"), Waits()
    lanes = JobRunner(store, Hub(), {"waits": kind}, disk / "jobs")
    store.add("one", "waits", "cpu", 0, "o.mp4", {})
    lanes.start()
    assert kind.begun.wait(10)
    filler = full(disk)
    with pytest.raises(DiskFull):
        for index in range(1000):
            store.add(f"more{index}", "unknown", "other", 0, "o" * 3000, {})
    kind.may_end.set()
    until(lambda: lanes.problem is not None)
    lanes.close()
    filler.unlink()
    assert [row.id for row in store.recover()] == ["one"]
    store.close()


def test_failed_change_leaves_no_transaction_open(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite3")
    real = store._db

    class Refuses:
        in_transaction = True

        def execute(self, text, *given):
            if text in ("COMMIT", "ROLLBACK"):
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(text, *given)

    store._db = Refuses()
    with pytest.raises(WorkerError):
        store.add("one", "waits", "cpu", 0, "o.mp4", {})
    store._db = real
    real.execute("ROLLBACK")
    store.add("one", "waits", "cpu", 0, "o.mp4", {})
    assert store.get("one").state == "queued"
    store.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_lane_survives_any_error_and_a_dead_one_is_revived(tmp_path, monkeypatch):
    store, kind = JobStore(tmp_path / "jobs.sqlite3"), Waits()
    kind.may_end.set()
    lanes = JobRunner(store, Hub(), {"waits": kind}, tmp_path / "jobs")
    claims, claim = [], store.claim

    def failing(lane):
        claims.append(lane)
        if len(claims) < 3:
            raise WorkerError("The table is busy; try again.")
        if len(claims) == 3:
            raise SystemExit  # nothing catches this: the thread ends
        return claim(lane)

    monkeypatch.setattr(store, "claim", failing)
    store.add("one", "waits", "cpu", 0, "o.mp4", {})
    lanes.start()
    until(lambda: len(claims) == 3)
    until(lambda: not any(thread.name == "lane-cpu" for thread in threading.enumerate()))
    lanes.wake("cpu")
    until(lambda: store.get("one").state == "done")
    lanes.close()
    store.close()


def test_first_start_on_a_full_disk_is_one_sentence(small_disk):
    disk = small_disk(64)
    fill(disk)
    with pytest.raises(DiskFull, match="full"):
        JobStore(disk / "jobs.sqlite3")


def test_other_failures_of_the_table_are_typed(tmp_path):
    error = sqlite3.DatabaseError("file is not a database")
    assert isinstance(store_failure(tmp_path / "jobs.sqlite3", error), WorkerError)
    store = JobStore(tmp_path / "jobs.sqlite3")
    store._db.execute("DROP TABLE log")
    store.add("one", "waits", "cpu", 0, "o.mp4", {})
    with pytest.raises(WorkerError, match="cannot be used"):
        store.say("one", "A sentence.")
    store.close()


def test_worker_on_a_full_disk_answers_and_goes_on_when_there_is_room(small_disk, tmp_path, astronaut):
    disk = small_disk(4096)
    worker = Worker(tmp_path / "w")
    worker.state = disk / "state"
    write_portrait(worker.data / "p.png", astronaut[:256, 96:352])
    client = worker.start()
    assert client.health()["problem"] is None
    filler = full(disk)
    given = {
        "source": str(worker.data / "p.png"),
        "driving": "demo:still",
        "output": str(worker.data / "o.mp4"),
    }
    given["settings"] = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}}
    codes = set()
    for index in range(60):
        try:
            client.submit("animate", {**given, "output": str(worker.data / f"{index}{'o' * 200}.mp4")})
        except ClientError as error:
            codes.add(error.code)
    assert codes == {"disk_full"}
    assert client.health()["name"] == "lpsuite"
    filler.unlink()
    job = client.submit("animate", given)
    assert client.wait(job.id).state == "done"
    assert client.health()["problem"] is None
    assert worker.stop()[0] == 0
