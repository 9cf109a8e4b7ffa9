"""MediaPipe, imported without what it only draws charts and records sound with: that takes as long as all the rest.

Use ``from lp_core.faces.mediapipe_library import BaseOptions, mp, vision``. Its charts (matplotlib) load when somebody
draws one; its microphone (sounddevice) when somebody opens it.

Raises:
    MissingDependency: MediaPipe cannot be loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

from lp_core.errors import MissingDependency

_UNUSED = ("matplotlib.pyplot", "sounddevice")
_EMPTY = ("matplotlib",)
"""Packages that need not be executed for a module of ``_UNUSED`` to be found in them."""


class _Nothing(Loader):
    """Leaves a module empty."""

    def exec_module(self, module: ModuleType) -> None:
        """Executes nothing."""


class _Lazily(MetaPathFinder):
    """Finds modules that are executed when an attribute is asked for, and packages that never are."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ``_UNUSED`` or ``_EMPTY``; see the contract."""
        spec = PathFinder.find_spec(fullname, path) if fullname in _UNUSED + _EMPTY else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Nothing() if fullname in _EMPTY else LazyLoader(spec.loader)
        return spec


@contextmanager
def _without_unused() -> Iterator[None]:
    """Modules of ``_UNUSED`` that are imported in the block load late; later imports of these are ordinary ones."""
    there, finder = set(sys.modules), _Lazily()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in {*_UNUSED, *_EMPTY} - there:
            sys.modules.pop(name, None)


try:
    with _without_unused():
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision
except ImportError as error:
    raise MissingDependency(
        "Reading faces needs the package 'mediapipe', which cannot be loaded; reinstall it with: "
        "pip install --force-reinstall lp-suite."
    ) from error

__all__ = ["BaseOptions", "mp", "vision"]
