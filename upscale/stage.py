"""Upscaling as a stage between a render and its output; satisfies ``lp_core.media.transforms.FrameStage`` by shape."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.color.alpha import premultiply, unpremultiply
from lp_core.errors import MissingDependency
from lp_core.frame import Frame
from lp_core.models.device import choose_device, choose_dtype
from lp_core.settings import EngineSettings, UpscaleSettings
from upscale.load import Network, load
from upscale.steady import Steady
from upscale.upscaler import Run, Upscaler, torch_run

F32 = NDArray[np.float32]


def make_upscaler(settings: UpscaleSettings, engine: EngineSettings) -> Upscaler:
    """The upscaler that the settings ask for.

    Raises:
        ModelMissing, ModelDamaged, MissingDependency, SettingError: it cannot be made.
    """
    network = load(str(settings.upscale), settings.denoise)
    device = choose_device(engine.device)
    return Upscaler(network, _run(network, settings, engine, device), device, settings.upscale_tile)


def _run(network: Network, settings: UpscaleSettings, engine: EngineSettings, device: str) -> Run:
    dtype = choose_dtype(engine.precision, device)
    if device == "cpu" and settings.upscale_backend != "torch":
        try:
            from upscale.openvino import openvino_run
        except MissingDependency:
            if settings.upscale_backend == "openvino":
                raise
        else:
            return openvino_run(network, dtype)
    return torch_run(network, device, dtype)


class CropEnlarger:
    """Makes the crops of one video larger, in order, because it steadies them over time."""

    def __init__(self, upscaler: Upscaler, settings: UpscaleSettings) -> None:
        """Takes an upscaler."""
        self._upscaler = upscaler
        self._steady = Steady(settings.steady)

    def __call__(self, crop: F32) -> F32:
        """(S, S, 3) display-encoded, 1.0 = white -> the network's scale times as large."""
        return self._steady.mix(np.nan_to_num(crop), self._upscaler.enlarge(crop))


class UpscaleStage:
    """Makes frames larger; frames of one video in order, because it steadies them over time."""

    def __init__(self, upscaler: Upscaler, settings: UpscaleSettings) -> None:
        """Takes an upscaler."""
        self._upscaler, self._settings = upscaler, settings
        self._steady = Steady(settings.steady)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the result."""
        if self._settings.upscale_height:
            factor = self._settings.upscale_height / height
        else:
            factor = self._settings.upscale_scale or self._upscaler.scale
        return max(round(width * factor), 1), max(round(height * factor), 1)

    def apply(self, frame: Frame) -> Frame:
        """The frame, larger; its type, alpha state and encoding stay."""
        pixels = frame.pixels
        size = self.size(pixels.shape[1], pixels.shape[0])
        has_alpha = pixels.shape[2] == 4
        values = pixels.astype(np.float32)
        is_associated = has_alpha and frame.alpha == "premultiplied"
        if has_alpha:
            values[..., 3] /= np.float32(frame.white)
        if is_associated:
            values = unpremultiply(values)
        small = frame.shown(values[..., :3])
        large = self._steady.mix(np.nan_to_num(small), self._upscaler.enlarge(small))
        result = frame.coded(resized(large, size))
        if has_alpha:
            alpha = np.clip(resized(values[..., 3], size), 0.0, 1.0)
            result = np.concatenate([result, alpha[..., None]], axis=2)
            if is_associated:
                result = premultiply(result)
            result[..., 3] *= np.float32(frame.white)
        if pixels.dtype.kind != "f":
            result = np.clip(np.rint(result), 0, np.iinfo(pixels.dtype).max)
        layers = {name: resized(layer, size) for name, layer in frame.layers.items()}
        return replace(
            frame, pixels=np.ascontiguousarray(result.astype(pixels.dtype)), layers=layers, data_window=None
        )


def resized(picture: F32, size: tuple[int, int]) -> F32:
    """An image or field at another size: averaged over areas when smaller, Lanczos when larger.

    Args:
        picture: (H, W) or (H, W, C).
        size: (width, height).
    """
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    is_smaller = size[0] < picture.shape[1]
    way = cv2.INTER_AREA if is_smaller else cv2.INTER_LANCZOS4
    result = cv2.resize(picture, size, interpolation=way)
    return np.asarray(result if result.ndim == picture.ndim else result[..., None], np.float32)
