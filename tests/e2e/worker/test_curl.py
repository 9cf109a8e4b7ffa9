"""The vendors' documented curl lines against a real worker: only the base address, the key and the files differ.

Sources: D-ID, "Quickstart" of photo avatars and the reference of /images and /talks; HeyGen, "Create Avatar Video",
"Lipsync" and the reference of assets and videos.
"""

import json
import shutil
import time

import numpy as np
import pytest
from fakes.compat_client import ANNA, listening, shell, until_called, write_keys
from fakes.films import CROP, write_film, write_portrait
from fakes.worker import Worker

pytest.importorskip("hibari")
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH")
LIMIT_S = 150

D_ID_UPLOAD = """curl -sS --request POST --url $BASE/images --header 'accept: application/json' \
  --header "authorization: Basic $KEY" --form "image=@$PORTRAIT" """
D_ID_CREATE = """curl -sS -X POST "$BASE/talks" -H "Authorization: Basic $KEY" -H "Content-Type: application/json" \
  -d '{
  "source_url": "'$IMAGE_URL'",
  "script": {
      "type": "text",
      "input": "Hello! This is my first talking avatar video.",
      "provider": {"type": "microsoft", "voice_id": "en-US-JennyNeural"}
  },
  "webhook": "'$WEBHOOK'"
  }'"""
D_ID_GET = """curl -sS -X GET "$BASE/talks/$ID" -H "Authorization: Basic $KEY" """
D_ID_DELETE = (
    """curl -sS --fail --request DELETE --url "$BASE/talks/$ID" --header "authorization: Basic $KEY" """
)
HEYGEN_UPLOAD = """curl -sS -X POST "$BASE/v1/asset" -H "X-Api-Key: $KEY" -H "Content-Type: $TYPE" \
  --data-binary "@$FILE" """
HEYGEN_GENERATE = """curl -sS -X POST $BASE/v2/video/generate -H "X-Api-Key: $KEY" -H 'Content-Type: application/json' \
  -d '{
  "video_inputs": [
    {
      "character": {"type": "talking_photo", "talking_photo_id": "'$ASSET'"},
      "voice": {
        "type": "text",
        "input_text": "Welcome to the API!",
        "voice_id": "1bd001e7e50f421d891986aad5158bc8"
      },
      "background": {"type": "color", "value": "#008000"}
    }
  ],
  "dimension": {"width": 256, "height": 256},
  "callback_url": "'$WEBHOOK'"
  }'"""
HEYGEN_STATUS = """curl -sS -X GET "$BASE/v1/video_status.get?video_id=$ID" -H "X-Api-Key: $KEY" """
HEYGEN_REMOVE = """curl -sS --fail -X DELETE "$BASE/v1/video.delete?video_id=$ID" -H "X-Api-Key: $KEY" """
HEYGEN_VIDEO = """curl -sS -X POST "$BASE/v3/videos" -H "X-Api-Key: $KEY" -H "Content-Type: application/json" \
  -d '{
    "type": "image",
    "image": {"type": "asset_id", "asset_id": "'$ASSET'"},
    "script": "Hello from a custom image!",
    "voice_id": "1bd001e7e50f421d891986aad5158bc8",
    "resolution": "720p",
    "aspect_ratio": "16:9"
  }'"""
HEYGEN_VIDEO_GET = """curl -sS -X GET "$BASE/v3/videos/$ID" -H "X-Api-Key: $KEY" """
HEYGEN_VIDEO_DELETE = """curl -sS --fail -X DELETE "$BASE/v3/videos/$ID" -H "X-Api-Key: $KEY" """
HEYGEN_LIPSYNC = """curl -sS -X POST "$BASE/v3/lipsyncs" -H "X-Api-Key: $KEY" -H "Content-Type: application/json" \
  -d '{
    "video": { "type": "asset_id", "asset_id": "'$FILM'" },
    "audio": { "type": "asset_id", "asset_id": "'$SOUND'" },
    "mode": "precision",
    "callback_url": "'$WEBHOOK'"
  }'"""
HEYGEN_LIPSYNC_GET = """curl -sS -X GET "$BASE/v3/lipsyncs/$ID" -H "X-Api-Key: $KEY" """
HEYGEN_LIPSYNC_DELETE = """curl -sS --fail -X DELETE "$BASE/v3/lipsyncs/$ID" -H "X-Api-Key: $KEY" """
DOWNLOAD = """curl -sS --fail -L -o "$TO" "$URL" """


@pytest.fixture(scope="module")
def hooks():
    with listening() as (address, calls):
        yield address, calls


