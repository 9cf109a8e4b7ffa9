"""Animation modes, editor and smoother of the published LivePortrait pipeline, by our algebra."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import torch

from lp_core.engines.liveportrait import retarget
from lp_core.engines.liveportrait.config import EYE_LAYERS, LIP_LAYERS, STITCHING_LAYERS
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.retarget import Ratios, RetargetOptions
from lp_core.engines.liveportrait.stitching import KeypointMlp
from lp_core.engines.liveportrait.table import LIVEPORTRAIT
from lp_core.motion.implicit.edit import Edit
from lp_core.motion.implicit.kalman import kalman_smooth
from lp_core.motion.implicit.motion import implicit_motion, rotation_from_degrees, transform_keypoints
from lp_core.motion.implicit.transfer import TransferOptions, picture_reference, transfer, transfer_filmed
from parity_arrays.rules import Arrays

REGIONS = {"exp": "expression", "lip": "lips"}
"""Words of the published pipeline -> ours."""
EPS = 1e-6
VARIANCES = ("3e-07", "3e-06", "0.001")
"""Strengths of the smoother that were recorded."""


class SmallNetworks:
    """The three small networks alone."""

    origin, device, dtype, model = "synthetic", torch.device("cpu"), torch.float32, LIVEPORTRAIT
    trained = None

    def __init__(self, states: Mapping[str, StateDict]) -> None:
        for name, layers in (("stitching", STITCHING_LAYERS), ("eye", EYE_LAYERS), ("lip", LIP_LAYERS)):
            network = KeypointMlp(layers)
            network.load_state_dict(states[name])
            setattr(self, name, network.requires_grad_(False))


def gap(points: np.ndarray, a: int, b: int) -> np.ndarray:
    """Distance of two points, over leading axes."""
    return np.linalg.norm(points[..., a, :] - points[..., b, :], axis=-1)


def ratios_of(landmarks: np.ndarray) -> Ratios:
    """Eye and lip ratios of 203 points."""
    first = gap(landmarks, 6, 18) / (gap(landmarks, 0, 12) + EPS)
    second = gap(landmarks, 30, 42) / (gap(landmarks, 24, 36) + EPS)
    lips = gap(landmarks, 90, 102) / (gap(landmarks, 48, 66) + EPS)
    return Ratios(np.stack([first, second], axis=-1), lips)


class Scene:
    """The recorded inputs."""

    def __init__(self, modes: Mapping[str, np.ndarray]) -> None:
        source = {
            k: modes[f"modes.in.source.{k}"] for k in ("pitch", "yaw", "roll", "scale", "t", "exp", "kp")
        }
        driving = {k: modes[f"modes.in.driving.{k}"] for k in ("R", "scale", "t", "exp", "c_eyes", "c_lip")}
        rotation = rotation_from_degrees(*(source[k][:, 0] for k in ("pitch", "yaw", "roll")))
        frames = range(4)
        self.sources = [
            implicit_motion(rotation[i], source["exp"][i], source["scale"][i], source["t"][i]) for i in frames
        ]
        self.keypoints = source["kp"].astype(np.float64)
        self.points = np.stack(
            [transform_keypoints(k, m) for k, m in zip(self.keypoints, self.sources, strict=True)]
        )
        self.driving = [
            implicit_motion(driving["R"][i], driving["exp"][i], driving["scale"][i], driving["t"][i])
            for i in frames
        ]
        self.source_ratios = ratios_of(modes["modes.in.source.lmk203"].astype(np.float64))
        self.driving_ratios = Ratios(
            driving["c_eyes"].astype(np.float64), driving["c_lip"][:, 0].astype(np.float64)
        )


def picked(ratios: Ratios, rows: slice) -> Ratios:
    """Some of the frames."""
    return Ratios(ratios.eyes[rows], ratios.lips[rows])


def still(scene: Scene, run: dict, options: TransferOptions) -> np.ndarray:
    """Driven key points of a still source, (N, 21, 3)."""
    source, keypoints = scene.sources[0], scene.keypoints[0]
    performance = scene.driving if run["driving"] == "vid" else scene.driving[:1]
    reference = performance[0] if len(performance) > 1 else picture_reference(performance[0], options)
    is_friendly = run.get("driving_option") == "expression-friendly"
    if is_friendly and options.is_relative and len(performance) > 1:
        return np.stack(
            [
                retarget.expression_friendly(keypoints, source, frame, reference, options)
                for frame in performance
            ]
        )
    moved = [transfer(source, frame, reference, options) for frame in performance]
    return np.stack([transform_keypoints(keypoints, motion) for motion in moved])


def filmed(scene: Scene, run: dict, options: TransferOptions) -> np.ndarray:
    """Driven key points of a filmed source, (4, 21, 3)."""
    is_clip = run["driving"] == "vid"
    performance = scene.driving if is_clip else scene.driving[:1]
    reference = performance[0] if is_clip else picture_reference(performance[0], options, is_filmed=True)
    moved = transfer_filmed(scene.sources, performance, reference, options)
    return np.stack([transform_keypoints(k, m) for k, m in zip(scene.keypoints, moved, strict=True)])


def play(scene: Scene, run: dict, networks: retarget.KeypointNetworks) -> np.ndarray:
    """Key points of one row of the recorded table, (N, 21, 3)."""
    is_filmed = run["source"] == "vid"
    region = run.get("animation_region", "all")
    options = TransferOptions(
        is_relative=run.get("flag_relative_motion", True),
        region=REGIONS.get(region, region),
        official_compat=True,
        observation_variance=run.get("driving_smooth_observation_variance", 3e-7),
    )
    finishing = RetargetOptions(
        stitching=run.get("flag_stitching", True),
        eye_retargeting=run.get("flag_eye_retargeting", False),
        lip_retargeting=run.get("flag_lip_retargeting", False),
        normalise_lips=run.get("flag_normalize_lip", False),
        multiplier=run.get("driving_multiplier", 1.0),
        official_compat=True,
    )
    driven = (filmed if is_filmed else still)(scene, run, options)
    keeps_eyes = run.get("flag_source_video_eye_retargeting", False)
    target = retarget.steady_eye_target(scene.source_ratios.eyes[0]) if keeps_eyes else None
    rows = slice(0, 4) if is_filmed else slice(0, 1)
    looks_at = rows if is_filmed else slice(run.get("first", 0), run.get("first", 0) + 1)
    return retarget.finish(
        networks,
        scene.points[rows],
        driven,
        finishing,
        options.is_relative,
        picked(scene.source_ratios, looks_at),
        picked(scene.driving_ratios, slice(0, len(driven))),
        target,
    )


def edited(scene: Scene, run: dict, networks: retarget.KeypointNetworks) -> np.ndarray:
    """The official editor on source frame 0, its kept depth included."""
    sliders = {name: value for name, value in run["sliders"].items() if not name.endswith("_ratio")}
    moved = Edit(sliders).applied(scene.sources[0])
    driven = transform_keypoints(scene.keypoints[0], moved, keeps_depth=True)[None]
    source, ratios = scene.points[:1], picked(scene.source_ratios, slice(0, 1))
    eye, lip = (run["sliders"].get(name) for name in ("eye_ratio", "lip_ratio"))
    if eye is not None:
        driven = driven + retarget.eye_offsets(networks, source, ratios.eyes, np.array([eye]))
    if lip is not None:
        driven = driven + retarget.lip_offsets(networks, source, ratios.lips, np.array([lip]))
    return retarget.stitched(networks, source, driven) if run["stitching"] else driven


def all_arrays(networks: retarget.KeypointNetworks, recorded: Mapping[str, np.ndarray]) -> Arrays:
    """Every recorded array of modes, editor and smoother."""
    scene, table = Scene(recorded), json.loads(str(recorded["modes.table"]))
    found = {"modes.x_s": scene.points, "modes.edit.x_s": scene.points[:1]}
    found |= {f"modes.x_d.{run['name']}": play(scene, run, networks) for run in table["modes"]}
    found |= {f"modes.edit.x_d.{run['name']}": edited(scene, run, networks) for run in table["edits"]}
    for variance in VARIANCES:
        found[f"smooth.out.{variance}"] = kalman_smooth(recorded["smooth.in"], float(variance))
    return found
