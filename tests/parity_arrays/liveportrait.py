"""Arrays of LivePortrait's networks and of the recorded chain: a still, relative motion, stitched."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from lp_core.engines.liveportrait import Networks
from lp_core.engines.liveportrait.warping import Warped
from lp_core.motion.implicit.motion import (
    ImplicitMotion,
    bins_to_degrees,
    implicit_motion,
    rotation_from_degrees,
    transform_keypoints,
)
from parity_arrays.rules import Arrays, Taps, as_input, image, noise, numbers, spread

LABELS = ("source", "driving0", "driving1", "driving2")
Motions = tuple[list[ImplicitMotion], np.ndarray]
"""(states, canonical key points) of the four test images."""


def appearance(networks: Networks, seed: int) -> tuple[torch.Tensor, Arrays]:
    """The feature volume of the source, and F's arrays."""
    net = networks.appearance_extractor
    taps = {
        "F.first": (net.first, (1, 8, 8, 8)),
        "F.down0": (net.down_blocks[0], (1, 8, 8, 8)),
        "F.down1": (net.down_blocks[1], (1, 8, 4, 4)),
        "F.second": (net.second, (1, 8, 4, 4)),
    } | {f"F.res{i}": (net.resblocks_3d[i], (1, 4, 4, 8, 8)) for i in range(6)}
    with Taps(taps) as found:
        volume = networks.appearance(as_input([image(seed, "source")]))
    mean, std = spread(volume[0], (-2, -1))
    found |= {"F.out.sub": numbers(volume, 1, 4, 4, 4, 4), "F.out.mean": mean, "F.out.std": std}
    return volume, found


def motion(networks: Networks, seed: int) -> tuple[list[ImplicitMotion], np.ndarray, Arrays]:
    """States and canonical key points of the test images, and M's arrays."""
    net = networks.motion_extractor.detector
    taps = {
        "M.stem": (net.downsample_layers[0], (1, 8, 4, 4)),
        "M.stage0": (net.stages[0], (1, 8, 8, 8)),
        "M.stage1": (net.stages[1], (1, 8, 4, 4)),
        "M.stage2": (net.stages[2], (1, 8, 2, 2)),
        "M.stage3": (net.stages[3], (1, 8, 1, 1)),
        "M.pooled": (net.norm, (1, 1)),
    }
    with Taps(taps) as found:
        raw = networks.motion(as_input([image(seed, label) for label in LABELS]))
    for key in ("M.stem", *(f"M.stage{i}" for i in range(4))):
        found[key] = found[key][:1]
    arrays = {name: getattr(raw, name).cpu().numpy() for name in raw.__dataclass_fields__}
    found |= {f"M.raw.{name}": array for name, array in arrays.items()}
    angles = {name: bins_to_degrees(arrays[name]) for name in ("pitch", "yaw", "roll")}
    found |= {f"M.refined.{name}": angle[:, None] for name, angle in angles.items()}
    for name in ("kp", "exp"):
        found[f"M.refined.{name}"] = arrays[name].reshape(-1, 21, 3)
    found |= {f"M.refined.{name}": arrays[name] for name in ("t", "scale")}
    found["M.R"] = rotation_from_degrees(**angles)
    motions = [
        implicit_motion(found["M.R"][i], arrays["exp"][i], arrays["scale"][i], arrays["t"][i])
        for i in range(len(LABELS))
    ]
    keypoints = found["M.refined.kp"]
    found["M.x"] = np.stack([transform_keypoints(k, m) for k, m in zip(keypoints, motions, strict=True)])
    return motions, keypoints, found


def warped(case: str, result: Warped) -> Arrays:
    """W's results under the names of a case."""
    mean, std = spread(result.out[0], (-2, -1))
    return {
        f"W.{case}.deformation.sub": numbers(result.deformation, 1, 2, 4, 4, 1),
        f"W.{case}.occlusion": numbers(result.occlusion, 1),
        f"W.{case}.out.sub": numbers(result.out, 1, 4, 4, 4),
        f"W.{case}.out.mean": mean,
        f"W.{case}.out.std": std,
    }


def as_points(array: np.ndarray) -> torch.Tensor:
    """(..., 3) points as a float32 batch (B, 21, 3)."""
    return torch.from_numpy(np.asarray(array, dtype=np.float32)).reshape(-1, 21, 3)


def small_motion(networks: Networks, volume: torch.Tensor, points: np.ndarray) -> Arrays:
    """W from the source to the first driving image."""
    return warped(
        "a",
        networks.warping(volume, kp_source=as_points(points[0]), kp_driving=as_points(points[1])),
    )


