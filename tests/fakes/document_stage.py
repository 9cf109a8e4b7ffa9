"""A folder with small files under the names that the documents use."""

import json
import os
import shutil
import wave
from dataclasses import asdict

import cv2
import numpy as np
from fakes.cuts import clip_of, file_at, timeline_of, write
from fakes.exr import write_exr
from fakes.films import CROP, write_film, write_turning
from fakes.joyvasa import published
from fakes.training_sets import TINY, made_set
from safetensors.torch import save_file

from lp_core.cli.main import run
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.training.config import Schedule, TrainConfig
from lp_core.training.run import run_training
from upscale.load import load

FRAMES = 4
PLATE = range(1001, 1101)
PERSON_PX, PERSON_FRAMES = 440, 26
TEXT = "Good morning, and welcome to the studio. Maybe you would like to begin with the garden."
SHORT, SHORT_S = "Good morning.", 1.0
CONSENT = {
    "schema": "lpsuite.consent", "version": 1, "person": "Ann", "granted_by": "Ann", "valid_until": "2999-01-01",
}  # fmt: skip
SCHEDULE = Schedule(motion_steps=1, steps=2, batch=2, evaluate_every=0)
COPIES = {
    "portrait.png": ("anna.png", "boris.png", "shows/a.png"),
    "portrait.jpg": ("anna.jpg",),
    "driving.mp4": (
        "talk.mp4", "a.mp4", "b.mp4", "anna.mp4", "ben.mp4", "chorus.mp4", "drive.mp4", "driver.mp4",
        "performance.mp4", "plate.mp4", "takes/anna.mov", "takes/anna.mp4",
    ),
    "group.png": ("group.jpg",),
    "film.mp4": ("interview.mp4",),
    "talk.wav": ("dub.wav", "rede.wav", "theme.wav"),
    "ann.mp4": ("clips/ann.mp4",),
}  # fmt: skip
"""File -> the other names it has."""
TEXTS = {
    "talk.txt": SHORT,
    "text.ssml": "<speak>Good <break time='100ms'/> morning.</speak>",
    "tour.md": "---\nportrait: anna.jpg\n---\n# One\nWelcome.\n\n# Two\nportrait: boris.png\n\nMind the step.\n",
    "cast.toml": '[[faces]]\nface = "0"\ndriving = "anna.mp4"\n[[faces]]\nface = "left"\ndriving = "demo:nod"\n',
    "consent.json": json.dumps(CONSENT),
    "ann.json": json.dumps(CONSENT),
    "keys.json": json.dumps([{"name": "anna", "key": "key-of-anna-000001"}]),
}


def build(folder, astronaut):
    """Makes the files and returns the folder, whose content is never changed."""
    face = np.ascontiguousarray(astronaut[CROP])
    write_image(folder / "portrait.png", np.dstack([face, _alpha(face)]))
    write_image(folder / "portrait.jpg", face)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "keys.json").chmod(0o600)
    _videos(folder, face)
    _voice(folder)
    _sequences(folder, face)
    _networks(folder)
    _timeline(folder)
    for host in ("nuke", "davinci", "obs"):
        assert run(["host", "install", host]) == 0
    (folder / "mnt" / "shows").mkdir(parents=True)
    (folder / "mnt" / "show").mkdir()
    for name, others in COPIES.items():
        for other in others:
            (folder / other).parent.mkdir(exist_ok=True)
            shutil.copy(folder / name, folder / other)
    return folder


def _alpha(face):
    """Opaque where the person is, roughly."""
    side = face.shape[0]
    alpha = np.zeros((side, side), np.uint8)
    return cv2.ellipse(alpha, (side // 2, side // 2), (side // 3, side // 2 - 8), 0, 0, 360, 255, -1)


def _videos(folder, face):
    write_turning(folder / "talk.lpmotion", folder / "portrait.png", FRAMES)
    moved = [np.roll(face, index - FRAMES // 2, axis=1) for index in range(FRAMES)]
    write_film(folder / "driving.mp4", moved)
    write_film(folder / "plate.mov", moved)
    extracted = ["extract", str(folder / "driving.mp4"), "-o", str(folder / "talk.pkl")]
    assert run([*extracted, "--engine", "liveportrait"]) == 0
    write_film(folder / "in.mov", [cv2.resize(picture, (32, 24)) for picture in moved[:2]])
    write_image(folder / "photo.png", cv2.resize(face, (24, 24)))
    write_image(folder / "group.png", np.concatenate([face] * 3, axis=1))
    write_image(folder / "cat.jpg", face)
    write_image(folder / "large.png", cv2.resize(face, (PERSON_PX, PERSON_PX)))
    write_turning(folder / "person.lpmotion", folder / "large.png", PERSON_FRAMES)
    made = [
        "animate",
        str(folder / "large.png"),
        str(folder / "person.lpmotion"),
        "-o",
        str(folder / "ann.mp4"),
    ]
    assert run([*made, "--calibration", "off", "--no-sign"]) == 0
    (folder / "large.png").unlink()


def _voice(folder):
    made = ["say", str(folder / "portrait.jpg"), TEXT, "-o", str(folder / "film.mp4")]
    assert run([*made, "--sound", str(folder / "said.wav"), "--calibration", "off"]) == 0
    with wave.open(str(folder / "said.wav")) as said, wave.open(str(folder / "talk.wav"), "wb") as plain:
        plain.setparams(said.getparams())  # without the chunk that names the phones
        plain.writeframes(said.readframes(int(SHORT_S * said.getframerate())))


def _sequences(folder, face):
    (folder / "s").mkdir()
    light = (face.astype(np.float32) / 255) ** 2.2
    for name, px in (("plate.1001.exr", 128), ("in.0001.exr", 16)):
        small = cv2.resize(light, (px, px), interpolation=cv2.INTER_AREA).astype(np.float16)
        write_exr(folder / name, small, display=(0, 0, px, px))
    shutil.copy(folder / "in.0001.exr", folder / "in.0002.exr")
    for number in PLATE:
        for name in (f"plate.{number}.exr", f"s/source.{number}.exr"):
            if not (folder / name).exists():
                os.link(folder / "plate.1001.exr", folder / name)


def _networks(folder):
    """A training set, and weights that are read as a user's own are."""
    for name in ("SET", "ann-set"):
        made_set(folder / name, people=3, frames=8, consent=CONSENT)
    config = TrainConfig(name="base", sizes=TINY, schedule=SCHEDULE)
    run_training(config, folder / "SET", folder / "weights", "cpu", lambda _line: None)
    (folder / "config.toml").write_text(_toml("sizes", asdict(TINY)) + _toml("schedule", asdict(SCHEDULE)))
    save_file(load("animevideov3").module.state_dict(), folder / "my_network.safetensors")
    published(folder / "folder")


def _toml(name, values):
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    plain = {key: value for key, value in values.items() if key not in tables}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items()), ""]
    return "\n".join(lines) + "".join(_toml(f"{name}.{key}", value) for key, value in tables.items())


def _timeline(folder):
    still = file_at("portrait.png", 25, 1)
    clips = [
        clip_of(f"sh010_{index}", still, 25, 0, 3, "demo:nod", strength=0.5 + index / 4) for index in range(2)
    ]
    acting = clip_of("acting", file_at("driving.mp4", 25, FRAMES), 25, 0, FRAMES)
    write(timeline_of("cut", [[*clips, acting]]), folder / "cut.otio")
    job = RenderJob("portrait.png", "talk.lpmotion", "job.mp4")
    (folder / "job.json").write_text(job.to_json(), encoding="utf-8")
