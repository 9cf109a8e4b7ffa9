"""The 203-point landmark model of an engine: used where its file is, and said either way."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from lp_core.errors import ModelMissing, missing_extra
from lp_core.faces.base import Landmarker
from lp_core.models.device import choose_device
from lp_core.models.store import ModelStore, default_store
from lp_core.settings import EngineSettings

MODEL = "liveportrait-landmarks"
FILE = "landmark.onnx"
_FOLDERS = ("liveportrait", "")
"""Where the file is in a folder of weights: the official layout, or flat."""


@dataclass(frozen=True)
class Refinement:
    """The model that refines landmarks, where there is one."""

    landmarker: Landmarker | None
    """None: landmarks are those of the face finder."""
    notes: tuple[str, ...] = ()
    """What the summary says of it."""


def open_landmarker(settings: EngineSettings, store: ModelStore | None = None) -> Refinement:
    """The landmarks that a render uses; 'auto' takes the 203-point model where its file is present.

    Raises:
        ModelDamaged: the file is there and not the model.
        ModelMissing: the landmarker that is asked for has no weights.
        MissingDependency: its library is not installed.
    """
    if settings.landmarker == "mediapipe":
        return Refinement(None)
    if settings.landmarker == "face-alignment":
        module = import_module("lp_core.faces.landmarks68")
        return Refinement(
            module.Landmarker68(choose_device(settings.device)),
            (f"Crops and openness follow the 68 landmarks of face-alignment. {module.LICENSE_NOTE}",),
        )
    if settings.landmarker == "203":
        _demand_203(settings.weights, store)
    path = find_model(settings.weights, store)
    if path is None:
        return Refinement(None)
    if find_spec("onnxruntime") is None:
        reason = (
            f"'{path}' is not used, for the package onnxruntime is not installed; crops follow the landmarks "
            "of the face finder. Get it with: pip install 'lp-suite[landmarks203]'."
        )
        return Refinement(None, (reason,))
    kind = import_module("lp_core.faces.points203").Landmarker203
    landmarker: Landmarker = kind(path, choose_device(settings.device))
    return Refinement(landmarker, ("Crops and openness follow LivePortrait's own 203 landmarks.",))


def _demand_203(weights: str | None, store: ModelStore | None) -> None:
    """Raises what keeps the 203-point model from being used."""
    if find_model(weights, store) is None:
        raise ModelMissing((store or default_store()).status(MODEL).reason)
    if find_spec("onnxruntime") is None:
        raise missing_extra("The landmarker 203", "landmarks203")


def find_model(weights: str | None, store: ModelStore | None = None) -> Path | None:
    """The model's file in the folder of weights that the user names, else in the model cache; None: nowhere.

    Raises:
        ModelDamaged: the one in the model cache is not the published one.
    """
    for folder in _FOLDERS if weights is not None else ():
        path = Path(weights or "") / folder / FILE
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
            return path
    try:
        return (store or default_store()).locate(MODEL)
    except ModelMissing:
        return None
