"""``lpsuite train run``: from a configuration and a set to weights that the engine loads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.errors import SettingError
from lp_core.files import ensure_folder, write_whole
from lp_core.training.config import TrainConfig
from lp_core.training.export import Origin, base_hashes, describe_base, export_weights, read_weights
from lp_core.training.initial import initial_states, with_centered_features
from lp_core.training.loop import RunProgress, Trainer, device_of, run_loop
from lp_core.training.pairs import PairSampler
from lp_core.training.ranks import joined
from lp_core.training.reenact import (
    WAYS,
    ClipErrors,
    Reenacted,
    Score,
    decibels,
    evaluate_held_out,
    held_out,
    networks_of,
    score_of,
    unseen,
)
from lp_core.training.sheets import as_u8, contact_sheet, write_png
from lp_core.training.store import StoredShot, TrainingSet, open_set

HELD_OUT_STEP, UNSEEN_STEP = 4, 8
"""Every so many frames are evaluated."""
SHEET_ROWS = 8
CENTERED_ON = 16
"""Pairs whose images center the features of a fresh M."""
EVALUATION_COLUMNS = (
    "step",
    "kind",
    "clip",
    *(f"{area}_{way}" for area in ("whole", "face") for way in WAYS),
)

Hear = Callable[[str], None]
Shots = Sequence[tuple[StoredShot, list[int]]]


@dataclass(frozen=True)
class RunResult:
    """What a run has given."""

    folder: Path
    """Usable as ``--weights``."""
    progress: RunProgress
    """How far it went."""
    score: Score | None
    """Held-out frames of people who were trained on; None where there are none."""


def start_states(config: TrainConfig) -> tuple[TrainConfig, dict[str, StateDict], dict[str, Any]]:
    """The configuration with the sizes of its base, checkpoints to start from, and what the label says of them.

    Raises:
        ModelMissing, ModelDamaged: the base cannot be read.
    """
    if not config.base:
        return config, initial_states(config.sizes, config.seed), {}
    folder = Path(config.base)
    found = read_weights(folder)
    keeps_tables = found.trained is None or found.trained.has_tables
    about = {
        "base": describe_base(found, folder),
        "base_sha256": base_hashes(folder),
        "base_has_tables": keeps_tables,
    }
    return replace(config, sizes=found.sizes), found.states, about


def _centered(config: TrainConfig, state: StateDict, found: TrainingSet) -> StateDict:
    """Fresh weights of M, its features centered on the first pairs of training."""
    pairs = PairSampler(found, config.sizes, config.augmentation, config.seed).batch(0, CENTERED_ON)
    return with_centered_features(state, config.sizes.motion, torch.cat([pairs.source, pairs.driving]))


def run_training(
    config: TrainConfig,
    data: Path,
    folder: Path,
    device: str,
    hear: Hear,
    about: Mapping[str, Any] | None = None,
) -> RunResult:
    """Trains, or continues; the folder then holds weights for the engine, logs, sheets and checkpoints.

    Args:
        config: of the run.
        data: a prepared set.
        folder: of the run; one that holds checkpoints is continued.
        device: such as cpu or cuda.
        hear: called with a line now and then.
        about: what else the label says.

    Raises:
        SettingError: the set, the device or the configuration cannot be used.
        TrainingStopped: see ``lp_core.training.loop.run_loop``.
    """
    found = open_set(data)
    config, states, origin = start_states(config)
    if not config.base:
        states["M"] = _centered(config, states["M"], found)
    where = device_of(device)
    with joined(where) as ranks:
        trainer = Trainer(config, found, states, where, ranks)
        book = RunBook(folder, config, found, {**origin, **data_about(found), **(about or {})}, where)
        if ranks.leads:
            book.open()
        progress = run_loop(trainer, folder, book.evaluate, hear if ranks.leads else _silent)
        return RunResult(folder, progress, book.score)


def _silent(_: str) -> None:
    """Only the leading process talks."""


def data_about(found: TrainingSet) -> dict[str, Any]:
    """What a label says of the set."""
    licenses = sorted(set(found.about["licenses"].values()))
    return {"data": found.fingerprint, "licenses": licenses, "consent": found.about.get("consent")}


class RunBook:
    """Evaluates, keeps tables and sheets, and writes the weights of the best step."""

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        found: TrainingSet,
        about: dict[str, Any],
        device: torch.device,
    ) -> None:
        self.folder, self._device = folder, device
        self._config, self._about = config, about
        self.shots: dict[str, Shots] = {
            "held out": list(held_out(found, HELD_OUT_STEP)),
            "unseen": [
                item for split in ("validation", "test") for item in unseen(found, split, UNSEEN_STEP)
            ],
        }
        self.score: Score | None = None
        self._best = float("-inf")
        self._rows: list[dict[str, Any]] = []

    def open(self) -> None:
        """Makes the folder and notes the configuration.

        Raises:
            SettingError: the folder holds a run of another configuration.
        """
        ensure_folder(self.folder / "sheets")
        text = json.dumps(self._config.as_dict(), indent=1) + "\n"
        path = self.folder / "config.json"
        if path.is_file() and path.read_text(encoding="utf-8") != text:
            raise SettingError(
                f"{self.folder} holds a run with another configuration; continue that, or choose another folder."
            )
        write_whole(path, text)
        table = self.folder / "evaluations.csv"
        if table.is_file():
            self._rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
            own = [row for row in self._rows if row["kind"] == "held out" and row["clip"] == "all"]
            self._best = max((float(row["whole_model"]) for row in own), default=self._best)

    def evaluate(self, states: dict[str, StateDict], step: int) -> float:
        """Figures, a sheet and, where they are the best so far, the weights; returns what to keep the best of."""
        networks = networks_of(self._config.sizes, states, self._device)
        self._rows = [row for row in self._rows if int(row["step"]) < step]
        figures: dict[str, Score] = {}
        for kind, shots in self.shots.items():
            if not shots:
                continue
            errors, drawings = evaluate_held_out(networks, shots)
            figures[kind] = score_of(errors)
            self._rows += [_row(step, kind, clip) for clip in errors]
            self._rows.append(_sum_row(step, kind, figures[kind]))
            name = f"step-{step:08d}-{kind.replace(' ', '-')}.png"
            write_png(self.folder / "sheets" / name, drawings_sheet(drawings))
        self._write_table()
        self.score = figures.get("held out")
        figure = self.score.best if self.score is not None else float(step)
        if figure >= self._best:
            self._best = figure
            self._export(states, step, figures)
        return figure

    def _export(self, states: dict[str, StateDict], step: int, figures: dict[str, Score]) -> None:
        config = self._config
        measured = {kind: asdict(score) for kind, score in figures.items()}
        base = str(self._about.get("base", ""))
        origin = Origin(
            name=config.name,
            adapted_from=base,
            base=Path(config.base) if config.base else None,
            learned=config.schedule.learns,
            has_tables=bool(self._about.get("base_has_tables")) and "M" not in config.schedule.learns,
            about={
                **self._about,
                "step": step,
                "seed": config.seed,
                "measured": measured,
                "losses": asdict(config.losses),
            },
        )
        export_weights(self.folder, config.sizes, states, origin)

    def _write_table(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, EVALUATION_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_whole(self.folder / "evaluations.csv", text.getvalue())


def _row(step: int, kind: str, clip: ClipErrors) -> dict[str, Any]:
    values = {
        f"{area}_{way}": f"{decibels(getattr(clip, area)[way]):.2f}"
        for area in ("whole", "face")
        for way in WAYS
    }
    return {"step": step, "kind": kind, "clip": clip.name, **values}


def _sum_row(step: int, kind: str, score: Score) -> dict[str, Any]:
    values = {
        f"{area}_{way}": f"{getattr(score, area)[way]:.2f}" for area in ("whole", "face") for way in WAYS
    }
    return {"step": step, "kind": kind, "clip": "all", **values}


def drawings_sheet(drawings: Sequence[Reenacted]) -> Any:  # noqa: ANN401 - (H, W, 3) uint8
    """A row for each shot: the source, then truth, drawing and drawing without motion of some frames."""
    rows = []
    for found in drawings[:SHEET_ROWS]:
        cells = [as_u8(found.source)]
        count = len(found.index)
        for index in sorted({count // 6, count // 2, count - 1}):
            cells += [as_u8(found.truth[index]), as_u8(found.drawn[index])]
        rows.append([*cells, as_u8(found.still)])
    return contact_sheet(rows)
