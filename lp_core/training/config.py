"""Settings of a training run: frozen dataclasses, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from lp_core.engines.liveportrait.sizes import PUBLISHED, Sizes, require_engine_points, sizes_from
from lp_core.errors import MALFORMED, SettingError

NETWORKS = ("F", "M", "W", "G")
PRECISIONS = ("float32", "bfloat16", "float16")
PERCEPTUAL = ("random", "vgg19")
FREE_LICENSES = ("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "own")
"""Licenses of loss networks and data that allow commercial use."""


@dataclass(frozen=True)
class LossWeights:
    """Weights and constants of the losses; see docs/training.md for the formulas."""

    l1: float = 5.0
    """Mean absolute error of the image, 0..1."""
    means: float = 5.0
    """The same of means over 4 x 4 pixels."""
    features: float = 1.0
    """Difference of the features of a fixed network, relative to the truth's."""
    face: float = 2.0
    """Mean absolute error inside the face."""
    lips: float = 1.0
    """Mean absolute error inside the lips."""
    guide: float = 10.0
    """Wing loss that binds guided key points to landmarks, while M learns alone."""
    guide_drawn: float = 10.0
    """The same once images are drawn. Less of it lets the points serve the image rather than the landmarks."""
    guide_width: float = 0.1
    """Distance, in grid units, below which the Wing loss is logarithmic."""
    guide_curve: float = 0.02
    """Curvature of the Wing loss, in grid units."""
    equivariance: float = 2.0
    """Key points follow a known deformation of the image."""
    prior: float = 1.0
    """Key points keep apart and keep their mean depth."""
    prior_distance: float = 0.004
    """Least squared distance of two key points, in squared grid units; pairs of guided points are left out."""
    prior_depth: float = 0.33
    """Mean depth of the key points, in grid units."""
    pose: float = 0.02
    """Head pose, for each degree."""
    deformation: float = 0.5
    """Mean absolute expression."""
    canonical: float = 1.0
    """Canonical key points of one person do not move."""
    gan: float = 0.1
    """Hinge loss of the generator against three discriminators."""
    matching: float = 1.0
    """Features of the discriminators match."""
    anchor: float = 0.0
    """Squared distance of the parameters from where they started."""
    perceptual: str = "random"
    """Network of the feature loss: 'random' has fixed random weights, 'vgg19' is read from perceptual_file."""
    perceptual_file: str = ""
    """Weights of the feature network."""
    perceptual_license: str = ""
    """License of that file, an SPDX identifier."""
    allow_restricted: bool = False
    """Use a feature network whose license is not known to allow commercial use."""


@dataclass(frozen=True)
class Schedule:
    """How long, how much at a time, and what learns."""

    motion_steps: int = 400
    """Steps in which M alone learns, before images are drawn."""
    steps: int = 1200
    """Steps of all networks after that."""
    gan_from: int = -1
    """Step of the second kind from which the discriminators run; -1: never."""
    batch: int = 8
    """Pairs a process sees in a step, before accumulation."""
    accumulate: int = 1
    """Batches whose gradients are added up for a step."""
    learns: tuple[str, ...] = NETWORKS
    """Networks that learn; the others are frozen."""
    precision: str = "float32"
    """Of F, W and G while training; key points, grids and losses are float32."""
    checkpointing: bool = False
    """Compute W and G again in the backward pass and keep less memory."""
    save_every: int = 100
    """Steps between checkpoints."""
    evaluate_every: int = 300
    """Steps between evaluations on held-out frames; 0: only at the end."""
    patience: int = 0
    """Evaluations without a new best after which training stops; 0: never."""
    time_limit_s: float = 0.0
    """CPU seconds of this process after which training stops, counted over all its runs; 0: none."""
    is_deterministic: bool = False
    """Demand deterministic algorithms of PyTorch."""


@dataclass(frozen=True)
class Optimizer:
    """AdamW with a warm-up and a cosine."""

    rate: float = 1e-3
    """Learning rate."""
    discriminator_rate: float = 5e-4
    """Learning rate of the discriminators."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay of the moments."""
    decay: float = 0.01
    """Weight decay."""
    warm_up: int = 30
    """Steps over which the rate rises."""
    last: float = 0.01
    """Rate at the end over the rate at the start."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.995
    """Decay of the moving average of the parameters, which is what is evaluated and exported."""


@dataclass(frozen=True)
class Augmentation:
    """What is done to a pair before it is shown."""

    shift: float = 0.1
    """Largest shift of each crop, in crop sides."""
    zoom: float = 0.1
    """Largest relative change of each crop's size."""
    roll_deg: float = 10.0
    """Largest turn of each crop, in degrees."""
    jitter: float = 0.1
    """Largest relative change of color, the same for both frames."""
    flip: float = 0.5
    """Share of pairs that are mirrored."""
    stills: float = 0.1
    """Share of pairs of one frame."""
    far: float = 0.5
    """Share of pairs whose driving frame is the most distant of three."""