def large_motion(networks: Networks, seed: int, recorded: Mapping[str, np.ndarray]) -> Arrays:
    """W on noise, with points that move far."""
    source, driving = (as_points(recorded[f"in.W.b.kp_{side}"]) for side in ("source", "driving"))
    dense = networks.warping_module.dense_motion_network
    glass = dense.hourglass
    taps = {
        "W.b.compress_bn": (dense.compress, (1, 1, 2, 4, 4)),
        "W.b.hourglass_in": (glass.encoder, (1, 1, 4, 8, 8)),
        "W.b.hourglass_out": (glass, (1, 4, 4, 8, 8)),
        "W.b.mask_logits": (dense.heads, (1, 1, 4, 8, 8)),
        "W.b.third": (networks.warping_module.third, (1, 4, 4, 4)),
    }
    for i, step in enumerate((8, 4, 2, 1, 1)):
        taps[f"W.b.enc{i}"] = (glass.encoder.down_blocks[i], (1, 16, 4, step, step))
    for i, step in enumerate((1, 1, 2, 4, 8)):
        taps[f"W.b.dec{i}"] = (glass.decoder.up_blocks[i], (1, 8, 4, step, step))
    with Taps(taps) as found:
        feature = noise(seed, "in:W.b.feature", (1, 32, 16, 64, 64))
        result = networks.warping(feature, kp_source=source, kp_driving=driving)
    return found | warped("b", result)


def picture(networks: Networks, seed: int) -> Arrays:
    """G on noise."""
    net = networks.spade_generator
    taps = {
        "G.b.fc": (net.fc, (1, 16, 4, 4)),
        "G.b.up_0": (net.up_0, (1, 16, 8, 8)),
        "G.b.up_1": (net.up_1, (1, 8, 8, 8)),
        "G.b.logits": (net.conv_img, (1, 1, 8, 8)),
    } | {f"G.b.middle{i}": (net.get_submodule(f"G_middle_{i}"), (1, 16, 4, 4)) for i in range(6)}
    with Taps(taps) as found:
        result = networks.generator(noise(seed, "in:G.b.feature", (1, 256, 64, 64), 0.8))
    mean, std = spread(result[0], (-2, -1))
    return found | {"G.b.out.sub": numbers(result, 1, 1, 4, 4), "G.b.out.mean": mean, "G.b.out.std": std}


def stitched(
    networks: Networks, source: torch.Tensor, driving: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The stitching network's numbers, and the points with them."""
    offsets = networks.stitching(torch.cat([source.flatten(1), driving.flatten(1)], dim=1))
    result = driving + offsets[:, :63].reshape(-1, 21, 3)
    result[..., :2] += offsets[:, None, 63:]
    return offsets, result


def small_networks(networks: Networks, points: np.ndarray, recorded: Mapping[str, np.ndarray]) -> Arrays:
    """S: stitching, eyes, lips."""
    eye, lip = (torch.from_numpy(recorded[f"in.{name}_ratio"]) for name in ("eye", "lip"))
    batch = as_points(points)
    offsets, moved = stitched(networks, batch[:1], batch[1:2])
    source = batch[:1].flatten(1).expand(2, -1)
    found = {
        "S.stitching": offsets,
        "S.stitched_x": moved,
        "S.eye": networks.eye(torch.cat([source, eye], dim=1)).reshape(-1, 21, 3),
        "S.lip": networks.lip(torch.cat([source, lip], dim=1)).reshape(-1, 21, 3),
    }
    return {key: value.numpy() for key, value in found.items()}


def chain_points(networks: Networks, motions: Motions) -> tuple[torch.Tensor, torch.Tensor]:
    """The source's points (1, 21, 3) and the chain's (3, 21, 3)."""
    (source, first, *others), (keypoints, *_) = motions
    result = []
    for driving in (first, *others):
        moved = implicit_motion(
            driving.rotation @ first.rotation.T @ source.rotation,
            source.expression + driving.expression - first.expression,
            source.scale * driving.scale / first.scale,
            source.translation + driving.translation - first.translation,
        )
        result.append(transform_keypoints(keypoints, moved))
    still = as_points(transform_keypoints(keypoints, source))
    return still, stitched(networks, still.expand(3, -1, -1), as_points(np.stack(result)))[1]


def chain(networks: Networks, volume: torch.Tensor, still: torch.Tensor, driven: torch.Tensor) -> Arrays:
    """The three images of the chain."""
    source = networks.prepare_source(volume, still)
    drawn = [networks.generator(networks.warp(source, driven[i : i + 1]).out).cpu() for i in range(3)]
    mean, std = spread(drawn[0][0], (-2, -1))
    return {
        "E.x_d": driven.numpy(),
        "E.out.sub": numbers(torch.cat(drawn), 1, 1, 4, 4),
        "E.out0.mean": mean,
        "E.out0.std": std,
    }


def all_arrays(networks: Networks, seed: int, recorded: Mapping[str, np.ndarray]) -> Arrays:
    """Every array of networks and chain."""
    volume, found = appearance(networks, seed)
    motions, keypoints, moved = motion(networks, seed)
    found = found | moved | small_motion(networks, volume, moved["M.x"])
    found |= large_motion(networks, seed, recorded) | picture(networks, seed)
    found |= small_networks(networks, moved["M.x"], recorded)
    still, driven = chain_points(networks, (motions, keypoints))
    return found | chain(networks, volume, still, driven)
