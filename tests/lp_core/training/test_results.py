"""Adapting, stitching, exporting and evaluating weights of a few steps."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes.training_sets import TINY, made_set
from safetensors.torch import load_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lp_core.engines.liveportrait.networks import load_networks
from lp_core.engines.liveportrait.sizes import PUBLISHED
from lp_core.engines.liveportrait.table import BASE_NETWORKS
from lp_core.errors import ConsentMissing, ModelDamaged, SettingError
from lp_core.provenance.models import models_in_use
from lp_core.training import adapt as adapting
from lp_core.training import evaluate as evaluating
from lp_core.training.adapt import AdaptOptions, adapt, require_enough
from lp_core.training.config import Schedule
from lp_core.training.evaluate import EvaluateOptions, evaluate
from lp_core.training.export import Origin, export_weights
from lp_core.training.export_run import export_run
from lp_core.training.initial import initial_states
from lp_core.training.metrics import FaceReading, compare_readings, frechet, identity_kept, interval, ssim
from lp_core.training.run import run_training
from lp_core.training.stitch_run import retarget_weights, stitch_weights


def quiet(_line):
    pass


@pytest.fixture(scope="module")
def base(small_set, tmp_path_factory):
    """Weights of a short run."""
    from lp_core.training.config import Optimizer, TrainConfig

    folder = tmp_path_factory.mktemp("base") / "run"
    schedule = Schedule(motion_steps=4, steps=8, batch=2, save_every=100, evaluate_every=0)
    config = TrainConfig(
        name="base", sizes=TINY, schedule=schedule, optimizer=replace(Optimizer(), warm_up=2)
    )
    run_training(config, small_set.folder, folder, "cpu", quiet)
    return folder


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    return made_set(tmp_path_factory.mktemp("person") / "data", people=1, frames=15)


def test_adapting_changes_g_alone_and_says_where_it_comes_from(base, person, small_set, tmp_path):
    options = AdaptOptions(base, "Ann", steps=12, evaluate_every=6, allows_little=True, batch=2)
    with pytest.raises(ConsentMissing, match="--i-have-consent"):
        adapt(person.folder, tmp_path / "refused", options, "cpu", quiet)
    assert not (tmp_path / "refused").exists()
    stated = replace(options, has_stated_consent=True)
    found = adapt(person.folder, tmp_path / "ann", stated, "cpu", quiet, small_set.folder)
    assert found.after.whole["model"] > found.before.whole["model"]
    assert found.others is not None
    label = json.loads((tmp_path / "ann" / "trained.json").read_text())
    assert label["adapted_from"] == "'base'"
    assert label["about"]["consent_reference"] == "stated by the user, not recorded"
    for stem, network in BASE_NETWORKS.items():
        name = f"{stem}.safetensors"
        is_same = (base / name).read_bytes() == (tmp_path / "ann" / name).read_bytes()
        assert is_same == (network != "G")
    assert "adapted from 'base'" in load_networks(tmp_path / "ann").trained.sentence()
    assert (tmp_path / "ann" / "before-after.png").is_file()
    own = [
        entry for entry in models_in_use("liveportrait", str(tmp_path / "ann")) if entry["set"] == "own: Ann"
    ]
    assert {entry["file"]: entry["sha256"] for entry in own} == label["sha256"]
    assert {(entry["license"], entry["adapted_from"]) for entry in own} == {("own", "'base'")}
    assert own[0]["consent"] == "stated by the user, not recorded"


def test_crops_are_moved_only_where_m_follows(base, monkeypatch):
    """M of a small base does not follow a moved crop of a new face, so G would learn the mean of all moves."""
    steady = adapting.config_of(AdaptOptions(base, "Ann"))
    monkeypatch.setattr(adapting, "read_weights", lambda _folder: SimpleNamespace(sizes=PUBLISHED))
    moved = adapting.config_of(AdaptOptions(base, "Ann", precision="bfloat16"))
    for name in ("shift", "zoom", "roll_deg"):
        assert getattr(steady.augmentation, name) == 0 < getattr(moved.augmentation, name)
    assert (steady.optimizer.rate, moved.optimizer.rate) == (5e-4, 2e-5)
    assert moved.schedule.precision == "bfloat16"


def test_a_style_is_learned_from_drawings(base, tmp_path):
    drawings = made_set(tmp_path / "drawings", people=3, frames=1, split=("train",) * 3)
    options = AdaptOptions(
        base, "ink", "style", steps=2, allows_little=True, batch=2, has_stated_consent=True
    )
    with pytest.raises(SettingError, match="at least five drawings"):
        adapt(drawings.folder, tmp_path / "few", options, "cpu", quiet)
    more = made_set(tmp_path / "more", people=5, frames=1, split=("train",) * 5)
    found = adapt(more.folder, tmp_path / "ink", options, "cpu", quiet)
    assert found.before.whole["copy"] < 60  # what is held out is a drawing, its source is the model's
    same = [(base / f"{stem}.safetensors").read_bytes() == (tmp_path / "ink" / f"{stem}.safetensors").read_bytes()
            for stem in BASE_NETWORKS]  # fmt: skip
    assert dict(zip(BASE_NETWORKS.values(), same, strict=True)) == {
        "F": False,
        "M": True,
        "W": True,
        "G": False,
    }


def test_footage_that_teaches_little_is_refused_with_the_numbers(person):
    with pytest.raises(SettingError, match=r"15 frames of 240; the jaw opens by 0\.00 of 0\.3"):
        require_enough(person, is_person=True)
    assert adapting.LEAST_YAW_DEG == 10


def test_stitching_trains_one_small_network(base, small_set, tmp_path):
    before, after = stitch_weights(base, small_set.folder, tmp_path / "s", "s", (6, 2, 1e-3, 0), quiet)
    assert before.shoulders_before == after.shoulders_before
    assert 0 < after.motion_kept < 1.5
    name = "stitching_retargeting_module.safetensors"
    old, new = load_file(base / name), load_file(tmp_path / "s" / name)
    changed = {key.partition(".")[0] for key in old if not torch.equal(old[key], new[key])}
    assert changed == {"retarget_shoulder_module"}
    for stem in BASE_NETWORKS:
        assert (base / f"{stem}.safetensors").read_bytes() == (
            tmp_path / "s" / f"{stem}.safetensors"
        ).read_bytes()
    with pytest.raises(SettingError, match="at least two"):
        stitch_weights(
            base, made_set(tmp_path / "lone", 1).folder, tmp_path / "t", "t", (1, 1, 1e-3, 0), quiet
        )


def test_eyes_and_lips_are_trained_only_where_their_openness_can_be_read(base, small_set, tmp_path):
    with pytest.raises(SettingError, match="correlation of"):
        retarget_weights(base, small_set.folder, tmp_path / "r", "r", ["lip"], (2, 2, 1e-3, 0), quiet)
    assert not (tmp_path / "r").exists()
    found = retarget_weights(
        base, small_set.folder, tmp_path / "e", "e", ["eye"], (4, 2, 1e-3, 0), quiet, -2.0
    )
    assert np.isfinite(found["eye"].error)
    name = "stitching_retargeting_module.safetensors"
    old, new = load_file(base / name), load_file(tmp_path / "e" / name)
    assert {key.partition(".")[0] for key in old if not torch.equal(old[key], new[key])} == {
        "retarget_eye_module"
    }


def test_exported_weights_load_in_both_layouts(base, tmp_path):
    label = export_run(base, tmp_path / "again", "own", has_official=True)
    assert label.name == "own"
    wanted, found = load_networks(base), load_networks(tmp_path / "again")
    for name, value in wanted.spade_generator.state_dict().items():
        assert torch.equal(value, found.spade_generator.state_dict()[name])
    official = tmp_path / "official"
    official.mkdir()
    (tmp_path / "again" / "liveportrait").rename(official / "liveportrait")
    stitching = torch.load(
        official / "liveportrait/retargeting_models/stitching_retargeting_module.pth", weights_only=True
    )
    assert set(stitching) == {"retarget_shoulder", "retarget_mouth", "retarget_eye"}
    assert all(key.startswith("module.mlp.") for key in stitching["retarget_eye"])
    newest = sorted((base / "checkpoints").glob("step-*.pt"))[-1]
    from_checkpoint = export_run(newest, tmp_path / "from-checkpoint", None, has_official=False)
    assert from_checkpoint.sha256 == json.loads((base / "trained.json").read_text())["sha256"]
    with pytest.raises(ModelDamaged, match="lacks the key"):
        export_run(official, tmp_path / "x", None, has_official=False)


def test_regions_and_sliders_need_the_published_key_points(base):
    from fakes.networks import FakeNetworks

    from lp_core.engines.liveportrait.engine import LivePortraitEngine
    from lp_core.engines.liveportrait.landmarks import Refinement
    from lp_core.settings.render import RenderSettings
    from lp_core.settings.table import with_values

    networks = FakeNetworks(origin="trained")
    networks.trained = load_networks(base).trained
    settings = with_values(RenderSettings(), {"region": "lips"})
    with pytest.raises(SettingError, match="'base' were trained from scratch"):
        LivePortraitEngine(settings, networks, Refinement(None, ()))


def test_a_changed_or_broken_file_is_refused(base, tmp_path):
    export_run(base, tmp_path / "w", None, has_official=False)
    path = tmp_path / "w" / "spade_generator.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"oops")
    with pytest.raises(ModelDamaged, match="not the file it should be"):
        load_networks(tmp_path / "w")
    (tmp_path / "w" / "trained.json").write_text('{"schema": "x"}')
    with pytest.raises(ModelDamaged, match="export the weights again"):
        load_networks(tmp_path / "w")
    states = initial_states(TINY, 0)
    states["G"]["fc.weight"][0] = float("nan")
    with pytest.raises(ModelDamaged, match="not finite"):
        export_weights(tmp_path / "n", TINY, states, Origin("n"))


def test_evaluation_puts_every_way_into_one_table(base, small_set, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluating, "drawn_by_mesh", lambda source, driving: [source] * len(driving))
    inputs = tmp_path / "inputs"
    options = EvaluateOptions(every=6, reads_faces=False, inputs=inputs)
    table = evaluate(small_set.folder, [base], tmp_path / "out", options, quiet)
    assert list(table.rows) == ["source frame", "base, motion off", "base", "mesh"]
    truth = tmp_path / "truth" / "p2"
    truth.mkdir(parents=True)
    from lp_core.training.rivals import read_frames
    from lp_core.training.sheets import write_png

    for index, frame in enumerate(read_frames(inputs / "p2" / "driving.mkv")):
        write_png(truth / f"{index:04d}.png", frame)
    table = evaluate(small_set.folder, [], tmp_path / "out", replace(options, results=(truth.parent,)), quiet)
    figures = table.rows["truth"]["p2"]
    assert (figures["PSNR"], figures["SSIM"], figures["L1"]) == (float("inf"), pytest.approx(1), 0)
    text = (tmp_path / "out" / "table.md").read_text()
    assert "FID is not available" in text
    assert "LPIPS is not available" in text
    assert "| truth | exact |" in text
    assert (tmp_path / "out" / "table.csv").read_text().count("truth,p2") == 1
    (truth / "0000.png").unlink()
    with pytest.raises(SettingError, match="render all of them"):
        evaluate(small_set.folder, [], tmp_path / "out", replace(options, results=(truth.parent,)), quiet)
    with pytest.raises(SettingError, match="0 shots to evaluate"):
        evaluate(small_set.folder, [base], tmp_path / "out", EvaluateOptions(part="validation"), quiet)


def test_cross_reenactment_draws_another_persons_motion(base, small_set, tmp_path):
    options = EvaluateOptions(part="held-out", every=2, is_cross=True, reads_faces=False, has_mesh=False)
    table = evaluate(small_set.folder, [base], tmp_path / "out", options, quiet)
    assert list(table.rows["base"]) == ["p0~p1", "p1~p0"]
    assert Path(tmp_path / "out" / "sheet.png").is_file()


def test_pixel_figures_equal_scikit_image():
    random = np.random.default_rng(4)
    a, b = random.random((2, 3, 40, 40)).astype(np.float32)
    wanted = structural_similarity(a, b, channel_axis=0, data_range=1.0)
    assert ssim(a, b) == pytest.approx(wanted, abs=1e-6)
    assert ssim(a, a) == pytest.approx(1)
    from lp_core.training.reenact import decibels

    db = decibels([float(np.square(a.astype(np.float64) - b).mean())])
    assert db == pytest.approx(
        peak_signal_noise_ratio(a.astype(np.float64), b.astype(np.float64), data_range=1), abs=1e-6
    )


def reading(seed, shift=0.0):
    random = np.random.default_rng(seed)
    points = random.random((478, 3)).astype(np.float32)
    points[33, :2], points[263, :2] = (0, 0), (1, 0)
    identity = np.eye(128, dtype=np.float32)[0]
    return FaceReading(
        points + np.float32(shift), np.full(52, shift, np.float32), np.array([shift, 0, 0]),
        random.random(3), np.zeros((2, 2)), identity,
    )  # fmt: skip


def test_face_figures_of_planted_readings():
    truth = [reading(seed) for seed in range(4)]
    same = compare_readings(truth, truth)
    assert (same["AKD"], same["AED-mp"], same["APD-mp"], same["MAE-eye"], same["found"]) == (0, 0, 0, 0, 1)
    assert same["r_lips"] == pytest.approx(1)
    moved = compare_readings(truth, [reading(seed, 0.3) for seed in range(3)] + [None])
    assert moved["AKD"] == pytest.approx(0.3 * np.sqrt(2), rel=1e-4)
    assert moved["AED-mp"] == pytest.approx(0.3)
    assert moved["APD-mp"] == pytest.approx(0.1)
    assert moved["found"] == 0.75
    assert identity_kept(truth[0], truth) == pytest.approx(1)
    assert np.isnan(identity_kept(None, truth))
    assert np.isnan(compare_readings(truth, [None] * 4)["AKD"])


def test_intervals_and_frechet_distance():
    mean, low, high = interval([1.0, 2.0, 3.0, float("nan")])
    assert mean == 2
    assert low < mean < high
    random = np.random.default_rng(5)
    a = random.normal(0, 1, (4000, 3))
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet(a, a + np.array([2.0, 0, 0])) == pytest.approx(4, abs=1e-6)