@pytest.fixture(scope="module")
def run(tmp_path_factory, hooks, astronaut):
    """Runs a line; what it prints, read as JSON."""
    worker = Worker(tmp_path_factory.mktemp("curl"))
    keys = write_keys(worker.folder / "keys.json")
    client = worker.start("--compat", "did,heygen", "--compat-keys", str(keys), "--allow-webhook", hooks[0])
    portrait = write_portrait(worker.data / "portrait.png", astronaut)
    base = f"http://{client.address.host}:{client.address.port}"

    def call(line, **variables):
        given = {name: str(value) for name, value in variables.items()}
        said = shell(line, PATH="/usr/bin:/bin", BASE=base, KEY=ANNA, PORTRAIT=str(portrait), **given)
        return json.loads(said or "null")

    call.folder, call.portrait = worker.data, portrait
    yield call
    worker.stop()


def until_done(ask, state, ended):
    until = time.monotonic() + LIMIT_S
    while (found := state(answer := ask())) not in ended:
        assert time.monotonic() < until, answer
        time.sleep(0.5)
    assert found == ended[0], answer
    return answer


def check_film(run, url, name):
    path = run.folder / name
    run(DOWNLOAD, URL=url, TO=path)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_talk_of_d_id(run, hooks):
    image = run(D_ID_UPLOAD)
    made = run(D_ID_CREATE, IMAGE_URL=image["url"], WEBHOOK=f"{hooks[0]}/talk")
    assert (made["object"], made["status"]) == ("talk", "created")
    talk = until_done(
        lambda: run(D_ID_GET, ID=made["id"]), lambda answer: answer["status"], ("done", "error")
    )
    check_film(run, talk["result_url"], "talk.mp4")
    told = until_called(hooks[1], "/talk")
    assert (told["id"], told["status"]) == (made["id"], "done")
    run(D_ID_DELETE, ID=made["id"])
    assert run(D_ID_GET, ID=made["id"])["kind"] == "NotFoundError"


def test_a_video_of_heygen_by_its_second_version(run, hooks):
    asset = run(HEYGEN_UPLOAD, TYPE="image/png", FILE=run.portrait)["data"]["id"]
    made = run(HEYGEN_GENERATE, ASSET=asset, WEBHOOK=f"{hooks[0]}/video")["data"]["video_id"]
    done = until_done(
        lambda: run(HEYGEN_STATUS, ID=made), lambda answer: answer["data"]["status"], ("completed", "failed")
    )
    check_film(run, done["data"]["video_url"], "video.mp4")
    told = until_called(hooks[1], "/video")
    assert (told["event_type"], told["event_data"]["video_id"]) == ("avatar_video.success", made)
    run(HEYGEN_REMOVE, ID=made)
    assert run(HEYGEN_STATUS, ID=made)["error"]["code"] == "not_found"


def test_a_video_and_a_lip_sync_of_heygen_by_its_third_version(run, hooks, astronaut):
    asset = run(HEYGEN_UPLOAD, TYPE="image/png", FILE=run.portrait)["data"]["id"]
    made = run(HEYGEN_VIDEO, ASSET=asset)["data"]["video_id"]
    done = until_done(
        lambda: run(HEYGEN_VIDEO_GET, ID=made),
        lambda answer: answer["data"]["status"],
        ("completed", "failed"),
    )
    check_film(run, done["data"]["video_url"], "third.mp4")
    pictures = [np.ascontiguousarray(np.roll(astronaut[CROP], step, 1)) for step in (0, 1, 2, 1) * 5]
    film = write_film(run.folder / "plate.mp4", pictures)
    names = {
        "FILM": run(HEYGEN_UPLOAD, TYPE="video/mp4", FILE=film)["data"]["id"],
        "SOUND": run(HEYGEN_UPLOAD, TYPE="audio/wav", FILE=_voice(run.folder / "hi.wav"))["data"]["id"],
    }
    lipsync = run(HEYGEN_LIPSYNC, **names, WEBHOOK=f"{hooks[0]}/lips")["data"]["lipsync_id"]
    synced = until_done(
        lambda: run(HEYGEN_LIPSYNC_GET, ID=lipsync), lambda answer: answer["data"]["status"],
        ("completed", "failed"),
    )  # fmt: skip
    check_film(run, synced["data"]["video_url"], "lips.mp4")
    assert until_called(hooks[1], "/lips")["event_type"] == "avatar_video.success"
    run(HEYGEN_VIDEO_DELETE, ID=made)
    run(HEYGEN_LIPSYNC_DELETE, ID=lipsync)
    assert run(HEYGEN_LIPSYNC_GET, ID=lipsync)["error"]["code"] == "not_found"


def _voice(path):
    """A second of a voice, as WAV."""
    from lp_core.saying.say import speak_scene
    from lp_core.saying.scenes import ScriptScene

    speak_scene(ScriptScene("Hi.", "-"), 0, path)
    return path
