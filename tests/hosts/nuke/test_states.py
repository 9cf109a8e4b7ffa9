"""What a node says of its result, what its buttons do, and where files lie; without a worker."""

import pytest
from fakes.nuke_results import load_as_if_rendered

from hosts.nuke.lp_nuke import cache
from lp_core.errors import WorkerError
from lp_core.timing import FrameRange

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


class TestStates:
    def test_not_rendered_then_stale_then_gone(self, make, lp, home):
        node = make()
        assert lp.node_state.state_of(node) == "not rendered"
        work = load_as_if_rendered(lp, node)
        assert node["status"].value() == "up to date"
        read = node.node("Result")
        assert (read["file"].value(), read["first"].value(), read["last"].value()) == (
            work.result.pattern,
            1001,
            1006,
        )
        assert read["reload"]._executed == 1
        node["strength"].setValue(0.7)
        assert lp.node_state.state_of(node).startswith("stale")
        node["strength"].setValue(1.0)
        assert lp.node_state.state_of(node) == "up to date"
        work.result.path_of(1002).unlink()
        assert "gone" in lp.node_state.state_of(node)

    def test_a_moved_slider_looks_neither_upstream_nor_at_files(self, make, lp, monkeypatch):
        node = make()
        load_as_if_rendered(lp, node)
        node["smile"].setValue(0.3)
        monkeypatch.setattr(lp.node_state, "work_of", lambda _: pytest.fail("it looked upstream"))
        monkeypatch.setattr(lp.cache.Sequence, "has", lambda *_: pytest.fail("it looked at files"))
        assert lp.node_state.state_of(node).startswith("stale")

    def test_a_changed_knob_tells_it(self, make, lp, nuke):
        node = make()
        load_as_if_rendered(lp, node)
        node["smile"].setValue(0.4)
        nuke.double.this_node, nuke.double.this_knob = node, node["smile"]
        lp.buttons.changed()
        assert node["status"].value().startswith("stale")
        node["smile"].setValue(0.0)
        node["first"].setValue(2000)
        nuke.double.this_knob = node["first"]
        lp.buttons.changed()
        assert "run backwards" in node["status"].value()

    def test_without_a_worker_a_dialog_says_what_to_do(self, make, lp, nuke, monkeypatch):
        monkeypatch.setenv("PATH", "")
        node = make()
        with pytest.raises(WorkerError, match="set the environment variable LPSUITE"):
            lp.render.render(node)
        nuke.double.this_node = node
        lp.buttons.render()
        assert "LP Suite was not found; set the environment variable LPSUITE" in nuke.double.messages[0]

    def test_a_status_of_a_session_that_ended_is_put_right(self, make, lp, nuke):
        node = make()
        lp.node_state.tell(node, "rendering", "job-of-yesterday")  # saved with the script
        nuke.double.this_node, nuke.double.this_knob = node, node["smile"]
        lp.buttons.changed()
        assert node["status"].value() == "not rendered"

    def test_the_menu_makes_a_node_with_the_projects_range(self, nuke, lp):
        lp.buttons.create()
        node = nuke.toNode("LivePortrait1")
        assert (node["first"].value(), node["last"].value()) == (1, 100)

    def test_cancelled_plates_are_no_dialog(self, make, lp, nuke, monkeypatch):
        monkeypatch.setattr(lp.render, "check_worker", lambda: None)
        node = make(source_is="still", still_frame=1001)
        nuke.double.this_node, nuke.double.cancels = node, -1
        lp.buttons.render()
        assert nuke.double.messages == []
        assert node["status"].value() == "not rendered"

    def test_buttons_set_what_they_say(self, make, lp, nuke):
        node = make()
        nuke.double.this_node, nuke.double.current_frame = node, 1004
        lp.buttons.use_still_frame()
        lp.buttons.use_reference_frame()
        assert (node["still_frame"].value(), node["reference_frame"].value()) == (1004, 1004)
        assert node["reference"].value() == "frame"
        lp.buttons.use_root_range()
        assert (node["first"].value(), node["last"].value()) == (1, 100)
        lp.buttons.use_input_range()
        assert (node["first"].value(), node["last"].value()) == (1001, 1006)
        node._knobs["smile"]._keys = {1.0: 1.0}
        node["mov_z"].setValue(1.1)
        lp.buttons.reset_expression()
        assert lp.node_state.work_of(node).asked.curves == {}


class TestTheCache:
    def test_pictures_counted_from_0_get_the_timelines_numbers(self, tmp_path):
        frames, sequence = FrameRange(3, 8), cache.Sequence(tmp_path, "result")
        for index in range(6):
            sequence.path_of(index).write_text(str(index))
        for _ in range(2):  # the second time nothing moves
            sequence.renumber(3, frames)
            assert [sequence.path_of(number).read_text() for number in frames] == list("012345")
        assert len(list(tmp_path.iterdir())) == 6

    def test_numbers_stay_while_a_farm_is_at_work(self, tmp_path):
        sequence = cache.Sequence(tmp_path, "result")
        for index in range(5):
            sequence.path_of(index).write_text(str(index))
        sequence.renumber(1001, FrameRange(1001, 1006))
        assert sequence.has(range(5))

    def test_a_range_behind_a_pattern_is_no_part_of_it(self, tmp_path):
        for number in (1, 2):
            (tmp_path / f"a.{number:04d}.exr").write_text("x")
        assert cache.sequence_stamp(f"{tmp_path}/a.%04d.exr 1-2")[:2] == [2, 2]
        assert cache.sequence_stamp(f"{tmp_path}/a.####.exr")[:2] == [2, 2]

    def test_a_file_of_exactly_that_name_is_that_file(self, tmp_path):
        for name in ("take#1.exr", "take11.exr", "take21.exr"):
            (tmp_path / name).write_text(name)
        assert cache.sequence_stamp(f"{tmp_path}/take#1.exr")[:1] == [len("take#1.exr")]

    def test_numbers_below_zero(self, tmp_path):
        sequence = cache.Sequence(tmp_path, "result")
        assert sequence.path_of(-5).name == "result.-0005.exr"
        (tmp_path / "result.-005.exr").write_text("x")
        assert sequence.path_of(-5).name == "result.-005.exr"
        assert sequence.has([-5]) and not sequence.has([-4])

    def test_missing_runs(self):
        runs = cache.missing_runs(range(1, 10), {3, 4, 9})
        assert [str(run) for run in runs] == ["1-2", "5-8"]

    def test_folders(self, tmp_path):
        assert cache.node_folder("", "/shows/a b.nk", "LP1").as_posix() == "/shows/lpsuite/a_b/LP1"
        assert cache.node_folder(str(tmp_path), "/x.nk", "G.LP1") == tmp_path / "G.LP1"
        assert cache.node_folder("", "", "LP1").name == "LP1"
