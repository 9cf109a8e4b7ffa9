"""Name of a face analyzer -> the analyzer, imported on use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from lp_core.errors import SettingError
from lp_core.faces.base import FaceAnalyzer

ANALYZERS: Mapping[str, str] = MappingProxyType(
    {
        "mediapipe": "lp_core.faces.mediapipe:MediaPipeAnalyzer",
        "face-alignment": "lp_core.faces.landmarks68:FaceAlignmentAnalyzer",
    }
)
"""Kind of analyzer -> "module:class"; the class takes ``is_video`` and ``max_faces``."""


def open_analyzer(kind: str = "mediapipe", *, is_video: bool, max_faces: int = 1) -> FaceAnalyzer:
    """Opens a face analyzer; close it after use.

    Args:
        kind: a key of ANALYZERS.
        is_video: True for the frames of one clip in order, False for unrelated images.
        max_faces: at most so many faces are looked for, at least 1.

    Raises:
        SettingError: the kind is not known, or max_faces is below 1.
        MissingDependency: the analyzer's library is not installed.
        ModelMissing, ModelDamaged: its model file is not there or not whole.
    """
    if kind not in ANALYZERS:
        raise SettingError(f"The face analyzer '{kind}' is not known; choose one of: {', '.join(ANALYZERS)}.")
    if max_faces < 1:
        raise SettingError(f"max_faces = {max_faces} is out of range; at least 1 face must be looked for.")
    module, name = ANALYZERS[kind].split(":")
    analyzer: FaceAnalyzer = getattr(import_module(module), name)(is_video=is_video, max_faces=max_faces)
    return analyzer
