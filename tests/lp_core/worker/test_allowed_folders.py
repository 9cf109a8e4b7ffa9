"""Which names the worker lets through: numbered images are checked one by one, however the name is written."""

import time

import pytest

from lp_core.errors import NotAllowed
from lp_core.live.drivers import LiveDriver
from lp_core.live.latest import LatestValue
from lp_core.live.scenes import SceneKey, make_scene
from lp_core.settings import EngineSettings, LiveSettings, RenderSettings
from lp_core.worker.allowed_folders import Folders


@pytest.mark.parametrize("name", ["a.%04d.png", "a.####.png", "a.####.png 1-2", "a.%04d.png 1-3x2"])
def test_no_image_of_a_sequence_leads_outside(tmp_path, name):
    inside = tmp_path / "in #1"
    inside.mkdir()
    (tmp_path / "secret.png").touch()
    folders = Folders.of([inside])
    (inside / "a.0002.png").touch()
    assert folders.readable(str(inside / name)) == str(inside / name)
    (inside / "a.0001.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(NotAllowed, match="outside"):
        folders.readable(str(inside / name))


def test_a_video_with_a_number_sign_is_itself(tmp_path):
    (tmp_path / "take #2 %d.mov").touch()
    folders = Folders.of([tmp_path])
    assert folders.readable(str(tmp_path / "take #2 %d.mov")) == str(tmp_path / "take #2 %d.mov")


@pytest.mark.parametrize("name", ["x" * 300 + ".mov", "x" * 300 + ".%04d.png"])
def test_a_name_longer_than_the_system_allows_is_refused(tmp_path, name):
    with pytest.raises(NotAllowed):
        Folders.of([tmp_path]).readable(str(tmp_path / name))


def test_no_link_within_a_tree_leads_outside(tmp_path):
    (tmp_path / "out").mkdir()
    inside = tmp_path / "in"
    (inside / "work" / "shots").mkdir(parents=True)
    folders = Folders.of([inside])
    folders.check_tree(inside / "work")
    folders.check_tree(inside / "absent")
    (inside / "work" / "same").symlink_to(inside / "work" / "shots")
    folders.check_tree(inside / "work")
    (inside / "work" / "shots" / "s1").symlink_to(tmp_path / "out")
    with pytest.raises(NotAllowed, match="outside"):
        folders.check_tree(inside / "work")
    (inside / "other").symlink_to(tmp_path / "out")
    with pytest.raises(NotAllowed, match="outside"):
        folders.check_tree(inside / "other" / "work")


def test_stepping_through_portraits_opens_no_link_that_leads_outside(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (inside / "a.png").write_bytes(b"first")
    (inside / "b.png").symlink_to(tmp_path / "secret.png")
    settings = RenderSettings(engine=EngineSettings(engine="mesh"))
    wanted = SceneKey.of(str(inside / "a.png"), 1, settings, LiveSettings())
    with pytest.raises(NotAllowed, match="outside"):
        make_scene(wanted, settings, None, Folders.of([inside]).readable)


@pytest.mark.parametrize("name", ["film.mp4", "talk.lpmotion"])
def test_a_driver_that_became_a_link_is_not_opened(tmp_path, name):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / name).write_bytes(b"secret")
    (inside / name).symlink_to(tmp_path / name)
    said = []
    driver = LiveDriver(str(inside / name), "mesh", LatestValue(), said.append, Folders.of([inside]).readable)
    end = time.monotonic() + 10
    while not said and time.monotonic() < end:
        time.sleep(0.01)
    driver.close()
    assert "outside the folders" in said[0]
