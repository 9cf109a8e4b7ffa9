"""``lpsuite train adapt``: weights fitted to one person or one art style, from a short piece of footage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.engines.liveportrait.sizes import PUBLISHED
from lp_core.errors import SettingError
from lp_core.geometry.facemesh import JAW_OPEN
from lp_core.motion.implicit.motion import degrees_from_rotation
from lp_core.training.config import NETWORKS, Augmentation, LossWeights, Optimizer, Schedule, TrainConfig
from lp_core.training.export import read_weights
from lp_core.training.prepare import require_consent
from lp_core.training.reenact import Reenacted, Score, evaluate_held_out, held_out, networks_of, score_of
from lp_core.training.run import HELD_OUT_STEP, Hear, RunResult, Shots, run_training
from lp_core.training.sheets import as_u8, contact_sheet, write_png
from lp_core.training.store import TrainingSet, open_set
from lp_core.training.style import with_animated_stills

LEAST_FRAMES, LEAST_YAW_DEG, LEAST_JAW = 240, 10.0, 0.3
"""Footage below these teaches too little: 10 s at 24 frames per second, a turn of the head, an open mouth."""
RATE, RATE_OF_OWN = 2e-5, 5e-4
"""Learning rates on the published networks, and on small ones of one's own."""
KINDS = {"person": ("G",), "style": ("F", "G")}
"""What learns by default."""
PATIENCE = 5
MOVED = Augmentation(shift=0.05, zoom=0.05, roll_deg=5.0, flip=0.0, jitter=0.05, stills=0.0)
STEADY = replace(MOVED, shift=0.0, zoom=0.0, roll_deg=0.0, jitter=0.0)
"""Augmentation on the published networks, and on small ones of one's own.

Source and truth are moved apart by it, and what learns must draw the difference from M's key points. M of a few people
does not follow such moves on a new face: G then learns their mean, which is blurred. See docs/training.md, Measured.
"""


