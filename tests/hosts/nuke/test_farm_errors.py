"""Nothing is silent on a farm: what is not rendered, out of range or stale ends a render outside the interface."""

import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.nuke_results import load_as_if_rendered

from lp_core.errors import SettingError, WorkerError
from lp_core.link.program import run_program

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


def input_taken(nuke, node, frame):
    """The inner node that the output comes from, by the expression of the switch, worked out by tclsh."""
    switch = node.node("InRange")
    text = switch._knobs["which"]._value
    text = text.strip("{}").strip('"')
    for name in set(re.findall(r"parent\.(\w+)", text)):
        knob = node[name]
        number = knob._user.marks["M"].index(knob.value()) if knob._user.kind == 4 else int(knob.value())
        text = re.sub(rf"parent\.{name}\b", str(number), text)
    text = re.sub(r"\bframe\b", str(frame), text.replace("\\", "")).replace("$gui", str(int(nuke.GUI)))
    done = subprocess.run(
        ["tclsh"], input=f"puts [expr {{{text}}}]", capture_output=True, text=True, check=True
    )
    return switch._inputs[int(done.stdout)]._name()


class TestFramesThatAreNotRendered:
    @pytest.mark.parametrize(
        ("gui", "chosen", "not_rendered", "out_of_range"),
        [
            (True, "on a farm", "Source", "Source"),
            (False, "on a farm", "NotRendered", "NotRendered"),
            (True, "always", "NotRendered", "NotRendered"),
            (False, "never", "Source", "Source"),
        ],
    )
    def test_where_the_image_comes_from(self, make, lp, nuke, gui, chosen, not_rendered, out_of_range):
        node = make(missing_error=chosen)
        nuke.double.gui = gui
        assert input_taken(nuke, node, 1003) == not_rendered
        load_as_if_rendered(lp, node)
        assert input_taken(nuke, node, 1003) == "UseMap"
        assert input_taken(nuke, node, 1000) == out_of_range
        assert input_taken(nuke, node, 1007) == out_of_range

    def test_the_error_is_a_read_of_a_file_whose_name_says_what_to_do(self, make):
        read = make().node("NotRendered")
        assert read["on_error"].value() == "error"
        assert "press-Render" in read["file"].value()


class TestBeforeARender:
    @pytest.fixture
    def write(self, nuke, make, lp):
        """A Write below a node, a group and a Dot; and the node."""
        node = make()
        dot, group = nuke.double.make("Dot"), nuke.double.make("Group")
        dot._connect(0, node)
        inner = nuke.double.make("Input", group, "Input1")
        inner._knobs["number"]._set(0)
        group._connect(0, dot)
        write = nuke.double.make("Write")
        write._connect(0, group)
        runpy.run_path(str(Path(__file__).resolve().parents[3] / "hosts" / "nuke" / "init.py"))
        ((function, kind),) = nuke.double.before_render
        assert kind == "Write"
        sys.modules["lp_nuke"] = sys.modules["hosts.nuke.lp_nuke"]
        sys.modules["lp_nuke.before_render"] = lp.before_render
        yield function, write, node
        del sys.modules["lp_nuke"], sys.modules["lp_nuke.before_render"]

    def test_it_ends_where_the_node_is_not_rendered_or_stale(self, write, nuke, lp):
        function, end, node = write
        nuke.double.this_node, nuke.double.gui = end, False
        with pytest.raises(
            SettingError, match=r"LivePortrait1 is not up to date \(not rendered\); render it"
        ):
            function()
        load_as_if_rendered(lp, node)
        function()
        node["strength"].setValue(0.7)
        with pytest.raises(SettingError, match="stale"):
            function()
        node["missing_error"].setValue("never")
        function()

    def test_files_that_are_gone_end_it_too(self, write, nuke, lp):
        function, end, node = write
        work = load_as_if_rendered(lp, node)
        work.result.path_of(1002).unlink()
        nuke.double.this_node, nuke.double.gui = end, False
        with pytest.raises(SettingError, match="gone"):
            function()

    def test_in_the_interface_only_where_it_is_asked_for(self, write, nuke):
        function, end, node = write
        nuke.double.this_node = end
        function()
        node["missing_error"].setValue("always")
        with pytest.raises(SettingError, match="not rendered"):
            function()

    def test_what_is_disabled_or_not_taken_does_not_count(self, write, nuke, reads, plate):
        function, end, node = write
        nuke.double.this_node, nuke.double.gui = end, False
        switch = nuke.double.make("Switch")
        switch._knobs["which"]._set(0)
        switch._connect(0, reads(nuke, plate))
        switch._connect(1, node)
        end._connect(0, switch)
        function()
        switch._knobs["which"]._set(1)
        with pytest.raises(SettingError):
            function()
        node["disable"].setValue(True)
        function()

    def test_plates_are_not_rendered_from_a_stale_node(self, write, nuke, make, lp):
        _, _, node = write
        below = make(source=node)
        nuke.double.gui = False
        with pytest.raises(SettingError, match="LivePortrait1 is not up to date"):
            lp.render._check_upstream(below)


