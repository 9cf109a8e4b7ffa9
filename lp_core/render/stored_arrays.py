"""The small files of a solved shot: plain values as JSON, arrays as .npz."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MALFORMED, BadMotionFile
from lp_core.files import replacing, write_whole


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes plain values; the file is complete or absent."""
    write_whole(path, json.dumps(values))


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where the file is absent, damaged or holds something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *MALFORMED):
        return None
    return values if isinstance(values, dict) else None


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays; the file is complete or absent."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Reads what ``save_arrays`` wrote; raises BadMotionFile where the file is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, zipfile.BadZipFile, *MALFORMED) as error:
        raise BadMotionFile(f"{path} is damaged ({error}); solve the shot again.") from error
