"""32 bits as 60 that survive errors: Reed-Solomon over 4-bit symbols, decoded with the doubt of each bit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from reedsolo import ReedSolomonError, RSCodec

ID_BITS = 32
CODE_BITS = 60
_SYMBOL = 4
_DATA = ID_BITS // _SYMBOL
_ALL = CODE_BITS // _SYMBOL
_ERASED = (0, 2, 4)
"""Least certain symbols that are abandoned in turn; one more pair would leave hardly any check."""


def encode(number: int) -> NDArray[np.float64]:
    """(CODE_BITS,) of -1 and 1."""
    data = [(number >> (_SYMBOL * place)) & 0xF for place in range(_DATA)]
    symbols = np.array(list(_codec().encode(data)), np.uint8)
    bits = (symbols[:, None] >> np.arange(_SYMBOL)) & 1
    return bits.reshape(-1).astype(np.float64) * 2 - 1


def decode(soft: NDArray[np.float64]) -> int | None:
    """The number whose code fits best; None where no code is near.

    Args:
        soft: (CODE_BITS,) sign says the bit, size says how sure it is.
    """
    symbols = ((soft.reshape(_ALL, _SYMBOL) > 0) << np.arange(_SYMBOL)).sum(axis=1)
    doubtful = np.argsort(np.abs(soft).reshape(_ALL, _SYMBOL).min(axis=1))
    numbers = {_attempt(symbols, doubtful[:count].tolist()) for count in _ERASED}
    found = [number for number in numbers if number is not None]
    return max(found, key=lambda number: float(encode(number) @ soft), default=None)


def _attempt(symbols: NDArray[np.int64], erased: Sequence[int]) -> int | None:
    with suppress(ReedSolomonError):
        data = list(_codec().decode(bytearray(symbols.tolist()), erase_pos=list(erased))[0])
        return sum(int(symbol) << (_SYMBOL * place) for place, symbol in enumerate(data))
    return None


def _codec() -> RSCodec:
    return RSCodec(_ALL - _DATA, nsize=_ALL, c_exp=_SYMBOL, prim=0x13)
