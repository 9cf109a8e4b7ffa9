"""TensorBoard's log, where the library is installed; the CSV log holds the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

LogRow = Mapping[str, float | int | str]


@contextmanager
def opened_board(folder: Path) -> Iterator[Callable[[LogRow], None] | None]:
    """A function that logs a row; None without TensorBoard."""
    if find_spec("tensorboard") is None:
        yield None
        return
    writer = import_module("torch.utils.tensorboard").SummaryWriter(str(folder / "tensorboard"))

    def log(row: LogRow) -> None:
        for name, value in row.items():
            if isinstance(value, float):
                writer.add_scalar(name, value, int(row["step"]))

    try:
        yield log
    finally:
        writer.close()
