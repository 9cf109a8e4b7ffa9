"""A frame rendered alone is the frame of the whole render, shows at its own place, and is never a result."""

import re
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import stored

pytest.importorskip("fastapi", reason="the extra worker is not installed")
pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def alone(nuke, lp):
    """A function that renders a frame alone, to its end."""

    def render(node, frame):
        nuke.double.current_frame = frame
        thread = lp.single_frame.render_frame(node)
        wait(nuke, lp, node)
        assert nuke.double.messages == []
        return thread

    return render


def wait(nuke, lp, node):
    def is_over():
        return not lp.single_frame.is_running(node.fullName()) and nuke.double.jobs.empty()

    nuke.double.run_main_thread(is_over)


def file_of(node, name="SingleFrame"):
    return node.node(name)["file"].value()


def image(path):
    return stored(path)[1][..., :4]


def test_it_is_the_frame_of_the_whole_render(make, alone, rendered, nuke, plate):
    """But for the landmarks of a filmed source, which a whole render reads with the frames next to it."""
    node = make(smile=1.0, smoothing=0.4)
    node._knobs["blink"]._keys = {1001.0: 0.0, 1004.0: 1.0}
    alone(node, 1004)
    assert [node[name].value() for name in ("lp_frame", "lp_frame_ready", "lp_ready")] == [1004, 1, 0]
    assert node["status"].value() == "not rendered"
    only = Path(file_of(node)).parent
    assert [path.name for path in only.glob("result.*.exr")] == ["result.1004.exr"]
    written = [path.name for path in only.parent.parent.glob("source-*/*.exr")]
    assert written == []  # a plain Read: its files are used
    rendered(node)
    assert node["lp_frame_ready"].value() == 0
    assert stored(only / "result.1004.exr")[0].channelnames == ("R", "G", "B", "A", "matte.A")
    whole, found = image(file_of(node, "Result") % 1004), image(only / "result.1004.exr")
    change = np.abs(whole - image(plate % 1004)).mean()
    assert change > 1e-3
    assert np.abs(found - whole).mean() < 0.1 * change
    assert nuke.double.recorded == [name for name in nuke.double.recorded if not name.startswith("lp_")]


def test_a_performance_at_the_input_is_read_at_two_frames_only(make, alone, rendered, nuke, reads, plate):
    performer = make(driver_demo="still")
    performer._knobs["lip_open"]._keys = {1001.0: 0.0, 1006.0: 120.0}
    rendered(performer)
    moving = nuke.double.make("Multiply")
    moving._connect(0, reads(nuke, file_of(performer, "Result")))
    moving._knobs["value"]._set(0.9)
    knobs = {
        "driver": "input",
        "reference": "frame",
        "reference_frame": 1001,
        "smoothing": 0.0,
        "dense_motion": False,
    }
    node = make(**knobs)
    node.setInput(1, moving)
    nuke.double.executed.clear()
    alone(node, 1005)
    assert sorted(number for _, number in nuke.double.executed) == [1001, 1005]
    found = image(file_of(node) % 1005)
    rendered(node)
    whole, source = image(file_of(node, "Result") % 1005), image(plate % 1005)
    change = np.abs(whole - source).mean()
    assert change > 1e-3
    assert np.abs(found - whole).mean() < 0.25 * change


@pytest.mark.parametrize("driver", ["demo", "input"])
def test_a_still_is_numbered_as_the_timeline_is(make, alone, nuke, reads, plate, driver):
    node = make(source_is="still", still_frame=1001, driver=driver, first=1001, last=1006)
    node.setInput(1, reads(nuke, plate))
    alone(node, 1003)
    assert [path.name for path in Path(file_of(node)).parent.glob("result.*.exr")] == ["result.1003.exr"]


def test_a_film_is_read_once(make, alone, media, home):
    import shutil

    shutil.copy(media / "driving" / "d0.mp4", home / "d 0.mp4")
    node = make(driver="file", driver_file=str(home / "d 0.mp4"))
    alone(node, 1003)
    (motion,) = home.rglob("motion-*.lpmotion")
    before = motion.stat().st_mtime_ns
    node["smile"].setValue(1.0)
    alone(node, 1003)
    assert [path.stat().st_mtime_ns for path in home.rglob("motion-*.lpmotion")] == [before]


def test_each_eye_of_a_stereo_script(make, alone, nuke, plate, home):
    import shutil

    for view in ("left", "right"):
        for number in range(1001, 1007):
            shutil.copy(plate % number, home / f"{view}.{number}.exr")
    nuke.double.view_names = ["left", "right"]
    node = make()
    node._inputs[0]._knobs["file"]._set(str(home / "%V.%04d.exr"))
    alone(node, 1002)
    assert "%V" in file_of(node)
    assert all(Path(file_of(node).replace("%V", view) % 1002).exists() for view in ("left", "right"))


def test_the_last_of_several_changes_is_shown(make, lp, nuke):
    node = make()
    node["follow_frame"].setValue(True)
    nuke.double.current_frame = 1002
    nuke.double.this_node = node
    for value in (0.3, 0.6, 0.9):
        node["smile"].setValue(value)
        nuke.double.this_knob = node["smile"]
        lp.buttons.changed()
    assert lp.single_frame.is_running(node.fullName())
    wait(nuke, lp, node)
    nuke.double.run_main_thread(lambda: not lp.single_frame.is_running(node.fullName()))
    wait(nuke, lp, node)
    assert nuke.double.messages == []
    wanted = lp.single_frame.frame_work(node, 1002).work
    assert file_of(node) == wanted.pattern
    node["follow_frame"].setValue(False)
    node["smile"].setValue(0.1)
    lp.buttons.changed()
    assert node["lp_frame_ready"].value() == 0  # it does not fit any more


def test_it_shows_in_the_interface_only(make):
    switch = make().node("InRange")["which"]._value
    assert re.search(r"lp_frame_ready && frame == parent.lp_frame && .{1,2}gui\) \? 3 :", switch)


def test_a_frame_outside_the_range_is_refused(make, lp, nuke):
    node = make()
    nuke.double.current_frame = 900
    nuke.double.this_node = node
    lp.buttons.render_frame()
    assert nuke.double.messages == ["Frame 900 is outside the range 1001-1006; go to a frame within it."]


def test_what_cannot_be_rendered_is_told(make, lp, nuke, plate, home):
    node = make(driver="file", driver_file=str(home / "nowhere.lpmotion"))
    nuke.double.current_frame = 1002
    lp.single_frame.render_frame(node)
    wait(nuke, lp, node)
    assert "nowhere.lpmotion" in nuke.double.messages[0]
    assert not node["lp_frame_ready"].value()


def test_nodes_below_do_not_count_it_as_a_change(make, alone, lp):
    node = make()
    below = lp.upstream.fingerprint(node)
    alone(node, 1002)
    assert lp.upstream.fingerprint(node) == below
    node["strength"].setValue(0.5)
    assert lp.upstream.fingerprint(node) != below


def test_old_frames_are_removed_and_others_shown_at_once(make, alone, lp, monkeypatch):
    monkeypatch.setattr(lp.single_frame, "KEPT", 2)
    node, files = make(), []
    for frame in (1001, 1002, 1003):
        assert alone(node, frame) is not None
        files.append(file_of(node))
    folders = {path for path in Path(file_of(node)).parent.parent.iterdir() if path.is_dir()}
    assert folders == {Path(name).parent for name in files[1:]}
    assert alone(node, 1002) is None
    assert file_of(node) == files[1]
