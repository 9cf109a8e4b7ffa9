"""Clients of other vendors against a real worker: only base address and key differ."""

import base64
import hmac
import json
import wave
from hashlib import sha256
from urllib.parse import urlsplit

import numpy as np
import pytest
from fakes.compat_client import (
    ANNA,
    BORIS,
    ask,
    listening,
    text_talk,
    until_called,
    until_ended,
    upload,
    write_keys,
)
from fakes.films import CROP, write_film, write_portrait
from fakes.worker import Worker

pytest.importorskip("hibari")


@pytest.fixture(scope="module")
def hooks():
    with listening() as (address, calls):
        yield address, calls


@pytest.fixture(scope="module")
def calls(hooks):
    return hooks[0]


@pytest.fixture(scope="module")
def worker(tmp_path_factory, calls, astronaut):
    made = Worker(tmp_path_factory.mktemp("compat"))
    keys = write_keys(made.folder / "keys.json")
    made.client = made.start(
        "--compat", "did,heygen", "--compat-keys", str(keys), "--allow-webhook", calls,
        "--allow-fetch", "images.example",
    )  # fmt: skip
    write_portrait(made.data / "portrait.png", astronaut)
    yield made
    if made.process is not None:
        made.stop()


@pytest.mark.parametrize(
    "path", ["/talks", "/tts/voices", "/credits", "/v2/voices", "/v1/video.list", "/talks/tlk_1"]
)
def test_a_key_is_needed_and_the_workers_token_is_none(worker, path):
    for key in ("", "wrong-key-000000000", worker.client.address.token):
        status, _, answer = ask(worker, "GET", path, key=key)
        assert status == 401
        assert answer.get("kind") == "AuthorizationError" or answer["error"]["code"] == "unauthorized"
    assert ask(worker, "GET", "/jobs", key=ANNA)[0] == 401
    bearer = {"Authorization": f"Bearer {ANNA}"}
    assert ask(worker, "GET", "/jobs", headers=bearer, key="")[0] == 401


def test_a_talk_from_text_to_download_and_deletion(worker, calls, hooks):
    status, _, image = upload(worker)
    assert (status, set(image)) == (201, {"id", "url"})
    wanted = text_talk(
        image["url"],
        "Hello, Mom.",
        config={"stitch": True, "sharpen": True},
        name="first",
        webhook=f"{calls}/did",
    )
    wanted["script"]["provider"] = {"type": "microsoft", "voice_id": "en-US-JennyNeural"}
    wanted["script"]["subtitles"] = True
    basic = {"Authorization": "Basic " + base64.b64encode(ANNA.encode()).decode()}
    status, _, made = ask(worker, "POST", "/talks", wanted, basic, key="")
    assert (status, made["object"], made["status"]) == (201, "talk", "created")
    talk = until_ended(worker, f"/talks/{made['id']}", lambda answer: answer["status"], ("done", "error"))
    assert talk["status"] == "done", talk
    assert talk["metadata"]["ignored"] == ["config.sharpen"]
    assert talk["metadata"]["voice"] == {"id": "hibari:heart", "license": "Apache-2.0"}
    assert 1 < talk["duration"] < 4
    link = urlsplit(talk["result_url"])
    assert link.netloc == f"{worker.client.address.host}:{worker.client.address.port}"
    path = f"{link.path}?{link.query}"
    status, headers, film = ask(worker, "GET", path, key="")
    assert (status, headers["content-type"], film[4:8]) == (200, "video/mp4", b"ftyp")
    status, headers, part = ask(worker, "GET", path, headers={"Range": "bytes=4-7"}, key="")
    assert (status, part) == (206, b"ftyp")
    assert ask(worker, "GET", path.replace("signature=", "signature=0")[:-1], key="")[0] in (403, 422)
    assert ask(worker, "GET", link.path, key="")[0] == 422
    subtitles = urlsplit(talk["subtitles_url"])
    assert b"Hello, Mom." in ask(worker, "GET", f"{subtitles.path}?{subtitles.query}", key="")[2]
    listed = ask(worker, "GET", "/talks?limit=1")[2]
    assert [item["id"] for item in listed["talks"]] == [made["id"]]
    assert until_called(hooks[1], "/did")["id"] == made["id"]
    assert ask(worker, "GET", f"/talks/{made['id']}", key=BORIS)[0] == 404
    assert ask(worker, "DELETE", f"/talks/{made['id']}", key=BORIS)[0] == 404
    assert ask(worker, "DELETE", f"/talks/{made['id']}")[0] == 200
    assert ask(worker, "GET", f"/talks/{made['id']}")[0] == 404
    assert ask(worker, "GET", path, key="")[0] == 404


