"""The LivePortrait engine from the command line, with networks that compute next to nothing."""

# ruff: noqa: E402 - imports follow the check for the library

import numpy as np
import pytest
from fakes.films import read_pictures, write_film
from fakes.motion import assert_equal, performance

torch = pytest.importorskip("torch")
import av
from fakes.networks import FakeNetworks

from lp_core.assemble import assemble
from lp_core.cli.main import run
from lp_core.engines.liveportrait import engine as engine_module
from lp_core.job import RenderJob
from lp_core.models.store import CACHE_VARIABLE
from lp_core.motion.files.lpmotion import read_motion, write_motion
from lp_core.motion.files.template_pkl import read_pkl, to_sequence
from lp_core.motion.implicit.motion import transform_keypoints
from lp_core.render.chunks import render_in_chunks
from lp_core.settings import EngineSettings, LivePortraitSettings, RenderSettings

LP = ("--engine", "liveportrait")


@pytest.fixture
def networks(monkeypatch):
    """Every LivePortrait engine gets these."""
    made = FakeNetworks()
    monkeypatch.setattr(engine_module, "load_for", lambda settings: made)
    return made


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "models"))


def test_a_film_drives_a_still_and_the_film_says_with_what(networks, portrait, driving, lpsuite, tmp_path):
    code, lines = lpsuite("animate", portrait, driving, *LP, "-o", tmp_path / "o.mp4")
    assert code == 0
    assert (lines[-1]["frames"], lines[-1]["engine"]) == (12, "liveportrait")
    assert any("synthetic" in note for note in lines[-1]["notes"])
    with av.open(tmp_path / "o.mp4") as film:
        assert "synthetic" in film.metadata["comment"]
    pictures = read_pictures(tmp_path / "o.mp4")
    assert pictures[0].shape == (256, 256, 3)
    assert len(networks.log.driven) == 12
    assert len(networks.log.pictures) == 13  # the performance, and the portrait once


def test_a_filmed_source(networks, driving, lpsuite, tmp_path):
    code, lines = lpsuite("animate", driving, "demo:nod", *LP, "-o", tmp_path / "o.mp4")
    assert (code, lines[-1]["frames"]) == (0, 12)


def test_a_filmed_source_by_the_published_rule(networks, driving, lpsuite, tmp_path):
    """The source is looked at once more before its first image; one go and chunks give the same."""
    code, lines = lpsuite(
        "animate", driving, "demo:nod", *LP, "--official-compat", "--steady-eyes", "-o", tmp_path / "o.mp4"
    )
    assert (code, lines[-1]["frames"]) == (0, 12)
    assert any("frame 0" in note for note in lines[-1]["notes"])
    assert any("--smoothing" in note for note in lines[-1]["notes"])
    assert len(networks.log.pictures) == 24
    assert networks.log.eyes
    in_one_go = np.stack(networks.log.driven)
    networks.log.driven.clear()
    settings = RenderSettings(
        engine=EngineSettings("liveportrait"),
        liveportrait=LivePortraitSettings(official_compat=True, steady_eyes=True),
    )
    job = RenderJob(str(driving), "demo:nod", str(tmp_path / "chunks.mp4"), settings)
    assert render_in_chunks(assemble(job), tmp_path / "job").frames == 12
    np.testing.assert_array_equal(np.stack(networks.log.driven), in_one_go)


def test_a_picture_drives(networks, portrait, lpsuite, tmp_path):
    code, lines = lpsuite("animate", portrait, portrait, *LP, "-o", tmp_path / "o.mp4")
    assert code == 0
    assert any("neutral face" in note for note in lines[-1]["notes"])


def test_edit_on_a_still(networks, portrait, lpsuite, tmp_path):
    (tmp_path / "edit.json").write_text('{"yaw": [[0, 0], [9, 9]]}')
    code, _ = lpsuite(
        "animate", portrait, "demo:still", *LP, "--no-stitching", "--edit", "smile=0.6", "--edit-file",
        tmp_path / "edit.json", "-o", tmp_path / "o.mp4",
    )  # fmt: skip
    assert code == 0
    points = np.concatenate(networks.log.driven)
    steps = np.abs(np.diff(points, axis=0)).max(axis=(1, 2))
    assert (steps[:8] > 1e-3).all()
    assert (steps[10:] < 1e-9).all()


