"""Live streams, for real: the astronaut driven by motions, pushed images and a video, read out of the ring."""

import logging
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.films import write_portrait

from lp_core.errors import LpError, NotThere, SettingError, WorkerError
from lp_core.link.ring import RingReader, RingWriter
from lp_core.live.config import StreamConfig
from lp_core.live.scenes import neighbor
from lp_core.live.streams import LiveStreams, is_running, preview
from lp_core.performance_name import PUSH
from lp_core.settings import EngineSettings, MeshSettings, MotionSettings, RenderSettings, SliderSettings
from lp_core.settings.live import LiveSettings

PLAIN = RenderSettings(
    engine=EngineSettings(engine="mesh"),
    mesh=MeshSettings(calibration="off"),
    motion=MotionSettings(smoothing=0.0, reference="0"),
)
SOON_S = 20.0


@pytest.fixture(scope="module")
def face(tmp_path_factory, astronaut):
    return write_portrait(tmp_path_factory.mktemp("portraits") / "a.png", astronaut)


@pytest.fixture
def streams(tmp_path):
    with LiveStreams(tmp_path) as made:
        yield made


def until(check, what="it"):
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen in time")


def picture_of(frame):
    return np.frombuffer(frame.pixels, np.uint8).reshape(frame.height, frame.width, 4)


class Screen:
    """A reader as a host has it."""

    def __init__(self, path):
        self.path, self.ring = path, None

    def next(self):
        def look():
            if self.ring is None or self.ring.was_replaced:
                self.close()
                self.ring = RingReader(self.path)
            frame = self.ring.read()
            if frame is not None:
                self.ring.tell_drawn(frame)
            return frame

        return until(look, "a frame")

    def status(self):
        return self.ring.status()

    def close(self):
        if self.ring is not None:
            self.ring.close()
            self.ring = None


@pytest.fixture
def screen(streams):
    made = Screen(streams.folder / "s.ring")
    yield made
    made.close()


def config(face, driver="demo:expressive", **more):
    return StreamConfig(str(face), driver, PLAIN, **more)


def test_a_motion_moves_the_portrait_and_figures_are_told(streams, screen, face):
    stream = streams.create(config(face), "s")
    shapes = {picture_of(screen.next()).tobytes() for _ in range(40)}
    assert len(shapes) > 12, "images differ"
    status = until(lambda: (s := stream.status())["shown_ms"] and s["fps"] > 5 and s, "figures")
    assert (status["state"], status["message"], status["width"]) == ("running", "", 256)
    assert 0 < status["made_ms"][0] <= status["made_ms"][1]
    assert until(lambda: preview(stream), "a preview")[:2] == b"\xff\xd8"
    streams.delete("s")
    assert not list(streams.folder.iterdir()), "the ring is gone"
    assert screen.status()[0] == "closed"
    with pytest.raises(NotThere):
        streams.get("s")


def test_settings_change_from_one_frame_to_the_next(streams, screen, face):
    still = config(face, "demo:still")
    stream = streams.create(still, "s")
    before = picture_of(screen.next())
    smiling = replace(PLAIN, sliders=SliderSettings(edit=("smile=1.2",)))
    red = LiveSettings(background="color", background_color="#ff0000")
    changes = [
        (
            replace(still, settings=smiling),
            lambda p: not np.array_equal(p, before) and p[..., 3].min() == 255,
        ),
        (
            replace(still, live=LiveSettings(background="matte")),
            lambda p: p[0, 0, 3] == 0 and p[128, 128, 3] == 255,
        ),
        (replace(still, live=red), lambda p: tuple(p[0, 0]) == (255, 0, 0, 255)),
        (replace(still, live=replace(red, longest_side=128)), lambda p: p.shape == (128, 128, 4)),
    ]
    for wanted, is_there in changes:
        stream.update(wanted)
        until(lambda is_there=is_there: is_there(picture_of(screen.next())), f"the change to {wanted}")


