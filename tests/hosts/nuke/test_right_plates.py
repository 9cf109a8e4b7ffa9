"""The plates that Nuke itself would read: filtered and relative names, views, negative frames, Nuke's own hashes."""

import json
from pathlib import Path

import numpy as np
import pytest
from fakes.exr import stored, write_exr

from hosts.nuke.lp_nuke import cache
from lp_core.timing import FrameRange

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")


class TestNames:
    def test_a_filename_filter_counts(self, make, lp, nuke, plate):
        nuke.double.filters.append(lambda name: name.replace("/proxy/", "/plates/"))
        node = make(lp_source(nuke, plate.replace("/plates/", "/proxy/")))
        assert lp.node_state.work_of(node).job().source == f"{plate} 1001-1006"

    def test_a_relative_name_is_below_the_projects_folder(self, make, lp, nuke, plate):
        nuke.root()._knobs["project_directory"]._set(str(Path(plate).parent.parent))
        node = make(lp_source(nuke, "plates/plate.%04d.exr"))
        assert lp.node_state.work_of(node).job().source == f"{plate} 1001-1006"
        before = lp.node_state.work_of(node).mark
        Path(plate % 1003).touch()
        assert lp.node_state.work_of(node).mark != before  # a replaced plate is noticed

    def test_a_name_that_nobody_can_resolve_is_rendered_by_nuke_and_told(self, make, lp, nuke, plate):
        node = make(lp_source(nuke, "nowhere/plate.%04d.exr"))
        work = lp.node_state.work_of(node)
        assert work.plates[0][0].direct is None
        assert not work.is_certain


def lp_source(nuke, pattern):
    node = nuke.double.make("Read")
    for name, value in (("file", pattern), ("first", 1001), ("last", 1006), ("raw", True)):
        node._knobs[name]._set(value)
    return node


class TestNegativeFrames:
    def test_results_get_the_names_that_nuke_looks_for(self, tmp_path):
        sequence = cache.Sequence(tmp_path, "result")
        for number in range(-3, 2):
            (tmp_path / "result.{}{:04d}.exr".format("-" if number < 0 else "", abs(number))).write_text(
                str(number)
            )
        sequence.name_as_nuke_does(FrameRange(-3, 1))
        names = [sequence.pattern % number for number in range(-3, 2)]  # as C prints it, and Nuke
        assert [Path(name).read_text() for name in names] == ["-3", "-2", "-1", "0", "1"]
        assert len(list(tmp_path.iterdir())) == 5

    def test_images_counted_from_0_are_moved_below_it_without_loss(self, tmp_path):
        sequence = cache.Sequence(tmp_path, "result")
        for number in range(6):
            sequence.path_of(number).write_text(str(number))
        sequence.renumber(-3, FrameRange(-3, 2))
        assert [sequence.path_of(number).read_text() for number in range(-3, 3)] == [
            "0",
            "1",
            "2",
            "3",
            "4",
            "5",
        ]


class TestNukesOwnHashes:
    @pytest.fixture
    def shown(self, make, lp, nuke, reads, plate, monkeypatch):
        """A node with more upstream than is looked at, shown as rendered at frame 1003."""
        monkeypatch.setattr(lp.upstream, "LIMIT", 1)
        grade, dot = nuke.double.make("Multiply"), nuke.double.make("Dot")
        grade._knobs["value"]._set(1.0)
        grade._connect(0, reads(nuke, plate))
        dot._connect(0, grade)
        nuke.double.current_frame = 1003
        node = make(source=dot)
        work = lp.node_state.work_of(node)
        assert not work.is_certain
        work.folder.mkdir(parents=True)
        for number in work.frames:
            work.result.path_of(number).write_bytes(b"x")
        lp.node_state.show(node, work)
        return node, grade

    def test_they_tell_a_change_where_the_walk_cannot(self, shown, lp, nuke):
        node, grade = shown
        assert lp.node_state.state_of(node) == lp.node_state.SAME_HERE
        grade._knobs["value"]._set(0.5)
        assert lp.node_state.state_of(node) == lp.node_state.STALE

    def test_at_another_frame_they_tell_nothing(self, shown, lp, nuke):
        nuke.double.current_frame = 1004
        assert lp.node_state.state_of(shown[0]) == lp.node_state.UNKNOWN


def test_the_hash_of_a_plate_that_nuke_wrote_is_read(tmp_path):
    path = write_exr(tmp_path / "a.exr", np.zeros((4, 4, 4), np.float16), **{"nuke/node_hash": "1f2e3d"})
    assert cache.node_hash(path) == "1f2e3d"
    assert cache.node_hash(write_exr(tmp_path / "b.exr", np.zeros((4, 4, 4), np.float16))) == ""
    assert cache.node_hash(tmp_path / "none.exr") == ""


