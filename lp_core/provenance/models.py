"""Which model files an engine works with, and their hashes."""

from __future__ import annotations

from pathlib import Path

from lp_core.files import sha256_of
from lp_core.models.store import default_store

LANDMARKS, PHONES = "face-landmarker", "hama-phones"
NETWORKS = {"liveportrait": ("liveportrait", "liveportrait-pth")}
"""Engine -> sets of the model catalog that hold its networks, the preferred one first."""
_SUFFIXES = (".safetensors", ".pth", ".pt", ".onnx")


def models_in_use(engine: str, folder: str | None, is_speech: bool = False) -> tuple[dict[str, str], ...]:
    """set, file, sha256 and license of every model file of a render.

    Args:
        engine: name of the engine.
        folder: the user's own folder of its weights; None: the model cache. Files of it are hashed, those of
            the cache were checked against the catalog when they were loaded.
        is_speech: True: a voice drives the face.
    """
    store = default_store()
    names = [LANDMARKS, *([PHONES] if is_speech else [])]
    networks = NETWORKS.get(engine, ())
    if folder is None:
        names += [name for name in networks if store.status(name).is_usable][:1]
    found = []
    for name in names:
        model, files = store.catalog.find(name)
        for item in files:
            entry = {
                "set": name,
                "file": Path(item.path).name,
                "sha256": item.sha256,
                "license": model.license,
            }
            found.append(entry)
    if folder is not None and networks:
        own = (path for path in sorted(Path(folder).rglob("*")) if path.suffix in _SUFFIXES)
        found.extend(
            {"set": "own", "file": path.name, "sha256": sha256_of(path), "license": "unknown"} for path in own
        )
    return tuple(found)
