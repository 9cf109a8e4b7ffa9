"""The phone recognizer: reads the weights that the package hama carries and runs the network with NumPy.

The network is a Conformer with a CTC output, 50 rows a second. Nothing of the package is imported, so the same
numbers come out on every platform.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged, ModelMissing, missing_extra
from lp_core.models import store

F32 = NDArray[np.float32]

RATE = 16000
"""Samples per second."""
ROW_SAMPLES = 320
"""Samples per row of the output: 20 ms."""
MOST_SAMPLES = 30 * RATE
"""Longest sound the network was made for."""
MODEL = "hama-phones"
"""Name in the model catalog."""
_BLOCKS, _HEADS, _WIDTH, _TAPS = 4, 4, 144, 31
_FRAME, _HOP = 400, 160
_TYPES = {0: "<f4", 1: "<f2", 2: "<i8", 3: "<i4", 4: "u1"}
_GELU = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


@dataclass(frozen=True)
class _Block:
    """Weights of one Conformer block; matrices are (in, out)."""

    ffn1: tuple[F32, F32, F32, F32, F32, F32]
    """Norm weight and bias, first matrix and bias, second matrix and bias."""
    attention: tuple[F32, F32, F32, F32, F32, F32]
    """Norm weight and bias, (144, 432) matrix and bias of the inputs, (144, 144) matrix and bias of the output."""
    conv: tuple[F32, F32, F32, F32, F32, F32, F32, F32]
    """Norm weight and bias, pointwise matrix and bias, (31, 144) taps and bias, pointwise matrix and bias."""
    ffn2: tuple[F32, F32, F32, F32, F32, F32]
    norm: tuple[F32, F32]


@dataclass(frozen=True)
class Recognizer:
    """The loaded network."""

    window: F32
    """(400, 402) real and imaginary part of the windowed Fourier transform, side by side."""
    mel: F32
    """(201, 80) mel filters."""
    stem: tuple[F32, F32]
    """(240, 144) matrix over three mel frames, and bias."""
    blocks: tuple[_Block, ...]
    output: tuple[F32, F32]
    """(144, 191) and (191,)."""

    def log_probabilities(self, samples: F32) -> F32:
        """Log-probabilities of the tokens.

        Args:
            samples: (n,) mono, 16 kHz, -1..1, at most 30 s.

        Returns:
            (rows, 191); row ``r`` is centered near ``r * 20 ms``. No rows for less than 25 ms of sound.
        """
        if len(samples) < _FRAME:
            return np.zeros((0, len(self.output[1])), np.float32)
        hidden = self._stem(self._mel(np.clip(samples, -1, 1)))
        for block in self.blocks:
            hidden = _run_block(hidden, block)
        logits = hidden @ self.output[0] + self.output[1]
        logits -= logits.max(axis=1, keepdims=True)
        result: F32 = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return result

    def _mel(self, samples: F32) -> F32:
        """(frames, 80) logarithmic mel power, a frame each 10 ms."""
        padded = np.pad(samples, _FRAME // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
        spectrum = frames @ self.window
        bins = spectrum.shape[1] // 2
        power = spectrum[:, :bins] ** 2 + spectrum[:, bins:] ** 2
        result: F32 = np.log(np.maximum(power @ self.mel, np.float32(1e-10)))
        return result

    def _stem(self, mel: F32) -> F32:
        """(rows, 144): three mel frames around each second one."""
        padded = np.pad(mel, ((1, 1), (0, 0)))
        triples = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=0)[::2]
        hidden = triples.reshape(len(triples), -1) @ self.stem[0] + self.stem[1]
        return _gelu(hidden)


def _run_block(x: F32, block: _Block) -> F32:
    x = x + np.float32(0.5) * _feed_forward(x, block.ffn1)
    x = x + _attend(x, block.attention)
    x = x + _convolve(x, block.conv)
    x = x + np.float32(0.5) * _feed_forward(x, block.ffn2)
    return _normalized(x, *block.norm)


def _feed_forward(x: F32, weights: tuple[F32, ...]) -> F32:
    norm, bias, first, first_bias, second, second_bias = weights
    hidden = _silu(_normalized(x, norm, bias) @ first + first_bias)
    result: F32 = hidden @ second + second_bias
    return result


def _attend(x: F32, weights: tuple[F32, ...]) -> F32:
    norm, bias, into, into_bias, out, out_bias = weights
    joined = _normalized(x, norm, bias) @ into + into_bias
    query, key, value = (
        np.ascontiguousarray(part.reshape(len(x), _HEADS, -1).transpose(1, 0, 2))
        for part in np.split(joined, 3, axis=1)
    )
    scores = (query * np.float32(1 / np.sqrt(_WIDTH // _HEADS))) @ key.transpose(0, 2, 1)
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    mixed = (scores @ value) / scores.sum(axis=2, keepdims=True)
    result: F32 = mixed.transpose(1, 0, 2).reshape(len(x), _WIDTH) @ out + out_bias
    return result


def _convolve(x: F32, weights: tuple[F32, ...]) -> F32:
    norm, bias, first, first_bias, taps, taps_bias, second, second_bias = weights
    gated, gate = np.split(_normalized(x, norm, bias) @ first + first_bias, 2, axis=1)
    hidden = np.pad(gated * _sigmoid(gate), ((_TAPS // 2, _TAPS // 2), (0, 0)))
    total = np.tile(taps_bias, (len(x), 1))
    for index in range(_TAPS):
        total += hidden[index : index + len(x)] * taps[index]
    result: F32 = _silu(total) @ second + second_bias
    return result


def _normalized(x: F32, weight: F32, bias: F32) -> F32:
    centered = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centered**2).mean(axis=1, keepdims=True) + np.float32(1e-5))
    result: F32 = centered / spread * weight + bias
    return result


def _sigmoid(x: F32) -> F32:
    result: F32 = np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * x))
    return result


def _silu(x: F32) -> F32:
    result: F32 = x * _sigmoid(x)
    return result


def _gelu(x: F32) -> F32:
    """The exact GELU with the error function of Abramowitz and Stegun, 7.1.26 (error below 2e-7)."""
    z = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly = np.zeros_like(t)
    for factor in reversed(_GELU):
        poly = (poly + np.float32(factor)) * t
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    result: F32 = (np.float32(0.5) * x * (1 + erf)).astype(np.float32)
    return result


@lru_cache(maxsize=1)
def load_recognizer() -> Recognizer:
    """The network with the published weights, loaded once.

    Raises:
        MissingDependency: the package that carries the weights is not installed, nor were they fetched.
        ModelDamaged: the file is not the published one.
    """
    try:
        path = store.locate(MODEL)
    except ModelMissing as error:
        raise missing_extra("Speech as a performance", "speech", f"lpsuite models fetch {MODEL}") from error
    return read_recognizer(path)


def read_recognizer(path: Path) -> Recognizer:
    """The network from a container of weights.

    Raises:
        ModelDamaged: it is not such a container, or lacks a tensor.
    """
    content = path.read_bytes()
    try:
        return _assembled(_tensors(content))
    except (KeyError, ValueError, struct.error, UnicodeDecodeError) as error:
        digest = hashlib.sha256(content).hexdigest()[:12]
        raise ModelDamaged(
            f"The phone recognizer's weights '{path}' (SHA-256 {digest}...) cannot be read: {error}; "
            f"get them with: lpsuite models fetch {MODEL}."
        ) from error


def _tensors(content: bytes) -> dict[str, F32]:
    """All tensors of a container, as float32."""
    if content[:6] != b"HAMAPK":
        raise ValueError("it is not a container of weights")
    _version, _kind, count = struct.unpack_from("<BBI", content, 6)
    at, entries = 12, []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, rank = struct.unpack_from("<BB", content, at)
        shape = struct.unpack_from(f"<{rank}I", content, at + 2)
        at += 2 + 4 * rank
        offset, size = struct.unpack_from("<QQ", content, at)
        at += 16
        entries.append((name, kind, shape, offset, size))
    start = -(-at // 16) * 16
    found = {}
    for name, kind, shape, offset, size in entries:
        raw = content[start + offset : start + offset + size]
        found[name] = np.frombuffer(raw, _TYPES[kind]).astype(np.float32).reshape(shape)
    return found


def _assembled(tensors: Mapping[str, F32]) -> Recognizer:
    model = "acoustic_model.model."
    matrices = _numbered(tensors, "onnx::MatMul_")
    convolutions = _numbered(tensors, "onnx::Conv_")
    window = np.concatenate([tensors["stft_real_kernel"], tensors["stft_imag_kernel"]])[:, 0]
    stem = convolutions[0].reshape(_WIDTH, -1).T
    blocks = tuple(
        _block(tensors, f"{model}blocks.{index}.", matrices[6 * index :], convolutions[2 + 2 * index :])
        for index in range(_BLOCKS)
    )
    output = tensors[model + "proj.weight"][:, :, 0].T, tensors[model + "proj.bias"]
    return Recognizer(
        np.ascontiguousarray(window.T), tensors["mel_fb"], (np.ascontiguousarray(stem), convolutions[1]), blocks,
        (np.ascontiguousarray(output[0]), output[1]),
    )  # fmt: skip


def _numbered(tensors: Mapping[str, F32], prefix: str) -> list[F32]:
    """The exporter's nameless tensors, in the order of their use."""
    names = sorted((int(name.removeprefix(prefix)), name) for name in tensors if name.startswith(prefix))
    return [tensors[name] for _, name in names]


