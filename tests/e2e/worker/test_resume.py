"""A worker that is killed loses nothing; one that is stopped puts its work back; cancelled work leaves nothing."""

import os
import signal
import sys
import time

import pytest
from fakes.films import write_portrait
from fakes.worker import Worker

SETTINGS = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}}


@pytest.fixture
def mortal(tmp_path, astronaut):
    made = Worker(tmp_path)
    write_portrait(made.data / "portrait.png", astronaut)
    yield made
    if made.process is not None:
        made.stop()


def asked(worker, output, driving="demo:expressive"):
    return {
        "source": str(worker.data / "portrait.png"),
        "driving": driving,
        "output": str(worker.data / output),
        "settings": SETTINGS,
    }


def wait_for_frame(client, job, frame):
    for event in client.follow(job):
        if event.progress is not None and event.progress.phase == "render" and event.progress.frame >= frame:
            return event.progress
    raise AssertionError("the job ended before it was to be disturbed")


def test_a_killed_worker_goes_on_and_gives_the_same_bytes(mortal):
    client = mortal.start()
    client.wait(client.submit("animate", asked(mortal, "calm.mp4")).id)
    job = client.submit("animate", asked(mortal, "rough.mp4")).id
    waiting = client.submit("animate", asked(mortal, "later.mp4", "demo:still")).id
    for frame in (20, 120):
        wait_for_frame(client, job, frame)
        mortal.kill()
        assert not (mortal.data / "rough.mp4").exists()
        client = mortal.start()
    seen = [
        event.progress.frame
        for event in client.follow(job)
        if event.progress and event.progress.phase == "render"
    ]
    assert seen[0] >= 96  # two segments of 48 frames were finished
    assert client.job(job).state == "done"
    assert (mortal.data / "rough.mp4").read_bytes() == (mortal.data / "calm.mp4").read_bytes()
    assert client.wait(waiting).state == "done"
    assert not list((mortal.state / "jobs").iterdir())


def test_a_stopped_worker_puts_its_work_back_and_a_sequence_goes_on_with_the_next_picture(mortal):
    client = mortal.start()
    job = client.submit("animate", asked(mortal, "o.%04d.png")).id
    wait_for_frame(client, job, 15)
    code, words = mortal.stop()
    assert code == 0, words
    finished = {path: path.stat().st_mtime_ns for path in mortal.data.glob("o.*.png")}
    assert len(finished) >= 15
    assert not (mortal.run / "worker.json").exists()
    client = mortal.start()
    assert client.wait(job).summary["frames"] == 225
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


def test_a_killed_worker_begins_again_what_is_rendered_in_one_go(mortal):
    """Passes next to a video cannot be cut into parts, so nothing of them is left to go on with."""
    client, request = mortal.start(), asked(mortal, "o.mp4")
    request["settings"] = {**SETTINGS, "output": {"passes": "matte"}, "input": {"frames": "0-59"}}
    job = client.submit("animate", request).id
    wait_for_frame(client, job, 15)
    mortal.kill()
    assert not (mortal.data / "o.mp4").exists()
    client = mortal.start()
    assert client.wait(job).summary["frames"] == 60
    assert len(list(mortal.data.glob("o.matte.*.exr"))) == 60
    assert not [path for path in mortal.data.iterdir() if path.name.startswith(".")]


def test_a_cancelled_job_leaves_no_picture_and_no_folder(mortal):
    client = mortal.start()
    job = client.submit("animate", asked(mortal, "o.%04d.png")).id
    wait_for_frame(client, job, 10)
    client.cancel(job)
    assert [event.status.state for event in client.follow(job) if event.status][-1] == "cancelled"
    assert not list(mortal.data.glob("o.*.png"))
    assert not list((mortal.state / "jobs").iterdir())
    job = client.submit("animate", asked(mortal, "p.%04d.png")).id
    wait_for_frame(client, job, 10)
    client.cancel(job)
    mortal.kill()
    client = mortal.start()
    until = time.monotonic() + 20
    while not client.job(job).has_ended:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert client.job(job).state == "cancelled"
    assert not list(mortal.data.glob("p.*.png"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_crash_in_a_library_costs_neither_the_worker_nor_the_job(mortal):
    client = mortal.start()
    worker = mortal.process.pid
    job = client.submit("animate", asked(mortal, "o.%04d.png")).id
    wait_for_frame(client, job, 15)
    crashed = int((mortal.state / "lanes" / "cpu" / "pid").read_text().split()[0])
    assert crashed != worker
    os.kill(crashed, signal.SIGABRT)
    assert client.wait(job).summary["frames"] == 225
    assert "The process that did the job ended (SIGABRT)." in client.log(job)
    assert int((mortal.state / "lanes" / "cpu" / "pid").read_text().split()[0]) not in (crashed, worker)
    assert mortal.process.poll() is None
    assert client.health()["problem"] is None


def test_the_most_urgent_job_is_next(mortal):
    client = mortal.start()
    first = client.submit("animate", asked(mortal, "first.mp4"))
    low = client.submit("animate", asked(mortal, "low.mp4", "demo:still"), priority=-1)
    high = client.submit("animate", asked(mortal, "high.mp4", "demo:still"), priority=5)
    ended = {job.id: client.wait(job.id).ended_s for job in (first, low, high)}
    assert ended[first.id] < ended[high.id] < ended[low.id]


def test_a_second_worker_is_refused_the_same_state(mortal):
    mortal.start()
    second = Worker(mortal.folder)
    file = (mortal.run / "worker.json").read_text()
    with pytest.raises(AssertionError, match="Another worker uses"):
        second.start()
    (mortal.run / "worker.json").write_text(file)
    (mortal.run / "worker.json").chmod(0o600)
