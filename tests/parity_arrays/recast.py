"""Arrays of PerformRecast: F, M, key points, both modes, smoothing, crop, W, and the chain from F to the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from lp_core.engines.liveportrait import Networks
from lp_core.engines.liveportrait.performance import read_states
from lp_core.engines.liveportrait.table import PERFORMRECAST
from lp_core.engines.liveportrait.warping import Warped
from lp_core.geometry.crop import crop_from_frame, frame_from_crop, oriented_square
from lp_core.motion.implicit.kalman import kalman_smooth
from lp_core.motion.implicit.motion import ImplicitMotion, bins_to_degrees, transform_keypoints
from lp_core.motion.implicit.rigs import PERFORMRECAST49
from lp_core.motion.implicit.transfer import TransferOptions, transfer
from parity_arrays.liveportrait import warped
from parity_arrays.rules import Arrays, Taps, as_input, image, noise, numbers, spread

FRAMES = 6
State = tuple[ImplicitMotion, np.ndarray]


def plate(seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    """One plate frame, uint8: 512 pixels for F, 256 for M."""
    large = image(seed, f"recast.source{index}", 512, 512)
    wide = large.astype(np.uint16)
    small = (wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2] + 2) // 4
    return large, small.astype(np.uint8)


def appearance(networks: Networks, first: np.ndarray) -> tuple[torch.Tensor, Arrays]:
    """The feature volume of plate frame 0, and F's arrays."""
    net = networks.appearance_extractor
    taps = {
        "F.block0": (net.blocks[0], (1, 16, 8)),
        "F.block5": (net.blocks[5], (1, 16, 8)),
        "F.block11": (net.blocks[11], (1, 16, 8)),
        "F.tokens": (net.norm, (1, 16, 8)),
        "F.t_conv": (net.t_conv, (1, 16, 8, 8)),
        "F.conv": (net.conv, (1, 8, 4, 4)),
        "F.res0": (net.resblocks_3d[0], (1, 4, 4, 8, 8)),
        "F.res5": (net.resblocks_3d[5], (1, 4, 4, 8, 8)),
        "patches": (net.patches, (1, 1, 1, 1)),
    }
    embedded: list[torch.Tensor] = []
    handle = net.blocks[0].register_forward_pre_hook(lambda _module, inputs: embedded.append(inputs[0]))
    with Taps(taps) as found:
        volume = networks.appearance(as_input([first]))
    handle.remove()
    found["F.patch"] = found.pop("patches").transpose(0, 2, 3, 1)[:, ::4, ::4, ::16]
    found["F.embedded"] = numbers(embedded[0], 1, 16, 8)
    mean, std = spread(volume, (-2, -1))
    found |= {"F.out.sub": numbers(volume, 1, 4, 4, 4, 4), "F.out.mean": mean, "F.out.std": std}
    return volume, found


def motion(networks: Networks, images: list[np.ndarray]) -> tuple[list[State], Arrays]:
    """States of plate, driver and reference (13 images), and M's arrays."""
    with Taps({"M.pooled": (networks.motion_extractor.detector.norm, (1, 1))}) as found:
        raw = networks.motion(as_input(images))
    arrays = {name: getattr(raw, name).cpu().numpy() for name in raw.__dataclass_fields__}
    found |= {f"M.raw.{name}": array for name, array in arrays.items()}
    degrees = [bins_to_degrees(arrays[name], PERFORMRECAST49) for name in ("pitch", "yaw", "roll")]
    found["M.degrees"] = np.stack(degrees, axis=-1)
    states = read_states(_Kept(raw), torch.empty(len(images)), PERFORMRECAST49)
    found["M.R"] = np.stack([state.rotation.T for state, _ in states])
    found["M.x"] = np.stack([transform_keypoints(kp, state) for state, kp in states])
    return states, found


class _Kept:
    """Stands for M where its answer is already there."""

    def __init__(self, raw: object) -> None:
        self.raw = raw

    def motion(self, _image: torch.Tensor) -> object:
        """The answer."""
        return self.raw


def modes(states: list[State]) -> tuple[np.ndarray, Arrays]:
    """The plate's key points (6, 49, 3), and the modes' arrays."""
    sources, driving, reference = states[:FRAMES], states[FRAMES : 2 * FRAMES], states[-1][0]
    first = driving[0][0]

    def played(is_relative: bool, other: ImplicitMotion, is_smoothed: bool = False) -> np.ndarray:
        options = TransferOptions(is_relative, rig=PERFORMRECAST49)
        acts = [state for state, _ in driving]
        if is_smoothed:
            change = [act.expression - (other.expression if is_relative else 0.0) for act in acts]
            smooth = kalman_smooth(np.stack(change))
            base = other.expression if is_relative else 0.0
            acts = [replace(act, expression=base + s) for act, s in zip(acts, smooth, strict=True)]
        moved = [
            transform_keypoints(kp, transfer(state, act, other, options))
            for (state, kp), act in zip(sources, acts, strict=True)
        ]
        return np.stack(moved)

    points = np.stack([transform_keypoints(kp, state) for state, kp in sources])
    return points, {
        "modes.x_s": points,
        "modes.x_d.replacement": played(False, first),
        "modes.x_d.replacement.smooth": played(False, first, is_smoothed=True),
        "modes.x_d.enhancement.first": played(True, first),
        "modes.x_d.enhancement.first.smooth": played(True, first, is_smoothed=True),
        "modes.x_d.enhancement.image": played(True, reference),
    }