def test_a_video_of_the_other_vendor(worker):
    picture = (worker.data / "portrait.png").read_bytes()
    status, _, answer = ask(worker, "POST", "/v1/asset", picture, {"Content-Type": "image/png"})
    assert (status, answer["code"], answer["data"]["file_type"]) == (200, 100, "image")
    photo = answer["data"]["id"]
    assert ask(worker, "GET", "/v2/avatars")[2]["data"]["talking_photos"][0]["talking_photo_id"] == photo
    wanted = {
        "video_inputs": [
            {
                "character": {"type": "talking_photo", "talking_photo_id": photo},
                "voice": {
                    "type": "text",
                    "input_text": "Hi.",
                    "voice_id": "1bd001e7e50f421d891986aad5158bc8",
                },
            }
        ],
        "dimension": {"width": 128, "height": 128},
        "callback_id": None,
        "aspect_ratio": None,
        "test": False,
    }
    status, _, answer = ask(worker, "POST", "/v2/video/generate", wanted)
    assert (status, answer["error"]) == (200, None)
    video = answer["data"]["video_id"]
    path = f"/v1/video_status.get?video_id={video}"
    done = until_ended(worker, path, lambda answer: answer["data"]["status"], ("completed", "failed"))
    assert done["data"]["status"] == "completed", done
    assert (done["code"], done["message"]) == (100, "Success")
    assert ask(worker, "GET", f"/v2/videos/{video}")[2]["data"]["metadata"]["ignored"] == ["test"]
    link = urlsplit(done["data"]["video_url"])
    assert ask(worker, "GET", f"{link.path}?{link.query}", key="")[2][4:8] == b"ftyp"
    assert ask(worker, "GET", path, key=BORIS)[0] == 404
    assert ask(worker, "DELETE", f"/v1/video.delete?video_id={video}")[0] == 200
    assert ask(worker, "GET", path)[2]["error"]["code"] == "not_found"


def test_files_of_other_clients_and_of_the_machine_stay_closed(worker):
    url = upload(worker)[2]["url"]
    assert ask(worker, "POST", "/talks", text_talk(url), key=BORIS)[0] == 404
    for source, status in (
        ("file:///etc/passwd", 403), ("file://" + str(worker.state / "compat.sqlite3"), 403), ("/etc/passwd", 403),
        ("lpsuite://image/../../../etc/passwd", 404), ("http://127.0.0.1/a.png", 403), ("http://other.example/a", 403),
        ("http://169.254.169.254/latest/meta-data", 403), ("s3://bucket/a.png", 403),
    ):  # fmt: skip
        found, _, answer = ask(worker, "POST", "/talks", text_talk(source))
        assert (found, set(answer)) == (status, {"kind", "description"}), (source, answer)
    for path in ("/talks/..%2f..%2fjobs", "/results/../jobs", "/talks/%00", "/v2/videos/..%2f"):
        assert ask(worker, "GET", path)[0] in (307, 400, 401, 404, 422)
    for voice in ("command:touch x {output}", "piper:/etc/passwd"):
        wanted = text_talk(url)
        wanted["script"]["provider"] = {"type": "lpsuite", "voice_id": voice}
        status, _, made = ask(worker, "POST", "/talks", wanted)
        if status == 201:  # an unknown name is a vendor's voice, for which one of ours is used
            talk = ask(worker, "DELETE", f"/talks/{made['id']}")[2]
            assert "touch" not in json.dumps(talk.get("metadata"))
    assert not (worker.data / "x").exists()


