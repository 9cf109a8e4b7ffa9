"""Checkpoints to a folder that the engine loads: five safetensors files and ``trained.json``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from lp_core.engines.liveportrait.checkpoints import Checkpoints, check_state, read_checkpoints
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.sizes import Sizes, shapes_of
from lp_core.engines.liveportrait.table import BASE_NETWORKS, STITCHING
from lp_core.engines.liveportrait.trained_label import TRAINED_NAME, TrainedLabel, trained_text
from lp_core.engines.liveportrait.weight_layout import STITCHING_ENTRIES, find_files, official_path
from lp_core.files import ensure_folder, replacing, sha256_of, write_whole

SMALL = tuple(STITCHING_ENTRIES.values())


@dataclass(frozen=True)
class Origin:
    """Where weights come from, for their label."""

    name: str
    """Name of the weights."""
    adapted_from: str = ""
    """What they were adapted from."""
    base: Path | None = None
    """Folder of the base weights; files of networks that did not learn are copied from there, byte for byte."""
    learned: tuple[str, ...] = ("F", "M", "W", "G")
    """Networks that learned, out of F, M, W, G, stitching, eye and lip."""
    has_tables: bool = False
    """True: the key points mean what they mean in the published networks."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """All else."""


def export_weights(
    folder: Path, sizes: Sizes, states: Mapping[str, StateDict], origin: Origin
) -> TrainedLabel:
    """Writes weights for ``--weights``.

    Args:
        folder: is made if need be; files of the same names are replaced, the label last.
        sizes: of the networks.
        states: network (F, M, W, G, stitching, eye, lip) -> checkpoint.
        origin: for the label.

    Raises:
        ModelDamaged: a key is missing, extra or misshapen, or a number is not finite.
        DiskFull, NoWritePermission, MediaError: the file system refuses.
    """
    ensure_folder(folder)
    shapes = shapes_of(sizes)
    for network, shape in shapes.items():
        check_state(states[network], shape, folder / network)
    kept = find_files(origin.base) if origin.base is not None else {}
    hashes = {}
    for stem, networks in _files().items():
        path = folder / f"{stem}.safetensors"
        old = kept.get(stem)
        if old is not None and old.suffix == ".safetensors" and not set(networks) & set(origin.learned):
            if old.resolve() != path.resolve():
                with replacing(path) as temporary:
                    shutil.copyfile(old, temporary)
        else:
            _save(path, _content(stem, networks, states))
        hashes[path.name] = sha256_of(path)
    about = {"learned": list(origin.learned), **origin.about}
    label = TrainedLabel(origin.name, sizes, origin.has_tables, origin.adapted_from, hashes, about)
    write_whole(folder / TRAINED_NAME, trained_text(label))
    return label


def export_official(folder: Path, states: Mapping[str, StateDict]) -> None:
    """Writes the five files of the official layout, for other programs: plain dictionaries of tensors."""
    for stem, networks in _files().items():
        path = folder / official_path(stem)
        ensure_folder(path.parent)
        content: dict[str, Any] = states[networks[0]] if stem != STITCHING else {
            entry: {f"module.{key}": value for key, value in states[network].items()}
            for entry, network in STITCHING_ENTRIES.items()
        }  # fmt: skip
        with replacing(path) as temporary, temporary.open("wb") as file:
            torch.save(dict(content), file)


def read_weights(folder: Path) -> Checkpoints:
    """Weights to start from: published, trained or synthetic, checked as the engine checks them.

    Raises:
        ModelMissing, ModelDamaged: a file is absent or damaged.
    """
    return read_checkpoints(folder)


def base_hashes(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of the weights in a folder."""
    return {path.name: sha256_of(path) for path in find_files(folder).values()}


def describe_base(found: Checkpoints, folder: Path) -> str:
    """What weights are, for the label of those adapted from them."""
    if found.trained is not None:
        return f"'{found.trained.name}'"
    return f"{found.origin} weights in '{folder.name}'"


def _files() -> dict[str, tuple[str, ...]]:
    return {**{stem: (network,) for stem, network in BASE_NETWORKS.items()}, STITCHING: SMALL}


def _content(stem: str, networks: Iterable[str], states: Mapping[str, StateDict]) -> StateDict:
    if stem != STITCHING:
        (network,) = networks
        return states[network]
    return {
        f"{entry}_module.{key}": value
        for entry, network in STITCHING_ENTRIES.items()
        for key, value in states[network].items()
    }


def _save(path: Path, content: StateDict) -> None:
    with replacing(path) as temporary:
        save_file({key: value.detach().cpu().contiguous() for key, value in content.items()}, temporary)
