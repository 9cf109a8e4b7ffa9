"""The LivePortrait engine: networks that load the published checkpoints, written for inference.

Importing this package loads no heavy library; ``load_networks`` is resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lp_core.errors import MissingDependency, missing_extra

if TYPE_CHECKING:
    from lp_core.engines.liveportrait.networks import Networks as Networks
    from lp_core.engines.liveportrait.networks import load_networks as load_networks

__all__ = ["Networks", "load_networks"]


def __getattr__(name: str) -> object:
    """Resolves the public names that need PyTorch.

    Raises:
        AttributeError: there is no such name.
        MissingDependency: PyTorch is not installed.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from lp_core.engines.liveportrait import networks
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("torch", "safetensors"):
            raise missing_library(library) from error
        raise
    return getattr(networks, name)


def missing_library(name: str) -> MissingDependency:
    """The error to raise when a library of the extra ``neural`` is absent."""
    return missing_extra(f"The engine liveportrait (its library {name})", "neural")
