"""Contracts of everything that delivers or takes frames."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from lp_core.frame import ClipInfo, Frame


class FrameSource(Protocol):
    """Delivers the frames of a clip once, in order, at a constant rate.

    Opening reads only the header. Iterating yields exactly one frame per frame period, indices 0, 1, 2, ...
    without gaps. ``close`` may be called twice and ends a running iteration's resources.
    """

    @property
    def info(self) -> ClipInfo:
        """What is known before decoding."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames; raises TruncatedMedia or EmptyVideo where the file lets it down."""
        ...

    def close(self) -> None:
        """Releases the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FrameSink(Protocol):
    """Takes frames in order; the result appears under its final name only on ``commit``.

    Leaving the context without ``commit`` aborts: whatever was written aside is removed.
    """

    def write(self, frame: Frame) -> None:
        """Takes the next frame; size and channel count must be those of the first one."""
        ...

    def commit(self) -> None:
        """Finishes the file and moves it to its final name."""
        ...

    def abort(self) -> None:
        """Removes what was written; may be called twice, also after ``commit`` (then it does nothing)."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