def test_extract_play_and_convert(networks, portrait, driving, lpsuite, tmp_path):
    pkl, motion, again = tmp_path / "talk.pkl", tmp_path / "talk.lpmotion", tmp_path / "again.lpmotion"
    assert run(["extract", str(driving), *LP, "--format", "liveportrait-pkl", "-o", str(pkl)]) == 0
    template = read_pkl(pkl)
    assert len(template) == 12
    assert template.scale.mean() == pytest.approx(1.5, rel=1e-5)
    np.testing.assert_allclose(template.translation.mean(axis=0), 0, atol=1e-6)
    placed = [transform_keypoints(template.keypoints[i], template.motion(i)) for i in range(12)]
    np.testing.assert_allclose(template.points, placed, atol=1e-5)
    assert run(["extract", str(driving), *LP, "-o", str(motion)]) == 0
    stored = read_motion(motion)
    ratio = template.scale / stored.scale
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert run(["extract", str(pkl), "-o", str(again)]) == 0
    assert_equal(read_motion(again), to_sequence(template, "talk.pkl"))
    code, lines = lpsuite("animate", portrait, pkl, *LP, "-o", tmp_path / "o.mp4")
    assert (code, lines[-1]["frames"], lines[-1]["rate"]) == (0, 12, "30")  # the format has whole rates


def test_the_real_templates_convert_both_ways_without_loss(media, tmp_path):
    for path in sorted((media / "templates").glob("*.pkl")):
        motion, back = tmp_path / f"{path.stem}.lpmotion", tmp_path / path.name
        assert run(["extract", str(path), "-o", str(motion)]) == 0
        assert run(["extract", str(motion), "-o", str(back)]) == 0
        wanted, got = read_pkl(path), read_pkl(back)
        assert (wanted.generation, wanted.fps) == (got.generation, got.fps)
        for name in vars(wanted):
            np.testing.assert_array_equal(getattr(wanted, name), getattr(got, name))


def test_formats_that_make_no_sense(driving, motion, tmp_path, capsys):
    assert run(["extract", str(driving), "--format", "lpmotion", "-o", str(tmp_path / "o.pkl")]) == 2
    assert ".lpmotion" in capsys.readouterr().err
    assert run(["extract", str(motion), "-o", str(tmp_path / "o.pkl")]) == 32
    assert "liveportrait" in capsys.readouterr().err
    assert run(["extract", str(driving), "--engine", "mesh", "-o", str(tmp_path / "o.pkl")]) == 32
    assert not (tmp_path / "o.pkl").exists()


def test_a_hostile_template_is_refused(portrait, tmp_path, capsys):
    (tmp_path / "bad.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert run(["animate", str(portrait), str(tmp_path / "bad.pkl"), "-o", str(tmp_path / "o.mp4")]) == 31
    assert "bad.pkl" in capsys.readouterr().err


def test_without_weights(empty_cache, portrait, lpsuite, capsys, tmp_path):
    out = str(tmp_path / "o.mp4")
    assert run(["animate", str(portrait), "demo:still", *LP, "-o", out]) == 41
    assert "lpsuite models fetch liveportrait" in capsys.readouterr().err
    code, lines = lpsuite("animate", portrait, "demo:still", "--calibration", "off", "-o", out)
    assert (code, lines[-1]["engine"]) == (0, "mesh")
    assert sum(note.startswith("Engine: mesh") and "fetch" in note for note in lines[-1]["notes"]) == 1


def test_an_empty_weights_folder_is_named(portrait, capsys, tmp_path):
    arguments = [*LP, "--weights", str(tmp_path), "-o", str(tmp_path / "o.mp4")]
    assert run(["animate", str(portrait), "demo:still", *arguments]) == 41
    assert str(tmp_path) in capsys.readouterr().err


def test_auto_takes_liveportrait_where_weights_are_named(networks, portrait, lpsuite, tmp_path):
    code, lines = lpsuite("animate", portrait, "demo:still", "--weights", tmp_path, "-o", tmp_path / "o.mp4")
    assert (code, lines[-1]["engine"]) == (0, "liveportrait")


def test_motion_of_the_other_engine_is_refused(networks, portrait, tmp_path, capsys):
    write_motion(tmp_path / "m.lpmotion", performance(rig="mesh478"))
    arguments = [str(portrait), str(tmp_path / "m.lpmotion"), *LP, "-o", str(tmp_path / "o.mp4")]
    assert run(["animate", *arguments]) == 32
    assert "mesh478" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_networks_with_synthetic_weights(weights_folder, portrait, lpsuite, tmp_path):
    """One real frame: F, M, W, G and S of the published sizes, through the command line."""
    still = write_film(tmp_path / "one.mp4", read_pictures(portrait))
    code, lines = lpsuite("animate", portrait, still, *LP, "--weights", weights_folder, "--precision", "fp32",
                          "--motion", "absolute", "-o", tmp_path / "o.mp4")  # fmt: skip
    assert (code, lines[-1]["frames"]) == (0, 1)


@pytest.fixture
def weights_folder(tmp_path_factory):
    from lp_core.engines.liveportrait.synth import write_synthetic

    folder = tmp_path_factory.getbasetemp() / "liveportrait-synthetic"
    if not folder.exists():
        write_synthetic(folder, 20240703)
    return folder
