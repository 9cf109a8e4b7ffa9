"""Images are shown while a render runs; what was shown before comes back when it stops."""

from pathlib import Path

import pytest

from lp_core.link.messages import JobProgress

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


def arrived(work, count):
    work.folder.mkdir(parents=True, exist_ok=True)
    for number in list(work.frames)[:count]:
        work.result.path_of(number).write_bytes(b"x")


def drawn(frame):
    return JobProgress("render", frame, 6, 1.0, None)


@pytest.fixture
def running(make, lp, nuke, monkeypatch):
    """A node that is being rendered, its work, and what watches it."""
    monkeypatch.setattr(lp.arriving, "EVERY_S", 0.0)
    node = make()
    work = lp.node_state.work_of(node)
    watch = lp.arriving.Watch(work, lp.arriving.shown_by(node))
    lp.node_state.tell(node, "rendering")
    return node, work, watch


def do_jobs(nuke):
    nuke.double.run_main_thread(nuke.double.jobs.empty)


def test_frames_that_arrived_are_shown_and_nothing_counts_as_done(running, lp, nuke):
    node, work, watch = running
    arrived(work, 3)
    watch.heard(drawn(3))
    do_jobs(nuke)
    assert node.node("Result")["file"].value() == work.pattern
    assert [node[name].value() for name in ("lp_ready", "lp_first", "lp_last")] == [1, 1001, 1003]
    assert lp.node_state.state_of(node).startswith("stale")
    assert nuke.double.recorded == [name for name in nuke.double.recorded if not name.startswith("lp_")]


def test_frames_that_are_told_but_not_there_are_not_shown(running, nuke):
    node, work, watch = running
    arrived(work, 2)
    watch.heard(drawn(3))
    do_jobs(nuke)
    assert not node["lp_ready"].value()


def test_a_stopped_render_shows_what_was_there_before(running, lp, nuke):
    node, work, watch = running
    arrived(work, 3)
    watch.heard(drawn(3))
    do_jobs(nuke)
    lp.render._stopped(work, "", watch.before)
    assert not node["lp_ready"].value()
    assert node.node("Result")["file"].value() == ""
    assert node["status"].value() == "not rendered"


@pytest.mark.parametrize(
    "knobs", [{"source_is": "still", "still_frame": 1001, "driver": "demo"}, {"first": -2, "last": 5}]
)
def test_images_are_shown_under_the_names_that_they_will_have(make, lp, nuke, monkeypatch, knobs):
    monkeypatch.setattr(lp.arriving, "EVERY_S", 0.0)
    node = make(**knobs)
    work = lp.node_state.work_of(node)
    watch = lp.arriving.Watch(work, lp.arriving.shown_by(node))
    lp.node_state.tell(node, "rendering")
    work.folder.mkdir(parents=True)
    for number in list(work.frames)[:3]:
        work.result.path_of(number - work.offset).write_bytes(b"x")
    watch.heard(drawn(3))
    do_jobs(nuke)
    first = work.frames.first
    shown = node.node("Result")["file"].value()
    assert shown == (work.folder / "arriving" / "result.%04d.exr").as_posix()
    assert [node[name].value() for name in ("lp_first", "lp_last")] == [first, first + 2]
    assert all(Path(shown % number).is_file() for number in range(first, first + 3))
    lp.render._stopped(work, "", watch.before)
    assert not node["lp_ready"].value()
    assert not (work.folder / "arriving").exists()


def test_of_two_views_a_frame_is_shown_when_both_have_it(make, lp, nuke, monkeypatch):
    monkeypatch.setattr(lp.arriving, "EVERY_S", 0.0)
    nuke.double.view_names = ["left", "right"]
    node = make()
    work = lp.node_state.work_of(node)
    watch = lp.arriving.Watch(work, lp.arriving.shown_by(node))
    lp.node_state.tell(node, "rendering")
    left, right = work.parts()
    arrived(left, 4)
    watch.heard(drawn(4))
    do_jobs(nuke)
    assert not node["lp_ready"].value()
    arrived(right, 2)
    watch.heard(drawn(2))
    do_jobs(nuke)
    assert node.node("Result")["file"].value() == work.pattern
    assert "%V" in work.pattern
    assert node["lp_last"].value() == 1002


def test_a_disk_without_links_shows_the_images_at_the_end(make, lp, nuke, monkeypatch):
    def refuse(_found, _wanted):
        raise OSError(95, "not supported")

    monkeypatch.setattr(lp.arriving, "EVERY_S", 0.0)
    monkeypatch.setattr(lp.arriving.os, "link", refuse)
    node = make(first=-2, last=5)
    work = lp.node_state.work_of(node)
    arrived(work, 3)
    lp.node_state.tell(node, "rendering")
    lp.arriving.Watch(work, lp.arriving.shown_by(node)).heard(drawn(3))
    do_jobs(nuke)
    assert not node["lp_ready"].value()
