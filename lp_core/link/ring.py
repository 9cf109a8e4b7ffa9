"""The shared-memory ring: live frames from the worker to a host, without copies through a socket.

A file that both sides map. Little endian, naturally aligned, so that C, Lua and Python agree::

    header, 4096 bytes                              slot, repeated slot_count times, slot_stride bytes each
     0  char[4]  magic "LPSM"                         0  u64  sequence: odd while it is being written
     4  u32      version (1)                          8  u64  frame number, from 1
     8  u32      header size (4096)                  16  u64  time stamp of the driver's frame, ns
    12  u32      slot count                          24  u32  width, height, stride, format
    16  u64      session: start time, ns             40  u64  time at which the frame was finished, ns
    24  u64      slot stride, bytes                  48  (unused)
    32  u32      width, height, stride, format       56  u64  frame number again, written after the pixels
    48  u32      flags, then pid of the writer       64  pixels
    56  u64      number of the newest frame
    64  u64      heartbeat of the writer, ns
    72  u64      sequence of state and message: odd while they are being written
    80  u32      state, then bytes of the message
    88  char[]   message, UTF-8, at most 1024 bytes
  2048  u64      sequence of the reader's report: odd while it is being written
  2056  u64      heartbeat of the reader, ns
  2064  u64      number, time stamp and time of drawing of the last frame the reader drew

Times are those of the system's monotonic clock. The writer puts frame ``n`` into slot ``n mod slot_count``:
sequence + 1, fields and pixels, sequence + 1, newest frame = n. A reader takes the newest frame, copies it and
keeps the copy only if the sequence was even and is unchanged and both frame numbers agree; so it never shows a
torn frame. A mapped file is never made shorter, because that kills anyone who reads it: another size means a new file,
renamed over the old one, whose state then says ``replaced``. Standard library only, Python 3.7 syntax.
"""

import contextlib
import mmap
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple, Union

from ..errors import WorkerError
from .ownership import open_own

MAGIC = b"LPSM"
VERSION = 1
HEADER_SIZE = 4096
SLOT_HEADER = 64
SLOTS = 3  # with fewer a reader starves next to a fast writer
RGBA, BGRA = 3, 5
"""Formats, numbered as libobs numbers them: four bytes a pixel, straight alpha."""
STATES = ("starting", "running", "frozen", "no_face", "failed", "closed", "replaced")
"""What a stream does; the number on the wire is the position here."""
LONGEST_MESSAGE = 1024
LARGEST_SIDE = 16384
"""Pixels; a header that asks for more is not believed."""

_FIXED = struct.Struct("<4s3I2Q6I2Q")
_SHAPE = struct.Struct("<4I")
_SESSION = 16
_LATEST, _HEARTBEAT, _STATUS_SEQUENCE, _STATE, _MESSAGE_SIZE, _MESSAGE = 56, 64, 72, 80, 84, 88
_READER_SEQUENCE, _READER_BEAT, _DRAWN = 2048, 2056, 2064
_TRIES = 4


@dataclass(frozen=True)
class RingFrame:
    """One frame, copied out of a ring."""

    pixels: bytes
    """height * stride bytes, rows top to bottom."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    stride: int
    """Bytes from row to row."""
    format: int
    """RGBA or BGRA."""
    number: int
    """Number of the frame in its session, from 1."""
    time_ns: int
    """When the driver's frame was there, monotonic clock."""
    done_ns: int
    """When the frame was finished, same clock."""


@dataclass(frozen=True)
class DrawnRingFrame:
    """What a reader says of the last frame it put on screen."""

    number: int
    """Number of the frame."""
    time_ns: int
    """Its time stamp."""
    drawn_ns: int
    """When it was drawn, same clock."""


