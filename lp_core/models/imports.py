"""Weights that are published without hashes: imported from a folder of the user's, with a list of what was imported.

They are in ``imported/NAME`` in the model folder. Loads no heavy library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lp_core.errors import MALFORMED, ModelDamaged, ModelMissing
from lp_core.files import write_whole
from lp_core.models.download import translated_write_errors

IMPORTS = "imported"
"""Folder of imported models in the model folder."""
IMPORT_LIST = "import.json"
IMPORT_SCHEMA = "lp-suite/imported-weights/1"
UNNAMED_LICENSE = "stated at the import"
"""Of imports whose list names no license."""


@dataclass(frozen=True)
class ImportedWeights:
    """What was imported."""

    folder: Path
    sha256: dict[str, str]
    """File name -> SHA-256 at the time of the import."""
    origin: str
    """The folder it came from, for people."""
    license: str
    """License of the weights in a word or two."""


def imported_folder(root: Path, name: str) -> Path:
    """Where the imported weights of a model are, or would be."""
    return root / IMPORTS / name


def imported_weights(root: Path, name: str) -> ImportedWeights:
    """The imported weights of a model.

    Raises:
        ModelMissing: nothing has been imported, or a file is gone.
        ModelDamaged: the list of the import cannot be read.
    """
    folder, command = imported_folder(root, name), f"lpsuite models import {name} FOLDER"
    path = folder / IMPORT_LIST
    if not path.is_file():
        raise ModelMissing(
            f"The model '{name}' is not in '{root}'; download its files and import their folder with: {command}."
        )
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != IMPORT_SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}")
        hashes = {str(k): str(v) for k, v in content["sha256"].items()}
        license_name = str(content.get("license") or UNNAMED_LICENSE)
        found = ImportedWeights(folder, hashes, str(content["origin"]), license_name)
    except (OSError, *MALFORMED) as error:
        raise ModelDamaged(
            f"{path} cannot be read as a list of imported weights ({error}); repeat: {command}."
        ) from error
    gone = [name for name in found.sha256 if not (folder / name).is_file()]
    if gone:
        raise ModelMissing(f"{folder / gone[0]} is gone; repeat: {command}.")
    return found


def write_import_list(
    folder: Path, name: str, origin: Path, sha256: Mapping[str, str], license_name: str = ""
) -> None:
    """Writes the list of an import; the last step of one.

    Args:
        folder: of the imported files.
        name: of the model.
        origin: the folder they came from.
        sha256: file name -> its hash.
        license_name: license of the weights; empty: not named.

    Raises:
        DiskFull, NoWritePermission: the model folder cannot be written.
    """
    content = {
        "schema": IMPORT_SCHEMA, "model": name, "origin": str(origin.absolute()), "sha256": dict(sha256),
        "license": license_name,
    }  # fmt: skip
    with translated_write_errors(folder / IMPORT_LIST):
        write_whole(folder / IMPORT_LIST, json.dumps(content, indent=1) + "\n")
