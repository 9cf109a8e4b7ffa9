"""Stored motion: the ``.lpmotion`` file, written and read in constant memory.

Format: ``lp_core.motion.files.lpmotion_header``. Opening a file checks all of it in one pass, so that a render
does not fail hours later. Rows are read at their offsets, not mapped, so that resident memory does not grow
with the length of the motion.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from lp_core.contexts import AbortsOnExit, ClosesOnExit
from lp_core.errors import BadMotionFile, MotionError, OutputExists
from lp_core.files import check_name, flush, flush_folder, translated
from lp_core.geometry.dense_codec import unpack
from lp_core.leftovers import sweep, temporary_prefix
from lp_core.motion.files.lpmotion_header import (
    DENSE,
    DENSE_ENDS,
    DenseFacts,
    Facts,
    Header,
    checksum,
    dense_arrays,
    encoded,
    read_bytes,
    read_header,
    understood,
    upgraded,
)
from lp_core.motion.files.spooled import SpooledRows
from lp_core.motion.sequence import EXTRAS, F32, MOTION_ARRAYS, MotionFrame, MotionSequence, frame_shapes
from lp_core.timing import FrameRate

_CHUNK = 1 << 20  # bytes copied or summed at a time
_CHECKED_ROWS = 256  # frames checked at a time
_LARGEST = 1e6  # no quantity of a performance comes near it
_ROTATION_TOLERANCE = 1e-3


def write_motion(path: str | os.PathLike[str], sequence: MotionSequence, overwrite: bool = False) -> None:
    """Writes a sequence; the file appears under its name only when it is whole.

    Raises:
        OutputExists: the file is there and ``overwrite`` is False.
        NoWritePermission: its folder is missing or cannot be written.
        DiskFull: the disk is full.
        MotionError: the sequence is empty or holds impossible numbers.
    """
    with MotionWriter(
        path, sequence.rate, sequence.rig, sequence.origin, sequence.metadata, overwrite
    ) as writer:
        writer.extend(sequence)
        writer.commit()


def read_motion(path: str | os.PathLike[str]) -> MotionSequence:
    """Reads a whole motion file.

    Raises:
        BadMotionFile: the file is missing, damaged, of a newer version, or holds what it should not.
    """
    with MotionReader(path) as reader:
        return reader.rows(0, len(reader))


class MotionReader(ClosesOnExit):
    """An open motion file: gives any rows of it, holds none. Not thread-safe; ``close`` may be called twice.

    Raises:
        BadMotionFile: the file is missing, damaged, of a newer version, or holds what it should not.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with ExitStack() as stack:
            try:
                self._file: IO[bytes] = stack.enter_context(self.path.open("rb"))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise BadMotionFile(f"{path} cannot be opened ({reason}); check the name.") from error
            stored = read_header(self._file, self.path)
            self._header = upgraded(stored, self.path)
            self._facts = understood(self._header, self.path)
            self._check_sum(stored)
            self._check_dense()
            self._check_values()
            self._cleanup = stack.pop_all()

    @property
    def rate(self) -> FrameRate:
        """Exact frames per second."""
        return self._facts.rate

    @property
    def rig(self) -> str:
        """Kind of rig, a key of RIGS."""
        return self._facts.rig

    @property
    def origin(self) -> str:
        """Where the motion came from, for the user's eyes."""
        return self._facts.origin

    @property
    def metadata(self) -> dict[str, str]:
        """Free text pairs, a copy."""
        return dict(self._facts.metadata)

    @property
    def dense(self) -> DenseFacts | None:
        """What the fields of dense motion have in common; None: the file has none."""
        return self._facts.dense

    def __len__(self) -> int:
        return self._facts.frames

    def dense_bytes(self, index: int) -> bytes:
        """The packed field of one frame, 0 <= index < len; empty where the frame has none."""
        ends, data = (self._header.arrays[name] for name in (DENSE_ENDS, DENSE))
        first = max(index - 1, 0)
        read = read_bytes(
            self._file, self._header.data_at + ends.start + 8 * first, 8 * (index + 1 - first), self.path
        )
        stop = np.frombuffer(read, "<i8").tolist()
        start = stop[0] if index else 0
        return read_bytes(self._file, self._header.data_at + data.start + start, stop[-1] - start, self.path)

    def dense_field(self, index: int) -> F32 | None:
        """(h, w, planes) dense motion of one frame in cells, 0 <= index < len; None where the frame has none.

        Raises:
            BadMotionFile: the field is damaged.
        """
        data = self.dense_bytes(index) if self.dense is not None else b""
        if self.dense is None or not data:
            return None
        try:
            return unpack(data, self.dense.grid, self.dense.planes)
        except ValueError as error:
            raise BadMotionFile(
                f"{self.path} holds damaged dense motion in frame {index} ({error}); extract the motion again."
            ) from error

    def frame(self, index: int) -> MotionFrame:
        """The performance at one frame, 0 <= index < len."""
        return self.rows(index, index + 1).frame(0)

    def rows(self, start: int, stop: int) -> MotionSequence:
        """The frames of a half-open range, 0 <= start < stop <= len, read from disk now.

        Raises:
            BadMotionFile: the file shrank or vanished while it was open.
        """
        arrays: dict[str, Any] = {name: self.column(name, start, stop) for name in MOTION_ARRAYS}
        extras = {name: self.column(name, start, stop) for name in self._facts.extras}
        return MotionSequence(
            self.rate, self.rig, origin=self.origin, metadata=self.metadata, extras=extras, **arrays
        )

    def column(self, name: str, start: int, stop: int) -> F32:
        """One array's rows of a half-open range, read from disk now: (stop - start, *its shape)."""
        if not 0 <= start <= stop <= len(self):
            raise MotionError(f"{self.path} has no frames {start} to {stop}; it has {len(self)}.")
        array = self._header.arrays[name]
        row_bytes = (array.stop - array.start) // len(self)
        at = self._header.data_at + array.start + start * row_bytes
        data = read_bytes(self._file, at, (stop - start) * row_bytes, self.path)
        rows = np.frombuffer(data, "<f4").reshape(stop - start, *array.shape[1:])
        return rows.astype(np.float32, copy=False)

    def close(self) -> None:
        """Closes the file."""
        self._cleanup.close()

    def _check_sum(self, stored: Header) -> None:
        sums = {}
        for name, array in stored.arrays.items():
            sums[name] = 0
            for at in range(array.start, array.stop, _CHUNK):
                count = min(_CHUNK, array.stop - at)
                sums[name] = zlib.crc32(
                    read_bytes(self._file, stored.data_at + at, count, self.path), sums[name]
                )
        if stored.texts.get("checksum") != checksum(stored.texts, sums):
            raise BadMotionFile(
                f"{self.path} is damaged: its content does not match its checksum; copy or extract it again."
            )

    def _check_dense(self) -> None:
        """Every field is behind the one before, and the last ends where their bytes end."""
        if self.dense is None:
            return
        array, before = self._header.arrays[DENSE_ENDS], 0
        for at in range(array.start, array.stop, _CHUNK):
            count = min(_CHUNK, array.stop - at)
            ends = np.frombuffer(read_bytes(self._file, self._header.data_at + at, count, self.path), "<i8")
            if (np.diff(ends, prepend=before) < 0).any():
                raise BadMotionFile(f"{self.path} holds dense motion out of order; extract the motion again.")
            before = int(ends[-1])
        if before != self._facts.dense_bytes:
            raise BadMotionFile(f"{self.path} holds more dense motion than frames; extract the motion again.")

    def _check_values(self) -> None:
        for start in range(0, len(self), _CHECKED_ROWS):
            fault = _fault(self.rows(start, min(start + _CHECKED_ROWS, len(self))))
            if fault:
                index, what = fault
                raise BadMotionFile(f"{self.path} {what} in frame {start + index}; extract the motion again.")


