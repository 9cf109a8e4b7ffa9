"""``lpsuite train export``: the weights of a run or of one of its checkpoints, for the engine and other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.trained_label import TrainedLabel
from lp_core.errors import SettingError
from lp_core.training.config import TrainConfig, config_from
from lp_core.training.export import Origin, export_official, export_weights, read_weights
from lp_core.training.loop import SCHEMA
from lp_core.training.run import start_states
from lp_core.training.run_files import load_checkpoint


def export_run(source: Path, output: Path, name: str | None, has_official: bool) -> TrainedLabel:
    """Writes weights again, from a folder of weights or from a checkpoint.

    Args:
        source: a folder with ``trained.json``, or a checkpoint (.pt) of a run.
        output: folder of the weights.
        name: of the weights; None: as before.
        has_official: write the official layout too.

    Raises:
        SettingError: the source is neither.
        ModelMissing, ModelDamaged: a file is absent or damaged.
    """
    sizes, states, origin = _checkpoint(source) if source.suffix == ".pt" else _folder(source)
    label = export_weights(output, sizes, states, replace(origin, name=name or origin.name))
    if has_official:
        export_official(output, states)
    return label


def _folder(source: Path) -> tuple[Any, dict[str, StateDict], Origin]:
    found = read_weights(source)
    if found.trained is None:
        raise SettingError(
            f"{source} holds no weights of a run (trained.json is missing); name the folder of a run."
        )
    label = found.trained
    learned = tuple(str(network) for network in label.about.get("learned", ()))
    origin = Origin(label.name, label.adapted_from, source, learned, label.has_tables, label.about)
    return found.sizes, found.states, origin


def _checkpoint(path: Path) -> tuple[Any, dict[str, StateDict], Origin]:
    content = load_checkpoint(path)
    if content.get("schema") != SCHEMA:
        raise SettingError(f"{path} is not a checkpoint of a training run; name one of its step-*.pt files.")
    config: TrainConfig = config_from(json.loads(content["config"]))
    config, states, about = start_states(config)
    for tensors in (content["published"], content["averages"]):  # the averages take the place of what learned
        for key, value in tensors.items():
            _, network, slot = key.split(".")
            states[network][slot.replace("/", ".")] = value
    progress = content["progress"]
    origin = Origin(
        name=config.name,
        adapted_from=str(about.get("base", "")),
        base=Path(config.base) if config.base else None,
        learned=config.schedule.learns,
        has_tables=bool(about.get("base_has_tables")) and "M" not in config.schedule.learns,
        about={
            "base_sha256": about.get("base_sha256", {}),
            "step": progress["step"],
            "seed": config.seed,
            "data": content["data"],
        },
    )
    return config.sizes, states, origin
