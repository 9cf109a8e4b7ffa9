"""JoyVASA's published files: read without running code, held against the network key by key, kept as safetensors.

Sizes come from the checkpoint's own ``args`` and from the shapes of its sound encoder. The table of steps
(``denoising_net.TE.pe``) is left out: its length follows the steps of training, and the network makes its own.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lp_core.errors import MALFORMED, BadMotionFile, ModelDamaged, ModelMissing
from lp_core.files import sha256_of
from lp_core.models.download import translated_write_errors
from lp_core.models.imports import imported_folder, imported_weights, write_import_list
from lp_core.motion.files.pickles import read_pickle
from lp_core.speech.joyvasa.about import FILES, NAME, WEIGHTS
from lp_core.speech.joyvasa.denoiser import MOTION, JoyvasaNetwork, JoyvasaSizes
from lp_core.speech.joyvasa.hubert import HubertSizes

F32 = NDArray[np.float32]
_State = dict[str, Tensor]

_STEPS = "denoising_net.TE.pe"
_ENCODER = "audio_encoder."
_POSITIONS = f"{_ENCODER}encoder.pos_conv_embed.conv."
_RENAMED = {
    f"{_POSITIONS}weight_g": f"{_POSITIONS}parametrizations.weight.original0",
    f"{_POSITIONS}weight_v": f"{_POSITIONS}parametrizations.weight.original1",
}
"""Older spelling of a normalized weight -> the present one."""
_RANGES = {"scale": 1, "t": 3, "pitch": 1, "yaw": 1, "roll": 1}
"""Part of a motion -> numbers, of those that the template states as least and greatest."""
_EXPRESSION = 63
_HEAD_WIDTH = 64
_NAMED = 3
_MOST = {"frames": 1000, "before": 200, "width": 2048, "steps": 1000, "fps": 120}
_IMPORT = f"lpsuite models import {NAME} FOLDER"


@dataclass(frozen=True)
class Ranges:
    """What turns the network's numbers into motion."""

    mean: F32
    """(70,) added."""
    spread: F32
    """(70,) multiplied before."""

    def motion(self, rows: F32) -> F32:
        """(n, 70) motion of (n, 70) numbers of the network."""
        result: F32 = (rows * self.spread + self.mean).astype(np.float32)
        return result


@dataclass(frozen=True)
class Joyvasa:
    """Everything that was imported, ready to run on the CPU."""

    network: JoyvasaNetwork
    ranges: Ranges


def import_joyvasa(folder: Path, root: Path, report: Callable[[str], None] | None = None) -> Path:
    """Checks the published files and writes them as one safetensors file; the list of the import is written last.

    Args:
        folder: holds the files, in the official layout or flat.
        root: the model folder.
        report: called with what was imported.

    Returns:
        The folder of the imported file.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is damaged, hostile or holds something else.
        DiskFull, NoWritePermission: the model folder cannot be written.
    """
    checkpoint, template = (_found(folder, name) for name in FILES)
    sizes, state = read_checkpoint(checkpoint)
    ranges = read_ranges(template)
    target = imported_folder(root, NAME)
    with translated_write_errors(target / WEIGHTS):
        target.mkdir(parents=True, exist_ok=True)
        temporary = target / f"{WEIGHTS}.partial"
        tensors = {
            **state,
            "ranges.mean": torch.from_numpy(ranges.mean),
            "ranges.spread": torch.from_numpy(ranges.spread),
        }
        save_file(
            {key: value.contiguous() for key, value in tensors.items()}, temporary,
            metadata={"sizes": json.dumps(asdict(sizes))},
        )  # fmt: skip
        temporary.replace(target / WEIGHTS)
    digest = sha256_of(target / WEIGHTS)
    write_import_list(target, NAME, folder, {WEIGHTS: digest})
    if report is not None:
        report(
            f"{checkpoint.name}, {template.name}: {len(state)} tensors, {sizes.steps} steps, SHA-256 {digest}"
        )
    return target