class MotionWriter(AbortsOnExit):
    """Takes frames one at a time; the file appears under its name only on ``commit``.

    Each array grows in a separate file in a folder next to the target, because the container wants one
    array after the other. An extra array that only some frames have is 0 in the others. Leaving the context
    without ``commit`` aborts.

    Raises:
        OutputExists: the target is there and ``overwrite`` is False.
        NoWritePermission: the target's folder is missing or cannot be written.
        DiskFull: the disk is full.
        MotionError: the rig is not known, or a frame does not fit it or holds impossible numbers.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: FrameRate,
        rig: str,
        origin: str = "",
        metadata: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        frame_shapes(rig)
        self._rate, self._rig, self._origin, self._metadata = rate, rig, origin, dict(metadata or {})
        self._may_replace = overwrite
        self._frames = 0
        self._dense: DenseFacts | None = None
        self._dense_frames = self._dense_end = 0
        self._sums: dict[str, int] = dict.fromkeys(MOTION_ARRAYS, 0)
        self._check_target()
        with ExitStack() as stack, translated(self.path):
            sweep(self.path.parent)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{temporary_prefix()}", dir=self.path.parent))
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            self._spools = {name: (self._folder / name).open("w+b") for name in MOTION_ARRAYS}
            stack.callback(self._close_spools)
            self._cleanup = stack.pop_all()

    def append(self, frame: MotionFrame) -> None:
        """Takes the next frame."""
        arrays: dict[str, Any] = {
            name: np.asarray(getattr(frame, name), np.float32)[np.newaxis] for name in MOTION_ARRAYS
        }
        extras = {name: np.asarray(array, np.float32)[np.newaxis] for name, array in frame.extras.items()}
        self.extend(MotionSequence(self._rate, self._rig, extras=extras, **arrays))

    def extend(self, rows: MotionSequence) -> None:
        """Takes the next frames; rate, origin and metadata stay the writer's."""
        if rows.rig != self._rig:
            raise MotionError(
                f"Motion of rig {rows.rig} cannot go into {self.path}, which is of rig {self._rig}."
            )
        fault = _fault(rows)
        if fault:
            index, what = fault
            raise MotionError(
                f"The motion for {self.path} {what} in frame {self._frames + index}; extract it again."
            )
        with translated(self.path):
            for name in MOTION_ARRAYS:
                self._put(name, getattr(rows, name))
            for name in {*self._spools, *rows.extras} - {*MOTION_ARRAYS, DENSE, DENSE_ENDS}:
                self._put_extra(name, rows.extras.get(name), len(rows))
        self._frames += len(rows)

    def taken(self) -> SpooledRows:
        """The rows that were taken so far, to look back at; they can be read until the writer ends."""
        for spool in self._spools.values():
            spool.flush()
        return SpooledRows(self._rate, self._rig, self._origin, self._frames, self._folder)

    def begin_dense(self, facts: DenseFacts) -> None:
        """Says that each frame gets a field of dense motion."""
        self._dense = facts
        with translated(self.path):
            for name in (DENSE_ENDS, DENSE):
                self._spools[name] = (self._folder / name).open("w+b")
                self._sums[name] = 0

    def append_dense(self, data: bytes) -> None:
        """Takes the packed field of the next frame; empty where it has none."""
        self._dense_frames += 1
        self._dense_end += len(data)
        with translated(self.path):
            self._write(DENSE, data)
            self._write(DENSE_ENDS, self._dense_end.to_bytes(8, "little"))

    def _put(self, name: str, rows: F32) -> None:
        self._write(name, np.ascontiguousarray(rows, "<f4").tobytes())

    def _write(self, name: str, data: bytes) -> None:
        self._spools[name].write(data)
        self._sums[name] = zlib.crc32(data, self._sums[name])

    def _put_extra(self, name: str, rows: F32 | None, count: int) -> None:
        shape = EXTRAS[self._rig][name]
        if name not in self._spools:
            self._spools[name] = (self._folder / name).open("w+b")
            self._sums[name] = 0
            for _ in range(self._frames):
                self._put(name, np.zeros(shape, np.float32))
        self._put(name, np.zeros((count, *shape), np.float32) if rows is None else rows)

    def commit(self) -> None:
        """Joins the arrays into one file and moves it to its name.

        Raises:
            MotionError: no frame was taken.
        """
        if not self._frames:
            raise MotionError(f"A motion needs at least one frame, and {self.path} would have none.")
        if self._dense is not None and self._dense_frames != self._frames:
            raise MotionError(
                f"{self.path} has dense motion for {self._dense_frames} of {self._frames} frames; extract it again."
            )
        whole = self._folder / "whole"
        with translated(self.path):
            with whole.open("wb") as target:
                self._join(target)
            self._check_target()
            flush(whole)
            whole.replace(self.path)
            flush_folder(self.path.parent)
        self.abort()

    def _join(self, target: IO[bytes]) -> None:
        """Writes the file out of the arrays' own files."""
        extras = tuple(name for name in self._spools if name not in (*MOTION_ARRAYS, DENSE, DENSE_ENDS))
        facts = Facts(self._rate, self._rig, self._frames, self._origin, self._metadata, extras)
        facts = replace(facts, dense=self._dense, dense_bytes=self._dense_end)
        target.write(encoded(facts, self._sums))
        for name in (*facts.shapes, *dense_arrays(facts)):
            with self._spools[name] as spool:
                spool.seek(0)
                shutil.copyfileobj(spool, target, _CHUNK)
            (self._folder / name).unlink()

    def abort(self) -> None:
        """Removes what was written to a temporary file; may be called twice, and after ``commit`` does nothing."""
        self._cleanup.close()

    def _check_target(self) -> None:
        with translated(self.path):
            check_name(self.path)
            if self.path.is_dir():
                raise OutputExists(f"{self.path} is a folder; give the name of a file.")
            if self.path.exists() and not self._may_replace:
                raise OutputExists(f"{self.path} exists already; choose another name or allow overwriting.")

    def _close_spools(self) -> None:
        for spool in self._spools.values():
            with suppress(OSError):  # a full disk refuses the last bytes too, and they are thrown away anyhow
                spool.close()


def _fault(rows: MotionSequence) -> tuple[int, str] | None:
    """(frame, what is wrong with it) of the first impossible frame, None when all is well."""
    plausible = np.ones(len(rows), bool)
    for array in (*(getattr(rows, name) for name in MOTION_ARRAYS), *rows.extras.values()):
        plausible &= (np.abs(array) <= _LARGEST).all(axis=tuple(range(1, array.ndim)))  # False for NaN
    if not plausible.all():
        return int(np.argmin(plausible)), "holds numbers that are not finite or far too large"
    rotation = rows.rotation.astype(np.float64)
    error = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    proper = (error <= _ROTATION_TOLERANCE) & (np.linalg.det(rotation) > 0)
    if not proper.all():
        return int(np.argmin(proper)), "holds a rotation matrix that is not a rotation"
    trusted = (rows.confidence >= 0) & (rows.confidence <= 1)
    if not trusted.all():
        return int(np.argmin(trusted)), "holds a confidence outside 0 to 1"
    return None
