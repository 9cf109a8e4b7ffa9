"""The loop: what learns and what does not, resuming, guards, and that the engine runs what was trained."""

from dataclasses import replace

import pytest
import torch
from fakes.small_disk import fill, small_disk  # noqa: F401 - a fixture
from fakes.training_sets import TINY

from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, MotionConfig, WarpingConfig
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor, fold_motion
from lp_core.engines.liveportrait.networks import load_networks
from lp_core.engines.liveportrait.sizes import PUBLISHED
from lp_core.errors import DiskFull, LicenseNotAccepted, SettingError, TrainingStopped
from lp_core.training.config import Schedule, read_config
from lp_core.training.export import Origin, export_weights
from lp_core.training.initial import FEATURE_SPREAD, initial_states, with_centered_features
from lp_core.training.keypoints import motion_batch, transformed
from lp_core.training.loop import LOG_COLUMNS, Trainer, run_loop
from lp_core.training.pairs import PairSampler
from lp_core.training.published import PublishedParameters
from lp_core.training.ranks import Ranks
from lp_core.training.reenact import networks_of, reenact
from lp_core.training.run import run_training
from lp_core.training.run_files import CheckpointFolder, CsvLog

CPU = torch.device("cpu")
LARGER = replace(
    TINY,
    appearance=AppearanceConfig(8, 1, 8, 2, 2, 2),
    warping=WarpingConfig(2, 2, 21, 3, 6, 3, 12, out_channels=8),
    generator=GeneratorConfig(8, 16, 4, 2, (12, 4), 2),
    motion=MotionConfig((1, 2), (4, 8)),
)


def trainer_of(config, data):
    return Trainer(config, data, initial_states(config.sizes, 0), CPU, Ranks())


def finish(config, data, folder, stop_after=None):
    """Trains; or breaks off after a step, as a killed process does: without a word."""
    trainer = trainer_of(config, data)
    if stop_after is not None:
        step = trainer.step_once

        def breaking():
            if trainer.progress.step == stop_after:
                raise KeyboardInterrupt
            return step()

        trainer.step_once = breaking
    folder.mkdir(exist_ok=True)
    run_loop(trainer, folder, lambda _states, step: float(step), lambda _line: None)
    return trainer


def tensors(trainer):
    content = trainer.content()
    found = {**content["published"], **content["discriminators"]}
    found |= {f"average {name}": value for name, value in content["averages"].items()}
    for index, state in content["optimizer"]["state"].items():
        found |= {f"{index} {name}": value for name, value in state.items()}
    return found


def rows(folder):
    return [
        {k: v for k, v in row.items() if k != "cpu_s"}
        for row in CsvLog(folder / "log.csv", LOG_COLUMNS).rows()
    ]