def _block(tensors: Mapping[str, F32], at: str, matrices: list[F32], convolutions: list[F32]) -> _Block:
    def pair(name: str) -> tuple[F32, F32]:
        return tensors[f"{at}{name}.weight"], tensors[f"{at}{name}.bias"]

    def ffn(name: str, first: F32, second: F32) -> tuple[Any, ...]:
        biases = (tensors[f"{at}{name}.fc{index}.bias"] for index in (1, 2))
        first_bias, second_bias = biases
        return (*pair(f"{name}.norm"), first, first_bias, second, second_bias)

    def pointwise(name: str) -> tuple[F32, F32]:
        weight, bias = pair(name)
        return np.ascontiguousarray(weight[:, :, 0].T), bias

    taps = np.ascontiguousarray(convolutions[0][:, 0].T)
    attention = (
        *pair("attn_norm"), matrices[2], tensors[at + "attn.in_proj_bias"],
        matrices[3], tensors[at + "attn.out_proj.bias"],
    )  # fmt: skip
    conv = (
        *pair("conv.norm"), *pointwise("conv.pointwise1"), taps, convolutions[1], *pointwise("conv.pointwise2")
    )  # fmt: skip
    return _Block(
        ffn("ffn1", matrices[0], matrices[1]),
        attention,
        conv,
        ffn("ffn2", matrices[4], matrices[5]),
        pair("norm"),
    )