@dataclass(frozen=True)
class AdaptOptions:
    """How weights are adapted."""

    weights: Path
    """Folder of the weights to start from."""
    name: str
    """Name of the adapted weights."""
    kind: str = "person"
    """'person' or 'style'."""
    learns: tuple[str, ...] = ()
    """Networks that learn; empty: those of the kind."""
    steps: int = 1000
    """Steps at most."""
    evaluate_every: int = 100
    """Steps between looks at the held-out tail."""
    rate: float = 0.0
    """Learning rate; 0: by the size of the networks."""
    has_stated_consent: bool = False
    """The user says that the person consents, though no consent is recorded."""
    allows_little: bool = False
    """Take footage that teaches little."""
    batch: int = 8
    """Pairs a step."""
    precision: str = "float32"
    """Of F, W and G while training."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"kind = {self.kind} is not known; choose one of: {', '.join(KINDS)}.")
        unknown = sorted(set(self.learns) - set(NETWORKS))
        if unknown:
            raise SettingError(
                f"'{unknown[0]}' is not a network that can be adapted; choose from: F, M, W, G."
            )


@dataclass(frozen=True)
class Adapted:
    """What adapting gave."""

    run: RunResult
    """The run; its folder is usable as ``--weights``."""
    before: Score
    """Held-out tail with the weights as they were."""
    after: Score
    """With the adapted ones."""
    others: tuple[Score, Score] | None
    """Held-out frames of other people, before and after; None where no set of others was given."""


def adapt(
    data: Path, folder: Path, options: AdaptOptions, device: str, hear: Hear, others: Path | None = None
) -> Adapted:
    """Fits weights to the person or style of a prepared set.

    The last fifth of each shot is held out. Training stops when it gets no better, and the best weights are kept.

    Args:
        data: a prepared set with the footage.
        folder: of the run.
        options: how.
        device: such as cpu or cuda.
        hear: called with a line now and then.
        others: a prepared set of other people, to see how much is forgotten.

    Raises:
        ConsentMissing: no consent is recorded, and the user does not say otherwise.
        SettingError: the footage teaches too little, or there is none.
    """
    found = open_set(data)
    shows_people = options.kind == "person" or any(stored.shot.frames > 1 for stored in found.shots)
    consent = require_consent(found, options.has_stated_consent or not shows_people)
    if not options.allows_little:
        require_enough(found, is_person=options.kind == "person")
    config = config_of(options)
    if options.kind == "style":
        base = read_weights(options.weights)
        moving = with_animated_stills(
            found, networks_of(base.sizes, base.states), folder / "stills", options.seed
        )
        data, found = moving.folder, moving
    tail = list(held_out(found, HELD_OUT_STEP))
    if not tail:
        raise SettingError(f"{data} has nothing to hold out; give a video, or at least five drawings.")
    general = list(held_out(open_set(others), HELD_OUT_STEP)) if others is not None else []
    before = _figures(options.weights, tail)
    before_others = _figures(options.weights, general) if general else before
    result = run_training(
        config, data, folder, device, hear, {"consent_reference": consent, "adapted_as": options.kind}
    )
    after = _figures(folder, tail)
    after_others = _figures(folder, general) if general else after
    write_png(folder / "before-after.png", before_after(before[1], after[1]))
    pair = (before_others[0], after_others[0]) if general else None
    return Adapted(result, before[0], after[0], pair)


def config_of(options: AdaptOptions) -> TrainConfig:
    """The configuration of the run.

    Raises:
        ModelMissing, ModelDamaged: the weights cannot be read.
    """
    sizes = read_weights(options.weights).sizes
    learns = options.learns or KINDS[options.kind]
    is_small = sizes != PUBLISHED
    rate = options.rate or (RATE_OF_OWN if is_small else RATE)
    losses = replace(LossWeights(), face=10.0, lips=2.0, guide=0.0, guide_drawn=0.0, pose=0.0, anchor=1e-3)
    if "M" not in learns:
        losses = replace(losses, equivariance=0.0, prior=0.0, deformation=0.0, canonical=0.0)
    return TrainConfig(
        name=options.name,
        seed=options.seed,
        base=str(options.weights),
        sizes=sizes,
        losses=losses,
        schedule=Schedule(
            motion_steps=0,
            steps=options.steps,
            gan_from=-1 if is_small else min(500, options.steps // 2),
            batch=options.batch,
            learns=learns,
            precision=options.precision,
            evaluate_every=options.evaluate_every,
            save_every=options.evaluate_every,
            patience=PATIENCE,
        ),
        optimizer=replace(Optimizer(), rate=rate, decay=0.0, ema=0.98 if options.steps <= 300 else 0.995),
        augmentation=STEADY if is_small else MOVED,
    )


def require_enough(found: TrainingSet, is_person: bool) -> None:
    """Refuses footage that teaches too little.

    Raises:
        SettingError: too few frames, or too little motion; the message has the numbers.
    """
    shots = found.of("train")
    frames = sum(stored.shot.frames for stored in shots)
    if not shots:
        raise SettingError(f"{found.folder} has nobody to train on; prepare it without --test.")
    yaws = np.concatenate([degrees_from_rotation(s.labels["rotation"].transpose(0, 2, 1))[1] for s in shots])
    jaws = np.concatenate([stored.labels["blendshapes"][:, JAW_OPEN] for stored in shots])
    rules = [(frames >= LEAST_FRAMES, f"{frames} frames of {LEAST_FRAMES}")]
    if is_person:
        rules += [
            (
                float(np.ptp(yaws)) >= LEAST_YAW_DEG,
                f"the head turns by {np.ptp(yaws):.1f} degrees of {LEAST_YAW_DEG:.0f}",
            ),
            (float(np.ptp(jaws)) >= LEAST_JAW, f"the jaw opens by {np.ptp(jaws):.2f} of {LEAST_JAW}"),
        ]
    poor = [text for holds, text in rules if not holds]
    if poor:
        raise SettingError(
            f"The footage teaches too little ({'; '.join(poor)}); give more of it, or take it with --allow-little."
        )


def _figures(weights: Path, shots: Shots) -> tuple[Score, list[Reenacted]]:
    found = read_weights(weights)
    networks = networks_of(found.sizes, found.states)
    errors, drawings = evaluate_held_out(networks, shots)
    return score_of(errors), drawings


def before_after(before: Sequence[Reenacted], after: Sequence[Reenacted]) -> Any:  # noqa: ANN401 - (H, W, 3) uint8
    """Rows of source, truth, drawing before, drawing after; six frames spread over the shots."""
    rows = []
    places = [(shot, row) for shot, found in enumerate(before) for row in range(len(found.index))]
    for place in np.unique(np.linspace(0, len(places) - 1, 6).astype(int)):
        shot, row = places[int(place)]
        images = (
            before[shot].source,
            before[shot].truth[row],
            before[shot].drawn[row],
            after[shot].drawn[row],
        )
        rows.append([as_u8(image) for image in images])
    return contact_sheet(rows)
