"""Frames that carry what their numbers mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.frame import ClipInfo, Encoding, Frame
from lp_core.media.base import FrameSource

F32 = NDArray[np.float32]


class InterpretedSource(ClosesOnExit):
    """A source whose frames say what their numbers mean; the numbers stay."""

    def __init__(self, source: FrameSource, encoding: Encoding) -> None:
        """Takes the source over and closes it with itself."""
        self._source, self._encoding = source, encoding

    @property
    def info(self) -> ClipInfo:
        """What is known of the clip."""
        return self._source.info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """The source's."""
        return self._source.damaged_frames

    @property
    def notes(self) -> tuple[str, ...]:
        """The source's."""
        return self._source.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yields the source's frames with their encoding."""
        alpha = self.info.alpha
        return (replace(frame, alpha=alpha, encoding=self._encoding) for frame in self._source)

    def close(self) -> None:
        """Releases the file."""
        self._source.close()
