"""Passes in separate files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes.media import MemorySink

from lp_core.errors import OutputExists
from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.pass_files import FaceFile, SplitSink, pass_path
from lp_core.timing import FrameRate

RATE = FrameRate.parse("25")
SPEC = SinkSpec(8, 6, RATE, 8, False, ColorTags(), "h264", 18, False)


@pytest.mark.parametrize(
    "output,suffix,wanted",
    [
        ("a/out.mp4", ".exr", "a/out.stmap.%04d.exr"),
        ("out.%05d.png", ".exr", "out.stmap.%05d.exr"),
        ("out_####.png", ".exr", "out.stmap.%04d.exr"),
        ("%04d.png", ".exr", "frames.stmap.%04d.exr"),
        ("out.%04d.exr", ".json", "out.stmap.json"),
        ("größe 1.mov", ".json", "größe 1.stmap.json"),
    ],
)
def test_names_beside_the_output(output, suffix, wanted):
    assert pass_path(output, "stmap", suffix).as_posix() == wanted


class TestSplitSink:
    @pytest.fixture
    def opened(self):
        return {}

    @pytest.fixture
    def sink(self, opened):
        def open_sink(path, spec):
            opened[str(path)] = MemorySink(spec)
            return opened[str(path)]

        return SplitSink("out.mp4", SPEC, ["forward", "matte", "crop"], open_sink, open_sink)

    @staticmethod
    def frame():
        layers = {
            "matte": np.full((6, 8, 1), 0.5, np.float32),
            "forward": np.full((6, 8, 2), 2.0, np.float32),
            "crop": np.full((4, 4, 3), 0.2, np.float32),
            "stmap": np.zeros((6, 8, 2), np.float32),
        }
        return Frame(np.zeros((6, 8, 3), np.uint8), 0, RATE.time_s(0), layers=layers)

    def test_each_layer_is_a_float_picture_of_its_own_size(self, sink, opened):
        with sink:
            sink.write(self.frame())
            sink.commit()
        assert sorted(opened) == [
            "out.crop.%04d.exr",
            "out.forward.%04d.exr",
            "out.matte.%04d.exr",
            "out.mp4",
        ]
        assert all(one.committed for one in opened.values())
        shapes = {name: one.frames[0].pixels.shape for name, one in opened.items()}
        assert shapes["out.matte.%04d.exr"] == (6, 8, 4)
        assert shapes["out.forward.%04d.exr"] == (6, 8, 3)
        assert shapes["out.crop.%04d.exr"] == (4, 4, 3)
        assert opened["out.crop.%04d.exr"].spec.width == 4
        assert opened["out.matte.%04d.exr"].spec.sample_type == "float"
        assert set(opened["out.mp4"].frames[0].layers) == {"stmap"}  # it stays next to the image

    def test_a_layer_that_comes_and_goes_keeps_its_numbers(self, sink, opened):
        whole = self.frame()
        without = replace(whole, layers={name: whole.layers[name] for name in ("forward", "matte")})
        with sink:
            for index, frame in enumerate((without, without, whole, without, whole)):
                sink.write(replace(frame, index=index))
            sink.commit()
        crops = opened["out.crop.%04d.exr"].frames
        assert [frame.index for frame in crops] == [0, 1, 2, 3, 4]
        assert [bool(frame.pixels.any()) for frame in crops] == [False, False, True, False, True]

    def test_nothing_is_left_of_what_was_not_finished(self, sink, opened):
        with sink:
            sink.write(self.frame())
        assert all(one.aborted for one in opened.values())


class TestFaceFile:
    def test_both_files_are_json_with_every_frame(self, tmp_path):
        paths = {name: tmp_path / "new" / f"out.{name}.json" for name in ("landmarks", "confidence")}
        with FaceFile(paths, 8, 6, 1001, overwrite=False) as log:
            log.add(0, 0.98765, np.array([[1.23456, 2, 3]], np.float32), "mediapipe478")
            log.add(1, 0.0, None, "")
            assert not any(path.exists() for path in paths.values())
            log.commit()
        faces = json.loads(paths["landmarks"].read_text())
        assert (faces["schema"], faces["version"], faces["scheme"]) == ("lpsuite.faces", 1, "mediapipe478")
        assert (faces["width"], faces["height"]) == (8, 6)
        assert faces["frames"][0] == {"frame": 1001, "confidence": 0.9877, "points": [[1.235, 2, 3]]}
        assert faces["frames"][1] == {"frame": 1002, "confidence": 0.0, "points": None}
        assert "points" not in json.loads(paths["confidence"].read_text())["frames"][0]

    def test_nothing_is_left_of_what_was_not_finished(self, tmp_path):
        with FaceFile({"landmarks": tmp_path / "new" / "a.json"}, 8, 6, 1, overwrite=False) as log:
            log.add(0, 1.0, None, "")
        assert not list(tmp_path.iterdir())

    def test_what_is_there_stays(self, tmp_path):
        path = tmp_path / "a.json"
        path.write_text("mine")
        with pytest.raises(OutputExists):
            FaceFile({"landmarks": path}, 8, 6, 1, overwrite=False)
        assert path.read_text() == "mine"