def load_joyvasa(root: Path) -> Joyvasa:
    """What was imported, checked and ready.

    Raises:
        ModelMissing: nothing was imported.
        ModelDamaged: the file has changed since.
    """
    found = imported_weights(root, NAME)
    path = found.folder / WEIGHTS
    if WEIGHTS not in found.sha256 or sha256_of(path) != found.sha256[WEIGHTS]:
        raise ModelDamaged(f"{path} has changed since it was imported; repeat: {_IMPORT}.")
    sizes = stated_sizes(root)
    try:
        state: _State = load_file(path)
        ranges = Ranges(state.pop("ranges.mean").numpy(), state.pop("ranges.spread").numpy())
    except (SafetensorError, KeyError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); repeat: {_IMPORT}.") from error
    return Joyvasa(_built(sizes, state, path), ranges)


def stated_sizes(root: Path) -> JoyvasaSizes:
    """The sizes of what was imported.

    Raises:
        ModelMissing: nothing was imported.
        ModelDamaged: the file cannot be read.
    """
    path = imported_weights(root, NAME).folder / WEIGHTS
    try:
        with safe_open(path, "pt") as file:
            return JoyvasaSizes(**json.loads(file.metadata()["sizes"]))
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); repeat: {_IMPORT}.") from error


def read_checkpoint(path: Path) -> tuple[JoyvasaSizes, _State]:
    """Sizes and tensors of the published checkpoint, every key checked.

    Raises:
        ModelDamaged: it is damaged, or is not a checkpoint of this network.
    """
    content = _unpickled(path)
    args, model = (content.get(key) for key in ("args", "model"))
    if not isinstance(args, argparse.Namespace) or not isinstance(model, dict):
        raise ModelDamaged(f"{path} lacks 'args' or 'model', so it is not JoyVASA's; download it again.")
    sizes = _sizes(vars(args), path)
    state = {_RENAMED.get(str(key), str(key)): value for key, value in model.items() if key != _STEPS}
    _built(sizes, state, path)
    return sizes, state


def read_ranges(path: Path) -> Ranges:
    """The template's means, spreads and limits.

    Raises:
        ModelDamaged: it is damaged, or lacks one.
    """
    try:
        content = read_pickle(path)
        if not isinstance(content, dict):
            raise ValueError("it is not a table")
        mean, spread = [_numbers(content, f"{kind}_exp", _EXPRESSION) for kind in ("mean", "std")]
        for name, count in _RANGES.items():
            least, most = (_numbers(content, f"{kind}_{name}", count) for kind in ("min", "max"))
            mean, spread = np.concatenate([mean, least]), np.concatenate([spread, most - least])
    except (BadMotionFile, *MALFORMED) as error:
        raise ModelDamaged(
            f"{path} cannot be read as JoyVASA's template ({error}); download it again."
        ) from error
    return Ranges(mean, spread)


def _numbers(content: Mapping[str, Any], key: str, count: int) -> F32:
    values = np.asarray(content[key], np.float32).reshape(-1)
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"'{key}' has {len(values)} numbers where {count} finite ones are expected")
    return values


def _found(folder: Path, name: str) -> Path:
    for inside in FILES[name]:
        if (folder / inside / name).is_file():
            return folder / inside / name
    raise ModelMissing(
        f"{folder} holds no {name}; download it from huggingface.co/jdh-algo/JoyVASA into that folder."
    )


def _unpickled(path: Path) -> dict[str, Any]:
    """The checkpoint; of what it names only tensors, ``argparse.Namespace`` and paths are admitted."""
    admitted: list[Any] = [argparse.Namespace]
    admitted += [
        (pathlib.PurePosixPath, f"{module}.PosixPath") for module in ("pathlib", "pathlib._local")
    ]  # a PosixPath cannot be made on Windows
    try:
        with torch.serialization.safe_globals(admitted):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, *MALFORMED) as error:
        reason = str(error).strip().partition("\n")[0][:120]
        raise ModelDamaged(
            f"{path} is truncated, damaged or holds something other than weights ({reason}); download it again."
        ) from error
    if not isinstance(content, dict):
        raise ModelDamaged(f"{path} holds a {type(content).__name__}, not a checkpoint; download it again.")
    return content


