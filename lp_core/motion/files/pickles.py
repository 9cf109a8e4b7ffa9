"""Reads pickles of plain containers and numeric arrays without running anything, and writes such pickles.

A pickle is a program that may call any function it names. Here it can name six, and each is answered by a
stand-in of ours that only notes what an array would be made of; NumPy then builds the array from checked
parts. The reader is the standard library's in Python, not in C: the C one can be made to fill memory by a
single instruction of a hostile file.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import BadMotionFile

SIZE_LIMIT = 1 << 28
"""Bytes; an hour of motion at 60 frames a second takes half of it."""
_ARRAY_LIMIT = 4096
"""Bytes of one array; a frame's key points take 252."""
_NUMBERS = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


class _ArrayType:
    """Answers to ``numpy.ndarray``: a name only."""


class _Dtype:
    """Answers to ``numpy.dtype``: the element type of an array."""

    def __init__(self, text: object, *flags: object) -> None:
        if not isinstance(text, str) or text.lstrip("<>=|") not in _NUMBERS:
            raise pickle.UnpicklingError(f"an array of type {text!r}")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.dtype = self.dtype.newbyteorder(state[1])
            return
        raise pickle.UnpicklingError("an array type with unknown settings")


class _Array:
    """Answers to NumPy's array constructors: an array that is filled by ``__setstate__``."""

    def __init__(self, *ignored: object) -> None:
        self.array: NDArray[Any] | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("an array with unknown contents")
        _, shape, dtype, is_fortran, data = state
        self.array = _built(data, dtype, shape, "F" if is_fortran else "C")


def _built(data: object, dtype: object, shape: object, order: str = "C") -> NDArray[Any]:
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
        raise pickle.UnpicklingError("an array that is not made of numbers")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise pickle.UnpicklingError("an array without a shape")
    size = math.prod(shape) * dtype.dtype.itemsize
    if size != len(data) or size > _ARRAY_LIMIT:
        raise pickle.UnpicklingError("an array of another size than its data, or too large a one")
    flat = np.frombuffer(bytes(data), dtype.dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C").copy()


def _scalar(dtype: object, data: object) -> NDArray[Any]:
    return _built(data, dtype, ())


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> NDArray[Any]:
    return _built(data, dtype, shape, str(order))


def _encode(text: object, codec: object) -> bytes:
    if not isinstance(text, str) or codec != "latin1":
        raise pickle.UnpicklingError("a text in an unknown encoding")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{(module, "_reconstruct"): _Array for module in _MULTIARRAY},
    **{(module, "scalar"): _scalar for module in _MULTIARRAY},
    **{(module, "_frombuffer"): _from_buffer for module in _NUMERIC},
}


class _Unpickler(pickle._Unpickler):
    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as the parent's
        """The stand-in of an admitted name; everything else is refused."""
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the name {module}.{name}") from None

    def load_build(self) -> None:
        """Fills an array or its type; other objects, our own functions among them, keep their attributes."""
        if type(self.stack[-2]) not in (_Array, _Dtype):  # type: ignore[attr-defined]
            raise pickle.UnpicklingError("an instruction to change an object")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build  # type: ignore[assignment]


def read_pickle(path: Path) -> object:
    """Reads a pickle of dicts, lists, tuples, texts, numbers and numeric arrays.

    Args:
        path: the file.

    Returns:
        The content, every array a fresh ndarray.

    Raises:
        BadMotionFile: the file cannot be read, is damaged, too large, or holds anything else; nothing of
            it has been run.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise BadMotionFile(f"{path} is not a motion template: it is larger than {SIZE_LIMIT} bytes.")
        data = path.read_bytes()
    except OSError as error:
        raise BadMotionFile(f"{path} cannot be read ({error.strerror}); check the name.") from error
    try:
        return _Plain(budget=len(data)).of(_Unpickler(io.BytesIO(data)).load())
    except pickle.UnpicklingError as error:
        raise BadMotionFile(
            f"{path} is not a motion template: it is cut off or holds what has no place there ({error}), and "
            "nothing of it was run; get it from where it was made."
        ) from error
    except (EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error) as error:
        raise _damaged(path, error) from error
    except (ArithmeticError, MemoryError, RecursionError, NotImplementedError, AssertionError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> BadMotionFile:
    return BadMotionFile(f"{path} is not a motion template, or a damaged one ({error!r}); get it again.")


class _Plain:
    """Puts arrays in place of stand-ins, within a budget: references could unfold a file without end."""

    def __init__(self, budget: int) -> None:
        self.budget = budget

    def of(self, value: object, depth: int = 0) -> object:
        """A copy of the content; four levels are as deep as a template goes."""
        self.budget -= 1
        if depth > 4 or self.budget < 0:
            raise pickle.UnpicklingError("containers within containers")
        if isinstance(value, dict):
            return {self.of(key, depth + 1): self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, _Array) and value.array is not None:
            return value.array
        if value is None or isinstance(value, bool | int | float | str | np.ndarray):
            return value
        raise pickle.UnpicklingError(f"a {type(value).__name__.strip('_')}")


class _Pickler(pickle._Pickler):
    """Names NumPy's constructor by its old module, which every NumPy knows."""

    def save_global(self, obj: Any, name: str | None = None) -> None:  # noqa: ANN401 - as the parent's
        """Writes the name of a function or class."""
        if getattr(obj, "__name__", "") != "_reconstruct":
            super().save_global(obj, name)  # type: ignore[misc]
            return
        self.save(_MULTIARRAY[0])  # type: ignore[attr-defined]
        self.save("_reconstruct")  # type: ignore[attr-defined]
        self.write(pickle.STACK_GLOBAL)  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]


def pickled(content: object) -> bytes:
    """A pickle (protocol 4) of containers and arrays that the published pipeline reads with any NumPy."""
    stream = io.BytesIO()
    _Pickler(stream, 4).dump(content)
    return stream.getvalue()
