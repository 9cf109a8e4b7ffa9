"""Where a published model's weights are, and whether it may be used; loads no heavy library."""

from __future__ import annotations

import os
from pathlib import Path

from lp_core.engines.liveportrait.table import PublishedModel
from lp_core.engines.liveportrait.weight_layout import find_files, read_label
from lp_core.errors import LpError, ModelDamaged, ModelMissing
from lp_core.models.acceptance import demand_accepted, is_accepted
from lp_core.models.imports import IMPORT_LIST, ImportedWeights, imported_folder, imported_weights
from lp_core.models.store import ModelStore, default_store


def import_folder(root: Path, model: PublishedModel) -> Path:
    """Where a model's imported weights are, or would be."""
    return imported_folder(root, model.name)


def read_import(root: Path, model: PublishedModel) -> ImportedWeights:
    """The imported weights of a model.

    Raises:
        ModelMissing: nothing has been imported, or a file is gone.
        ModelDamaged: the list of the import cannot be read.
    """
    return imported_weights(root, model.name)


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
