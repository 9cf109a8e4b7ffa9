"""Header of the ``.lpmotion`` file: a safetensors container with texts of our own.

Eight bytes of header length (little-endian), a JSON header, the arrays. The header's ``__metadata__`` holds
these texts, all of them and no others:

=========  ==================================================================================
schema     ``lpsuite.motion``
version    ``3``; ``2`` had no dense motion, ``1`` no extra arrays
rig        a key of ``RIGS``; it fixes the shape of every array
rate       exact frames per second, ``25`` or ``30000/1001``
frames     number of frames, the leading axis of every array
origin     where the motion came from, for the user's eyes
metadata   free text pairs as a JSON object
dense      empty, or of the dense motion, as JSON: ``size`` of the driving image in pixels,
           ``grid`` of a field in cells (both width, height), ``reference``: number of the frame
           that the fields lead to, ``planes``: 2, or 3 with the shade
checksum   CRC-32 over the other texts and every array, so that damage is never played as motion
=========  ==================================================================================

Arrays are little-endian float32 under the names of ``MOTION_ARRAYS``, all of them, and of the rig's ``EXTRAS``,
any of them, without gap or overlap. Dense motion adds ``dense_ends`` (I64, where the bytes of each frame end; a frame
without a face has none) and ``dense`` (U8, the fields one after the other as ``dense_codec`` packs them).
Source of the container: https://huggingface.co/docs/safetensors (Format).
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NoReturn

from lp_core.errors import BadMotionFile, LpError, MotionError
from lp_core.geometry.dense_codec import LARGEST_GRID
from lp_core.motion.sequence import EXTRAS, frame_shapes
from lp_core.timing import FrameRate

SCHEMA = "lpsuite.motion"
VERSION = 3
HEADER_LIMIT = 1 << 20
"""Bytes; a header of this format takes about two thousand."""
DENSE, DENSE_ENDS = "dense", "dense_ends"
"""Names of the arrays of dense motion."""

_TEXTS = frozenset({"schema", "version", "rig", "rate", "frames", "origin", "metadata", "dense", "checksum"})
_RATE = re.compile(r"([0-9]{1,40})(?:/([0-9]{1,40}))?")
_SIZES = {"F32": 4, "I64": 8, "U8": 1}  # bytes of an element
_COUNT = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class DenseFacts:
    """What the fields of a motion have in common."""

    size: tuple[int, int]
    """Width and height of the driving image, pixels."""
    grid: tuple[int, int]
    """Width and height of a field, cells."""
    reference: int
    """0-based number of the frame that the fields lead to."""
    planes: int = 2
    """Numbers of a cell: flow across and down, and 3 with the shade."""


@dataclass(frozen=True)
class Array:
    """Where one array is in the file."""

    dtype: str
    """Element type in the container's words."""
    shape: tuple[int, ...]
    """(frames, *shape of one frame)"""
    start: int
    """First byte, counted from the end of the header."""
    stop: int
    """Byte after the last."""


@dataclass(frozen=True)
class Header:
    """What is in front of the arrays."""

    texts: Mapping[str, str]
    """The container's ``__metadata__``."""
    arrays: Mapping[str, Array]
    """The arrays by name."""
    data_at: int
    """Position in the file of the first byte of the arrays."""


@dataclass(frozen=True)
class Facts:
    """The texts, understood."""

    rate: FrameRate
    rig: str
    frames: int
    """Number of frames, at least 1."""
    origin: str
    metadata: dict[str, str]
    extras: tuple[str, ...] = ()
    """Names of the arrays besides those of every motion."""
    dense: DenseFacts | None = None
    """What the fields of dense motion have in common; None: there are none."""
    dense_bytes: int = 0
    """Bytes of all of them."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one frame of every array, in file order."""
        possible = EXTRAS.get(self.rig, {})
        return frame_shapes(self.rig) | {name: possible[name] for name in possible if name in self.extras}


def _without_dense(header: Header) -> Header:
    return replace(header, texts={**header.texts, "dense": ""})


UPGRADES: dict[int, Callable[[Header], Header]] = {1: lambda header: header, 2: _without_dense}
"""version -> step that turns a header of that version into one of the next."""


