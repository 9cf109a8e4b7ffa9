"""Sizes of a whole set of networks, and the keys and shapes that checkpoints of those sizes have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import prod
from typing import Any, TypeVar

from lp_core.engines.liveportrait.config import (
    CROP_SIZE,
    EYE_LAYERS,
    KEYPOINTS,
    LIP_LAYERS,
    STITCHING_LAYERS,
    AppearanceConfig,
    GeneratorConfig,
    MotionConfig,
    WarpingConfig,
)
from lp_core.engines.liveportrait.weight_layout import Shapes
from lp_core.errors import SettingError

LEAST_BLOCKS = 2
"""Fewest halvings of the hourglass: its two deepest up-blocks are folded in another way than the rest."""
LEAST_PX = 16
"""Smallest image that the networks can be built for."""

C = TypeVar("C", AppearanceConfig, MotionConfig, WarpingConfig, GeneratorConfig)


@dataclass(frozen=True)
class Sizes:
    """Sizes of F, M, W, G and S that fit each other; the published ones are the defaults."""

    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)
    """F."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    """M."""
    warping: WarpingConfig = field(default_factory=WarpingConfig)
    """W."""
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    """G."""
    stitching: tuple[int, ...] = STITCHING_LAYERS
    """Layers of the stitching network."""
    eye: tuple[int, ...] = EYE_LAYERS
    """Layers of the eye retargeting network."""
    lip: tuple[int, ...] = LIP_LAYERS
    """Layers of the lip retargeting network."""
    input_px: int = CROP_SIZE
    """Side of the image that F and M read."""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise SettingError(f"These networks cannot be built: {problem}.")

    @property
    def volume_px(self) -> int:
        """Side of the feature volume."""
        return self.input_px >> self.appearance.down_blocks

    @property
    def output_px(self) -> int:
        """Side of the image that G draws."""
        return self.volume_px * 4 * self.generator.shuffle

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def sizes_from(values: Mapping[str, Any]) -> Sizes:
    """Sizes from JSON values; what is left out is as published.

    Raises:
        SettingError: a name is unknown, or the sizes do not fit each other.
    """
    configs = {
        "appearance": AppearanceConfig,
        "motion": MotionConfig,
        "warping": WarpingConfig,
        "generator": GeneratorConfig,
    }
    known = {item.name for item in fields(Sizes)}
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingError(
                f"The networks' size '{name}' is not known; choose from: {', '.join(sorted(known))}."
            )
        made[name] = _config(configs[name], name, value) if name in configs else _plain(value)
    try:
        return Sizes(**made)
    except TypeError as error:
        raise SettingError(f"The networks' sizes are malformed ({error}); give whole numbers.") from error


def _config(kind: Any, name: str, values: Any) -> Any:  # noqa: ANN401 - one of four classes, from JSON
    if not isinstance(values, Mapping):
        raise SettingError(f"The networks' sizes of '{name}' must be a table of numbers.")
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingError(
            f"The networks' size '{name}.{unknown[0]}' is not known; choose from: {', '.join(sorted(known))}."
        )
    return kind(**{key: _plain(value) for key, value in values.items()})


def _plain(value: Any) -> Any:  # noqa: ANN401 - from JSON
    return tuple(value) if isinstance(value, list) else value


def _problems(sizes: Sizes) -> list[str]:
    f, m, w, g = sizes.appearance, sizes.motion, sizes.warping, sizes.generator
    step = 1 << w.hourglass_blocks
    points = 3 * m.keypoints
    rules = (
        (m.scales == 1, "M gives other numbers for the size of a head than one"),
        (m.keypoints == w.keypoints, "M and W differ in the number of key points"),
        (f.volume_channels == w.volume_channels and f.depth == w.depth, "F and W differ in the feature volume"),
        (w.out_channels == g.label_channels, "W gives other channels than G reads"),
        (w.hourglass_blocks >= LEAST_BLOCKS, f"the hourglass needs at least {LEAST_BLOCKS} blocks"),
        (g.channels != g.up_channels[0], "G's first up-block needs other channels than the middle blocks"),
        (g.up_channels[0] != g.up_channels[1], "G's two up-blocks need different channels"),
        (0 < g.middle_blocks < 10, "G needs 1 to 9 middle blocks"),
        (len(m.depths) == len(m.widths), "M needs a width for each stage"),
        (sizes.input_px >= LEAST_PX, f"the image must be at least {LEAST_PX} pixels wide"),
        (sizes.input_px % (1 << f.down_blocks) == 0, "F cannot halve the image so often"),
        (sizes.volume_px % step == 0, f"the hourglass needs a feature volume whose side is a multiple of {step}"),
        (sizes.input_px % (4 << (len(m.widths) - 1)) == 0, "M cannot halve the image so often"),
        (
            sizes.stitching[0] == 2 * points and sizes.stitching[-1] == points + 2,
            "the stitching network has other points",
        ),
        (sizes.eye[0] == points + 3 and sizes.eye[-1] == points, "the eye network has other points"),
        (sizes.lip[0] == points + 2 and sizes.lip[-1] == points, "the lip network has other points"),
    )  # fmt: skip
    return [problem for holds, problem in rules if not holds]


PUBLISHED = Sizes()
"""The published networks."""


def require_engine_points(sizes: Sizes) -> None:
    """Refuses networks that have other points than the engine's motion.

    Raises:
        SettingError: they have.
    """
    if sizes.motion.keypoints != KEYPOINTS:
        raise SettingError(
            f"These networks have {sizes.motion.keypoints} key points; the engine's motion has {KEYPOINTS}."
        )


def shapes_of(sizes: Sizes) -> dict[str, Shapes]:
    """Network (F, M, W, G, stitching, eye, lip) -> key -> shape, in the published form."""
    return {
        "F": _appearance(sizes.appearance),
        "M": _motion(sizes.motion),
        "W": _warping(sizes.warping),
        "G": _generator(sizes.generator),
        "stitching": _layers(sizes.stitching),
        "eye": _layers(sizes.eye),
        "lip": _layers(sizes.lip),
    }


def _affine(name: str, *shape: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": shape, **({f"{name}.bias": (shape[0],)} if bias else {})}


def _norm(name: str, channels: int) -> Shapes:
    leaves = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{leaf}": (channels,) for leaf in leaves}, f"{name}.num_batches_tracked": ()}


def _conv_norm(name: str, *shape: int) -> Shapes:
    return {**_affine(f"{name}.conv", *shape), **_norm(f"{name}.norm", shape[0])}


def _layers(layers: tuple[int, ...]) -> Shapes:
    found: Shapes = {}
    for index, (before, after) in enumerate(zip(layers, layers[1:], strict=False)):
        found |= _affine(f"mlp.{2 * index}", after, before)
    return found


def _appearance(config: AppearanceConfig) -> Shapes:
    widths = [min(config.max_channels, config.base_channels << i) for i in range(config.down_blocks + 1)]
    found = _conv_norm("first", widths[0], 3, 3, 3)
    for index, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
        found |= _conv_norm(f"down_blocks.{index}", after, before, 3, 3)
    channels = config.volume_channels
    found |= _affine("second", channels * config.depth, widths[-1], 1, 1)
    for index in range(config.resblocks):
        for part in (1, 2):
            block = f"resblocks_3d.3dr{index}"
            found |= _affine(f"{block}.conv{part}", channels, channels, 3, 3, 3)
            found |= _norm(f"{block}.norm{part}", channels)
    return found


def _motion(config: MotionConfig) -> Shapes:
    widths, top = config.widths, "detector"
    found = _affine(f"{top}.downsample_layers.0.0", widths[0], 3, 4, 4)
    found |= _affine(f"{top}.downsample_layers.0.1", widths[0])
    for index, (before, after) in enumerate(zip(widths, widths[1:], strict=False), start=1):
        found |= _affine(f"{top}.downsample_layers.{index}.0", before)
        found |= _affine(f"{top}.downsample_layers.{index}.1", after, before, 2, 2)
    for stage, (depth, width) in enumerate(zip(config.depths, widths, strict=True)):
        for block in range(depth):
            name = f"{top}.stages.{stage}.{block}"
            found |= _affine(f"{name}.dwconv", width, 1, 7, 7) | _affine(f"{name}.norm", width)
            found |= _affine(f"{name}.pwconv1", 4 * width, width) | _affine(
                f"{name}.pwconv2", width, 4 * width
            )
            found |= {f"{name}.grn.{leaf}": (1, 1, 1, 4 * width) for leaf in ("gamma", "beta")}
    found |= _affine(f"{top}.norm", widths[-1])
    points, bins = 3 * config.keypoints, config.bins
    heads = {
        "kp": points,
        "scale": config.scales,
        "pitch": bins,
        "yaw": bins,
        "roll": bins,
        "t": 3,
        "exp": points,
    }
    for name, count in heads.items():
        found |= _affine(f"{top}.fc_{name}", count, widths[-1])
    return found


def _warping(config: WarpingConfig) -> Shapes:
    top, deepest = "dense_motion_network", config.hourglass_blocks
    widths = [config.hourglass_in, *(config.hourglass_width(i + 1) for i in range(deepest))]
    found: Shapes = {}
    for index, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
        found |= _conv_norm(f"{top}.hourglass.encoder.down_blocks.{index}", after, before, 3, 3, 3)
    for index, level in enumerate(range(deepest, 0, -1)):
        before = config.hourglass_width(level) * (1 if level == deepest else 2)
        block = f"{top}.hourglass.decoder.up_blocks.{index}"
        found |= _conv_norm(block, config.hourglass_width(level - 1), before, 3, 3, 3)
    out = config.hourglass_out
    found |= _conv_norm(f"{top}.hourglass.decoder", out, out, 3, 3, 3)
    found |= _affine(f"{top}.mask", config.candidates, out, 7, 7, 7)
    found |= _affine(f"{top}.compress", config.compressed_channels, config.volume_channels, 1, 1, 1)
    found |= _norm(f"{top}.norm", config.compressed_channels)
    found |= _affine(f"{top}.occlusion", 1, out * config.depth, 7, 7)
    found |= _conv_norm("third", config.out_channels, config.volume_channels * config.depth, 3, 3)
    return found | _affine("fourth", config.out_channels, config.out_channels, 1, 1)


def _spectral(name: str, *shape: int, bias: bool = True) -> Shapes:
    found: Shapes = {f"{name}.weight_orig": shape}
    found |= {f"{name}.weight_u": (shape[0],), f"{name}.weight_v": (prod(shape[1:]),)}
    return found | ({f"{name}.bias": (shape[0],)} if bias else {})


def _generator(config: GeneratorConfig) -> Shapes:
    width, (after_0, after_1) = config.channels, config.up_channels
    blocks = {f"G_middle_{index}": (width, width) for index in range(config.middle_blocks)}
    blocks |= {"up_0": (width, after_0), "up_1": (after_0, after_1)}
    found = _affine("fc", width, config.label_channels, 3, 3)
    for name, (before, after) in blocks.items():
        middle = min(before, after)
        found |= _spectral(f"{name}.conv_0", middle, before, 3, 3)
        found |= _spectral(f"{name}.conv_1", after, middle, 3, 3)
        norms = {"norm_0": before, "norm_1": middle}
        if before != after:
            found |= _spectral(f"{name}.conv_s", after, before, 1, 1, bias=False)
            norms["norm_s"] = before
        for norm, channels in norms.items():
            found |= _affine(
                f"{name}.{norm}.mlp_shared.0", config.shared_channels, config.label_channels, 3, 3
            )
            for part in ("mlp_gamma", "mlp_beta"):
                found |= _affine(f"{name}.{norm}.{part}", channels, config.shared_channels, 3, 3)
    return found | _affine("conv_img.0", 3 * config.shuffle**2, after_1, 3, 3)