@pytest.fixture
def stereo(plate, home):
    """Pattern of two views with handles and a negative start: frames -4 to 3, the right eye darker."""
    folder = home / "stereo"
    folder.mkdir()
    for number in range(-4, 4):
        pixels = stored(plate % (1001 + (number + 4) % 6))[1]
        for view, gain in (("left", 1.0), ("right", 0.5)):
            write_exr(
                folder / f"plate.{view}.{number:04d}.exr",
                (pixels * gain).astype(np.float16),
                None,
                (0, 0, 256, 256),
            )
    return str(folder / "plate.%V.%04d.exr")


class TestViews:
    @pytest.mark.parametrize("way", ["direct", "rendered"])
    def test_each_eye_is_animated_for_itself(self, make, lp, nuke, stereo, worker, rendered, way):
        nuke.double.view_names = ["left", "right"]
        read = nuke.double.make("Read")
        for name, value in (("file", stereo), ("first", -4), ("last", 3), ("raw", way == "direct")):
            read._knobs[name]._set(value)
        if way == "rendered":
            read._knobs["colorspace"]._set("sRGB")
        node = make(source=read, first=-2, last=1)  # handles of two frames stay unused
        rendered(node)
        assert nuke.double.messages == []
        assert node["status"].value() == "up to date"
        pattern = node.node("Result")["file"].value()
        assert pattern.endswith("/%V/result.%04d.exr")
        for number in range(-2, 2):
            for view, gain in (("left", 1.0), ("right", 0.5)):
                spec, got = stored(pattern.replace("%V", view) % number)  # -002: as Nuke's own %04d names it
                source = stored(stereo.replace("%V", view) % number)[1]
                names = list(spec.channelnames)
                outside = got[..., names.index("matte.A")] == 0
                image = np.stack([got[..., names.index(name)] for name in "RGBA"], axis=2).astype(np.float16)
                assert np.array_equal(image[outside], source[outside]), (view, number, gain)
        assert (way == "direct") is (nuke.double.executed == [])
        done = json.loads((Path(pattern).parent.parent / "left" / "done.json").read_text())
        assert set(done["node_hashes"]) == {"source"}

    @pytest.mark.slow
    def test_a_hundred_frames_with_handles_and_a_negative_start_in_two_views(
        self, make, lp, nuke, plate, home, worker, rendered
    ):
        """Small images, six of them in turn, so that a frame that is one off has other bits outside its matte."""
        folder = home / "long"
        folder.mkdir()
        pixels = [stored(plate % (1001 + index))[1][::2, ::2] for index in range(6)]
        for view, gain in (("left", 1.0), ("right", 0.5)):
            for index, image in enumerate(pixels):
                write_exr(folder / f"{view}.{index}.exr", (image * gain).astype(np.float16))
            for number in range(-58, 58):
                (folder / f"plate.{view}.{number:04d}.exr").hardlink_to(folder / f"{view}.{number % 6}.exr")
        nuke.double.view_names = ["left", "right"]
        read = nuke.double.make("Read")
        for name, value in (
            ("file", str(folder / "plate.%V.%04d.exr")),
            ("first", -58),
            ("last", 57),
            ("raw", True),
        ):
            read._knobs[name]._set(value)
        node = make(source=read, first=-50, last=49)
        rendered(node)
        assert node["status"].value() == "up to date"
        pattern = node.node("Result")["file"].value()
        for view in ("left", "right"):
            numbers = [
                number for number in range(-60, 60) if Path(pattern.replace("%V", view) % number).is_file()
            ]
            assert numbers == list(range(-50, 50))
            for number in (-50, -1, 0, 49):
                spec, got = stored(pattern.replace("%V", view) % number)
                source = stored(folder / f"plate.{view}.{number:04d}.exr")[1]
                outside = got[..., list(spec.channelnames).index("matte.A")] == 0
                image = np.stack([got[..., spec.channelnames.index(name)] for name in "RGBA"], axis=2)
                assert np.array_equal(image.astype(np.float16)[outside], source[outside]), (view, number)
                assert 0.3 < outside.mean() < 0.99

    def test_one_view_for_all_where_the_plate_is_not_stereo(self, make, lp, nuke, plate):
        nuke.double.view_names = ["left", "right"]
        node = make(views="first")
        assert [part.folder for part in lp.node_state.work_of(node).parts()] == [
            lp.node_state.work_of(node).folder
        ]
        node["views"].setValue("all")
        assert [part.folder.name for part in lp.node_state.work_of(node).parts()] == ["left", "right"]

    def test_the_status_looks_at_the_files_of_every_view(self, make, lp, nuke):
        nuke.double.view_names = ["left", "right"]
        node = make()
        work = lp.node_state.work_of(node)
        for part in work.parts():
            part.folder.mkdir(parents=True)
            for number in part.frames:
                part.result.path_of(number).write_bytes(b"x")
        lp.render.load(node)
        assert lp.node_state.state_of(node) == "up to date"
        work.parts()[1].result.path_of(1003).unlink()
        assert lp.node_state.state_of(node) == lp.node_state.GONE
