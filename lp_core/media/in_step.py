"""Files that accompany a source frame by frame: mattes and clean plates of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError
from lp_core.frame import ClipInfo, Frame
from lp_core.media.base import FrameSource, ReadOptions
from lp_core.media.open import open_source

F32 = NDArray[np.float32]
Value = TypeVar("Value")


class InStep(Generic[Value]):
    """Reads a file in step with a source; its last frame stays."""

    def __init__(self, open_file: Callable[[], FrameSource], convert: Callable[[Frame], Value]) -> None:
        """Opens the file.

        Args:
            open_file: opens it.
            convert: what is made of each of its frames.
        """
        self._stack = ExitStack()
        source = self._stack.enter_context(open_file())
        self._frames: Iterator[Frame] = iter(source)
        self._convert = convert
        self._last: tuple[int, Value] | None = None

    def at(self, index: int) -> Value:
        """What was made of the frame that goes with a frame of the source; indices never go back.

        Raises:
            LpError: whatever the reader has to say.
        """
        while self._last is None or self._last[0] < index:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._last = frame.index, self._convert(frame)
        assert self._last is not None  # noqa: S101 - a source without frames raises
        return self._last[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def matte_of(frame: Frame) -> F32:
    """(H, W) 0..1: an image's alpha, or its red where it has none; never converted between color spaces."""
    channel = frame.pixels[..., 3 if frame.pixels.shape[2] == 4 else 0].astype(np.float32)
    return np.asarray(np.clip(np.nan_to_num(channel / np.float32(frame.white)), 0, 1), np.float32)


def open_in_step(
    path: str, what: str, convert: Callable[[Frame], Value], info: ClipInfo, options: ReadOptions
) -> Callable[[], InStep[Value]]:
    """Checks a file that accompanies a source, and returns what opens it.

    Args:
        path: image, sequence or video.
        what: name for messages, such as 'holdout matte'.
        convert: what is made of each frame.
        info: of the source; the file must be as large.
        options: how the source is read: its frames and rate count for the file too.

    Raises:
        SettingError: the sizes differ.
        UnreadableMedia and others: the file cannot be opened.
    """
    own = ReadOptions(
        rate=options.rate, frames=None if info.is_still else options.frames, missing=options.missing
    )
    opener = partial(open_source, path, options=own)
    with opener() as opened:
        size = opened.info.width, opened.info.height
    if size != (info.width, info.height):
        raise SettingError(
            f"The {what} {path} has {size[0]}x{size[1]} pixels and the source {info.width}x{info.height}; "
            "render it in the source's format."
        )
    return partial(InStep, opener, convert)
