"""Images are shown while a render runs; what was shown before comes back when it stops."""

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
    lp.render._stopped(work.node, "", watch.before)
    assert not node["lp_ready"].value()
    assert node.node("Result")["file"].value() == ""
    assert node["status"].value() == "not rendered"


def test_what_gets_its_numbers_at_the_end_waits_for_it(make, lp, nuke, monkeypatch):
    monkeypatch.setattr(lp.arriving, "EVERY_S", 0.0)
    for knobs in ({"source_is": "still", "still_frame": 1001}, {"first": -5}):
        node = make(**knobs)
        work = lp.node_state.work_of(node)
        lp.arriving.Watch(work, lp.arriving.shown_by(node)).heard(drawn(3))
    assert nuke.double.jobs.empty()
