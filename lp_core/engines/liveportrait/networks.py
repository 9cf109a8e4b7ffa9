"""The networks together, ready to use: ``load_networks``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.engines.liveportrait.appearance_extractor import AppearanceExtractor, fold_appearance
from lp_core.engines.liveportrait.appearance_vit import TransformerAppearance, fold_transformer
from lp_core.engines.liveportrait.checkpoints import Checkpoints, read_checkpoints
from lp_core.engines.liveportrait.config import AppearanceConfig, TransformerConfig
from lp_core.engines.liveportrait.folding import StateDict
from lp_core.engines.liveportrait.generator import Generator, fold_generator
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor, RawMotion, fold_motion
from lp_core.engines.liveportrait.sizes import PUBLISHED, Sizes
from lp_core.engines.liveportrait.stitching import KeypointMlp
from lp_core.engines.liveportrait.table import LIVEPORTRAIT, PublishedModel
from lp_core.engines.liveportrait.trained_label import TrainedLabel
from lp_core.engines.liveportrait.warping import (
    Warped,
    WarpingModule,
    WarpSource,
    fold_warping,
    stacked_sources,
)
from lp_core.errors import SettingError

PRECISIONS = (torch.float32, torch.float16, torch.bfloat16)
"""Precisions of F, W and G; M and S, a hundredth of the work and all of the pose, are always float32."""

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Networks:
    """F, M, W, G and S with their weights; holds no state between calls.

    Images and key points may come in any floating type and on any device; results are on ``device``,
    those of S on the device of their input.
    """

    appearance_extractor: AppearanceExtractor | TransformerAppearance
    motion_extractor: MotionExtractor
    warping_module: WarpingModule
    spade_generator: Generator
    small: Mapping[str, KeypointMlp]
    """The networks stitching, eye and lip; empty for models without them."""
    device: torch.device
    """Where F, M, W and G are; the three small networks stay on the CPU, where the motion's arithmetic is."""
    dtype: torch.dtype
    """Precision of F, W and G."""
    origin: str
    """'verified': all files have the hashes asked for; 'synthetic' or 'trained': labelled so; 'unverified'."""
    model: PublishedModel = LIVEPORTRAIT
    """Whose networks they are."""
    sizes: Sizes = PUBLISHED
    """Sizes of trained networks. Those for smaller images read them reduced, and theirs are enlarged."""
    trained: TrainedLabel | None = None
    """Label of weights that were trained with this program; None for others."""

    @torch.no_grad()
    def appearance(self, image: Tensor) -> Tensor:
        """F.

        Args:
            image: (B, 3, P, P), [0, 1], RGB, display-encoded; P is the model's ``appearance_px``.

        Returns:
            (B, 32, 16, 64, 64) feature volume in ``dtype``.
        """
        with full_precision(self.device):
            result: Tensor = self.appearance_extractor(self._picture(self._reduced(image), self.dtype))
        return result

    @torch.no_grad()
    def motion(self, image: Tensor) -> RawMotion:
        """M.

        Args:
            image: (B, 3, 256, 256), [0, 1], RGB, display-encoded.
        """
        with full_precision(self.device):
            result: RawMotion = self.motion_extractor(self._picture(self._reduced(image), torch.float32))
        return result

    @torch.no_grad()
    def prepare_source(self, feature: Tensor, kp_source: Tensor) -> WarpSource:
        """The part of W that depends on the source only.

        Args:
            feature: (B, 32, 16, 64, 64), of F.
            kp_source: (B, K, 3) transformed key points of the source.
        """
        with full_precision(self.device):
            return self.warping_module.prepare(feature.to(self.device), kp_source.to(self.device))

    @torch.no_grad()
    def warp(self, source: WarpSource, kp_driving: Tensor) -> Warped:
        """W on a prepared source.

        Args:
            source: of ``prepare_source``; its batch is that of ``kp_driving``, or 1 for all.
            kp_driving: (B, K, 3) transformed key points to move to.
        """
        with full_precision(self.device):
            result: Warped = self.warping_module(source, kp_driving.to(self.device))
        return result

    @staticmethod
    def stacked(sources: Sequence[WarpSource]) -> WarpSource:
        """Several sources as one batch; the same one throughout stays as it is, for it serves a whole batch."""
        if all(source is sources[0] for source in sources):
            return sources[0]
        return stacked_sources(sources)

    def warping(self, feature: Tensor, *, kp_source: Tensor, kp_driving: Tensor) -> Warped:
        """W in one call; see ``prepare_source`` and ``warp``."""
        return self.warp(self.prepare_source(feature, kp_source), kp_driving)

    def generator(self, feature: Tensor) -> Tensor:
        """G.

        Args:
            feature: (B, 256, 64, 64), ``out`` of W.

        Returns:
            (B, 3, 512, 512) float32, [0, 1], RGB, display-encoded.
        """
        result = self.native(feature)
        return result if self.sizes == PUBLISHED else enlarged(result, PUBLISHED.output_px)

    @torch.no_grad()
    def native(self, feature: Tensor) -> Tensor:
        """G as ``generator``, at the size that the network draws."""
        with full_precision(self.device):
            result: Tensor = self.spade_generator(self._picture(feature, self.dtype))
        return result

    def stitching(self, x: Tensor) -> Tensor:
        """S: (B, 126) source's and driving key points, flat -> (B, 65) float32: 63 offsets, then (dx, dy)."""
        return _on_cpu(self.small["stitching"], x)

    def eye(self, x: Tensor) -> Tensor:
        """S: (B, 66) source's key points, left, right and wanted eye ratio -> (B, 63) float32 offsets."""
        return _on_cpu(self.small["eye"], x)

    def lip(self, x: Tensor) -> Tensor:
        """S: (B, 65) source's key points, its lip ratio and the wanted one -> (B, 63) float32 offsets."""
        return _on_cpu(self.small["lip"], x)

    def widened(self) -> Networks:
        """The same networks computing in float32, as copies; weights keep the precision that they were loaded in."""
        wide: dict[str, Any] = {
            name: deepcopy(getattr(self, name)).float()
            for name in ("appearance_extractor", "warping_module", "spade_generator")
        }
        return replace(self, dtype=torch.float32, **wide)

    def _reduced(self, image: Tensor) -> Tensor:
        return image if self.sizes == PUBLISHED else reduced(image, self.sizes.input_px)

    def _picture(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        if self.device.type == "cuda" and x.device.type == "cpu":
            x = x.pin_memory()  # lets the copy run next to the card's work
        return x.to(self.device, dtype, non_blocking=True).contiguous(memory_format=torch.channels_last)


def reduced(image: Tensor, side: int) -> Tensor:
    """Images averaged down to ``side``; (B, 3, H, W) -> (B, 3, side, side), unchanged where they have that size."""
    if image.shape[-1] == side:
        return image
    return functional.interpolate(image.float(), size=(side, side), mode="area")


def enlarged(image: Tensor, side: int) -> Tensor:
    """Images of a network for smaller ones, enlarged to ``side`` linearly; unchanged where they have that size."""
    if image.shape[-1] == side:
        return image
    return functional.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)


