"""Reads the weights of an ncnn model (.param, .bin) as the state dict of the PyTorch network it was made from.

Only what Real-ESRGAN's networks consist of is understood: convolutions and PReLU, in the order in which the
network applies them. The format is ncnn's own (https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lp_core.errors import ModelDamaged

_MAGIC = "7767517"
_HALF = 0x01306B47
"""Tag before weights that are stored in half precision."""
_RAW = 0

StateDict = dict[str, torch.Tensor]


@dataclass(frozen=True)
class _Layer:
    kind: str
    outputs: int
    """Output channels, or slopes of a PReLU."""
    kernel: int
    """Side of the kernel."""
    weights: int
    """Numbers in the kernel."""
    has_bias: bool


def read_ncnn(param: Path, binary: Path) -> StateDict:
    """The weights of a Real-ESRGAN network under the names of its published checkpoint.

    Args:
        param: text file that lists the layers.
        binary: their weights.

    Returns:
        Names as in the published RRDBNet (``conv_first.weight``, ``body.0.rdb1.conv1.weight``, ...) or
        SRVGGNetCompact (``body.0.weight``, ...) checkpoint -> float32 tensors.

    Raises:
        ModelDamaged: the files are not such a network, or do not belong together.
    """
    try:
        layers = list(_layers(param.read_text(encoding="ascii")))
        content = binary.read_bytes()
    except (OSError, UnicodeDecodeError, ValueError, IndexError, KeyError) as error:
        raise ModelDamaged(f"{param} cannot be read as an ncnn model ({error}); install it again.") from error
    arrays = _arrays(layers, content, binary)
    names = _compact_names if any(layer.kind == "PReLU" for layer in layers) else _rrdb_names
    return names(layers, arrays, param)


def _layers(text: str) -> Iterator[_Layer]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != _MAGIC:
        raise ValueError("its first line is not ncnn's")
    for line in lines[2:]:
        words = line.split()
        if not words or words[0] not in ("Convolution", "PReLU"):
            continue
        first = 4 + int(words[2]) + int(words[3])
        options = dict(word.split("=", 1) for word in words[first:])
        outputs = int(options["0"])
        if words[0] == "PReLU":
            yield _Layer("PReLU", outputs, 1, outputs, has_bias=False)
        else:
            yield _Layer(
                "Convolution", outputs, int(options["1"]), int(options["6"]), options.get("5") == "1"
            )


def _arrays(layers: list[_Layer], content: bytes, binary: Path) -> list[tuple[np.ndarray, np.ndarray | None]]:
    found: list[tuple[np.ndarray, np.ndarray | None]] = []
    at = 0

    def take(count: int, dtype: str) -> np.ndarray:
        nonlocal at
        size = count * np.dtype(dtype).itemsize
        if at + size > len(content):
            raise ModelDamaged(f"{binary} ends in the middle of its weights; install it again.")
        values = np.frombuffer(content, dtype, count, at).astype(np.float32)
        at += size + (-size) % 4
        return values

    for layer in layers:
        if layer.kind == "PReLU":
            found.append((take(layer.weights, "<f4"), None))
            continue
        tag = int(np.frombuffer(content, "<u4", 1, at)[0]) if at + 4 <= len(content) else -1
        at += 4
        if tag not in (_HALF, _RAW):
            raise ModelDamaged(f"{binary} stores its weights in a way that is not known ({tag:#x}).")
        weight = take(layer.weights, "<f2" if tag == _HALF else "<f4")
        inputs = layer.weights // (layer.outputs * layer.kernel**2)
        shape = (layer.outputs, inputs, layer.kernel, layer.kernel)
        if inputs * layer.outputs * layer.kernel**2 != layer.weights:
            raise ModelDamaged(f"{binary} and its .param do not belong together; install the model again.")
        found.append((weight.reshape(shape), take(layer.outputs, "<f4") if layer.has_bias else None))
    if at != len(content):
        raise ModelDamaged(f"{binary} holds more than its .param says; install the model again.")
    return found


def _rrdb_names(
    layers: list[_Layer], arrays: list[tuple[np.ndarray, np.ndarray | None]], param: Path
) -> StateDict:
    blocks, rest = divmod(len(layers) - 6, 15)
    if blocks < 1 or rest:
        raise ModelDamaged(f"{param} is not a RRDB network ({len(layers)} convolutions); use another model.")
    inner = [
        f"body.{block}.rdb{dense}.conv{conv}"
        for block in range(blocks)
        for dense in (1, 2, 3)
        for conv in (1, 2, 3, 4, 5)
    ]
    names = ["conv_first", *inner, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    return _named(names, arrays)


def _compact_names(
    layers: list[_Layer], arrays: list[tuple[np.ndarray, np.ndarray | None]], param: Path
) -> StateDict:
    kinds = [layer.kind for layer in layers]
    if kinds != ["Convolution", "PReLU"] * (len(kinds) // 2) + ["Convolution"]:
        raise ModelDamaged(f"{param} is not a SRVGG network; use another model.")
    return _named([f"body.{index}" for index in range(len(layers))], arrays)


def _named(names: list[str], arrays: list[tuple[np.ndarray, np.ndarray | None]]) -> StateDict:
    tensor: Callable[[np.ndarray], torch.Tensor] = lambda values: torch.from_numpy(values.copy())  # noqa: E731
    state: StateDict = {}
    for name, (weight, bias) in zip(names, arrays, strict=True):
        state[f"{name}.weight"] = tensor(weight)
        if bias is not None:
            state[f"{name}.bias"] = tensor(bias)
    return state