def _sizes(args: Mapping[str, Any], path: Path) -> JoyvasaSizes:
    """The sizes that a checkpoint states; what it does not state is as published."""
    known = {
        "frames": args.get("n_motions"), "before": args.get("n_prev_motions"), "width": args.get("feature_dim"),
        "steps": args.get("n_diff_steps"), "fps": args.get("fps"),
    }  # fmt: skip
    stated = {name: value for name, value in known.items() if value is not None}
    for name, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST[name]:
            raise ModelDamaged(f"{path}: its {name} is {value!r}, which is not possible; download it again.")
    encoder = str(args.get("audio_model") or "hubert")
    if not encoder.startswith("hubert") or args.get("motion_feat_dim", MOTION) not in (None, MOTION):
        raise ModelDamaged(
            f"{path} is for the sound encoder {encoder} and {args.get('motion_feat_dim')} numbers a frame; give the "
            f"published checkpoint with HuBERT and {MOTION} numbers."
        )
    return JoyvasaSizes(**stated, pad_mode=str(args.get("pad_mode") or "zero"))


def _hubert_sizes(state: Mapping[str, Any]) -> HubertSizes:
    """The sound encoder's sizes from the shapes of its tensors."""

    def shape(key: str) -> tuple[int, ...]:
        return tuple(state[_ENCODER + key].shape)

    count = sum(
        key.startswith(f"{_ENCODER}feature_extractor.") and key.endswith(".conv.weight") for key in state
    )
    kernels = tuple(shape(f"feature_extractor.conv_layers.{index}.conv.weight")[2] for index in range(count))
    inner, width = shape("encoder.layers.0.feed_forward.intermediate_dense.weight")
    layers = sum(
        key.startswith(f"{_ENCODER}encoder.layers.") and key.endswith("attention.k_proj.weight")
        for key in state
    )
    _, share, taps = tuple(state[_RENAMED[f"{_POSITIONS}weight_v"]].shape)
    return HubertSizes(
        channels=shape("feature_projection.projection.weight")[1], kernels=kernels, width=width, layers=layers,
        heads=max(width // _HEAD_WIDTH, 1), inner=inner, position_taps=taps, position_groups=width // share,
    )  # fmt: skip


def _built(sizes: JoyvasaSizes, state: _State, path: Path) -> JoyvasaNetwork:
    """The network with a checkpoint's tensors.

    Raises:
        ModelDamaged: a key is missing, extra, misshapen, of another type or not finite.
    """
    try:
        network = JoyvasaNetwork(sizes, _hubert_sizes(state))
    except (KeyError, ValueError, IndexError, AttributeError, RuntimeError, AssertionError) as error:
        raise ModelDamaged(f"{path} lacks JoyVASA's sound encoder ({error}); download it again.") from error
    wanted = {key: value for key, value in network.state_dict().items() if key != _STEPS}
    differing = [f"lacks {key}" for key in wanted if key not in state]
    differing += [f"has {key}, which is not JoyVASA's" for key in state if key not in wanted]
    differing += [
        problem for key in wanted if key in state and (problem := _problem(key, state[key], wanted[key]))
    ]
    if differing:
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        raise ModelDamaged(f"{path} {'; '.join(differing[:_NAMED])}{more}; download it again.")
    network.load_state_dict(state, strict=False)
    return network.eval()


def _problem(key: str, value: object, wanted: Tensor) -> str:
    if not isinstance(value, Tensor) or value.shape != wanted.shape or value.dtype != wanted.dtype:
        return f"holds {key} in another shape or type than {tuple(wanted.shape)} {wanted.dtype}"
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        return f"holds numbers in {key} that are not finite"
    return ""
