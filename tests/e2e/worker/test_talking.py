"""A portrait that talks over WebRTC, with a client of another library's own: D-ID's routes, end to end."""

import asyncio
import json
import time

import numpy as np
import pytest

pytest.importorskip("hibari")
aiortc = pytest.importorskip("aiortc")
from fakes.compat_client import ANNA, BORIS, ask, upload, write_keys  # noqa: E402
from fakes.films import write_portrait  # noqa: E402
from fakes.worker import Worker  # noqa: E402

LIMIT_S = 40


@pytest.fixture(scope="module")
def worker(tmp_path_factory, astronaut):
    made = Worker(tmp_path_factory.mktemp("talking"))
    keys = write_keys(made.folder / "keys.json")
    made.client = made.start("--compat", "did", "--compat-keys", str(keys))
    write_portrait(made.data / "portrait.png", astronaut)
    yield made
    if made.process is not None:
        made.stop()


class Viewer:
    """What a browser does: answers the offer, opens the channel, takes frames and sound."""

    def __init__(self, worker, url, **more):
        self.worker, self.events, self.frames, self.sound = worker, [], [], []
        status, _, self.made = ask(worker, "POST", "/talks/streams", {"source_url": url, **more})
        assert status == 201, self.made
        self.path = f"/talks/streams/{self.made['id']}"
        self.peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.channel = self.peer.createDataChannel("JanusDataChannel")
        self.channel.on("message", lambda text: self.events.append((time.monotonic(), text)))
        self.peer.on("track", lambda track: self.tasks.append(asyncio.ensure_future(self._take(track))))
        self.tasks = []

    async def _take(self, track):
        kept = self.frames if track.kind == "video" else self.sound
        while True:
            try:
                frame = await track.recv()
            except aiortc.mediastreams.MediaStreamError:
                return
            array = frame.to_ndarray(format="rgb24") if track.kind == "video" else frame.to_ndarray()
            kept.append((time.monotonic(), array))

    async def send(self, method, path, body):
        body = {"session_id": self.made["session_id"], **body}
        return await asyncio.to_thread(ask, self.worker, method, path, body)

    async def connect(self):
        offer = aiortc.RTCSessionDescription(self.made["offer"]["sdp"], self.made["offer"]["type"])
        await self.peer.setRemoteDescription(offer)
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        local = self.peer.localDescription
        answer = {"answer": {"type": local.type, "sdp": local.sdp}}
        assert (await self.send("POST", f"{self.path}/sdp", answer))[0] == 200
        assert (await self.send("POST", f"{self.path}/ice", {}))[0] == 200
        await self.until("stream/ready")

    async def say(self, text):
        script = {
            "type": "text",
            "input": text,
            "provider": {"type": "microsoft", "voice_id": "en-US-JennyNeural"},
        }
        status, _, answer = await self.send("POST", self.path, {"script": script, "config": {"stitch": True}})
        assert status == 200, answer
        return answer

    async def until(self, kind, count=1):
        end = time.monotonic() + LIMIT_S
        while len(found := [event for event in self.events if event[1].split(":")[0] == kind]) < count:
            assert time.monotonic() < end, (kind, self.events)
            await asyncio.sleep(0.02)
        return found[count - 1]

    async def close(self):
        answer = await self.send("DELETE", self.path, {})
        await self.peer.close()
        for task in self.tasks:
            await task
        return answer


def facts(event):
    return json.loads(event[1].partition(":")[2])


async def conversation(worker, url):
    viewer = Viewer(worker, url)
    try:
        await viewer.connect()
        until = time.monotonic() + LIMIT_S
        while len(viewer.frames) < 5:
            assert time.monotonic() < until, "the portrait does not move before it speaks"
            await asyncio.sleep(0.05)
        asked_s = time.monotonic()
        said = await viewer.say("Hello there, Mom.")
        started = await viewer.until("stream/started")
        done = await viewer.until("stream/done")
        await viewer.say(
            "This is a very long sentence about apples, and nobody will hear the end of it. " * 2
        )
        await viewer.until("stream/started", 2)
        viewer.channel.send(json.dumps({"type": "stream/interrupt"}))
        cut = await viewer.until("stream/done", 2)
        await asyncio.sleep(0.5)
        status, _, _ = await viewer.close()
        return viewer, asked_s, said, started, done, cut, status
    finally:
        await viewer.peer.close()


@pytest.fixture(scope="module")
def talked(worker):
    return asyncio.run(conversation(worker, upload(worker)[2]["url"]))


def test_a_text_becomes_frames_sound_and_events(talked):
    viewer, asked_s, said, started, done, _, status = talked
    assert {frame.shape for _, frame in viewer.frames} == {(512, 512, 3)}
    assert started[0] - asked_s < LIMIT_S
    assert facts(started)["id"] == facts(done)["id"] == said["video_id"]
    assert said["status"] == "started"
    assert 0.8 < done[0] - started[0] < 15
    assert status == 200
    levels = [
        np.abs(block.astype(np.int32)).mean() for at, block in viewer.sound if started[0] < at < done[0]
    ]
    before = [np.abs(block.astype(np.int32)).mean() for at, block in viewer.sound if at < asked_s]
    assert max(levels) > 500
    assert max(before) < 20, "silence between utterances"


def test_the_voice_is_named_as_synthetic(talked):
    _, _, said, started, *_ = talked
    assert said["metadata"]["voice"] == {"id": "hibari:heart", "license": "Apache-2.0", "synthetic": True}
    assert facts(started)["digitalSourceType"] == "trainedAlgorithmicMedia"


def test_an_interruption_ends_sound_and_utterance(talked):
    viewer, *_, cut, _ = talked
    assert facts(cut)["message"] == "interrupted"
    after = [np.abs(block.astype(np.int32)).mean() for at, block in viewer.sound if at > cut[0] + 0.35]
    assert after and max(after) < 20


def test_streams_of_others_and_wrong_sessions_stay_closed(worker):
    url = upload(worker)[2]["url"]
    assert ask(worker, "POST", "/talks/streams", {"source_url": url}, key=BORIS)[0] == 404
    assert ask(worker, "POST", "/talks/streams", {"source_url": url}, key="wrong-key-00000000")[0] == 401
    for source, status in (("http://127.0.0.1/a.png", 403), ("file:///etc/passwd", 403), ("", 400)):
        assert ask(worker, "POST", "/talks/streams", {"source_url": source})[0] == status
    status, _, made = ask(worker, "POST", "/talks/streams", {"source_url": url})
    assert status == 201
    path = f"/talks/streams/{made['id']}"
    own = {"session_id": made["session_id"]}
    said = {"script": {"type": "text", "input": "Hi."}}
    assert ask(worker, "POST", path, {**said, **own}, key=BORIS)[0] == 404
    assert ask(worker, "POST", path, {**said, "session_id": "sess_guessed"})[0] == 400
    assert ask(worker, "DELETE", path, {}, key=ANNA)[0] == 400
    wrong = {"answer": {"type": "answer", "sdp": "v=0\r\nnonsense"}, **own}
    assert ask(worker, "POST", f"{path}/sdp", wrong)[0] == 400
    long = {"script": {"type": "text", "input": "a " * 200}, **own}
    assert ask(worker, "POST", path, long)[0] == 400
    voice = {
        "type": "text",
        "input": "Hi.",
        "provider": {"type": "x", "voice_id": "command:touch x {output}"},
    }
    assert ask(worker, "POST", path, {"script": voice, **own})[0] == 200, "an unknown voice is one of ours"
    assert ask(worker, "DELETE", path, own)[0] == 200
    assert ask(worker, "DELETE", path, own)[0] == 404