class _Words:
    """64-bit and 32-bit fields of a mapped file, each read and written in one piece (``struct`` goes by bytes)."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self.bytes = memoryview(mapped)
        self.long = self.bytes.cast("Q")
        self.word = self.bytes.cast("I")

    def release(self) -> None:
        self.long.release()
        self.word.release()
        self.bytes.release()


class RingWriter:
    """Makes a ring of one size and writes into it; one thread at a time writes frames.

    Anyone who finds the file finds a complete header: it is made under a temporary name and renamed.
    """

    def __init__(self, path: Union[str, Path], width: int, height: int, pixel_format: int = RGBA) -> None:
        """Makes the file, readable by its owner alone; an older ring of that name is marked as replaced.

        Raises:
            WorkerError: the size is none, or the file cannot be made.
        """
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
            raise WorkerError(f"A live image of {width}x{height} pixels cannot be sent; choose another size.")
        self.path = Path(path)
        self.width, self.height, self.stride = width, height, width * 4
        page = mmap.PAGESIZE
        self._slot_stride = (SLOT_HEADER + self.stride * height + page - 1) // page * page
        self._format = pixel_format
        size = HEADER_SIZE + SLOTS * self._slot_stride
        temporary = self.path.with_name(self.path.name + ".new")
        try:
            self._map = _make(temporary, size)
            self._words = _Words(self._map)
            self._write_header()
            with _told_replaced(self.path):
                os.replace(str(temporary), str(self.path))  # noqa: PTH105 - one spelling for every Python
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise WorkerError(f"The live image cannot be shared in {self.path}: {error.strerror}.") from error
        self._number = 0
        self._is_open = True

    def _write_header(self) -> None:
        now = time.monotonic_ns()
        shape = (self.width, self.height, self.stride, self._format)
        fields = (HEADER_SIZE, SLOTS, now, self._slot_stride, *shape, 0, os.getpid() & 0xFFFFFFFF, 0, now)
        _FIXED.pack_into(self._map, 0, MAGIC, VERSION, *fields)
        self.session = now

    def write(self, pixels: Any, time_ns: int) -> int:  # noqa: ANN401 - anything with the buffer protocol
        """Writes the next frame and returns its number.

        Args:
            pixels: C-contiguous buffer of height * stride bytes.
            time_ns: time stamp of the driver's frame, monotonic clock.
        """
        data = memoryview(pixels).cast("B")
        if len(data) != self.stride * self.height:
            raise WorkerError(f"A frame has {len(data)} bytes where {self.stride * self.height} are needed.")
        number = self._number + 1
        start = HEADER_SIZE + number % SLOTS * self._slot_stride
        at = start // 8
        words = self._words.long
        words[at] += 1
        words[at + 1], words[at + 2] = number, time_ns
        _SHAPE.pack_into(self._map, start + 24, self.width, self.height, self.stride, self._format)
        self._words.bytes[start + SLOT_HEADER : start + SLOT_HEADER + len(data)] = data
        words[at + 5], words[at + 7] = time.monotonic_ns(), number
        words[at] += 1
        words[_LATEST // 8] = number
        words[_HEARTBEAT // 8] = time.monotonic_ns()
        self._number = number
        return number

    @property
    def number(self) -> int:
        """Number of the newest frame; 0 before the first."""
        return self._number

    def beat(self) -> None:
        """Says that the writer lives though there is no new frame."""
        self._words.long[_HEARTBEAT // 8] = time.monotonic_ns()

    def tell(self, state: str, message: str = "") -> None:
        """Publishes state (one of STATES) and a sentence for the user."""
        _tell(self._map, self._words, state, message)

    def reader(self) -> Tuple[int, Optional[DrawnRingFrame]]:
        """(heartbeat of the reader in ns, 0 before one came; what it drew last)."""
        return _reader_words(self._words)

    def close(self, remove: bool = True) -> None:
        """Ends the ring; readers see state ``closed`` (``replaced`` where another one took the name).

        Args:
            remove: takes the file away, unless another ring has its name by now.
        """
        if not self._is_open:
            return
        self._is_open = False
        if _session_of(self.path) == self.session:
            self.tell("closed")
            if remove:
                with contextlib.suppress(OSError):
                    self.path.unlink()
        self._words.release()
        self._map.close()


class RingReader:
    """Follows a ring by name: attaches, copies frames out, and finds the next ring when one takes its place."""

    def __init__(self, path: Union[str, Path]) -> None:
        """Attaches.

        Raises:
            WorkerError: there is no ring of that name, or it cannot be believed.
        """
        self.path = Path(path)
        try:
            descriptor = open_own(self.path, os.O_RDWR)
            try:
                size = os.fstat(descriptor).st_size
                head = os.read(descriptor, _FIXED.size)
                self._check(head, size)  # the rest of a longer file is not mapped
                self._map = mmap.mmap(descriptor, self._header_size + self._slots * self._slot_stride)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise WorkerError(f"There is no live image at {self.path}: {error.strerror}.") from error
        self._words = _Words(self._map)
        self._seen = 0
        self._status = STATES[0], ""
        self.retries = 0
        """How often a copy was thrown away because the writer had been faster."""

    def _check(self, head: bytes, size: int) -> None:
        if len(head) < _FIXED.size or head[:4] != MAGIC:
            raise WorkerError(f"{self.path} is not a ring of live frames; name another file.")
        fields = _FIXED.unpack(head)
        version, header_size, slots, self.session, slot_stride, width, height, stride = fields[1:9]
        if version != VERSION:
            raise WorkerError(f"{self.path} is a ring of version {version}; this program reads {VERSION}.")
        is_sound = (
            header_size >= HEADER_SIZE
            and 1 <= slots <= 64
            and 0 < width <= LARGEST_SIDE
            and 0 < height <= LARGEST_SIDE
            and width * 4 <= stride <= LARGEST_SIDE * 8
            and slot_stride >= SLOT_HEADER + stride * height
            and slot_stride % 8 == 0
            and header_size % 8 == 0
            and size >= header_size + slots * slot_stride
        )
        if not is_sound:
            raise WorkerError(
                f"{self.path} is a ring whose sizes contradict each other; start its writer again."
            )
        self.width, self.height, self.stride, self.format = width, height, stride, fields[9]
        self.pid = fields[11]
        self._header_size, self._slots, self._slot_stride = header_size, slots, slot_stride

    def read(self) -> Optional[RingFrame]:
        """The newest frame; None when it was read before or the writer was faster each time."""
        words = self._words.long
        for _ in range(_TRIES):
            number = words[_LATEST // 8]
            if number in (0, self._seen):
                return None
            start = self._header_size + number % self._slots * self._slot_stride
            at = start // 8
            before = words[at]
            if before % 2 == 0:
                number, stamp, done = words[at + 1], words[at + 2], words[at + 5]
                first = start + SLOT_HEADER
                pixels = self._words.bytes[first : first + self.stride * self.height].tobytes()
                if words[at + 7] == number and words[at] == before:
                    self._seen = number
                    shape = (self.width, self.height, self.stride, self.format)
                    return RingFrame(pixels, *shape, number, stamp, done)
            self.retries += 1
        return None

    @property
    def heartbeat_ns(self) -> int:
        """When the writer last said that it lives."""
        return self._words.long[_HEARTBEAT // 8]

    def status(self) -> Tuple[str, str]:
        """(state, message) of the stream; the last one known while a new one is being written."""
        words = self._words
        for _ in range(_TRIES):
            before = words.long[_STATUS_SEQUENCE // 8]
            state, size = words.word[_STATE // 4], words.word[_MESSAGE_SIZE // 4]
            text = self._map[_MESSAGE : _MESSAGE + min(size, LONGEST_MESSAGE)]
            if before % 2 == 0 and words.long[_STATUS_SEQUENCE // 8] == before:
                known = STATES[state] if state < len(STATES) else "failed"
                self._status = known, text.decode("utf-8", "replace")
                break
        return self._status

    def tell_drawn(self, frame: Optional[RingFrame] = None) -> None:
        """Says that the reader lives and, with a frame, that it was put on screen now."""
        words = self._words.long
        at = _READER_SEQUENCE // 8
        words[at] += 1
        now = words[at + 1] = time.monotonic_ns()
        if frame is not None:
            words[at + 2], words[at + 3], words[at + 4] = frame.number, frame.time_ns, now
        words[at] += 1

    def drawn(self) -> Optional[DrawnRingFrame]:
        """What a reader of this ring, perhaps another one, drew last."""
        return _reader_words(self._words)[1]

    @property
    def was_replaced(self) -> bool:
        """True when another ring has this name by now, or none has."""
        return bool(_session_of(self.path) != self.session)

    def close(self) -> None:
        """Lets go of the memory; may be called twice."""
        if not self._map.closed:
            self._words.release()
            self._map.close()

    def __enter__(self) -> "RingReader":
        return self

    def __exit__(self, *_: Any) -> None:  # noqa: ANN401 - what every context manager takes
        self.close()


def _make(path: Path, size: int) -> mmap.mmap:
    """A new mapped file of zeros; nobody else has it open."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(str(path), flags, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)  # a full disk is reported now and not by SIGBUS later
        else:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _session_of(path: Path) -> Optional[int]:
    """Session of the ring that has a name now; None where there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(_FIXED.size)
    except OSError:
        return None
    if len(head) < _FIXED.size or head[:4] != MAGIC:
        return None
    return int(_FIXED.unpack(head)[4])


@contextlib.contextmanager
def _told_replaced(path: Path) -> Iterator[None]:
    """Tells the readers of the ring that has this name that another one took it, once that is so."""
    try:
        old = RingReader(path)
    except WorkerError:  # there is none
        yield
        return
    with old:
        yield
        _tell(old._map, old._words, "replaced", "")


def _reader_words(words: _Words) -> Tuple[int, Optional[DrawnRingFrame]]:
    at = _READER_SEQUENCE // 8
    for _ in range(_TRIES):
        before = words.long[at]
        beat, number, stamp, drawn = (words.long[at + place] for place in (1, 2, 3, 4))
        if before % 2 == 0 and words.long[at] == before:
            return beat, DrawnRingFrame(number, stamp, drawn) if number else None
    return words.long[at + 1], None


def _tell(mapped: mmap.mmap, words: _Words, state: str, message: str) -> None:
    text = message.encode("utf-8")[:LONGEST_MESSAGE].decode("utf-8", "ignore").encode("utf-8")
    words.long[_STATUS_SEQUENCE // 8] += 1
    words.word[_STATE // 4], words.word[_MESSAGE_SIZE // 4] = STATES.index(state), len(text)
    mapped[_MESSAGE : _MESSAGE + len(text)] = text
    words.long[_STATUS_SEQUENCE // 8] += 1
