"""Live streams over HTTP, and requested through files, as a host without sockets does it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.films import write_tone
from fakes.worker import Worker

from lp_core.errors import ConsentMissing, WorkerError
from lp_core.link.ring import RingReader

PLAIN = {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}}


def until(check, what="it", seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen in time")


def ring_of(path):
    try:
        return RingReader(path)
    except WorkerError:
        return None


def ask(path, stream, pid=None, **more):
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps({"version": 1, "pid": pid or os.getpid(), "stream": stream, **more}))
    temporary.replace(path)


def test_a_stream_is_made_changed_watched_and_ended(worker, portrait):
    client = worker.client
    made = client.create_stream({"portrait": str(portrait), "driver": "demo:expressive", "settings": PLAIN})
    name = made["id"]
    try:
        with RingReader(made["ring"]) as first:
            until(lambda: first.was_replaced, "the portrait's ring")
        with RingReader(made["ring"]) as ring:
            assert until(ring.read, "a frame").width == 256
        changed = client.update_stream(
            name, {"settings": {"motion": {"strength": 0.5}}, "live": {"mirror": True}, "freeze": True}
        )
        assert changed["request"]["settings"]["motion"]["strength"] == 0.5
        assert changed["request"]["settings"]["mesh"]["calibration"] == "off", "what is not named stays"
        assert until(lambda: client.stream(name)["state"] == "frozen")
        client.request("POST", f"/streams/{name}/recentre")
        assert [stream["id"] for stream in client.streams()] == [name]
        with pytest.raises(WorkerError, match="strength"):
            client.update_stream(name, {"settings": {"motion": {"strength": 9}}})
        with pytest.raises(WorkerError, match="outside"):
            client.update_stream(name, {"portrait": "/etc/hostname"})
        with pytest.raises(WorkerError, match="driven by"):
            client.request("POST", f"/streams/{name}/frames", {})
    finally:
        client.delete_stream(name)
    assert not Path(made["ring"]).exists()
    with pytest.raises(WorkerError, match="no live stream"):
        client.stream(name)


def test_a_stream_obeys_consent_and_names_what_it_cannot_use(worker, portrait):
    client, demanded = worker.client, {**PLAIN, "provenance": {"require_consent": True}}
    asked = {"portrait": str(portrait), "driver": "demo:still"}
    with pytest.raises(WorkerError, match="Consent is demanded") as refused:
        client.create_stream({**asked, "settings": demanded})
    assert refused.value.code == ConsentMissing.wire_code
    path = worker.data / "consent.json"
    values = {"schema": "lpsuite.consent", "version": 1, "person": "A", "granted_by": "A"}
    for until_day, is_valid in (("2001-01-01", False), ("2999-01-01", True)):
        path.write_text(json.dumps({**values, "valid_until": until_day}))
        given = {**PLAIN, "provenance": {"require_consent": True, "consent": str(path)}}
        if not is_valid:
            with pytest.raises(WorkerError, match="it ended on"):
                client.create_stream({**asked, "settings": given})
    given["provenance"]["watermark"] = "7"
    given["color"] = {"input_space": "ACEScg"}
    made = client.create_stream({**asked, "settings": given})
    try:
        assert made["notes"] == ["Without effect here: --input-space (not used by a live stream)."]
        with pytest.raises(WorkerError, match="--input-space"):
            client.update_stream(made["id"], {"settings": {"output": {"strict": True}}})
        with pytest.raises(WorkerError, match="Consent is demanded"):
            client.update_stream(made["id"], {"settings": {"provenance": {"consent": None}}})
        assert client.stream(made["id"])["request"]["settings"]["provenance"]["watermark"] == "7"
    finally:
        client.delete_stream(made["id"])
    ask(worker.live / "consent.json", {**asked, "settings": demanded})
    ring = until(lambda: ring_of(worker.live / "consent.ring"), "the answer")
    with ring:
        assert ring.status()[0] == "failed"
        assert "Consent is demanded" in ring.status()[1]
        (worker.live / "consent.json").unlink()
        until(lambda: ring.status()[0] == "closed", "the end")


def test_voices_obey_consent(worker, portrait):
    client, demanded = worker.client, {**PLAIN, "provenance": {"require_consent": True}}
    sound = str(write_tone(worker.data / "tone.wav", seconds=0.2))
    for driver in ("microphone", sound, f"speech:{sound}"):
        with pytest.raises(WorkerError, match="Consent is demanded"):
            client.create_stream({"portrait": str(portrait), "driver": driver, "settings": demanded})
    with pytest.raises(WorkerError, match="outside"):
        client.create_stream({"portrait": str(portrait), "driver": "speech:/etc/hostname", "settings": PLAIN})
    asked = {"source": str(portrait), "driving": sound, "output": str(worker.data / "consent.mp4")}
    made = client.submit("animate", {**asked, "settings": demanded})
    with pytest.raises(WorkerError, match="Consent is demanded") as refused:
        client.wait(made.id)
    assert refused.value.code == ConsentMissing.wire_code


def test_a_host_without_sockets_lays_files(worker, portrait):
    folder = worker.live
    path, ring_path = folder / "obs-1.json", folder / "obs-1.ring"
    ask(path, {"portrait": str(portrait), "driver": "demo:still", "settings": PLAIN})
    ring = until(lambda: (r := ring_of(ring_path)) and (r if r.width == 256 else r.close()), "the ring")
    with ring:
        until(ring.read, "a frame")
        ask(path, {"portrait": str(portrait), "driver": "demo:still", "freeze": True, "settings": PLAIN})
        until(lambda: ring.status()[0] == "frozen", "freezing")
        ask(path, {"portrait": "/etc/hostname", "driver": "demo:still"})
        until(lambda: "outside" in ring.status()[1], "the refusal")
        path.unlink()
        until(lambda: ring.status()[0] == "closed", "the end")
    assert not ring_path.exists()


def test_a_request_that_cannot_be_understood_is_answered_too(worker):
    path = worker.live / "bad.json"
    path.write_text("{nonsense")
    ring = until(lambda: ring_of(worker.live / "bad.ring"), "the answer")
    with ring:
        assert ring.status()[0] == "failed"
        assert "not JSON" in ring.status()[1]
        path.unlink()
        until(lambda: ring.status()[0] == "closed", "the end")


def test_the_request_of_a_process_that_died_is_taken_away(worker, portrait):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = worker.live / "ghost.json"
    ask(path, {"portrait": str(portrait), "driver": "demo:still", "settings": PLAIN}, pid=dead.pid)
    until(lambda: not path.exists() and not (worker.live / "ghost.ring").exists(), "the cleaning")


def test_a_worker_that_nobody_needs_ends_itself(tmp_path):
    made = Worker(tmp_path)
    made.start("--until-idle", "1")
    assert made.process.wait(timeout=20) == 0
    made.process.stdout.close()