def test_a_broken_off_run_continues_with_the_same_bits(config, small_set, tmp_path):
    config = replace(config, schedule=replace(config.schedule, gan_from=4))
    whole = finish(config, small_set, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        finish(config, small_set, tmp_path / "broken", stop_after=7)
    with (tmp_path / "broken" / "log.csv").open("a") as log:
        log.write("8,gan,0.1")  # what a kill leaves of a row
    again = finish(config, small_set, tmp_path / "broken")
    wanted, found = tensors(whole), tensors(again)
    assert wanted.keys() == found.keys()
    assert [name for name, value in wanted.items() if not torch.equal(value, found[name])] == []
    assert rows(tmp_path / "whole") == rows(tmp_path / "broken")
    assert [row["phase"] for row in rows(tmp_path / "whole")] == ["motion"] * 3 + ["all"] * 4 + ["gan"] * 2


def test_a_fresh_m_reads_features_that_vary_with_the_image(config, small_set):
    pairs = PairSampler(small_set, config.sizes, config.augmentation, config.seed).batch(0, 8)
    images = torch.cat([pairs.source, pairs.driving])
    before = initial_states(config.sizes, 0)["M"]
    after = with_centered_features(before, config.sizes.motion, images)
    assert [key for key in before if not torch.equal(before[key], after[key])] == [
        key for key in before if key.removeprefix("detector.") in ("norm.weight", "norm.bias")
    ]
    network = MotionExtractor(config.sizes.motion)
    network.load_state_dict(fold_motion(after))
    found = network.detector.features(images).detach()
    assert found.mean(dim=0).abs().max() < 1e-4
    assert found.std(dim=0).max() < FEATURE_SPREAD + 1e-4


def test_the_guide_has_less_weight_once_images_are_drawn(config, small_set):
    losses = replace(config.losses, guide=8.0, guide_drawn=2.0)
    trainer = trainer_of(replace(config, losses=losses), small_set)
    pair = trainer.sampler.batch(0, 2)
    with torch.no_grad():
        alone, drawn = (trainer.generating(pair, draws)["guide"] for draws in (False, True))
    assert float(alone / drawn) == pytest.approx(4.0, rel=1e-5)


def test_gradients_reach_all_that_learns_and_nothing_else(config, small_set):
    config = replace(config, schedule=Schedule(motion_steps=0, steps=1, batch=2, learns=("F", "W", "G")))
    trainer = trainer_of(config, small_set)
    before = {name: value.clone() for name, value in trainer.published.state_dict().items()}
    for _ in range(2):
        trainer.step_once()
    for network in "FWG":
        for name, parameter in trainer.published.table(network).named_parameters():
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.any(), name
    for name, value in trainer.published.table("M").values().items():
        assert torch.equal(value, before[f"tables.M.{name.replace('.', '/')}"])
    averaged = trainer.averaged_states()["M"]
    assert all(
        torch.equal(value, averaged[name]) for name, value in trainer.published.table("M").values().items()
    )


def test_all_losses_give_every_parameter_a_gradient(config, small_set):
    config = replace(config, schedule=Schedule(motion_steps=0, steps=2, batch=2, gan_from=0))
    trainer = trainer_of(config, small_set)
    trainer.step_once()
    row = trainer.step_once()
    empty = [
        name
        for name, value in trainer.published.named_parameters()
        if value.grad is None or not value.grad.any()
    ]
    assert empty == []
    assert all(
        row[name] != 0
        for name in ("guide", "equivariance", "l1", "features", "face", "lips", "matching", "judge")
    )


def test_the_loss_falls(config, small_set, tmp_path):
    schedule = Schedule(motion_steps=25, steps=25, batch=2, save_every=200)
    finish(replace(config, schedule=schedule), small_set, tmp_path / "run")
    found = rows(tmp_path / "run")
    assert float(found[24]["guide"]) < 0.8 * float(found[0]["guide"])
    first, last = (sum(float(row["l1"]) for row in part) for part in (found[25:30], found[-5:]))
    assert last < 0.9 * first


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [TINY, LARGER])
def test_training_and_engine_draw_the_same(config, small_set, tmp_path, sizes, seed):
    """The engine reads the exported files."""
    trainer = Trainer(replace(config, sizes=sizes), small_set, initial_states(sizes, seed), CPU, Ranks())
    states = {**trainer.published.states(), **trainer.small_states}
    export_weights(tmp_path / "weights", sizes, states, Origin("same"))
    networks = load_networks(tmp_path / "weights")
    assert_same_drawing(trainer.published, networks, trainer.sampler.batch(seed, 2))


@pytest.mark.slow
def test_training_and_engine_draw_the_same_at_the_published_size(config, small_set):
    """The rounding of float32 adds up in networks so deep: single values of a fresh G are 2e-5 apart and more."""
    sizes = replace(PUBLISHED, input_px=128)
    states = initial_states(sizes, 0)
    pair = PairSampler(small_set, sizes, config.augmentation, 0).batch(0, 1)
    published, networks = PublishedParameters(sizes, states, ()), networks_of(sizes, states)
    assert_same_drawing(published, networks, pair, mean=2e-6, most=5e-5)


@torch.no_grad()
def assert_same_drawing(published, networks, pair, mean=2e-6, most=2e-5):
    folded, images = published.folded(), (pair.source, pair.driving)
    states = [motion_batch(published.motion(image)) for image in images]
    points = [transformed(states[0].canonical, state) for state in states]
    warped = published.warp(folded, published.appearance(folded, pair.source), *points)
    read = [motion_batch(networks.motion(image)) for image in images]
    places = [transformed(read[0].canonical, state) for state in read]
    assert all((a - b).abs().max() < 1e-6 for a, b in zip(points, places, strict=True))
    feature = networks.appearance(pair.source)
    wanted = networks.warping(feature, kp_source=places[0], kp_driving=places[1])
    assert (warped.deformation - wanted.deformation).abs().max() <= 5e-6
    apart = (published.draw(folded, warped.out) - networks.native(wanted.out)).abs()
    assert apart.mean() <= mean
    assert apart.max() <= most