def test_nodes_in_groups_are_found_upstream_first_and_live_groups_left_alone(make, nuke, lp):
    first = make()
    group, live = nuke.double.make("Group"), nuke.double.make("LiveGroup")
    for owner in (group, live):
        inner = make()
        nuke.double.nodes.remove(inner)
        inner._group = owner
        owner._children.append(inner)
    below = make(source=first)
    names = [node.fullName() for node in lp.node_state.all_nodes()]
    assert sorted(names) == sorted([first.fullName(), below.fullName(), group._children[0].fullName()])
    assert {name for name, _ in lp.panel.node_rows()} == set(names)
    found = lp.upstream.ours_upstream(below)
    assert [node.fullName() for node in found] == [below.fullName(), first.fullName()]


def test_a_knob_that_fits_again_costs_one_look_upstream(make, lp, nuke, monkeypatch):
    node = make()
    load_as_if_rendered(lp, node)
    looks = []
    state_of = lp.node_state.state_of
    monkeypatch.setattr(lp.node_state, "state_of", lambda given: looks.append(1) or state_of(given))
    nuke.double.this_node, nuke.double.this_knob = node, node["smile"]
    for value in (0.1, 0.2, 0.0, 0.0, 0.0):
        node["smile"].setValue(value)
        lp.buttons.changed()
    assert (len(looks), node["status"].value()) == (1, "up to date")


PROGRAM = """#!{python}
import json, os, sys, time
assert sys.argv[1:3] == ["animate", "a"], sys.argv
assert sys.argv[-2:] == ["--progress", "json"]
open({pid!r}, "w").write(str(os.getpid()))
for frame in range({frames}):
    print(json.dumps({{"type": "progress", "phase": "render", "frame": frame, "total": 3, "fps": 1.0}}), flush=True)
    time.sleep({pause})
print({last!r}, flush=True)
sys.exit({code})
"""


class TestAProgramThatEndsWithTheTask:
    @pytest.fixture
    def program(self, tmp_path, monkeypatch):
        def make(last="", code=0, frames=3, pause=0):
            path, pid = tmp_path / "lpsuite", tmp_path / "pid"
            path.write_text(
                PROGRAM.format(
                    python=sys.executable, pid=str(pid), last=last, code=code, frames=frames, pause=pause
                )
            )
            path.chmod(0o755)
            monkeypatch.setenv("LPSUITE", str(path))
            return pid

        return make

    def test_progress_and_summary_are_heard(self, program):
        program('{"type": "summary", "frames": 3}')
        heard = []
        assert run_program(["animate", "a"], heard.append).summary["frames"] == 3
        assert [event.frame for event in heard] == [0, 1, 2]

    @pytest.mark.parametrize(
        ("last", "told"),
        [
            ('{"type": "error", "code": "c", "message": "No face."}', "No face."),
            ("Traceback: x", "code 3: Trace"),
        ],
    )
    def test_its_error_is_ours(self, program, last, told):
        program(last, 3)
        with pytest.raises(WorkerError, match=told):
            run_program(["animate", "a"], lambda _: None)

    def test_a_command_without_progress_is_given_no_option_and_a_limit(self, tmp_path, monkeypatch):
        program = tmp_path / "lpsuite"
        program.write_text('#!/bin/sh\necho "$@"\nif [ $1 = slow ]; then exec sleep 60; fi\n')
        program.chmod(0o755)
        monkeypatch.setenv("LPSUITE", str(program))
        assert run_program(["batch", "job", "ä"], limit_s=30).text == "batch job ä"
        with pytest.raises(WorkerError, match="did not finish within 1 s"):
            run_program(["slow"], limit_s=1)

    def test_it_ends_where_the_listener_stops(self, program):
        pid = program(frames=1000, pause=0.05)

        def stop(_event):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_program(["animate", "a"], stop)
        assert is_gone(int(pid.read_text()))

    def test_it_ends_when_its_parent_is_killed(self, program):
        pid = program(frames=1000, pause=0.05)
        code = "from lp_core.link.program import run_program; run_program(['animate', 'a'], lambda _: None)"
        parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[3])
        until = time.monotonic() + 20
        while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        assert is_gone(int(pid.read_text()))


def is_gone(pid):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