@dataclass(frozen=True)
class TrainConfig:
    """A training run."""

    name: str = "own"
    """Name of the weights, for people."""
    seed: int = 0
    """Seed of everything random."""
    base: str = ""
    """Folder of weights to start from; empty: from scratch."""
    sizes: Sizes = PUBLISHED
    """Sizes of the networks; those of the base where there is one."""
    losses: LossWeights = field(default_factory=LossWeights)
    """Losses."""
    schedule: Schedule = field(default_factory=Schedule)
    """Steps."""
    optimizer: Optimizer = field(default_factory=Optimizer)
    """Optimizer."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """Augmentation."""

    def __post_init__(self) -> None:
        require_engine_points(self.sizes)
        for holds, sentence in _rules(self):
            if not holds:
                raise SettingError(f"The training configuration cannot be used: {sentence}.")

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def _rules(config: TrainConfig) -> tuple[tuple[bool, str], ...]:
    schedule, losses, optimizer = config.schedule, config.losses, config.optimizer
    unknown = sorted(set(schedule.learns) - set(NETWORKS))
    numbers = (schedule.motion_steps, schedule.steps, schedule.save_every - 1, schedule.evaluate_every)
    return (
        (schedule.precision in PRECISIONS, f"schedule.precision must be one of {', '.join(PRECISIONS)}"),
        (losses.perceptual in PERCEPTUAL, f"losses.perceptual must be one of {', '.join(PERCEPTUAL)}"),
        (not unknown and bool(schedule.learns), "schedule.learns must name networks out of F, M, W and G"),
        (schedule.batch >= 1 and schedule.accumulate >= 1, "a batch has at least one pair"),
        (min(numbers) >= 0, "steps cannot be negative, and save_every is at least 1"),
        (optimizer.rate > 0 and 0 <= optimizer.ema < 1, "optimizer.rate must be positive, optimizer.ema below 1"),
        (bool(config.name.strip()), "name is empty"),
    )  # fmt: skip


def read_config(path: Path) -> TrainConfig:
    """Reads a TOML file; what it leaves out has its default.

    Raises:
        SettingError: it cannot be read, or a key or a value in it is wrong.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, *MALFORMED) as error:
        raise SettingError(
            f"{path} cannot be read as a training configuration ({error}); check it."
        ) from error
    return config_from(values)


def config_from(values: Mapping[str, Any]) -> TrainConfig:
    """A configuration from TOML or JSON values.

    Raises:
        SettingError: a key is not known or a value has the wrong type.
    """
    parts: dict[str, Any] = {
        "losses": LossWeights,
        "schedule": Schedule,
        "optimizer": Optimizer,
        "augmentation": Augmentation,
    }
    made: dict[str, Any] = {}
    _require_known(TrainConfig, values, "")
    for name, value in values.items():
        if name == "sizes":
            made[name] = sizes_from(value)
        elif name in parts:
            made[name] = _table(parts[name], name, value)
        else:
            made[name] = _typed(TrainConfig, name, value, "")
    return TrainConfig(**made)


def with_steps(config: TrainConfig, motion_steps: int, steps: int) -> TrainConfig:
    """The same with other numbers of steps."""
    return replace(config, schedule=replace(config.schedule, motion_steps=motion_steps, steps=steps))


def _table(kind: Any, name: str, values: Any) -> Any:  # noqa: ANN401 - one of four classes, from TOML
    if not isinstance(values, Mapping):
        raise SettingError(f"'{name}' in the training configuration must be a table.")
    _require_known(kind, values, f"{name}.")
    return kind(**{key: _typed(kind, key, value, f"{name}.") for key, value in values.items()})


def _require_known(kind: Any, values: Mapping[str, Any], prefix: str) -> None:  # noqa: ANN401 - a dataclass
    known = [item.name for item in fields(kind)]
    for key in values:
        if key not in known:
            raise SettingError(
                f"'{prefix}{key}' in the training configuration is not known; choose from: {', '.join(known)}."
            )


def _typed(kind: Any, key: str, value: Any, prefix: str) -> Any:  # noqa: ANN401 - from TOML
    wanted = get_type_hints(kind)[key]
    if isinstance(value, list):
        value = tuple(value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise SettingError(
                f"'{prefix}{key}' in the training configuration is too large a number."
            ) from error
    origin = tuple if get_args(wanted) else wanted
    if (
        not isinstance(value, origin)
        or (wanted is int and isinstance(value, bool))
        or (origin is tuple and not _has_items(get_args(wanted), value))
    ):
        raise SettingError(
            f"'{prefix}{key}' in the training configuration is {value!r}; it must be of the type {origin.__name__}."
        )
    return value


def _has_items(wanted: tuple[Any, ...], values: tuple[Any, ...]) -> bool:
    """Whether a list has the items of its type: texts, or so many numbers."""
    if wanted[-1] is Ellipsis:
        return all(isinstance(value, wanted[0]) for value in values)
    return len(values) == len(wanted) and all(type(value) in (int, float) for value in values)