def test_a_run_leaves_weights_that_the_engine_loads(config, small_set, tmp_path):
    config = replace(config, name="Übung", schedule=replace(config.schedule, evaluate_every=3))
    result = run_training(config, small_set.folder, tmp_path / "run", "cpu", lambda _line: None)
    networks = load_networks(tmp_path / "run")
    assert networks.origin == "trained"
    assert networks.sizes == TINY
    assert "Übung" in networks.trained.sentence()
    assert networks.trained.about["licenses"] == ["own"]
    assert result.score.whole["copy"] > 0
    found = reenact(networks, small_set.shots[0], [5, 6])
    assert found.drawn.shape == (2, 3, 32, 32)
    assert networks.generator(torch.zeros(1, 8, 8, 8)).shape == (1, 3, 512, 512)
    sheets = sorted(path.name for path in (tmp_path / "run" / "sheets").iterdir())
    assert sheets[-1] == "step-00000009-unseen.png"
    again = run_training(config, small_set.folder, tmp_path / "run", "cpu", lambda _line: None)
    assert again.progress.step == 9
    with pytest.raises(SettingError, match="another configuration"):
        run_training(replace(config, seed=5), small_set.folder, tmp_path / "run", "cpu", lambda _line: None)


def test_a_loss_that_is_not_a_number_stops_with_the_last_checkpoint(config, small_set, tmp_path):
    trainer = trainer_of(config, small_set)
    batch = trainer.sampler.batch

    def planted(first, count):
        pair = batch(first, count)
        return replace(pair, truth=pair.truth * float("nan")) if first >= 10 else pair

    trainer.sampler.batch = planted
    (tmp_path / "run").mkdir()
    with pytest.raises(TrainingStopped, match="step-00000006.pt"):
        run_loop(trainer, tmp_path / "run", lambda _states, step: float(step), lambda _line: None)
    assert all(torch.isfinite(value).all() for value in trainer.published.parameters())


def test_a_full_disk_keeps_the_older_checkpoint(config, small_set, small_disk, tmp_path):  # noqa: F811
    whole = finish(config, small_set, tmp_path / "whole")
    run = small_disk(80_000) / "run"
    with pytest.raises(KeyboardInterrupt):
        finish(config, small_set, run, stop_after=6)
    before = {path.name: path.read_bytes() for path in (run / "checkpoints").iterdir()}
    filler = fill(run.parent, 64)
    with pytest.raises(DiskFull, match="step-00000008.pt does not fit"):
        finish(config, small_set, run)
    assert {path.name: path.read_bytes() for path in (run / "checkpoints").iterdir()} == before
    assert CheckpointFolder(run).newest()["progress"]["step"] == 6
    with pytest.raises(DiskFull, match=r"\.safetensors does not fit"):
        export_weights(run / "weights", TINY, initial_states(TINY, 0), Origin("x"))
    assert not (run / "weights" / "trained.json").exists()
    filler.unlink()
    again, wanted = tensors(finish(config, small_set, run)), tensors(whole)
    assert [name for name, value in wanted.items() if not torch.equal(value, again[name])] == []


def test_configurations_and_feature_networks_that_cannot_be_used(config, small_set, tmp_path):
    path = tmp_path / "c.toml"
    for text, reason in (
        ("[schedule]\nstepz = 3", "'schedule.stepz' in the training configuration is not known"),
        ("[optimizer]\nrate = 'fast'", "'optimizer.rate' in the training configuration is 'fast'"),
        ("seeed = 1", "'seeed'"),
    ):
        path.write_text(text)
        with pytest.raises(SettingError, match=reason):
            read_config(path)
    path.write_text("[losses]\nperceptual = 'vgg19'\nperceptual_license = 'CC-BY-NC-4.0'")
    losses = read_config(path).losses
    with pytest.raises(LicenseNotAccepted, match=r"CC-BY-NC-4\.0.*allow_restricted = true"):
        trainer_of(replace(config, losses=losses), small_set)


def test_half_precision_needs_a_card(config, small_set):
    with pytest.raises(SettingError, match="CUDA"):
        trainer_of(replace(config, schedule=replace(config.schedule, precision="float16")), small_set)


def test_bfloat16_trains_like_float32(config, small_set):
    """Folding stays in float32, and the losses stay near those of a run in float32."""
    ends = {}
    for precision in ("float32", "bfloat16"):
        schedule = Schedule(motion_steps=0, steps=20, batch=2, precision=precision)
        trainer = trainer_of(replace(config, schedule=schedule), small_set)
        totals = [trainer.step_once()["total"] for _ in range(20)]
        assert all(value.dtype == torch.float32 for value in trainer.published.parameters())
        ends[precision] = sum(totals[-5:]) / 5
    assert ends["bfloat16"] == pytest.approx(ends["float32"], rel=0.05)
