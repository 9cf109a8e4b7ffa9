"""Named color spaces by OpenColorIO v2: a configuration's spaces as encodings, and conversions between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import PyOpenColorIO as ocio  # noqa: N813 - the library's own short name
from numpy.typing import NDArray

from lp_core.color.transfer import SRGB, shaped8
from lp_core.errors import SettingError

F32 = NDArray[np.float32]

BUILTIN = "ocio://default"
"""OpenColorIO's own ACES configuration, used where neither --ocio nor $OCIO names one."""
_FAILURES = (ocio.Exception, ocio.ExceptionMissingFile)
LINEAR_BT709 = "Linear Rec.709 (sRGB)"
"""The built-in space that is for linear light here."""


@dataclass(frozen=True)
class Space:
    """A named color space; satisfies ``lp_core.frame.Encoding``."""

    name: str
    """Its name in the configuration."""
    to_linear: Callable[[F32], F32]
    """Codes to linear light."""
    from_linear: Callable[[F32], F32]
    """Linear light to codes."""
    is_display: bool = False
    """Never: even a display's own space may have other primaries than the display view."""

    def to_display(self, rgb: F32) -> F32:
        """Codes to the display view."""
        return SRGB.from_linear(self.to_linear(rgb))

    def to_display8(self, rgb: F32) -> NDArray[np.uint8]:
        """The display view in 8 bits, clipped."""
        return shaped8(self.to_linear(rgb))

    def from_display(self, rgb: F32) -> F32:
        """The display view to codes."""
        return self.from_linear(SRGB.to_linear(rgb))


class Spaces:
    """The spaces of one configuration."""

    def __init__(self, config: str | None) -> None:
        """Reads a configuration.

        Args:
            config: a file, or a built-in one such as ocio://cg-config-latest; None: $OCIO, else BUILTIN.

        Raises:
            SettingError: it cannot be read.
        """
        self._where = config or os.environ.get("OCIO") or BUILTIN
        try:
            self._config = ocio.Config.CreateFromFile(self._where)
            self._builtin = ocio.Config.CreateFromFile(BUILTIN)
        except _FAILURES as error:
            raise SettingError(
                f"The color configuration {self._where} cannot be read ({_words(error)}); give a config.ocio, "
                f"an .ocioz or a built-in one such as {BUILTIN}."
            ) from error

    def space(self, name: str) -> Space:
        """A space by its name, alias or role.

        Raises:
            SettingError: the configuration has no such space, or does not say how it relates to others.
        """
        known = self._known(name)
        try:
            forth = ocio.Config.GetProcessorToBuiltinColorSpace(self._config, known, LINEAR_BT709)
            back = ocio.Config.GetProcessorFromBuiltinColorSpace(LINEAR_BT709, self._config, known)
        except _FAILURES as error:
            raise SettingError(
                f"The space {name} of {self._where} cannot be related to linear light ({_words(error)}); the "
                "configuration needs the role aces_interchange, or choose another space."
            ) from error
        return Space(known, _applied(forth), _applied(back))

    def conversion(self, from_name: str, to_name: str) -> Callable[[F32], F32]:
        """Colors (..., 3) of one space to another, by the configuration's own transforms.

        Raises:
            SettingError: one of them is not there, or there is no way between them.
        """
        first, second = self._known(from_name), self._known(to_name)
        try:
            return _applied(self._config.getProcessor(first, second))
        except _FAILURES as error:
            raise SettingError(
                f"{self._where} has no way from {from_name} to {to_name} ({_words(error)}); choose other spaces."
            ) from error

    def _known(self, name: str) -> str:
        found = self._config.getColorSpace(name)
        if found is None:
            names = ", ".join(self._config.getColorSpaceNames())
            raise SettingError(f"{self._where} has no color space {name!r}; choose one of: {names}.")
        return str(found.getName())


def _applied(processor: Any) -> Callable[[F32], F32]:  # noqa: ANN401 - OpenColorIO's processor
    if processor.isNoOp():
        return lambda rgb: np.asarray(rgb, np.float32)
    cpu = processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_LOSSLESS)

    def apply(rgb: F32) -> F32:
        result = np.array(rgb, np.float32, order="C")
        if result.size:
            cpu.applyRGB(result.reshape(-1, 3))
        return result

    return apply


def _words(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
