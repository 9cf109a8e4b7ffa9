"""What leaving a ``with`` block does, for classes that only close or abort."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class ClosesOnExit:
    """``with`` support for a class with ``close``: leaving the block closes it."""

    def close(self) -> None:
        """Releases everything; may be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AbortsOnExit:
    """``with`` support for a class with ``commit`` and ``abort``: leaving the block without ``commit`` aborts."""

    def abort(self) -> None:
        """Removes what was written; may be called twice, and does nothing after ``commit``."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
