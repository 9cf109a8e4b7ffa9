"""``lpsuite train stitch``: weights with a stitching network trained anew on the user's set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from lp_core.training.export import Origin, base_hashes, describe_base, export_weights, read_weights
from lp_core.training.run import data_about
from lp_core.training.stitch import StitchFigures, Stitching, StitchWeights
from lp_core.training.store import open_set

SCENES = 8
"""Batches of four that are measured."""


def stitch_weights(
    weights: Path,
    data: Path,
    output: Path,
    name: str,
    plan: tuple[int, int, float, int],
    hear: Callable[[str], None],
    terms: StitchWeights | None = None,
) -> tuple[StitchFigures, StitchFigures]:
    """Trains the stitching network and writes all weights.

    Args:
        weights: folder of the weights to start from.
        data: a prepared set of at least two people.
        output: folder of the result; files of the other networks are copied.
        name: of the result.
        plan: (steps, batch, learning rate, seed).
        hear: told a line now and then.
        terms: weights of the losses; None: the defaults.

    Returns:
        The figures before and after, on held-out frames.

    Raises:
        SettingError: the set shows fewer than two people.
        ModelMissing, ModelDamaged: the weights cannot be read.
    """
    steps, batch, rate, seed = plan
    found, base = open_set(data), read_weights(weights)
    stitching = Stitching(base.sizes, base.states, found.of("train"), terms or StitchWeights())
    before = stitching.figures(SCENES)
    stitching.train(steps, batch, rate, seed, hear)
    after = stitching.figures(SCENES)
    state = {key: value.detach().clone() for key, value in stitching.network.state_dict().items()}
    keeps_tables = base.trained is None or base.trained.has_tables
    origin = Origin(
        name=name,
        adapted_from=describe_base(base, weights),
        base=weights,
        learned=("stitching",),
        has_tables=keeps_tables,
        about={
            **data_about(found),
            "base_sha256": base_hashes(weights),
            "steps": steps,
            "seed": seed,
            "measured": {"before": asdict(before), "after": asdict(after)},
        },
    )
    export_weights(output, base.sizes, {**base.states, "stitching": state}, origin)
    return before, after
