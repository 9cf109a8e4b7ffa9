"""Contracts of everything that delivers or takes frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from lp_core.errors import SettingError
from lp_core.frame import AlphaState, ClipInfo, ColorTags, Frame, SampleType, Windows
from lp_core.timing import FrameRange, FrameRate, Timecode


@dataclass(frozen=True)
class AudioTrack:
    """Whose sound goes next to the image."""

    path: Path
    """A video or sound file; its first sound track is taken."""
    start_s: Fraction = Fraction(0)
    """Where the output begins in that file, in seconds from its first image (first sample if none)."""
    duration_s: Fraction | None = None
    """At most this much of it, in seconds; None: as long as the image lasts."""

    def __post_init__(self) -> None:
        if self.start_s < 0 or (self.duration_s is not None and self.duration_s <= 0):
            raise SettingError(
                f"A sound that starts at {self.start_s} s and lasts {self.duration_s} s cannot be cut from "
                f"{self.path}; give a start of at least 0 and a length above 0."
            )


@dataclass(frozen=True)
class Attribute:
    """A value of an image's header with the type it is stored in, so that it can be written as it was."""

    kind: str
    """Type in OpenImageIO's words: int, float, string, rational, timecode, matrix, float[8], ..."""
    value: Any
    """The value; a tuple for more than one number."""


@dataclass(frozen=True)
class ReadOptions:
    """What a user may choose about reading a clip; a reader ignores what its kind of file does not have."""

    rate: FrameRate | None = None
    """Rate of an image sequence; None: the one its headers say, else 24 frames per second."""
    frames: FrameRange | None = None
    """Frames to deliver, by the numbers they bear (videos count from 0); None: all."""
    clip: FrameRange | None = None
    """Frames that make up the clip, where its name says so; None: all numbers that are there."""
    missing: str = "error"
    """Numbered images that are not there: 'error', 'hold' (the one before) or 'black'."""
    layer: str | None = None
    """Layer of a multi-layer image; None: its main image."""
    view: str | None = None
    """View of a stereo image; None: its first."""
    interlaced: str = "refuse"
    """Videos of fields: 'refuse', 'frame' (a frame of each two fields) or 'keep' (as they are)."""
    references: str = "refuse"
    """Containers that name their media in other files: 'refuse' or 'follow' (to local files)."""
    step: int = 1
    """Numbers from one image of the clip to the next, counted from its first; each lasts until the next."""


AS_STORED = ReadOptions()
"""Nothing chosen: a clip as it is."""


@dataclass(frozen=True)
class SinkSpec:
    """What a sink has to write."""

    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    rate: FrameRate
    """Frame rate; an image sequence carries none and ignores it."""
    bit_depth: int
    """Bits per channel of the frames that will be written: 8 (uint8), 16 (uint16) or 32 (float32)."""
    has_alpha: bool
    """True when the frames are RGBA."""
    color: ColorTags
    """Color description of the frames; for matrix 'gbr' a YCbCr video takes bt709 in video range."""
    codec: str
    """A video's codec, one of lp_core.settings.VIDEO_CODECS; an image sequence ignores it."""
    quality: int
    """Constant rate factor of h264 and hevc, 0..51; other codecs ignore it."""
    overwrite: bool
    """True: replace an output that exists."""
    audio: AudioTrack | None = None
    """Sound to put next to the image of a video."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Words for a video's container: title, comment, ..."""
    start_number: int = 1
    """Number of the first image of a sequence."""
    alpha: AlphaState = "straight"
    """State of the frames' alpha; a sink turns it into what its file has."""
    sample_type: SampleType = "int"
    """How EXR keeps the image: 'half' or 'float'; 'int': half for 8-bit frames, else float."""
    exr_compression: str = "zips"
    """Compression of EXR, see ``lp_core.settings``."""
    windows: Windows | None = None
    """Display and data window of the frames; None: both are the frame."""
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel divided by its height."""
    timecode: Timecode | None = None
    """Timecode of the first frame."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the source's header says, for files that hold such things: name -> value or ``Attribute``."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise SettingError(
                f"An image of {self.width}x{self.height} pixels cannot be written; give at least 1x1."
            )
        if self.bit_depth not in (8, 16, 32):
            raise SettingError(
                f"Frames of {self.bit_depth} bits cannot be written; hand over 8, 16 or 32 bits."
            )


class FrameSource(Protocol):
    """Delivers the frames of a clip once, in order, at a constant rate.

    Opening decodes one frame at most and finds the length where the file holds it. Iterating yields exactly one
    frame per frame period, indices 0, 1, 2, ... without gaps. ``close`` may be called twice and ends a running
    iteration's resources.
    """

    @property
    def info(self) -> ClipInfo:
        """What is known before decoding."""
        ...

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices delivered so far that repeat a neighbor because their own image could not be decoded."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """``info.notes`` and what came up while reading; complete when the iteration has ended."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames; raises TruncatedMedia or EmptyVideo where the file lets it down."""
        ...

    def close(self) -> None:
        """Releases the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ResumableSink(Protocol):
    """An output written in parts, in any order, by any number of processes, each part at most once more.

    Whatever ``write`` finished stays, through a crash too. The result is the same however it was cut up.
    """

    @property
    def part_length(self) -> int:
        """Frames of a part: parts begin at its multiples."""
        ...

    def missing(self, total: int) -> list[range]:
        """Runs of the frames 0..total-1 that are not finished; every run begins at a part."""
        ...

    def drop_damaged(self, total: int) -> list[range]:
        """Compares finished parts with their checksums; those that differ are missing from then on, and returned.

        What this sink has written or compared before is not read again.
        """
        ...

    def write(self, first: int, frames: Iterable[Frame]) -> None:
        """Takes the frames from ``first`` on, which begins a part; a last part may be shorter.

        Raises:
            MediaError: a frame cannot be kept; finished parts stay.
        """
        ...

    def join(self, total: int) -> tuple[str, ...]:
        """Makes the whole of its parts under its final name; returns sentences the user should see.

        Raises:
            MediaError: parts are missing, or the whole cannot be written.
        """
        ...

    def discard(self) -> None:
        """Removes everything that was written."""
        ...


class FrameSink(Protocol):
    """Takes frames in order; the result appears under its final name only on ``commit``.

    Leaving the context without ``commit`` aborts: whatever was written to a temporary file is removed.
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see, such as that alpha could not be kept; complete after ``commit``."""
        ...

    def write(self, frame: Frame) -> None:
        """Takes the next frame; size and channel count must be those of the first one."""
        ...

    def commit(self) -> None:
        """Finishes the file and moves it to its final name."""
        ...

    def abort(self) -> None:
        """Removes what was written; may be called twice, also after ``commit`` (then it does nothing)."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


OpenSink = Callable[[Path, SinkSpec], FrameSink]
"""Opens a file, or a numbered sequence, for frames as the specification says."""
