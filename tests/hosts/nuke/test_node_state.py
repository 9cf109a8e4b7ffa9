"""What a node asks for, without a worker: plates, digits, states, curves, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import stored

from hosts.nuke.lp_nuke import cache
from lp_core.errors import Cancelled, SettingError

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
FIRST, LAST = 1001, 1006


def graded(nuke, reads, plate, gain=0.5):
    """A Multiply over the plate."""
    node = nuke.double.make("Multiply")
    node._connect(0, reads(nuke, plate))
    node._knobs["value"]._set(gain)
    return node


class TestPlates:
    def test_a_plain_read_is_used_as_it_is(self, make, lp, nuke, plate):
        work = lp.node_state.work_of(make())
        work.write_inputs()
        assert work.job().source == f"{plate} 1001-1006"
        assert nuke.double.executed == []

    @pytest.mark.parametrize(
        ("knob", "value"),
        [
            ("raw", False), ("premultiplied", True), ("frame_mode", "offset"), ("frame", "frame+5"), ("first", 1003),
            ("file", "plate.%V.%04d.exr"), ("file", "plate.%04d.dpx"), ("file", "plate.exr"),
        ],
    )  # fmt: skip
    def test_a_read_that_does_more_is_rendered(self, lp, nuke, reads, plate, knob, value):
        node = reads(nuke, plate)
        assert lp.upstream.direct_file(node, FIRST, LAST) == plate
        node._knobs["colorspace"]._set("sRGB")
        node._knobs[knob]._set(value)
        assert lp.upstream.direct_file(node, FIRST, LAST) is None

    def test_what_is_upstream_is_in_the_plate(self, make, lp, nuke, reads, plate):
        shift = nuke.double.make("TimeOffset")
        shift._knobs["time_offset"]._set(-2)
        shift._connect(0, graded(nuke, reads, plate))
        node = make(shift)
        work = lp.node_state.work_of(node)
        work.write_inputs()
        assert [number for _, number in nuke.double.executed] == list(range(FIRST, LAST + 1))
        path = work.job().source.replace(" 1001-1006", "")
        spec, pixels = stored(path % 1002)
        _, source = stored(plate % 1004)
        assert pixels.dtype == np.float16
        np.testing.assert_allclose(
            pixels[..., :3].astype(float), source[..., :3].astype(float) * 0.5, atol=1e-3
        )
        assert [child.Class() for child in node.nodes()].count("Write") == 0
        assert nuke.Undo.depth == 0

    def test_only_missing_frames_are_written(self, make, lp, nuke, reads, plate):
        node = make(graded(nuke, reads, plate), last=1003)
        lp.node_state.work_of(node).write_inputs()
        nuke.double.executed.clear()
        lp.node_state.work_of(node).write_inputs()
        assert nuke.double.executed == []
        node["last"].setValue(1005)
        lp.node_state.work_of(node).write_inputs()
        assert [number for _, number in nuke.double.executed] == [1004, 1005]

    def test_what_a_cancelled_render_left_is_written_again(self, make, lp, nuke, reads, plate):
        node = make(graded(nuke, reads, plate))
        nuke.double.cancels = 2
        with pytest.raises(Cancelled):
            lp.node_state.work_of(node).write_inputs()
        assert nuke.root()["proxy"].value() is False
        nuke.double.cancels = 0
        nuke.double.executed.clear()
        work = lp.node_state.work_of(node)
        work.write_inputs()
        assert len(nuke.double.executed) == 6
        for number in range(FIRST, LAST + 1):
            assert stored(work.job().source.split(" ")[0] % number)[1].shape == (256, 256, 4)

    def test_float_plates_keep_more(self, make, lp, nuke, reads, plate):
        work = lp.node_state.work_of(make(graded(nuke, reads, plate), float_plates=True))
        work.write_inputs()
        assert stored(work.job().source.split(" ")[0] % FIRST)[1].dtype == np.float32

    def test_a_still_is_one_picture(self, make, lp, nuke, plate):
        work = lp.node_state.work_of(make(source_is="still", still_frame=1003))
        work.write_inputs()
        assert work.job().source.endswith("source.1003.exr")
        assert [number for _, number in nuke.double.executed] == [1003]
        assert work.job().settings.input.frames == "0-5"

    def test_a_matte_is_a_holdout(self, make, lp, nuke, reads, plate):
        node = make()
        node.setInput(2, reads(nuke, plate))
        work = lp.node_state.work_of(node)
        work.write_inputs()
        holdout = work.job().settings.input.holdout
        assert holdout.endswith("matte.%04d.exr 1001-1006")
        assert len(nuke.double.executed) == 6


class TestTheExample:
    def test_it_opens_connected_and_keyed(self, lp, nuke, plate):
        from hosts.nuke.lp_nuke.gizmo import EXAMPLE

        nuke.double.read_script(EXAMPLE)
        node = nuke.toNode("LivePortrait1")
        assert [node.input(i).name() for i in (0, 1)] == ["Plate", "Driving"]
        assert [node["smile"].getValueAt(frame) for frame in (1001, 1030, 1060, 1100)] == [0.0, 0.6, 0.0, 0.0]
        assert nuke.root()["fps"].value() == 25
        assert node["strength"].value() == 1.0


class TestDigits:
    def test_nothing_changed_gives_the_same(self, make, lp):
        node = make()
        assert lp.node_state.work_of(node).mark == lp.node_state.work_of(node).mark

    @pytest.mark.parametrize(
        "name", ["strength", "smile", "first", "region", "stitching", "driver_demo", "pass_landmarks"]
    )
    def test_each_knob_counts(self, make, lp, name):
        node = make()
        before = lp.node_state.work_of(node).mark
        value = {
            "first": 1002,
            "region": "lips",
            "stitching": False,
            "driver_demo": "nod",
            "pass_landmarks": True,
        }
        node[name].setValue(value.get(name, 0.5))
        assert lp.node_state.work_of(node).mark != before

    def test_every_result_knob_is_watched(self, lp, nuke):
        node = nuke.createNode("LivePortrait")
        watched = set(lp.knob_settings.shown_settings())
        kept = {
            name
            for name, knob in node._knobs.items()
            if knob._user is not None and knob._user.kind not in (20, 22, 26)
        }
        assert kept - watched == {
            "apply_stmap", "missing_error", "views", "status", "lp_version", "lp_asked",
            "lp_hash", "lp_job", "lp_ready", "lp_first", "lp_last", "lp_frame", "lp_frame_ready", "follow_frame"
        }  # fmt: skip

    def test_what_is_upstream_counts(self, make, lp, nuke, reads, plate):
        grade = graded(nuke, reads, plate)
        node = make(grade)
        marks = {lp.node_state.work_of(node).mark}
        grade._knobs["value"]._set(0.6)
        marks.add(lp.node_state.work_of(node).mark)
        grade._knobs["value"]._keys = {1001.0: 1.0, 1006.0: 0.2}
        marks.add(lp.node_state.work_of(node).mark)
        assert len(marks) == 3
        grade._knobs["xpos"]._set(400)
        assert lp.node_state.work_of(node).mark in marks

    def test_files_written_anew_count(self, make, lp, nuke, reads, home, plate):
        import os
        import shutil

        pattern = str(home / "own.%04d.exr")
        for number in range(FIRST, LAST + 1):
            shutil.copy(plate % number, pattern % number)
        node = make(reads(nuke, pattern))
        before = lp.node_state.work_of(node).mark
        os.utime(pattern % 1003, (1, 1))
        os.utime(pattern % 1004, (2e9, 2e9))
        assert lp.node_state.work_of(node).mark != before

    def test_links_to_the_node_itself_and_to_the_project_do_not_count(self, make, lp, nuke, reads, plate):
        grade = graded(nuke, reads, plate)
        node = make(grade)
        grade._links = [node, nuke.double.root_node]
        before = lp.node_state.work_of(node).mark
        node.node("Result")["file"].setValue("/other.%04d.exr")
        nuke.root()["first_frame"].setValue(7)
        assert lp.node_state.work_of(node).mark == before

    def test_what_expressions_link_to_counts(self, make, lp, nuke, reads, plate):
        grade = graded(nuke, reads, plate)
        grade._links = [graded(nuke, reads, plate)]
        node = make(grade)
        before = lp.node_state.work_of(node).mark
        grade._links[0]._knobs["value"]._set(9.0)
        assert lp.node_state.work_of(node).mark != before

    def test_a_group_upstream_is_looked_into(self, make, lp, nuke, reads, plate):
        group = nuke.double.make("Group")
        group._connect(0, reads(nuke, plate))
        grade = nuke.double.make("Multiply", group)
        before = lp.upstream.fingerprint(group)
        grade._knobs["value"]._set(3.0)
        assert lp.upstream.fingerprint(group) != before

    def test_a_tree_too_large_is_never_called_up_to_date(self, make, lp, nuke, reads, plate, monkeypatch):
        monkeypatch.setattr(lp.upstream, "LIMIT", 1)
        node = make(graded(nuke, reads, plate))
        work = lp.node_state.work_of(node)
        assert not work.is_certain
        cache.mark_done(work.folder, {})
        assert not work.is_done
        assert lp.node_state.work_of(node).folder != work.folder
        nuke.double.this_node = node
        lp.buttons.farm()
        assert "too many nodes upstream" in nuke.double.messages[0]


class TestSettings:
    def test_keyed_sliders_are_sent_over_the_whole_range(self, make, lp):
        node = make()
        node._knobs["smile"]._keys = {1001.0: 0.0, 1006.0: 1.0}
        node["yaw"].setValue(5)
        work = lp.node_state.work_of(node)
        work.write_inputs()
        sent = json.loads((work.folder / "edit.json").read_text())
        assert sent["yaw"] == 5.0
        assert sent["smile"] == [[index, pytest.approx(index / 5)] for index in range(6)]
        assert work.job().settings.sliders.edit_file == (work.folder / "edit.json").as_posix()

    def test_neutral_sliders_are_not_sent(self, make, lp):
        assert lp.node_state.work_of(make()).asked.curves == {}
        assert lp.node_state.work_of(make(eye_ratio=0.3)).asked.curves == {}
        assert lp.node_state.work_of(make(eye_ratio=0.3, eye_ratio_on=True)).asked.curves == {
            "eye_ratio": 0.3
        }

    def test_other_animated_knobs_are_refused(self, make, lp):
        node = make()
        node._knobs["strength"]._keys = {1001.0: 0.0, 1006.0: 1.0}
        with pytest.raises(SettingError, match="strength is animated"):
            lp.node_state.work_of(node)

    def test_expressions_count_by_what_they_give(self, make, lp):
        node = make()
        node._knobs["strength"]._expression = lambda time: 0.25
        node._knobs["first"]._expression = lambda time: 1002
        node._knobs["yaw"]._expression = lambda time: time - 1000
        work = lp.node_state.work_of(node)
        assert work.frames.first == 1002
        assert work.job().settings.motion.strength == 0.25
        assert work.asked.curves["yaw"] == [[index, 2.0 + index] for index in range(5)]
        node._knobs["strength"]._expression = lambda time: time / 2000
        with pytest.raises(SettingError, match="strength is animated"):
            lp.node_state.work_of(node)

    def test_what_only_the_host_knows(self, make, lp, nuke):
        nuke.root()["fps"].setValue(23.976)
        settings = lp.node_state.work_of(make()).job().settings
        assert settings.output.fps == "24000/1001"
        assert settings.output.pass_names == {"beauty", "matte", "stmap", "motion"}
        assert settings.color.input_space is None

    @pytest.mark.parametrize("style", ["13", "17"])
    def test_the_working_space_is_read_from_the_root(self, nuke, lp, style, monkeypatch):
        nuke.double.reset(style)
        monkeypatch.delenv("OCIO", raising=False)
        root = nuke.root()
        root["colorManagement"].setValue("OCIO")
        root["OCIOConfig" if style == "13" else "OCIO_config"].setValue("custom")
        root["customOCIOConfigPath"].setValue("/show/config.ocio")
        root["workingSpaceLUT"].setValue("scene_linear (ACES - ACEScg)")
        assert lp.colors.working_space() == ("/show/config.ocio", "scene_linear")
        monkeypatch.setenv("OCIO", "/studio/config.ocio")
        assert lp.colors.working_space()[0] == "/studio/config.ocio"

    @pytest.mark.parametrize(
        "text", ["ocio_profile_version: 2", "ocio_profile_version: 2\n- !<FileTransform> {src: a.cube}"]
    )
    def test_a_configuration_in_nukes_own_folder_is_copied_if_it_stands_alone(
        self, make, lp, nuke, tmp_path, text, monkeypatch
    ):
        monkeypatch.delenv("OCIO", raising=False)
        config = tmp_path / "Nuke" / "config.ocio"
        config.parent.mkdir()
        config.write_text(text)
        root = nuke.root()
        for name, value in (
            ("colorManagement", "OCIO"),
            ("OCIOConfigPath", str(config)),
            ("workingSpaceLUT", "ACEScg"),
        ):
            root[name].setValue(value)
        work = lp.node_state.work_of(make())
        work.write_inputs()
        color = work.job().settings.color
        assert color.input_space == "ACEScg"
        assert (color.ocio == str(config)) is ("FileTransform" in text)
        assert Path(color.ocio).read_text() == text

    def test_a_node_of_an_older_version_has_the_defaults_of_what_it_lacks(self, make, lp):
        node = make()
        before = lp.node_state.work_of(node)
        for name in ("steady_eyes", "gaze_y", "pass_landmarks"):
            del node._knobs[name]
        assert lp.node_state.work_of(node).mark == before.mark

    def test_a_face_is_pointed_at_from_the_bottom_left(self, make, lp):
        work = lp.node_state.work_of(make(source_face="position", source_face_at=(100.5, 255.5)))
        assert work.job().settings.face.source_face == "100,0"

    def test_the_reference_is_counted_from_the_range(self, make, lp):
        assert (
            lp.node_state.work_of(make(reference="frame", reference_frame=1003))
            .job()
            .settings.motion.reference
            == "2"
        )
        with pytest.raises(SettingError, match="outside the range"):
            lp.node_state.work_of(make(reference="frame", reference_frame=900))

    @pytest.mark.parametrize(
        ("knobs", "told"),
        [
            ({"driver": "input"}, "input driving"),
            ({"driving_face": "position"}, "nothing is connected to the input that it would be on"),
            ({"driver": "file"}, "none is named"),
            ({"first": 1007}, "run backwards"),
            ({"strength": 3.0}, "out of range"),
            ({"upscale": "file"}, "no checkpoint"),
            ({"watermark": "x"}, "watermark"),
        ],
    )
    def test_what_makes_no_sense_is_said_before_any_work(self, make, lp, nuke, knobs, told):
        node = make(**knobs)
        with pytest.raises(SettingError, match=told):
            lp.node_state.work_of(node)
        assert nuke.double.executed == []

    def test_the_farm_line_is_the_job(self, make, lp):
        import shlex

        from lp_core.cli.animate import animate
        from lp_core.cli.flags import settings_from

        node = make(strength=0.5, stitching=False, engine="mesh", consent="/my shows/it's.json")
        node._knobs["smile"]._keys = {1001.0: 0.0, 1006.0: 1.0}
        job = lp.node_state.work_of(node).job()
        words = shlex.split(lp.farm.command(job))
        assert words[:2] == ["lpsuite", "animate"]
        given = animate.make_context("animate", words[2:], resilient_parsing=False).params
        assert (given["source"], given["driving"], given["output"]) == (job.source, job.driving, job.output)
        assert settings_from(given) == job.settings
