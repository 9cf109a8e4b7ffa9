"""``lpsuite train stitch``: weights whose small networks are trained on the user's set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from lp_core.engines.liveportrait.checkpoints import Checkpoints
from lp_core.training.export import Origin, base_hashes, describe_base, export_weights, read_weights
from lp_core.training.retargeting import LEAST_R, RetargetFigures, Retargeting
from lp_core.training.run import data_about
from lp_core.training.stitch import StitchFigures, Stitching, StitchWeights
from lp_core.training.store import TrainingSet, open_set

SCENES = 8
"""Batches of four that are measured."""


def retarget_weights(
    weights: Path,
    data: Path,
    output: Path,
    name: str,
    kinds: Sequence[str],
    plan: tuple[int, int, float, int],
    hear: Callable[[str], None],
    least_r: float = LEAST_R,
) -> dict[str, RetargetFigures]:
    """Trains the eye and lip networks and writes all weights.

    Args:
        weights: folder of the weights to start from.
        data: a prepared set.
        output: folder of the result; files of the other networks are copied.
        name: of the result.
        kinds: 'eye', 'lip' or both.
        plan: (steps, batch, learning rate, seed); the reader gets as many steps.
        hear: called with a line now and then.
        least_r: correlation that the reader of the ratio must reach.

    Raises:
        SettingError: the reader is not good enough; the message has the number.
        ModelMissing, ModelDamaged: the weights cannot be read.
    """
    steps, batch, rate, seed = plan
    found, base = open_set(data), read_weights(weights)
    states, figures = dict(base.states), {}
    for kind in kinds:
        retargeting = Retargeting(kind, base.sizes, base.states, found.of("train"))
        retargeting.fit_reader(steps, batch, seed, least_r)
        retargeting.train(steps, batch, rate, seed, hear)
        figures[kind] = retargeting.figures()
        states[kind] = {
            key: value.detach().clone() for key, value in retargeting.network.state_dict().items()
        }
    origin = _origin(name, base, weights, tuple(kinds), found, steps, seed)
    measured = {kind: asdict(value) for kind, value in figures.items()}
    export_weights(output, base.sizes, states, replace(origin, about={**origin.about, "measured": measured}))
    return figures


def _origin(
    name: str,
    base: Checkpoints,
    weights: Path,
    learned: tuple[str, ...],
    found: TrainingSet,
    steps: int,
    seed: int,
) -> Origin:
    return Origin(
        name=name,
        adapted_from=describe_base(base, weights),
        base=weights,
        learned=learned,
        has_tables=base.trained is None or base.trained.has_tables,
        about={**data_about(found), "base_sha256": base_hashes(weights), "steps": steps, "seed": seed},
    )


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
        hear: called with a line now and then.
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
    origin = _origin(name, base, weights, ("stitching",), found, steps, seed)
    origin = replace(
        origin, about={**origin.about, "measured": {"before": asdict(before), "after": asdict(after)}}
    )
    export_weights(output, base.sizes, {**base.states, "stitching": state}, origin)
    return before, after
