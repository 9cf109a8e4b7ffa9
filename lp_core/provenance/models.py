"""Which model files an engine works with, and their hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lp_core.errors import MALFORMED, ModelError
from lp_core.files import sha256_of
from lp_core.models.imports import imported_weights
from lp_core.models.store import default_store

LANDMARKS, PHONES = "face-landmarker", "hama-phones"
NEURAL_ENGINE, PLAIN_MODEL = "liveportrait", "liveportrait"
"""The engine that has networks, and its model where nothing else is said."""
CATALOG = {"liveportrait": ("liveportrait", "liveportrait-pth")}
"""Published model -> sets of the model catalog that hold its networks, the preferred one first."""
TRAINED = "trained.json"
"""Label of weights that were trained with this program."""
_SUFFIXES = (".safetensors", ".pth", ".pt", ".onnx")


def models_in_use(
    engine: str, folder: str | None, speech: str = "", model: str = PLAIN_MODEL
) -> tuple[dict[str, str], ...]:
    """set, file, sha256 and license of every model file of a render.

    Args:
        engine: name of the engine.
        folder: the user's own folder of its weights; None: the model cache. Files of it are hashed, those of
            the cache and of imports were checked when they were loaded.
        speech: what turns a voice into motion, as the setting ``speech_driver`` names it; empty: no voice is heard.
        model: the published model that the neural engine draws with.
    """
    store = default_store()
    has_networks = engine == NEURAL_ENGINE
    cached = [name for name in CATALOG.get(model, ()) if store.status(name).is_usable][:1]
    names = [LANDMARKS, *([PHONES] if speech == "map" else [])]
    if has_networks and folder is None:
        names += cached
    found = []
    for name in names:
        row, files = store.catalog.find(name)
        for item in files:
            entry = {"set": name, "file": Path(item.path).name, "sha256": item.sha256, "license": row.license}
            found.append(entry)
    if has_networks and folder is not None:
        found.extend(_own(Path(folder)))
    elif has_networks and not cached:
        found.extend(_imported(model))
    if speech not in ("", "map"):
        found.extend(_imported(speech))
    return tuple(found)


def _imported(name: str) -> list[dict[str, str]]:
    """The files of an imported model; none where nothing was imported (what runs it says so)."""
    try:
        weights = imported_weights(default_store().root, name)
    except ModelError:
        return []
    said = {"set": f"imported: {name}", "license": weights.license}
    return [{**said, "file": file, "sha256": digest} for file, digest in weights.sha256.items()]


def _own(folder: Path) -> list[dict[str, str]]:
    """The files of a user's folder; those of trained weights with what their label says."""
    label = _label(folder)
    if label is None:
        own = [path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES]
        return [
            {"set": "own", "file": path.name, "sha256": sha256_of(path), "license": "unknown"} for path in own
        ]
    about = label.get("about", {})
    said = {
        "set": f"own: {label.get('name')}",
        "license": ", ".join(map(str, about.get("licenses", ()))) or "unknown",
        "adapted_from": str(label.get("adapted_from", "")),
        "consent": str(about.get("consent_reference", "")),
    }
    named = {key: value for key, value in said.items() if value}
    return [{**named, "file": name, "sha256": sha256_of(folder / name)} for name in sorted(label["sha256"])]


def _label(folder: Path) -> dict[str, Any] | None:
    """The label of trained weights; None where the folder has none that can be read (the engine says why)."""
    try:
        content = json.loads((folder / TRAINED).read_text(encoding="utf-8"))
        is_whole = all((folder / str(name)).is_file() for name in content["sha256"])
    except (OSError, *MALFORMED):
        return None
    return content if isinstance(content, dict) and is_whole else None
