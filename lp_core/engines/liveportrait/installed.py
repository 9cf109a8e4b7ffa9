"""Where a published model's weights are, and whether it may be used; loads no heavy library.

Weights that are published without hashes are imported from a folder of the user's: ``imported/NAME`` in the model
folder, with a list of what was imported.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.engines.liveportrait.weight_layout import find_files, read_label
from lp_core.errors import MALFORMED, LpError, ModelDamaged, ModelMissing
from lp_core.models.acceptance import demand_accepted, is_accepted
from lp_core.models.store import ModelStore, default_store

IMPORTS = "imported"
"""Folder of imported models in the model folder."""
IMPORT_LIST = "import.json"
IMPORT_SCHEMA = "lp-suite/imported-weights/1"


@dataclass(frozen=True)
class ImportedWeights:
    """What was imported."""

    folder: Path
    sha256: dict[str, str]
    """File name -> SHA-256 at the time of the import."""
    origin: str
    """The folder it came from, for people."""


def import_folder(root: Path, model: PublishedModel) -> Path:
    """Where a model's imported weights are, or would be."""
    return root / IMPORTS / model.name


def read_import(root: Path, model: PublishedModel) -> ImportedWeights:
    """The imported weights of a model.

    Raises:
        ModelMissing: nothing has been imported, or a file is gone.
        ModelDamaged: the list of the import cannot be read.
    """
    folder = import_folder(root, model)
    path = folder / IMPORT_LIST
    if not path.is_file():
        raise ModelMissing(
            f"The model '{model.name}' is not in '{root}'; download its files and import their folder with: "
            f"{model.import_command}."
        )
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != IMPORT_SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}")
        found = ImportedWeights(
            folder, {str(k): str(v) for k, v in content["sha256"].items()}, str(content["origin"])
        )
    except (OSError, *MALFORMED) as error:
        raise ModelDamaged(
            f"{path} cannot be read as a list of imported weights ({error}); repeat: {model.import_command}."
        ) from error
    gone = [name for name in found.sha256 if not (folder / name).is_file()]
    if gone:
        raise ModelMissing(f"{folder / gone[0]} is gone; repeat: {model.import_command}.")
    return found


def is_synthetic(folder: str | None) -> bool:
    """Whether a folder of weights is labelled as synthetic; such weights need no license."""
    if folder is None:
        return False
    try:
        return read_label(Path(folder)) is not None
    except ModelDamaged:
        return False


def model_obstacle(
    model: PublishedModel, folder: str | None, store: ModelStore | None = None
) -> LpError | None:
    """Why a model cannot be used, None when it can; files are looked for, not read.

    Args:
        model: a row of the table.
        folder: of the user's; None: the model folder.
        store: of models; None: this user's.
    """
    store = store or default_store()
    try:
        if folder is not None:
            find_files(Path(folder), model)
        elif model.catalog and any(store.status(name).is_usable for name in model.catalog):
            pass
        elif os.path.isfile(import_folder(store.root, model) / IMPORT_LIST) or not model.catalog:  # noqa: PTH113
            read_import(store.root, model)
        else:
            raise ModelMissing(store.status(model.catalog[0]).reason)
        if not is_synthetic(folder):
            demand_accepted(store.root, model.name, model.notes)
    except LpError as error:
        return error
    return None


def is_ready(model: PublishedModel, folder: str | None, store: ModelStore | None = None) -> bool:
    """Whether a model is there and its license notes were accepted."""
    return model_obstacle(model, folder, store) is None


def has_accepted(model: PublishedModel, store: ModelStore | None = None) -> bool:
    """Whether a model's license notes were accepted."""
    return is_accepted((store or default_store()).root, model.name, model.notes)
