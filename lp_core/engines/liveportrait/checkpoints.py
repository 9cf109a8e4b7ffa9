"""Reads the published weights, .pth or safetensors, and accounts for every key.

How far a folder is checked:

* always: every file opens without running code, holds exactly the published keys in the published shapes
  and types, and only finite numbers;
* SHA-256: against ``checksums`` where the caller hands them in (anyone who loads from the model cache does),
  and against the folder's own label where it is synthetic or trained. A folder with neither is loaded and
  reported as ``unverified``.

The keys and shapes are the published ones, or those of the sizes that the label of trained weights names.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.sizes import PUBLISHED, Sizes, shapes_of
from lp_core.engines.liveportrait.table import BASE_NETWORKS, LIVEPORTRAIT, STITCHING, PublishedModel
from lp_core.engines.liveportrait.trained_label import TrainedLabel, read_trained
from lp_core.engines.liveportrait.weight_layout import (
    FETCH,
    STITCHING_ENTRIES,
    Shapes,
    check_sha256,
    find_files,
    load_shapes,
    read_label,
)
from lp_core.errors import ModelDamaged, ModelMissing

_NAMED = 3
"""Keys named in an error before it says how many more there are."""


@dataclass(frozen=True)
class Checkpoints:
    """Weights as published, on the CPU."""

    states: dict[str, StateDict]
    """Network (F, M, W, G, and where there are any stitching, eye, lip) -> its state dict."""
    origin: str
    """'verified', 'synthetic', 'trained' or 'unverified'."""
    model: PublishedModel = LIVEPORTRAIT
    """Whose weights they are."""
    trained: TrainedLabel | None = None
    """Label of weights that were trained with this program; None for others."""

    @property
    def sizes(self) -> Sizes:
        """Sizes of the networks of trained weights; the published ones for all others."""
        return PUBLISHED if self.trained is None else self.trained.sizes


def read_checkpoints(
    folder: Path, checksums: Mapping[str, str] | None = None, model: PublishedModel = LIVEPORTRAIT
) -> Checkpoints:
    """Reads and checks all networks.

    Args:
        folder: holds the official layout, such as ``liveportrait/base_models/...``, or the safetensors files
            themselves.
        checksums: file name -> SHA-256 that it must have; must cover every file.
        model: whose weights are wanted.

    Raises:
        ModelMissing: a file is not there or cannot be opened.
        ModelDamaged: a file is truncated or damaged, its hash is wrong, or a key is missing, extra,
            misshapen, of another type or not finite.
    """
    files = find_files(folder, model)
    trained = read_trained(folder) if checksums is None and model is LIVEPORTRAIT else None
    origin = _check_hashes(folder, files, checksums, trained)
    shapes = load_shapes(model) if trained is None else shapes_of(trained.sizes)
    states: dict[str, StateDict] = {}
    for stem, path in files.items():
        states |= read_file(stem, path, model, shapes)
    return Checkpoints(states, origin, model, trained)


def read_file(
    stem: str,
    path: Path,
    model: PublishedModel = LIVEPORTRAIT,
    shapes: Mapping[str, Shapes] | None = None,
) -> dict[str, StateDict]:
    """Reads and checks one file: network -> its state dict.

    Args:
        stem: which file it is, a key of BASE_NETWORKS or STITCHING.
        path: the file, .pth or .safetensors.
        model: whose file it is.
        shapes: network -> key -> shape; None: the model's published ones.

    Raises:
        ModelMissing: it cannot be opened.
        ModelDamaged: as for ``read_checkpoints``.
    """
    content = _read(path)
    parts = _stitching_states(path, content) if stem == STITCHING else {BASE_NETWORKS[stem]: content}
    wanted = shapes or load_shapes(model)
    return {network: check_state(state, wanted[network], path) for network, state in parts.items()}


def _check_hashes(
    folder: Path,
    files: Mapping[str, Path],
    checksums: Mapping[str, str] | None,
    trained: TrainedLabel | None,
) -> str:
    if checksums is not None:
        for path in files.values():
            if path.name not in checksums:
                raise ModelDamaged(f"{path} is not a published file; get the published ones with: {FETCH}.")
            check_sha256(path, checksums[path.name])
        return "verified"
    if trained is not None:
        for path in files.values():
            check_sha256(path, trained.sha256.get(path.name, ""), "lpsuite train export")
        return "trained"
    label = read_label(folder)
    if label is None:
        return "unverified"
    for relative, wanted in label.sha256.items():
        check_sha256(
            folder / relative, wanted, f"python -m lp_core.engines.liveportrait.synth --seed {label.seed} DIR"
        )
    return "synthetic"


def _read(path: Path) -> dict[str, object]:
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except PermissionError as error:
        raise ModelMissing(
            f"{path} may not be read; change its permissions or fetch it with: {FETCH}."
        ) from error
    except (
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        OSError,
    ) as error:
        reason = str(error).strip().partition("\n")[0][:120]
        raise ModelDamaged(
            f"{path} is truncated, damaged or holds something other than weights ({reason}); "
            f"remove it and fetch it again with: {FETCH}."
        ) from error
    if not isinstance(content, dict):
        raise ModelDamaged(
            f"{path} holds a {type(content).__name__}, not weights; fetch it again with: {FETCH}."
        )
    return content


def _stitching_states(path: Path, content: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The three small networks of their common file; what else is in it is ignored."""
    states: dict[str, dict[str, object]] = {}
    for entry, network in STITCHING_ENTRIES.items():
        if path.suffix == ".safetensors":
            prefix = f"{entry}_module."
            part = {
                key.removeprefix(prefix): value for key, value in content.items() if key.startswith(prefix)
            }
        else:
            inner = content.get(entry)
            part = {k.removeprefix("module."): v for k, v in inner.items()} if isinstance(inner, dict) else {}
        if not part:
            raise ModelDamaged(f"{path} lacks the entry '{entry}'; fetch it again with: {FETCH}.")
        states[network] = part
    return states


def check_state(state: Mapping[str, object], shapes: Shapes, path: Path) -> StateDict:
    """Holds a state dict against the published list.

    Raises:
        ModelDamaged: a key is missing, extra, misshapen, of another type or not finite; the message names it.
    """
    missing = [key for key in shapes if key not in state]
    extra = [key for key in state if key not in shapes]
    for keys, verb in ((missing, "lacks"), (extra, "has, beyond the published ones,")):
        if keys:
            more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
            raise ModelDamaged(
                f"{path} {verb} the key {', '.join(keys[:_NAMED])}{more}; fetch it again with: {FETCH}."
            )
    checked: StateDict = {}
    for key, shape in shapes.items():
        value = state[key]
        problem = _problem(key, value, shape)
        if problem or not isinstance(value, Tensor):
            raise ModelDamaged(f"{path}: the key {key} {problem}; fetch the file again with: {FETCH}.")
        checked[key] = value
    return checked


def _problem(key: str, value: object, shape: tuple[int, ...]) -> str:
    if not isinstance(value, Tensor):
        return f"holds a {type(value).__name__}, not a tensor"
    dtype = torch.int64 if key.endswith("num_batches_tracked") else torch.float32
    if tuple(value.shape) != shape:
        return f"has the shape {tuple(value.shape)} where {shape} is published"
    if value.dtype != dtype:
        return f"has the type {value.dtype} where {dtype} is published"
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        return "holds numbers that are not finite"
    return ""