def test_what_is_too_large_or_not_understood(worker, tmp_path):
    url = upload(worker)[2]["url"]
    bodies = [
        text_talk(url, "a " * 200), text_talk(url, ""), text_talk(""), {}, {"source_url": url},
        {"source_url": url, "script": {"type": "video"}}, text_talk(url, config={"result_format": "gif"}),
        text_talk(url, "<speak><break time='x'/>a</speak>"), {"source_url": url, "script": {"type": "audio"}},
    ]  # fmt: skip
    for body in bodies:
        status, _, answer = ask(worker, "POST", "/talks", body)
        assert (status, answer["kind"]) == (400, "BadRequestError"), (body, answer)
    assert ask(worker, "POST", "/talks", b"{" * 100_000, {"Content-Type": "application/json"})[0] == 400
    assert ask(worker, "POST", "/talks", b" " * (2 << 20), {"Content-Type": "application/json"})[0] == 413
    assert upload(worker, content=b"no image")[0] == 400
    assert upload(worker, field="file")[0] == 400
    sound = tmp_path / "long.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000 * 6))
    status, _, answer = upload(worker, "/audios", "audio", sound.read_bytes(), "audio/wav")
    assert (status, "may last 5 s" in answer["description"]) == (400, True)
    status, _, answer = ask(worker, "POST", "/v2/video/generate", {"video_inputs": []})
    assert (status, answer["error"]["code"]) == (400, "invalid_parameter")


def test_credits_of_a_day(worker):
    url = upload(worker, key=BORIS)[2]["url"]
    assert ask(worker, "GET", "/credits", key=BORIS)[2]["remaining"] == 1
    status, _, made = ask(worker, "POST", "/talks", text_talk(url), key=BORIS)
    assert status == 201
    assert ask(worker, "DELETE", f"/talks/{made['id']}", key=BORIS)[0] == 200
    status, _, answer = ask(worker, "POST", "/talks", text_talk(url), key=BORIS)
    assert (status, answer["kind"]) == (402, "InsufficientCreditsError")


def test_voices_of_both_vendors(worker):
    names = [item["id"] for item in ask(worker, "GET", "/tts/voices")[2]]
    assert "hibari:heart" in names
    assert [item["voice_id"] for item in ask(worker, "GET", "/v2/voices")[2]["data"]["voices"]] == names


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A second of a voice, as WAV."""
    from lp_core.saying.say import speak_scene
    from lp_core.saying.scenes import ScriptScene

    path = tmp_path_factory.mktemp("spoken") / "hi.wav"
    speak_scene(ScriptScene("Hi.", "-"), 0, path)
    return path.read_bytes()


def test_lip_sync_over_a_film(worker, calls, hooks, spoken, astronaut):
    pictures = [np.ascontiguousarray(np.roll(astronaut[CROP], step, 1)) for step in (0, 1, 2, 1) * 5]
    film = write_film(worker.data / "plate.mp4", pictures).read_bytes()
    names = {}
    for kind, content, media_type in (("video", film, "video/mp4"), ("audio", spoken, "audio/wav")):
        status, _, answer = ask(worker, "POST", "/v1/asset", content, {"Content-Type": media_type})
        assert (status, answer["data"]["file_type"]) == (200, kind)
        names[kind] = {"type": "asset_id", "asset_id": answer["data"]["id"]}
    wanted = {
        **names,
        "title": "first",
        "callback_url": f"{calls}/lipsync",
        "callback_id": "mine",
        "mode": "speed",
    }
    status, _, made = ask(worker, "POST", "/v3/lipsyncs", wanted)
    assert status == 200, made
    path = f"/v3/lipsyncs/{made['data']['lipsync_id']}"
    done = until_ended(worker, path, lambda answer: answer["data"]["status"], ("completed", "failed"))["data"]
    assert (done["status"], done["metadata"]["ignored"]) == ("completed", ["mode"]), done
    link = urlsplit(done["video_url"])
    assert ask(worker, "GET", f"{link.path}?{link.query}", key="")[2][4:8] == b"ftyp"
    assert ask(worker, "PATCH", path, {"title": "second"})[0] == 200
    listed = ask(worker, "GET", "/v3/lipsyncs")[2]
    assert [item["title"] for item in listed["data"]] == ["second"]
    assert ask(worker, "GET", path, key=BORIS)[0] == 404
    told = until_called(hooks[1], "/lipsync")
    assert (told["event_type"], told["event_data"]["callback_id"]) == ("avatar_video.success", "mine")
    secret = ask(worker, "POST", "/v1/webhook/endpoint.add", {"url": f"{calls}/lipsync"})[2]["data"]["secret"]
    assert secret == hmac.new(ANNA.encode(), b"webhook", sha256).hexdigest()
    assert ask(worker, "DELETE", path)[0] == 200
    assert ask(worker, "GET", path)[0] == 404
    missing = {"video": names["video"], "audio": {"type": "asset_id", "asset_id": "nobodys"}}
    assert ask(worker, "POST", "/v3/lipsyncs", missing)[0] == 404