def read_header(file: IO[bytes], path: Path) -> Header:
    """Reads the header and checks the container: sizes, offsets, no gap, no overlap, nothing behind.

    Raises:
        BadMotionFile: the container is damaged or no container.
    """
    size = file.seek(0, 2)
    length = int.from_bytes(read_bytes(file, 0, 8, path), "little")
    if length > HEADER_LIMIT:
        _bad(path, f"is not a motion file: its header would take {length} bytes; check the name")
    try:
        content = json.loads(read_bytes(file, 8, length, path), object_pairs_hook=_unique)
        texts = content.pop("__metadata__")
        header = Header(texts, {name: _array(entry) for name, entry in content.items()}, 8 + length)
        # Every text must be one that can be shown: half of a surrogate pair could not.
        "".join([*texts, *texts.values(), *content]).encode()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = "its header is not a table of texts and arrays"
        raise BadMotionFile(
            f"{path} is not a motion file: {reason}; check the name or extract again."
        ) from error
    _check_layout(header, size, path)
    return header


def upgraded(header: Header, path: Path) -> Header:
    """The header in the words of this version.

    Raises:
        BadMotionFile: the schema is another, or the version is newer or was never in use.
    """
    if header.texts.get("schema") != SCHEMA:
        _bad(path, f"is not a motion file: its schema is not '{SCHEMA}'; check the name")
    stored = header.texts.get("version", "")
    version = int(stored) if re.fullmatch("[0-9]{1,9}", stored) else -1
    if version > VERSION:
        _bad(path, f"has motion version {version} and this program reads up to {VERSION}; update LP Suite")
    while version != VERSION:
        if version not in UPGRADES:
            _bad(path, f"has motion version '{stored}', which was never in use; extract the motion again")
        header = UPGRADES[version](header)
        version += 1
    return header


def understood(header: Header, path: Path) -> Facts:
    """The texts as values, and the arrays checked against them.

    Raises:
        BadMotionFile: a text or an array is missing, unknown, or not what the others make it.
    """
    texts = header.texts
    if set(texts) != _TEXTS:
        _bad(
            path, f"holds other texts than it should ({_difference(texts, _TEXTS)}); extract the motion again"
        )
    if not _COUNT.fullmatch(texts["frames"]):
        _bad(path, f"gives '{texts['frames']}' as its number of frames; extract the motion again")
    facts = Facts(
        rate=_rate(texts["rate"], path),
        rig=texts["rig"],
        frames=int(texts["frames"]),
        origin=texts["origin"],
        metadata=_pairs(texts["metadata"], path),
        extras=tuple(name for name in EXTRAS.get(texts["rig"], {}) if name in header.arrays),
        dense=_dense(texts["dense"], int(texts["frames"]), path),
    )
    try:
        shapes = facts.shapes
    except MotionError as error:
        raise BadMotionFile(f"{path} cannot be played: {error}") from error
    due = {name: ("F32", (facts.frames, *shape)) for name, shape in shapes.items()}
    if facts.dense is not None and DENSE in header.arrays:
        facts = replace(facts, dense_bytes=header.arrays[DENSE].stop - header.arrays[DENSE].start)
    due |= dense_arrays(facts)
    if set(header.arrays) != set(due):
        difference = _difference(header.arrays, frozenset(due))
        _bad(path, f"holds other arrays than it should ({difference}); extract it again")
    for name, array in header.arrays.items():
        dtype, wanted = due[name]
        size = _SIZES[dtype] * math.prod(wanted)
        if array.dtype != dtype or array.shape != wanted or array.stop - array.start != size:
            _bad(
                path,
                f"holds '{name}' as {array.dtype} {list(array.shape)} where {dtype} {list(wanted)} is due; "
                "extract the motion again",
            )
    return facts


def dense_arrays(facts: Facts) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Element type and shape of the arrays of dense motion, in file order; none where there is none."""
    if facts.dense is None:
        return {}
    return {DENSE_ENDS: ("I64", (facts.frames,)), DENSE: ("U8", (facts.dense_bytes,))}


def encoded(facts: Facts, sums: Mapping[str, int]) -> bytes:
    """The bytes in front of the arrays, which follow in the order of ``Facts.shapes``.

    Args:
        facts: what the file is.
        sums: CRC-32 of every array's bytes.

    Raises:
        MotionError: origin and metadata are too long.
    """
    texts = {
        "schema": SCHEMA,
        "version": str(VERSION),
        "rig": facts.rig,
        "rate": str(facts.rate),
        "frames": str(facts.frames),
        "origin": _showable(facts.origin),
        "metadata": json.dumps({_showable(key): _showable(text) for key, text in facts.metadata.items()}),
        "dense": "" if facts.dense is None else json.dumps(asdict(facts.dense)),
    }
    content: dict[str, Any] = {"__metadata__": {**texts, "checksum": checksum(texts, sums)}}
    start = 0
    arrays = {name: ("F32", (facts.frames, *shape)) for name, shape in facts.shapes.items()} | dense_arrays(
        facts
    )
    for name, (dtype, shape) in arrays.items():
        stop = start + _SIZES[dtype] * math.prod(shape)
        content[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}
        start = stop
    data = json.dumps(content).encode()
    data += b" " * (-len(data) % 8)
    if len(data) > HEADER_LIMIT:
        raise MotionError("The origin and metadata of the motion are too long to be stored; shorten them.")
    return len(data).to_bytes(8, "little") + data


def checksum(texts: Mapping[str, str], sums: Mapping[str, int]) -> str:
    """CRC-32, in hexadecimal digits, over the texts (but for itself) and the arrays' own CRC-32."""
    covered = {name: text for name, text in texts.items() if name != "checksum"}
    return f"{zlib.crc32(json.dumps([covered, dict(sums)], sort_keys=True).encode()):08x}"


