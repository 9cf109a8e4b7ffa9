"""Animation modes, editor and smoother against recordings of the official pipeline."""

# ruff: noqa: E402 - imports follow the check for the library

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from parity_arrays.modes import REGIONS, Scene, SmallNetworks, edited, picked, play

from lp_core.engines.base import Performance
from lp_core.engines.liveportrait import engine as engine_module
from lp_core.engines.liveportrait.checkpoints import read_file
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.portrait import LivePortraitPortrait
from lp_core.engines.liveportrait.table import STITCHING
from lp_core.engines.liveportrait.weight_layout import official_path
from lp_core.frame import Frame
from lp_core.motion.implicit.kalman import kalman_smooth
from lp_core.render.read_performance import neutral_filler
from lp_core.settings import LivePortraitSettings, MotionSettings, RenderSettings
from lp_core.settings.sliders import SLIDERS


@pytest.fixture(scope="session")
def small_networks(weights_dir):
    return SmallNetworks(read_file(STITCHING, weights_dir / official_path(STITCHING)))


@pytest.fixture(scope="session")
def scene(modes):
    return Scene(modes)


def test_source_points_are_the_recorded_ones(scene, modes):
    modes.check("modes.x_s", scene.points)


def test_every_animation_mode_gives_the_recorded_points(scene, modes, small_networks):
    runs = json.loads(str(modes["modes.table"]))["modes"]
    assert len(runs) == 110
    wrong = []
    for run in runs:
        key = f"modes.x_d.{run['name']}"
        worst = modes.difference(key, play(scene, run, small_networks)).max()
        if worst > 5e-6:
            wrong.append(f"{run['name']}: {worst:.1e}")
    assert not wrong


def portrait_of(scene, frame, first):
    """A portrait without images: what the key points' algebra needs of it."""
    return LivePortraitPortrait(
        source=Frame(np.zeros((2, 2, 3), np.uint8), frame, Fraction(frame, 25)),
        state=scene.sources[frame],
        keypoints=scene.keypoints[frame],
        points=scene.points[frame],
        ratios=picked(scene.source_ratios, slice(first, first + 1)),
        warp=None,
        place=None,
        beyond=None,
    )


def motion_of(scene, frame):
    motion, ratios = scene.driving[frame], scene.driving_ratios
    filler = neutral_filler("liveportrait21")
    return replace(
        filler,
        rotation=motion.rotation.T,
        scale=motion.scale,
        translation=motion.translation[:2],
        expression=motion.expression,
        eyes=ratios.eyes[frame],
        lips=ratios.lips[frame],
        confidence=np.float32(1),
    )


def played_by_the_engine(scene, run, networks):
    """The same as ``play``, asked of the engine as a render asks it."""
    is_clip, is_filmed = run["driving"] == "vid", run["source"] == "vid"
    is_relative, region = run.get("flag_relative_motion", True), run.get("animation_region", "all")
    settings = RenderSettings(
        motion=MotionSettings(
            motion="relative" if is_relative else "absolute",
            reference="0" if is_clip or not is_relative else "neutral",
            region=REGIONS.get(region, region),
            strength=run.get("driving_multiplier", 1.0),
        ),
        liveportrait=LivePortraitSettings(
            driving_option=run.get("driving_option", "pose-friendly"),
            stitching=run.get("flag_stitching", True),
            eye_retargeting=run.get("flag_eye_retargeting", False),
            lip_retargeting=run.get("flag_lip_retargeting", False),
            normalize_lip=run.get("flag_normalize_lip", False),
            steady_eyes=run.get("flag_source_video_eye_retargeting", False),
            official_compat=True,
        ),
    )
    engine = LivePortraitEngine(settings, networks)
    frames = range(4 if is_clip or is_filmed else 1)
    shown = [
        portrait_of(scene, i if is_filmed else 0, i if is_filmed else run.get("first", 0)) for i in frames
    ]
    motions = [motion_of(scene, i if is_clip else 0) for i in frames]
    if is_filmed and engine.info.surveys_plates:
        performance = Performance(lambda frame: motions[frame.index], motions[0], 4 if is_clip else 1)
        plan = engine.survey([(portrait.source, portrait) for portrait in shown], performance)
        shown = [replace(portrait, plan=plan) for portrait in shown]
    pairs = zip(shown, motions, strict=True)
    return np.stack([engine.driven_points(portrait, motion, motions[0]) for portrait, motion in pairs])


def test_every_animation_mode_gives_the_recorded_points_through_the_engine(
    scene, modes, small_networks, monkeypatch
):
    """All of them but those with another smoothing, which is not a setting; filmed sources by their survey."""
    monkeypatch.setattr(engine_module, "read_source", lambda networks, frame, face, crop: face.state)
    monkeypatch.setattr(engine_module, "ratios_of", lambda face: face.ratios)
    runs = json.loads(str(modes["modes.table"]))["modes"]
    runs = [run for run in runs if run.get("driving_smooth_observation_variance", 3e-7) == 3e-7]
    assert len(runs) > 100
    wrong = []
    for run in runs:
        key = f"modes.x_d.{run['name']}"
        worst = modes.difference(key, played_by_the_engine(scene, run, small_networks)).max()
        if worst > 5e-6:
            wrong.append(f"{run['name']}: {worst:.1e}")
    assert not wrong


def test_the_editor_starts_where_the_recorded_one_does(scene, modes):
    modes.check("modes.edit.x_s", scene.points[:1])
    ratios = scene.source_ratios
    start = [round(float(ratios.eyes[0].mean()), 2), round(float(ratios.lips[0]), 2)]
    assert start == modes["modes.edit.start_ratios"].tolist()


def test_every_editor_setting_gives_the_recorded_points(scene, modes, small_networks):
    table = json.loads(str(modes["modes.table"]))
    assert len(table["edits"]) == 36
    assert set(table["slider_order"]) <= set(SLIDERS)
    for run in table["edits"]:
        modes.check(f"modes.edit.x_d.{run['name']}", edited(scene, run, small_networks))


@pytest.mark.parametrize("variance", ["3e-07", "3e-06", "0.001"])
def test_smoother_gives_the_recorded_sequence(modes, variance):
    modes.check(f"smooth.out.{variance}", kalman_smooth(modes["smooth.in"], float(variance)))


def test_every_recorded_mode_is_in_the_table(modes):
    table = json.loads(str(modes["modes.table"]))
    names = {f"modes.x_d.{run['name']}" for run in table["modes"]}
    names |= {f"modes.edit.x_d.{run['name']}" for run in table["edits"]}
    assert names == {key for key in modes.arrays if key.startswith(("modes.x_d.", "modes.edit.x_d."))}
