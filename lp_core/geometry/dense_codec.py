"""Dense motion in few bytes: cosine transform, quantization, zlib.

A field is smooth but for steps, so most of its cosine coefficients vanish when they are rounded to STEP. What is left
is stored from the lowest frequency to the last that counts, byte plane by byte plane.

Source of the transform: the orthonormal DCT-II of OpenCV (``cv2.dct``). As it is orthonormal, the error of a cell is
about STEP / sqrt(12) where coefficients are dense and less elsewhere.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

STEP = 0.1
"""Step to which coefficients are rounded, in cells of the field."""
LARGEST_GRID = 1024
"""Longest side of a field that is read: those that are written have 16 to some hundred cells."""
_LEVEL = 6
_BYTES = 4  # of a coefficient


def pack(field: F32) -> bytes:
    """A field as bytes.

    Args:
        field: (h, w, P) in cells, or in what is as much.
    """
    height, width, planes = field.shape
    order = _order(height, width)
    parts, counts = [], []
    for plane in range(planes):
        even = cv2.copyMakeBorder(field[..., plane], 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        numbers = np.rint(cv2.dct(even) / np.float32(STEP)).astype(np.int32).ravel()[order]
        used = np.flatnonzero(numbers)
        numbers = numbers[: used[-1] + 1] if len(used) else numbers[:0]
        folded = ((numbers << 1) ^ (numbers >> 31)).astype("<u4")  # small numbers of both signs become small
        counts.append(len(numbers))
        parts.append(folded.view(np.uint8).reshape(-1, _BYTES).T.tobytes())
    return zlib.compress(np.array(counts, "<u4").tobytes() + b"".join(parts), _LEVEL)


def unpack(data: bytes, grid: tuple[int, int], planes: int = 2) -> F32:
    """A field from its bytes: (h, w, planes) in cells, but for rounding what ``pack`` was given.

    Raises:
        ValueError: the bytes are not a field of that grid.
    """
    width, height = grid
    order = _order(height, width)
    whole = _inflated(data, planes * _BYTES * (len(order) + 1))
    counts = np.frombuffer(whole[: planes * _BYTES], "<u4").tolist()
    if len(counts) != planes or max(counts) > len(order) or len(whole) != _BYTES * (planes + sum(counts)):
        raise ValueError("a field has another size than it says")
    field = np.empty((height, width, planes), np.float32)
    at = planes * _BYTES
    for plane, count in enumerate(counts):
        stored = np.frombuffer(whole[at : at + _BYTES * count], np.uint8).reshape(_BYTES, count).T
        folded = np.ascontiguousarray(stored).view("<u4").ravel()
        numbers = (folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32)
        at += _BYTES * count
        waves = np.zeros(len(order), np.float32)
        waves[order[:count]] = numbers * np.float32(STEP)
        shape = height + height % 2, width + width % 2
        field[..., plane] = cv2.idct(waves.reshape(shape))[:height, :width]
    return field


@lru_cache(maxsize=4)
def _order(height: int, width: int) -> NDArray[np.intp]:
    """Places of the coefficients, lowest frequency first."""
    rows, columns = height + height % 2, width + width % 2
    frequency = (np.arange(rows) / rows)[:, None] ** 2 + (np.arange(columns) / columns) ** 2
    return np.argsort(frequency, axis=None, kind="stable")


def _inflated(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        whole = inflater.decompress(data, limit)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not inflater.eof or inflater.unused_data:
        raise ValueError("a field is cut short, or goes on behind its end")
    return whole
