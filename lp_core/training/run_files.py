"""Files of a run: checkpoints that survive a kill, and a log whose rows end where the checkpoint does."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lp_core.errors import SettingError
from lp_core.files import ensure_folder, remove, replacing, write_whole

KEPT = 2
"""Newest checkpoints that are kept, next to the best."""
BEST = "best.pt"


class CheckpointFolder:
    """Checkpoints of a run, written to a temporary file and renamed."""

    def __init__(self, run: Path) -> None:
        self.folder = run / "checkpoints"

    def write(self, step: int, content: Mapping[str, Any]) -> Path:
        """Writes a checkpoint, then removes older ones.

        Raises:
            DiskFull, NoWritePermission, MediaError: the file system refuses; older checkpoints are as they were.
        """
        ensure_folder(self.folder)
        path = self.folder / f"step-{step:08d}.pt"
        self._save(path, content)
        for old in self.found()[:-KEPT]:
            remove(old)
        return path

    def write_best(self, content: Mapping[str, Any]) -> None:
        """Replaces the best one."""
        ensure_folder(self.folder)
        self._save(self.folder / BEST, content)

    def found(self) -> list[Path]:
        """Checkpoints by step, the newest last."""
        return sorted(self.folder.glob("step-*.pt")) if self.folder.is_dir() else []

    def newest(self) -> dict[str, Any] | None:
        """The newest checkpoint; None where there is none.

        Raises:
            SettingError: it cannot be read.
        """
        paths = self.found()
        return load_checkpoint(paths[-1]) if paths else None

    @staticmethod
    def _save(path: Path, content: Mapping[str, Any]) -> None:
        with replacing(path) as temporary, temporary.open("wb") as file:
            torch.save(dict(content), file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint, read without running code.

    Raises:
        SettingError: it cannot be read.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:120]
        raise SettingError(
            f"The checkpoint {path} cannot be read ({reason}); remove it to use the one before."
        ) from error
    return content


class CsvLog:
    """Rows of numbers, one a step, appended as they come."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self._columns = path, tuple(columns)

    def start(self, last_step: int) -> None:
        """Keeps the rows up to a step, and drops those that a killed process wrote after its checkpoint."""
        rows = [row for row in self.rows() if int(row["step"]) <= last_step]
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.path, text.getvalue())

    def add(self, values: Mapping[str, float | int | str]) -> None:
        """Appends a row; numbers keep nine digits, enough to tell any two float32 apart."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n", extrasaction="ignore")
        writer.writerow({key: _shown(value) for key, value in values.items()})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text.getvalue())

    def rows(self) -> list[dict[str, str]]:
        """All whole rows; a row that a kill cut short is left out."""
        if not self.path.is_file():
            return []
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        return [row for row in csv.DictReader(io.StringIO(whole)) if (row.get("step") or "").isdigit()]


def _shown(value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else str(value)
    return str(value)
