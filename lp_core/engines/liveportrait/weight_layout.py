"""Where published weights are in a folder, what they hold, and the label of synthetic ones."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lp_core.engines.liveportrait.table import BASE_NETWORKS, LIVEPORTRAIT, PublishedModel
from lp_core.errors import MALFORMED, ModelDamaged, ModelMissing

FETCH = LIVEPORTRAIT.fetch
"""The command that gets LivePortrait's weights."""

STITCHING_ENTRIES = {"retarget_shoulder": "stitching", "retarget_mouth": "lip", "retarget_eye": "eye"}
"""Entry of that file -> network."""

LABEL_NAME = "synthetic.json"
LABEL_SCHEMA = "lp-suite/synthetic-weights/1"

Shapes = dict[str, tuple[int, ...]]


def load_shapes(model: PublishedModel = LIVEPORTRAIT) -> dict[str, Shapes]:
    """Network (F, M, W, G, and where there are any stitching, eye, lip) -> key -> shape, as published.

    Everything is float32 but ``num_batches_tracked``, an int64 scalar.
    """
    text = resources.files(__package__).joinpath(model.shapes).read_text(encoding="utf-8")
    return {
        network: {key: tuple(shape) for key, shape in entries.items()}
        for network, entries in json.loads(text).items()
        if network in BASE_NETWORKS.values() or model.has_small_networks
    }


def official_path(stem: str, model: PublishedModel = LIVEPORTRAIT) -> Path:
    """Path of a file below the folder of the official layout."""
    return Path(next(path for path in model.files[stem] if path.endswith(".pth")))


def find_files(folder: Path, model: PublishedModel = LIVEPORTRAIT) -> dict[str, Path]:
    """File name without suffix -> the file, safetensors before the official layout.

    Args:
        folder: holds the official layout, such as ``liveportrait/base_models/...``, or the safetensors files
            themselves.
        model: whose files are wanted.

    Raises:
        ModelMissing: a file is in neither place.
    """
    found = {}
    for stem, places in model.files.items():
        tried = [folder / place for place in places]
        path = next(filter(os.path.isfile, tried), None)  # Path.is_file raises for a name that is too long
        if path is None:
            raise ModelMissing(
                f"{folder} holds no weights '{stem}' of {model.name}: looked for {' and '.join(places)}; get them "
                f"with: {model.fetch}."
            )
        found[stem] = path
    return found


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_sha256(path: Path, wanted: str, remedy: str = FETCH) -> None:
    """Compares a file with its known hash.

    Raises:
        ModelDamaged: they differ.
    """
    found = sha256_of(path)
    if found != wanted:
        raise ModelDamaged(
            f"{path} is not the file it should be: its SHA-256 is {found} where {wanted} is expected; "
            f"replace it with: {remedy}."
        )


@dataclass(frozen=True)
class SyntheticLabel:
    """Says that a folder's weights are synthetic."""

    seed: int
    """Seed of the values."""
    sha256: dict[str, str]
    """Path below the folder -> SHA-256."""


def write_label(folder: Path, seed: int, model: PublishedModel = LIVEPORTRAIT) -> None:
    """Labels the folder's weights as synthetic."""
    files = [official_path(stem, model) for stem in model.stems]
    label = {
        "schema": LABEL_SCHEMA,
        "note": "Pseudo-random weights for tests and benchmarks; their images are abstract patterns.",
        "seed": seed,
        "sha256": {path.as_posix(): sha256_of(folder / path) for path in files},
    }
    (folder / LABEL_NAME).write_text(json.dumps(label, indent=1) + "\n", encoding="utf-8")


def read_label(folder: Path) -> SyntheticLabel | None:
    """The folder's label; None where it has none.

    Raises:
        ModelDamaged: the label cannot be read.
    """
    path = folder / LABEL_NAME
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != LABEL_SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}")
        return SyntheticLabel(int(content["seed"]), {str(k): str(v) for k, v in content["sha256"].items()})
    except (OSError, *MALFORMED) as error:
        raise ModelDamaged(
            f"{path} cannot be read as a label of synthetic weights ({error}); remove it."
        ) from error
