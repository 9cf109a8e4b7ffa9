"""Values handed to another process: arrays through memory that both share, everything else through a pipe.

Each value is one pickle (PEP 574): its arrays are laid into a slot of the shared memory, and those that do not fit
go through the pipe with the rest.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from io import BytesIO
from types import MappingProxyType
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
NO_SLOT = memoryview(b"")
"""For values whose arrays go through the pipe."""
_ALIGNED = 64
"""Arrays begin at multiples of so many bytes, as numpy's own do."""


def send(pipe: IO[bytes], value: object, slot: memoryview) -> None:
    """Writes a value to a pipe, and its arrays into a slot.

    Raises:
        OSError: nobody reads the pipe.
    """
    spans: list[tuple[int, int]] = []
    end = 0

    def lay(buffer: pickle.PickleBuffer) -> bool:
        """Whether an array has to stay in the pickle."""
        nonlocal end
        raw = buffer.raw()
        start = -(-end // _ALIGNED) * _ALIGNED
        if start + raw.nbytes > slot.nbytes:
            return True
        end = start + raw.nbytes
        slot[start:end] = raw
        spans.append((start, end))
        return False

    pickled = BytesIO()
    _Pickler(pickled, lay).dump(value)
    for part in (pickle.dumps(spans), pickled.getbuffer()):
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes], slot: memoryview, own: Callable[[memoryview], Any] = bytearray) -> Any:  # noqa: ANN401
    """Waits for the next value.

    Args:
        pipe: that ``send`` writes to.
        slot: where ``send`` laid the arrays.
        own: makes an array's memory from the slot's; by default a copy, so that the slot is free again.

    Raises:
        EOFError: the other side has ended.
    """
    spans: list[tuple[int, int]] = pickle.loads(_part(pipe))  # noqa: S301 - of our own process
    pickled = _part(pipe)
    return pickle.loads(pickled, buffers=[own(slot[start:end]) for start, end in spans])  # noqa: S301


def _part(pipe: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    found = pipe.read(count)
    if len(found) < count:
        raise EOFError
    return found


class _Pickler(pickle.Pickler):
    def __init__(self, file: BytesIO, lay: Callable[[pickle.PickleBuffer], bool]) -> None:
        super().__init__(file, protocol=5, buffer_callback=lay)

    def reducer_override(self, value: object) -> Any:  # noqa: ANN401 - as pickle declares it
        """Pickle does not know read-only mappings."""
        return (_mapping, (dict(value),)) if isinstance(value, MappingProxyType) else NotImplemented


def _mapping(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)
