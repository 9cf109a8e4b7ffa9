"""Takes a model's weights from a folder of the user's into the model folder, as safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from lp_core.engines.liveportrait.checkpoints import read_file
from lp_core.engines.liveportrait.installed import import_folder, is_synthetic
from lp_core.engines.liveportrait.table import STITCHING, PublishedModel
from lp_core.engines.liveportrait.weight_layout import STITCHING_ENTRIES, find_files, sha256_of
from lp_core.errors import ModelError
from lp_core.models.download import translated_write_errors
from lp_core.models.imports import write_import_list


def import_weights(
    model: PublishedModel, folder: Path, root: Path, report: Callable[[str], None] | None = None
) -> Path:
    """Checks every file of a model and writes it as safetensors; the list of the import is written last.

    Each file is read without running code, and must hold exactly the published keys, shapes and types and finite
    numbers only. One file is in memory at a time.

    Args:
        model: whose weights they are.
        folder: holds them, in the official layout or flat.
        root: the model folder.
        report: called with a line for each file.

    Returns:
        The folder of the imported files.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is damaged or holds something else.
        ModelError: the weights are synthetic.
        DiskFull, NoWritePermission: the model folder cannot be written.
    """
    if is_synthetic(str(folder)):
        raise ModelError(
            f"{folder} holds synthetic test weights, which are not imported; use them with --weights {folder}."
        )
    target = import_folder(root, model)
    hashes: dict[str, str] = {}
    for stem, path in find_files(folder, model).items():
        states = read_file(stem, path, model)
        name = f"{stem}.safetensors"
        with translated_write_errors(target / name):
            target.mkdir(parents=True, exist_ok=True)
            temporary = target / f"{name}.partial"
            save_file(_flat(stem, states), temporary, metadata={"format": "pt"})
            temporary.replace(target / name)
        hashes[name] = sha256_of(target / name)
        if report is not None:
            report(
                f"{path.name}: {sum(len(state) for state in states.values())} tensors, SHA-256 {hashes[name]}"
            )
    write_import_list(target, model.name, folder, hashes, model.license)
    return target


def _flat(stem: str, states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of a file under the keys of the safetensors layout."""
    if stem != STITCHING:
        (state,) = states.values()
        return {key: value.contiguous() for key, value in state.items()}
    return {
        f"{entry}_module.{key}": value.contiguous()
        for entry, network in STITCHING_ENTRIES.items()
        for key, value in states[network].items()
    }
