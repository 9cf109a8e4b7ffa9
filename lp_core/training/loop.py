"""The training loop: M alone, then all networks, then with discriminators; checkpoints, logs, held-out figures."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.errors import OutOfMemory, SettingError, TrainingStopped
from lp_core.training.averages import Averages
from lp_core.training.board import opened_board
from lp_core.training.config import TrainConfig
from lp_core.training.discriminators import Discriminators
from lp_core.training.pairs import PairBatch, PairSampler
from lp_core.training.perceptual import features_of
from lp_core.training.published import PublishedParameters
from lp_core.training.ranks import Ranks
from lp_core.training.run_files import CheckpointFolder, CsvLog
from lp_core.training.step import TERMS, Generating, Judging
from lp_core.training.store import TrainingSet

LOG_COLUMNS = ("step", "phase", "rate", "total", *TERMS, "judge", "norm", "cpu_s")
BAD_IN_A_ROW, SAY_EVERY = 2, 20
SCHEMA = "lp-suite/training-checkpoint/1"

Evaluate = Callable[[dict[str, StateDict], int], float]
"""Given averaged checkpoints and the step, the figure that training keeps the best of."""


@dataclass
class RunProgress:
    """How far a run is."""

    step: int = 0
    """Steps done."""
    best: float = -math.inf
    """Best figure so far."""
    best_step: int = -1
    """When it was reached."""
    since_best: int = 0
    """Evaluations since."""
    cpu_s: float = 0.0
    """CPU seconds of all runs of this training."""


class Trainer:
    """Networks, optimizers and progress of a run, in one process."""

    def __init__(
        self,
        config: TrainConfig,
        found: TrainingSet,
        states: dict[str, StateDict],
        device: torch.device,
        ranks: Ranks,
    ) -> None:
        """Takes copies of the checkpoints that training starts from.

        Raises:
            SettingError: the precision is not possible on the device, or the set has nothing to train on.
            LicenseNotAccepted, ModelMissing: see ``lp_core.training.perceptual.features_of``.
        """
        schedule = config.schedule
        if schedule.precision == "float16" and device.type != "cuda":
            raise SettingError(
                "schedule.precision = float16 needs a CUDA device; choose bfloat16 or float32."
            )
        if schedule.is_deterministic:
            torch.use_deterministic_algorithms(True)
        torch.manual_seed(config.seed)
        self.config, self.device, self.ranks = config, device, ranks
        self.sampler = PairSampler(found, config.sizes, config.augmentation, config.seed)
        self.small_states = {name: states[name] for name in ("stitching", "eye", "lip")}
        self.published = PublishedParameters(config.sizes, states, schedule.learns).to(device)
        self.averages = Averages(self.published, config.optimizer.ema)
        self.discriminators = Discriminators(config.sizes.output_px).to(device)
        features = features_of(config.losses).to(device)
        how = schedule.precision, schedule.checkpointing
        generating = Generating(self.published, config.losses, features, *how).to(device)
        self.generating = ranks.wrapped(generating, device)
        self.judging = ranks.wrapped(Judging(self.discriminators), device)
        rate, betas, decay = config.optimizer.rate, config.optimizer.betas, config.optimizer.decay
        self.learned = [each for each in self.published.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learned, rate, betas, weight_decay=decay)
        self.judge_optimizer = torch.optim.AdamW(
            self.discriminators.parameters(), config.optimizer.discriminator_rate, betas, weight_decay=decay
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=schedule.precision == "float16")
        self.progress, self._bad = RunProgress(), 0
        self._fingerprint = found.fingerprint

    @property
    def motion_steps(self) -> int:
        """Steps of M alone."""
        return self.config.schedule.motion_steps if "M" in self.config.schedule.learns else 0

    @property
    def last_step(self) -> int:
        """Steps in all."""
        return self.motion_steps + self.config.schedule.steps

    def rate(self, step: int) -> float:
        """The learning rate: a warm-up, constant while M learns alone, then half a cosine."""
        optimizer = self.config.optimizer
        rise = min(1.0, (step + 1) / max(optimizer.warm_up, 1))
        done = max(0, step - self.motion_steps) / max(self.config.schedule.steps, 1)
        fall = optimizer.last + (1 - optimizer.last) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        return optimizer.rate * rise * fall

    def phase(self, step: int) -> str:
        """'motion', 'all' or 'gan'."""
        if step < self.motion_steps:
            return "motion"
        first = self.config.schedule.gan_from
        return "gan" if 0 <= first <= step - self.motion_steps else "all"

    def step_once(self) -> dict[str, float | int | str]:
        """One step; returns the row of the log.

        Raises:
            TrainingStopped: the loss is not a number twice in a row.
            OutOfMemory: the batch does not fit on the device.
        """
        step, phase = self.progress.step, self.phase(self.progress.step)
        rate = self.rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if phase != "motion":
            self.published.iterate_power()
        try:
            found, pairs = self._generator_step(step, phase)
            judge = self._judge_step(pairs) if phase == "gan" else 0.0
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(
                f"A batch of {self.config.schedule.batch} does not fit on {self.device}; lower schedule.batch and "
                "raise schedule.accumulate, or set schedule.checkpointing."
            ) from error
        self.progress.step += 1
        return {"step": self.progress.step, "phase": phase, "rate": rate, **found, "judge": judge}

    def _generator_step(
        self, step: int, phase: str
    ) -> tuple[dict[str, float], list[tuple[PairBatch, Tensor]]]:
        schedule, parts = self.config.schedule, self.config.schedule.accumulate
        self.optimizer.zero_grad(set_to_none=True)
        self.discriminators.requires_grad_(False).eval()
        sums: dict[str, Tensor] = {}
        drawn = []
        for part in range(parts):
            number = ((step * parts + part) * self.ranks.world + self.ranks.rank) * schedule.batch
            pair = self.sampler.batch(number, schedule.batch).on(self.device)
            judge = self.discriminators if phase == "gan" else None
            with self._syncs(part == parts - 1, self.generating):
                found = self.generating(pair, phase != "motion", judge)
                self.scaler.scale(found["total"] / parts).backward()
            if "drawn" in found:
                drawn.append((pair, found.pop("drawn").detach()))
            for name, value in found.items():
                sums[name] = sums.get(name, torch.zeros((), device=self.device)) + value.detach() / parts
        values = self.ranks.mean(torch.stack(list(sums.values())).float())
        named = dict(zip(sums, values.tolist(), strict=True))
        named["norm"] = self._update(named["total"])
        return named, drawn

    def _update(self, total: float) -> float:
        self.scaler.unscale_(self.optimizer)
        norm = float(nn.utils.clip_grad_norm_(self.learned, self.config.optimizer.clip))
        is_bad = not math.isfinite(total) or (not math.isfinite(norm) and not self.scaler.is_enabled())
        self._bad = self._bad + 1 if is_bad else 0
        if self._bad >= BAD_IN_A_ROW:
            raise TrainingStopped(f"The loss is not a number at step {self.progress.step}, twice in a row")
        if not is_bad:
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.averages.update(self.published)
        return norm

    def _judge_step(self, pairs: list[tuple[PairBatch, Tensor]]) -> float:
        self.discriminators.requires_grad_(True).train()
        self.judge_optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        for index, (pair, drawn) in enumerate(pairs):
            with self._syncs(index == len(pairs) - 1, self.judging):
                loss = self.judging(pair.truth, drawn, pair.driving_marks) / len(pairs)
                loss.backward()
            total += loss.detach()
        self.judge_optimizer.step()
        return float(self.ranks.mean(total))

    @staticmethod
    def _syncs(is_last: bool, module: nn.Module) -> Any:  # noqa: ANN401 - a context manager
        """Gradients are averaged over the processes once a step."""
        if is_last or not isinstance(module, DistributedDataParallel):
            return nullcontext()
        return module.no_sync()

    def averaged_states(self) -> dict[str, StateDict]:
        """All checkpoints, those that learn averaged over time, on the CPU."""
        states = self.averages.states(self.published)
        found = {name: {key: value.cpu() for key, value in state.items()} for name, state in states.items()}
        return {**found, **self.small_states}

    def content(self) -> dict[str, Any]:
        """Everything that a run needs to continue."""
        return {
            "schema": SCHEMA,
            "config": json.dumps(self.config.as_dict()),
            "data": self._fingerprint,
            "world": self.ranks.world,
            "torch": str(torch.__version__),
            "published": self.published.state_dict(),
            "averages": self.averages.values,
            "averaged_steps": self.averages.steps,
            "discriminators": self.discriminators.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "judge_optimizer": self.judge_optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generator": torch.get_rng_state(),
            "progress": dict(vars(self.progress)),
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Continues where a checkpoint was written.

        Raises:
            SettingError: it is of another configuration or another set.
        """
        same = {
            "config": json.dumps(self.config.as_dict()),
            "data": self._fingerprint,
            "world": self.ranks.world,
        }
        for name, wanted in same.items():
            if content.get(name) != wanted:
                raise SettingError(
                    f"The run was started with another {name}; continue it with the same, or choose another folder."
                )
        self.published.load_state_dict(content["published"])
        self.averages.values = {name: value.to(self.device) for name, value in content["averages"].items()}
        self.averages.steps = content["averaged_steps"]
        self.discriminators.load_state_dict(content["discriminators"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.judge_optimizer.load_state_dict(content["judge_optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        torch.set_rng_state(content["generator"])
        self.progress = RunProgress(**content["progress"])


def run_loop(trainer: Trainer, folder: Path, evaluate: Evaluate, hear: Callable[[str], None]) -> RunProgress:
    """Trains to the end, or until a limit; continues from the newest checkpoint of the folder.

    Args:
        trainer: made from the configuration.
        folder: of the run.
        evaluate: called by the leading process.
        hear: called with a line now and then.

    Raises:
        TrainingStopped: the loss is not a number twice in a row; the message names the last good checkpoint.
    """
    checkpoints, progress = CheckpointFolder(folder), trainer.progress
    content = checkpoints.newest()
    if content is not None:
        trainer.restore(content)
        progress = trainer.progress
        hear(f"continues after step {progress.step}")
    log, before = CsvLog(folder / "log.csv", LOG_COLUMNS), progress.cpu_s
    if trainer.ranks.leads:
        log.start(progress.step)
    schedule, start = trainer.config.schedule, time.process_time()
    can_stop = schedule.time_limit_s > 0 or schedule.patience > 0
    with ExitStack() as stack:
        board = stack.enter_context(opened_board(folder)) if trainer.ranks.leads else None
        while progress.step < trainer.last_step:
            row = _stepped(trainer, checkpoints)
            progress.cpu_s = before + time.process_time() - start
            is_over = 0 < schedule.time_limit_s <= progress.cpu_s
            if trainer.ranks.leads:
                log.add({**row, "cpu_s": round(progress.cpu_s, 2)})
                if board is not None:
                    board(row)
                _noted(trainer, checkpoints, evaluate, is_over)
                if progress.step % SAY_EVERY == 0 or progress.step == trainer.last_step:
                    hear(
                        f"step {progress.step} of {trainer.last_step}, {row['phase']}: loss {row['total']:.3f}"
                    )
            has_stalled = 0 < schedule.patience <= progress.since_best
            if can_stop and trainer.ranks.all_agree(is_over or has_stalled):
                break
    return progress


def _stepped(trainer: Trainer, checkpoints: CheckpointFolder) -> dict[str, float | int | str]:
    try:
        return trainer.step_once()
    except TrainingStopped as error:
        last = checkpoints.found()
        where = f"the last good checkpoint is {last[-1]}" if last else "there is no checkpoint yet"
        raise TrainingStopped(f"{error}; {where}; lower the learning rate.") from error


def _noted(trainer: Trainer, checkpoints: CheckpointFolder, evaluate: Evaluate, is_over: bool) -> None:
    """Evaluates and writes a checkpoint where one is due."""
    schedule, step = trainer.config.schedule, trainer.progress.step
    is_end = step >= trainer.last_step or is_over
    is_due = is_end or (schedule.evaluate_every > 0 and step % schedule.evaluate_every == 0)
    if is_due:
        _evaluated(trainer, checkpoints, evaluate)
    if is_due or step % schedule.save_every == 0:
        checkpoints.write(step, trainer.content())


def _evaluated(trainer: Trainer, checkpoints: CheckpointFolder, evaluate: Evaluate) -> None:
    progress = trainer.progress
    figure = evaluate(trainer.averaged_states(), progress.step)
    if figure > progress.best:
        progress.best, progress.best_step, progress.since_best = figure, progress.step, 0
        checkpoints.write_best(trainer.content())
    else:
        progress.since_best += 1


def device_of(name: str) -> torch.device:
    """The device of a run; under torchrun each process takes the card with its rank."""
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return torch.device(name)