def crops(recorded: Mapping[str, np.ndarray]) -> tuple[Arrays, Arrays]:
    """(recorded, ours): where the crops' matrices send the landmarks, and back."""
    wanted, found = {}, {}
    for index in range(3):
        points = recorded[f"geom.{index}.lmk"].astype(np.float64)
        for side, size in (("source", 512), ("driving", 256)):
            square = oriented_square(points, PERFORMRECAST.source_crop)
            there, back = crop_from_frame(square, size), frame_from_crop(square, size)
            key = f"geom.{index}.{side}"
            inside = _sent(recorded[f"{key}.M_o2c"], points)
            wanted |= {f"{key}.M_o2c": inside, f"{key}.M_c2o": _sent(recorded[f"{key}.M_c2o"], inside)}
            found |= {f"{key}.M_o2c": _sent(there, points), f"{key}.M_c2o": _sent(back, inside)}
    return wanted, found


def _sent(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    wide = np.asarray(matrix, np.float64)
    return points @ wide[:2, :2].T + wide[:2, 2]


def _points(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array, np.float32)).reshape(-1, 49, 3)


def _warped(case: str, result: Warped) -> Arrays:
    """W's results as this recording keeps them, with the axis of the batch throughout."""
    arrays = warped(case, result)
    return {key: value[None] if key.endswith(("mean", "std")) else value for key, value in arrays.items()}


def large_motion(networks: Networks, seed: int, recorded: Mapping[str, np.ndarray]) -> Arrays:
    """W on noise, with points that move far."""
    source, driving = (_points(recorded[f"in.W.b.kp_{side}"]) for side in ("source", "driving"))
    dense = networks.warping_module.dense_motion_network
    taps = {
        "W.b.hourglass_in": (dense.hourglass.encoder, (1, 2, 4, 8, 8)),
        "W.b.hourglass_out": (dense.hourglass, (1, 4, 4, 8, 8)),
        "W.b.mask_logits": (dense.heads, (1, 1, 4, 8, 8)),
        "W.b.third": (networks.warping_module.third, (1, 4, 4, 4)),
    }
    with Taps(taps) as found:
        feature = noise(seed, "in:W.b.feature", (1, 32, 16, 64, 64))
        result = networks.warping(feature, kp_source=source, kp_driving=driving)
    return found | _warped("b", result)


def drawn(
    networks: Networks, case: str, volume: torch.Tensor, source: np.ndarray, driven: np.ndarray
) -> Arrays:
    """W and G of one frame of a mode."""
    result = networks.warping(volume, kp_source=_points(source), kp_driving=_points(driven))
    shown = networks.generator(result.out).cpu()
    mean, std = spread(shown, (-2, -1))
    return _warped(case, result) | {
        f"E.{case}.out.sub": numbers(shown, 1, 1, 4, 4),
        f"E.{case}.mean": mean,
        f"E.{case}.std": std,
    }


def all_arrays(networks: Networks, seed: int, recorded: Mapping[str, np.ndarray]) -> tuple[Arrays, Arrays]:
    """(recorded, ours); of matrices, where they send the landmarks."""
    plates = [plate(seed, index) for index in range(FRAMES)]
    driving = [image(seed, f"recast.driving{index}") for index in range(FRAMES)]
    images = [*(small for _, small in plates), *driving, image(seed, "recast.reference")]
    volume, found = appearance(networks, plates[0][0])
    second = networks.appearance(as_input([plates[1][0]]))
    found["F.out1.sub"] = numbers(second, 1, 8, 4, 8, 8)
    states, moved = motion(networks, images)
    points, played = modes(states)
    wanted, cut = crops(recorded)
    found |= moved | played | cut | {"smooth.out": kalman_smooth(recorded["smooth.in"])}
    found |= large_motion(networks, seed, recorded)
    replaced, enhanced = (played[f"modes.x_d.{name}"] for name in ("replacement", "enhancement.first"))
    found |= drawn(networks, "replacement", volume, points[0], replaced[0])
    found |= drawn(networks, "enhancement", second, points[1], enhanced[1])
    return dict(recorded) | wanted, found