def test_freezing_holds_the_picture(streams, screen, face):
    stream = streams.create(config(face), "s")
    screen.next()
    stream.update(config(face, freeze=True))
    until(lambda: screen.status()[0] == "frozen", "freezing")
    time.sleep(0.15)
    screen.ring.read()
    time.sleep(0.3)
    assert screen.ring.read() is None
    stream.update(config(face))
    screen.next()
    until(lambda: screen.status()[0] == "running", "going on")


def test_pushed_pictures_drive_and_mirroring_turns_the_other_way(streams, screen, face, astronaut):
    stream = streams.create(config(face, PUSH), "s")
    plain = cv2.imencode(".png", astronaut[..., ::-1])[1].tobytes()
    until(lambda: stream.push(plain) or stream.picture is not None, "an image")
    rest = stream.picture
    turned = cv2.warpAffine(astronaut, np.float32([[0.97, -0.26, 60], [0.26, 0.97, -50]]), (512, 512))
    data = cv2.imencode(".png", turned[..., ::-1])[1].tobytes()
    stream.push(data)
    until(lambda: not np.array_equal(stream.picture, rest), "the turn")
    assert stream.status()["state"] == "running"
    with pytest.raises(SettingError, match="decoded"):
        stream.push(b"nonsense")
    stream.push(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    until(lambda: stream.status()["state"] == "no_face", "losing the face")


def test_what_is_wrong_is_told_and_healed(streams, screen, face, tmp_path):
    stream = streams.create(config(tmp_path / "none.png"), "s")
    state = until(lambda: (s := stream.status())["state"] == "failed" and s, "failing")
    assert "none.png" in state["message"]
    stream.update(config(face, "camera:99"))
    state = until(lambda: "plugged in" in (s := stream.status())["message"] and s, "the camera's absence")
    assert "99" in state["message"]
    stream.update(config(face))
    screen.next()
    until(lambda: stream.status()["state"] == "running", "healing")
    for wrong in (replace(PLAIN, sliders=SliderSettings(edit=("nosuch=1",))),):
        with pytest.raises(LpError):
            stream.update(replace(config(face), settings=wrong))
    assert stream.config == config(face), "a refused change changes nothing"


def test_names_and_numbers_are_kept_within_bounds(streams, face):
    streams.create(config(face, PUSH), "s")
    with pytest.raises(WorkerError, match="already"):
        streams.create(config(face, PUSH), "s")


def test_streams_may_end_while_their_hearts_beat(streams, face):
    for number in range(6):
        stream = streams.create(config(face, PUSH), f"n{number}")
        stream.beat()
        streams.delete(stream.name)
        stream.beat()
        stream.close()
    assert not list(streams.folder.iterdir())
    assert streams._thread.is_alive()


def test_rings_of_dead_workers_are_removed(tmp_path, monkeypatch):
    dead = RingWriter(tmp_path / "dead.ring", 2, 2)
    (tmp_path / "other.ring").write_bytes(b"no ring")
    monkeypatch.setattr("lp_core.live.streams.is_running", lambda pid: False)
    with LiveStreams(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"other.ring"}
    dead.close()


def test_whether_a_process_lives():
    import os

    assert is_running(os.getpid())
    assert not is_running(2**22 + 1)
    assert not is_running(0)


def test_the_next_portrait_is_the_next_picture_of_the_folder(tmp_path):
    for name in ("b.png", "a.jpg", "c.txt", "d.PNG"):
        (tmp_path / name).write_bytes(b"")
    assert neighbor(tmp_path / "a.jpg", 1).name == "b.png"
    assert neighbor(tmp_path / "a.jpg", -1).name == "d.PNG"
    assert neighbor(tmp_path / "a.jpg", 3).name == "a.jpg"
    with pytest.raises(LpError):
        neighbor(tmp_path / "none.png", 1)


@pytest.mark.parametrize("error", [WorkerError("The folder is gone."), RuntimeError("a defect")])
def test_hearts_go_on_beating_whatever_happens_next_to_them(tmp_path, monkeypatch, error):
    monkeypatch.setattr(logging.getLogger("lp_core.live.streams"), "propagate", False)
    looks = []

    def watch(_):
        looks.append(True)
        raise error

    with LiveStreams(tmp_path, watch):
        until(lambda: len(looks) > 2)