@torch.no_grad()
def _on_cpu(network: KeypointMlp, x: Tensor) -> Tensor:
    result: Tensor = network(x.to("cpu", torch.float32))
    return result.to(x.device)


class _WithoutTf32:
    """cuDNN's switch belongs to the process: the first thread in turns it off, the last one out restores it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = True

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = torch.backends.cudnn.allow_tf32
                torch.backends.cudnn.allow_tf32 = False
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.backends.cudnn.allow_tf32 = self._before


_WITHOUT_TF32 = _WithoutTf32()


def full_precision(device: torch.device) -> AbstractContextManager[None]:
    """Keeps cuDNN from shortening float32 products to 10 bits (TF32), which it does by default."""
    return _WITHOUT_TF32 if device.type == "cuda" else nullcontext()


def load_networks(
    weights_dir: str | PathLike[str],
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    checksums: Mapping[str, str] | None = None,
    model: PublishedModel = LIVEPORTRAIT,
) -> Networks:
    """Loads all networks from a folder of published weights.

    Args:
        weights_dir: holds the official layout, such as ``liveportrait/base_models/...`` (.pth), or the safetensors
            files themselves.
        device: of F, M, W and G, such as cpu, cuda:1 or mps.
        dtype: precision of F, W and G, one of PRECISIONS.
        checksums: file name -> SHA-256 that it must have; None loads what the folder holds and says so in
            ``origin``.
        model: whose weights they are.

    Raises:
        ModelMissing: a file is not there.
        ModelDamaged: a file is truncated or damaged, its hash is wrong, or a key is missing, extra or
            misshapen.
        SettingError: the precision is not known, or the device is not there.
    """
    target = check_placement(device, dtype)
    return build_networks(read_checkpoints(Path(weights_dir), checksums, model), target, dtype)


def check_placement(device: str | torch.device, dtype: torch.dtype) -> torch.device:
    """The device, after trying it.

    Raises:
        SettingError: the precision is not known, or the device is not there.
    """
    if dtype not in PRECISIONS:
        names = ", ".join(str(p).removeprefix("torch.") for p in PRECISIONS)
        raise SettingError(f"dtype = {dtype} is not known; choose one of: {names}.")
    try:
        target = torch.device(device)
        torch.empty(1, device=target)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SettingError(
            f"device = {device} cannot be used here ({reason}); choose another, such as cpu."
        ) from error
    return target


def build_networks(checkpoints: Checkpoints, device: torch.device, dtype: torch.dtype) -> Networks:
    """Networks of the sizes in the model's row, or of the trained weights' own, from checked weights."""
    states, row, sizes = checkpoints.states, checkpoints.model, checkpoints.sizes
    if checkpoints.trained is not None:
        row = replace(row, appearance=sizes.appearance, motion=sizes.motion, warping=sizes.warping)
        row = replace(row, generator=sizes.generator)
    plain, cpu = torch.float32, torch.device("cpu")
    small = (("stitching", sizes.stitching), ("eye", sizes.eye), ("lip", sizes.lip))
    return Networks(
        _appearance(row.appearance, states["F"], device, dtype),
        _build(lambda: MotionExtractor(row.motion), fold_motion(states["M"]), device, plain),
        _build(lambda: WarpingModule(row.warping), fold_warping(states["W"]), device, dtype),
        _build(lambda: Generator(row.generator), fold_generator(states["G"]), device, dtype),
        {
            name: _build(lambda layers=layers: KeypointMlp(layers), states[name], cpu, plain)  # type: ignore[misc]
            for name, layers in small
            if row.has_small_networks
        },
        device=device,
        dtype=dtype,
        origin=checkpoints.origin,
        model=checkpoints.model,
        sizes=sizes,
        trained=checkpoints.trained,
    )


def _appearance(
    config: AppearanceConfig | TransformerConfig, state: StateDict, device: torch.device, dtype: torch.dtype
) -> AppearanceExtractor | TransformerAppearance:
    """F of the kind that its sizes are for."""
    if isinstance(config, TransformerConfig):
        folded = fold_transformer(state, config)
        return _build(lambda: TransformerAppearance(config), folded, device, dtype)
    return _build(lambda: AppearanceExtractor(config), fold_appearance(state), device, dtype)


def _build(make: Callable[[], Net], state: StateDict, device: torch.device, dtype: torch.dtype) -> Net:
    """A network in evaluation mode, loaded strictly, its kernels with channels last in memory."""
    with torch.device("meta"):
        network = make()
    network.load_state_dict({key: _placed(value, device, dtype) for key, value in state.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _placed(value: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    return value.to(device, dtype).contiguous(memory_format=layouts.get(value.ndim, torch.contiguous_format))
