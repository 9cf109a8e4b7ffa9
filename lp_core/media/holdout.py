"""A user's matte that protects parts of the picture, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.frame import ClipInfo, Frame
from lp_core.media.base import FrameSource, ReadOptions
from lp_core.media.open import open_source

F32 = NDArray[np.float32]


class Holdout:
    """Reads a matte in step with the picture; its last frame stays."""

    def __init__(self, open_matte: Callable[[], FrameSource]) -> None:
        self._stack = ExitStack()
        source = self._stack.enter_context(open_matte())
        self._frames: Iterator[Frame] = iter(source)
        self._last: tuple[int, F32] | None = None

    def at(self, index: int) -> F32:
        """The matte of a frame of the source, (H, W) 0..1, 1 = protected; indices never go back.

        Raises:
            LpError: whatever the reader has to say.
        """
        while self._last is None or self._last[0] < index:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._last = frame.index, matte_of(frame)
        assert self._last is not None  # noqa: S101 - a source without frames raises
        return self._last[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def matte_of(frame: Frame) -> F32:
    """(H, W) 0..1: a picture's alpha, or its red where it has none; never converted between colour spaces."""
    channel = frame.pixels[..., 3 if frame.pixels.shape[2] == 4 else 0].astype(np.float32)
    return np.asarray(np.clip(np.nan_to_num(channel / np.float32(frame.white)), 0, 1), np.float32)


def open_holdout(path: str | None, info: ClipInfo, options: ReadOptions) -> Callable[[], Holdout] | None:
    """Opens a matte for a source; None where none is given.

    Args:
        path: picture, sequence or film.
        info: of the source; the matte must be as large.
        options: how the source is read: its frames and rate count for the matte too.

    Raises:
        SettingError: the sizes differ.
        UnreadableMedia and others: the file cannot be opened.
    """
    if path is None:
        return None
    own = ReadOptions(
        rate=options.rate, frames=None if info.is_still else options.frames, missing=options.missing
    )
    opener = partial(open_source, path, options=own)
    with opener() as matte:
        size = matte.info.width, matte.info.height
    if size != (info.width, info.height):
        raise SettingError(
            f"The holdout matte {path} has {size[0]}x{size[1]} pixels and the source {info.width}x{info.height}; "
            "render it in the source's format."
        )
    return partial(Holdout, opener)
