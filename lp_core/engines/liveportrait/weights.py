"""Which weights a render uses: a folder the user names, else the model cache; and what is said of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lp_core.engines.liveportrait.calibration import in_int8
from lp_core.engines.liveportrait.installed import is_synthetic, read_import
from lp_core.engines.liveportrait.networks import Networks, load_networks
from lp_core.engines.liveportrait.table import LIVEPORTRAIT, PublishedModel, published_model
from lp_core.engines.liveportrait.trained_label import read_trained
from lp_core.engines.liveportrait.weight_layout import check_sha256, find_files, read_label
from lp_core.errors import ModelDamaged, ModelMissing, SettingError
from lp_core.models.acceptance import demand_accepted
from lp_core.models.catalog import Catalog, load_catalog
from lp_core.models.device import choose_device, choose_dtype, with_memory
from lp_core.models.imports import IMPORTS
from lp_core.models.store import ModelStore, default_store
from lp_core.settings import EngineSettings

LABELS = {
    "verified": "",
    "synthetic": "synthetic test weights, not a result",
    "unverified": "weights that are not the published files",
    "imported": "imported weights, whose published hashes are not known",
    "trained": "weights that were trained with this program",
}
"""Origin of the weights -> what must be said of images made with them."""

_COMPILERS = ("torch._dynamo", "torch._inductor", "triton")
"""Where the errors of ``torch.compile`` are defined; importing them would take seconds."""


def load_for(settings: EngineSettings, store: ModelStore | None = None) -> Networks:
    """The networks that the settings ask for, on their device.

    Raises:
        ModelMissing: the weights are not there.
        ModelDamaged: a file is damaged or, in the model cache, not the published one.
        LicenseNotAccepted: the model's license notes have not been accepted.
        SettingError: the device is not there.
        OutOfMemory: they do not fit on the device.
    """
    model, store = published_model(settings.model), store or default_store()
    folder, checksums = find_weights(settings.weights, store, model)
    if not is_synthetic(settings.weights):
        demand_accepted(store.root, model.name, model.notes)
    device = choose_device(settings.device)
    is_int8 = settings.precision == "int8"
    dtype = torch.float32 if is_int8 else choose_dtype(settings.precision, device)
    networks = with_memory(
        lambda: load_networks(folder, device, dtype, checksums=checksums, model=model), device
    )
    if settings.weights is None and folder.parent.name == IMPORTS:
        networks = replace(networks, origin="imported")
    if is_int8:
        networks = in_int8(networks, store.root / "int8")
    return compiled(networks) if settings.compile else networks


def find_weights(
    folder: str | None, store: ModelStore | None = None, model: PublishedModel = LIVEPORTRAIT
) -> tuple[Path, dict[str, str] | None]:
    """(folder, checksums): checksums are None where a folder of the user's holds other files than published.

    Raises:
        ModelMissing: nothing is installed; the message says how to get it.
        ModelDamaged: a file in the model cache is not the published one.
    """
    checksums = published_checksums(load_catalog(), model)
    if folder is not None:
        return Path(folder), checksums if is_published(Path(folder), checksums, model) else None
    store = store or default_store()
    reasons = []
    for name in model.catalog:
        try:
            return store.locate(name), checksums
        except ModelMissing as error:
            reasons.append(error)
    try:
        found = read_import(store.root, model)
    except ModelMissing as error:
        raise (reasons or [error])[0] from error
    return found.folder, found.sha256


def published_checksums(catalog: Catalog, model: PublishedModel = LIVEPORTRAIT) -> dict[str, str]:
    """File name -> SHA-256 of every published file of the networks."""
    return {Path(item.path).name: item.sha256 for name in model.catalog for item in catalog.find(name)[1]}


def is_published(folder: Path, checksums: dict[str, str], model: PublishedModel = LIVEPORTRAIT) -> bool:
    """Whether a folder holds the published files, by their hashes; False where none are published.

    Raises:
        ModelMissing: a file is not there.
    """
    if read_label(folder) is not None or read_trained(folder) is not None:
        return False
    files = find_files(folder, model)
    if not checksums:
        return False
    try:
        for path in files.values():
            check_sha256(path, checksums.get(path.name, ""))
    except ModelDamaged:
        return False
    return True


def label_of(networks: Networks) -> str:
    """What must be said of images made with these networks; empty for the published ones."""
    return LABELS[networks.origin] if networks.trained is None else networks.trained.sentence()


def compiled(networks: Networks) -> Networks:
    """The same with W and G compiled for their device at the first frame, for the size of batch they then meet."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\._inductor")  # its own affairs
    warping: Any = torch.compile(networks.warping_module, dynamic=False)
    generator: Any = torch.compile(networks.spade_generator, dynamic=False)
    return replace(networks, warping_module=warping, spade_generator=generator)


@contextmanager
def compilation_errors() -> Iterator[None]:
    """PyTorch's complaints while it compiles, as ours.

    Raises:
        SettingError: this machine cannot compile: no compiler, or a device without support.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(_COMPILERS):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SettingError(
            f"The networks cannot be compiled here ({reason}); leave out --compile."
        ) from error
