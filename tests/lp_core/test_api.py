"""The Python interface, used as docs/python.md shows it."""

import re
from pathlib import Path

import numpy as np
import pytest
from fakes.films import write_portrait

import lp_core
from lp_core.errors import SettingError
from lp_core.media.open import open_source
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.settings.table import with_values

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory, astronaut):
    return write_portrait(tmp_path_factory.mktemp("portrait") / "portrait.png", astronaut)


def read(name):
    with open_source(str(name)) as source:
        return [frame.pixels.copy() for frame in source]


def test_animate_writes_the_output_and_returns_a_summary(portrait, tmp_path):
    events = []
    summary = lp_core.animate(
        portrait, "demo:nod", tmp_path / "o.mkv", events.append, codec="ffv1", frames="0-4", calibration="off"
    )
    assert summary.frames == len(read(tmp_path / "o.mkv")) == 5
    assert events[-1].phase == "render"


def test_frames_are_those_of_the_file(portrait, tmp_path):
    settings = {"codec": "ffv1", "frames": "0-3", "calibration": "off"}
    lp_core.animate(portrait, "demo:nod", tmp_path / "o.mkv", **settings)
    values = with_values(lp_core.RenderSettings(), settings)
    job = lp_core.RenderJob(str(portrait), "demo:nod", str(tmp_path / "o.mkv"), values)
    drawn = list(lp_core.frames(job))
    assert [pixels.dtype for pixels in drawn] == [np.uint8] * 4
    assert all(np.array_equal(one, other) for one, other in zip(drawn, read(tmp_path / "o.mkv"), strict=True))


def test_frames_are_not_enlarged_in_silence(portrait, tmp_path):
    values = with_values(lp_core.RenderSettings(), {"upscale": "animevideov3"})
    job = lp_core.RenderJob(str(portrait), "demo:nod", str(tmp_path / "o.mkv"), values)
    with pytest.raises(SettingError, match=r"use animate\(\)"):
        next(lp_core.frames(job))


def test_extract_stores_a_performance(portrait, tmp_path):
    lp_core.extract(portrait, tmp_path / "p.lpmotion")
    with MotionReader(tmp_path / "p.lpmotion") as motion:
        assert len(motion) == 1


def test_inspect_finds_the_faces(portrait):
    faces = lp_core.inspect(portrait)
    assert len(faces) == 1
    assert faces[0].landmarks_frame.shape == (478, 3)


@pytest.mark.parametrize("wrong", [{"smothing": 0.5}, {"smoothing": 7.0}, {"frames": "x"}])
def test_a_setting_that_cannot_be_is_an_error(portrait, tmp_path, wrong):
    with pytest.raises(lp_core.LpError):
        lp_core.animate(portrait, "demo:nod", tmp_path / "o.mp4", **wrong)
    assert not list(tmp_path.iterdir())


def test_an_exception_of_the_listener_stops_the_work_and_leaves_nothing(portrait, tmp_path):
    def stop(event):
        raise KeyError(event.phase)

    with pytest.raises(KeyError):
        lp_core.animate(portrait, "demo:nod", tmp_path / "o.mp4", stop)
    assert not list(tmp_path.iterdir())


def test_the_page_names_every_public_function():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE))
    assert rows == {name for name in lp_core.__all__ if name.islower() and not name.startswith("_")}
