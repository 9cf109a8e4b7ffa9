"""LP Suite core: portrait animation for post-production, independent of any host program.

::

    import lp_core

    summary = lp_core.animate("portrait.jpg", "driving.mp4", "out.mp4", smoothing=0.5)

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

from .version import __version__

TYPE_CHECKING = False  # as in typing, which would cost most of the time of this import
if TYPE_CHECKING:
    from typing import Any

    from .api import animate, batch, check_sync, extract, frames, inspect, lipsync, train_speech, upscale
    from .errors import LpError
    from .job import RenderJob
    from .settings import RenderSettings

_HOMES = {
    "animate": "api",
    "extract": "api",
    "lipsync": "api",
    "upscale": "api",
    "batch": "api",
    "check_sync": "api",
    "train_speech": "api",
    "inspect": "api",
    "frames": "api",
    "LpError": "errors",
    "RenderJob": "job",
    "RenderSettings": "settings",
}
"""Public name -> the module that defines it."""

__all__ = [
    "LpError",
    "RenderJob",
    "RenderSettings",
    "__version__",
    "animate",
    "batch",
    "check_sync",
    "extract",
    "frames",
    "inspect",
    "lipsync",
    "train_speech",
    "upscale",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("." + _HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