def read_bytes(file: IO[bytes], at: int, count: int, path: Path) -> bytes:
    """Reads exactly ``count`` bytes at a position.

    Raises:
        BadMotionFile: the file ends before, or cannot be read.
    """
    try:
        file.seek(at)
        data = file.read(count)
    except OSError as error:
        raise BadMotionFile(f"{path} cannot be read ({error.strerror}); check the disk.") from error
    if len(data) != count:
        _bad(path, "is truncated; copy or extract it again")
    return data


def _bad(path: Path, what: str) -> NoReturn:
    raise BadMotionFile(f"{path} {what}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _array(entry: Mapping[str, Any]) -> Array:
    if set(entry) != {"dtype", "shape", "data_offsets"} or not isinstance(entry["dtype"], str):
        raise ValueError("an array is described in other words")
    start, stop = entry["data_offsets"]
    numbers = [start, stop, *entry["shape"]]
    if any(type(number) is not int or number < 0 for number in numbers) or start > stop:
        raise ValueError("an offset or a size is not a number")
    return Array(entry["dtype"], tuple(entry["shape"]), start, stop)


def _check_layout(header: Header, size: int, path: Path) -> None:
    end = 0
    for array in sorted(header.arrays.values(), key=lambda item: (item.start, item.stop)):
        if array.start != end:
            _bad(path, "is damaged: its arrays overlap or leave gaps; extract the motion again")
        end = array.stop
    if size < header.data_at + end:
        _bad(path, f"is truncated at {size} of {header.data_at + end} bytes; copy or extract it again")
    if size > header.data_at + end:
        _bad(path, "is damaged: bytes follow its last array; extract the motion again")


def _difference(found: Mapping[str, Any], wanted: frozenset[str]) -> str:
    extra, missing = sorted(set(found) - wanted), sorted(wanted - set(found))
    return "; ".join(
        f"{word} {', '.join(names)}" for word, names in (("unknown", extra), ("missing", missing)) if names
    )


def _rate(text: str, path: Path) -> FrameRate:
    match = _RATE.fullmatch(text)
    try:
        if match:
            return FrameRate(Fraction(int(match[1]), int(match[2] or 1)))
    except (LpError, ZeroDivisionError) as error:
        raise BadMotionFile(f"{path} gives '{text}' as its frame rate; extract the motion again.") from error
    _bad(path, f"gives '{text}' as its frame rate; extract the motion again")


def _dense(text: str, frames: int, path: Path) -> DenseFacts | None:
    if not text:
        return None
    try:
        facts = json.loads(text, object_pairs_hook=_unique)
        size, grid, reference, planes = (facts.pop(name) for name in ("size", "grid", "reference", "planes"))
        numbers = [*size, *grid, reference, planes]
        is_whole = all(type(number) is int for number in numbers)
        is_known = not facts and is_whole and len(size) == len(grid) == 2 and 0 <= reference < frames
        if is_known and planes in (2, 3) and min(*size, *grid) >= 2 and max(grid) <= LARGEST_GRID:
            return DenseFacts((size[0], size[1]), (grid[0], grid[1]), reference, planes)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadMotionFile(
            f"{path} describes its dense motion in other words than it should; extract the motion again."
        ) from error
    _bad(path, f"gives impossible facts of its dense motion ({text:.80}); extract the motion again")


def _pairs(text: str, path: Path) -> dict[str, str]:
    try:
        pairs = json.loads(text, object_pairs_hook=_unique)
        if isinstance(pairs, dict) and all(isinstance(value, str) for value in pairs.values()):
            "".join([*pairs, *pairs.values()]).encode()
            return pairs
    except (ValueError, RecursionError) as error:
        raise BadMotionFile(
            f"{path} holds metadata that is not a table of texts; extract the motion again."
        ) from error
    _bad(path, "holds metadata that is not a table of texts; extract the motion again")


def _showable(text: str) -> str:
    """The text without halves of surrogate pairs, which come with undecodable file names."""
    return text.encode("utf-8", "replace").decode()
