"""Videos, decoded as a stream at a constant rate."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from lp_core.contexts import ClosesOnExit
from lp_core.errors import EmptyVideo, MediaError, TruncatedMedia, UnreadableMedia
from lp_core.files import read_failure
from lp_core.frame import ClipInfo, Frame, Pixels
from lp_core.media.base import AS_STORED, ReadOptions
from lp_core.media.bounds import check_size
from lp_core.media.frame_pattern import name_runs
from lp_core.media.video.constant_rate import TimedItem, conform, hold_over_gaps
from lp_core.media.video.decode import TrackDecoder
from lp_core.media.video.header import Timing, describe, open_film, plan_timing, read_timing, video_stream
from lp_core.media.video.interlacing import check_fields, deinterlaced
from lp_core.media.video.packet_times import read_times
from lp_core.media.video.rgb import ToRgb

_LISTED = 6  # changes of size or format that a note names


class VideoSource(ClosesOnExit):
    """A video's frames at a constant rate, decoded as they are asked for; it can be iterated once.

    Opening decodes one frame, because only a frame shows format, color and rotation for certain, and reads the
    packets through where the container has no index of a constant rate, because only they give the length.

    A frame that cannot be decoded is replaced by the one before it, so that no later frame changes its number;
    ``damaged_frames`` lists them. A video that ends before its header says delivers all that is there and then
    raises TruncatedMedia, which says after how many frames: a render can decide to keep what it has.

    Raises:
        UnreadableMedia: missing, forbidden, a folder, or nothing that can be decoded.
        EmptyVideo: no video track, or one without an image.
        TruncatedMedia: the file was cut off before the tables that say where its images are.
    """

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        self._path = Path(path)
        self._follows = options.references == "follow"
        self._container = open_film(self._path, self._follows)
        try:
            self._stream, guess = video_stream(self._path, self._container)
            if self._stream.codec_context.width:  # else the first frame decides
                check_size(self._path, self._stream.codec_context.width, self._stream.codec_context.height)
            timing = read_timing(self._path, self._stream, self._follows)
            self._decoder = TrackDecoder(self._container, self._stream, timing)
            pictures = hold_over_gaps(self._decoder.frames())
            first = self._first(pictures)
            self._timing = self._without_leading(timing)
            self._origin_s = first.time_s
            check_fields(self._path, first.item[0], options.interlaced)
            self._info, orientation = describe(
                self._path, self._container, self._stream, first.item[0], self._timing
            )
            if guess:
                self._info = replace(self._info, notes=(guess, *self._info.notes))
        except BaseException:
            self._container.close()
            raise
        self._pictures: Iterator[TimedItem[tuple[VideoFrame, bool]]] = itertools.chain([first], pictures)
        if options.interlaced == "frame" and first.item[0].interlaced_frame:
            self._pictures = deinterlaced(self._pictures)
        size = first.item[0].width, first.item[0].height
        self._to_rgb = ToRgb(size, self._info.bit_depth, self._info.has_alpha, self._info.color, orientation)
        self._damaged: list[int] = []
        self._changes: list[str] = []
        self._repeated = 0
        self._is_open = True

    @property
    def info(self) -> ClipInfo:
        """What is known of the clip."""
        return self._info

    @property
    def origin_s(self) -> Fraction:
        """Time of the first frame in the file's own clock, in seconds."""
        return self._origin_s

    @property
    def joins_s(self) -> tuple[Fraction, ...]:
        """What to add to the file's own times after each jump of its clock, in seconds."""
        return self._timing.times.joins_s if self._timing.times is not None else ()

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices delivered so far that repeat a neighbor because their own image could not be decoded."""
        return tuple(self._damaged)

    @property
    def notes(self) -> tuple[str, ...]:
        """``info.notes`` and what came up while reading."""
        found = list(self._info.notes)
        if self._damaged:
            found.append(
                f"{self._path} has {len(self._damaged)} damaged frames, in whose place the one before was "
                f"used: {name_runs(self._damaged)}."
            )
        if self._repeated:
            found.append(
                f"{self._path} was conformed to {self._info.rate} frames per second: {self._repeated} frames "
                "were repeated, 0 left out."
            )
        if self._changes:
            more = f" and {len(self._changes) - _LISTED} more" if len(self._changes) > _LISTED else ""
            found.append(
                f"{self._path} changes within: {', '.join(self._changes[:_LISTED])}{more}; every frame is delivered "
                "in the size and format of frame 0."
            )
        return tuple(found)

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
            TruncatedMedia: after the last frame, when the file holds fewer than its header says.
            MediaError: the source is closed or was read before.
        """
        rate = self._info.rate
        count = 0
        try:
            for count, (pixels, is_damaged) in enumerate(self._conformed(), start=1):
                if is_damaged:
                    self._damaged.append(count - 1)
                yield Frame(pixels, count - 1, rate.time_s(count - 1))
        except (av.FFmpegError, ValueError) as error:
            raise read_failure(self._path, error) from error
        self._check_complete(count)

    def close(self) -> None:
        """Releases the file; may be called twice."""
        self._is_open = False
        self._container.close()

    def _first(
        self, pictures: Iterator[TimedItem[tuple[VideoFrame, bool]]]
    ) -> TimedItem[tuple[VideoFrame, bool]]:
        first = next(pictures, None)
        if first is not None:
            check_size(self._path, first.item[0].width, first.item[0].height)
            return first
        if self._decoder.count or self._decoder.dropped:
            count = self._decoder.count + len(self._decoder.dropped)
            raise UnreadableMedia(
                f"{self._path} holds {count} frames, none of which can be decoded; copy or convert it again."
            )
        raise EmptyVideo(f"{self._path} has a video track without a frame; record or export it again.")

    def _without_leading(self, timing: Timing) -> Timing:
        """The timing once it is known which frames cannot be decoded because the file begins after their others."""
        dropped = self._decoder.dropped
        if not dropped:
            return timing
        times = timing.times or read_times(self._path, self._stream.index, self._follows)
        note = (
            f"{self._path} begins in the middle of a group of frames: {len(dropped)} at its start cannot be decoded "
            "without those before it, and are left out."
        )
        if timing.times is None:
            count = timing.stored_count - len(dropped)
            return replace(timing, stored_count=count, delivered_count=count, notes=(note,))
        planned = plan_timing(self._path, self._stream, times.without(dropped))
        return replace(planned, notes=(note, *planned.notes))

    def _conformed(self) -> Iterator[tuple[Pixels, bool]]:
        """Pixels and whether they replace a damaged frame; converted only when shown, repeats once."""
        if not self._is_open:
            raise MediaError(f"{self._path} was read or closed already; open it again to read it once more.")
        shown: tuple[VideoFrame, bool] | None = None
        drawn: VideoFrame | None = None
        pixels: Pixels | None = None
        form = ""
        for index, item in enumerate(self._spread()):
            self._repeated += item is shown
            shown = item
            picture, is_damaged = item
            if pixels is None or picture is not drawn:
                form = self._note_change(index, form, picture)
                pixels, drawn = self._to_rgb(picture), picture
            yield pixels, is_damaged
        self._is_open = False

    def _spread(self) -> Iterator[tuple[VideoFrame, bool]]:
        if self._timing.is_even:
            return (shown.item for shown in self._pictures)
        return conform(self._pictures, self._timing.rate, keeps_all=True)

    def _note_change(self, index: int, before: str, picture: VideoFrame) -> str:
        form = f"{picture.width}x{picture.height} {picture.format.name}"
        if before and form != before:
            check_size(self._path, picture.width, picture.height)
            self._changes.append(f"{form} from frame {index}")
        return form

    def _check_complete(self, delivered: int) -> None:
        timing = self._timing
        if timing.is_short or self._decoder.was_cut or self._decoder.count < timing.stored_count:
            expected = f" of {self._info.frame_count}" if self._info.frame_count else ""
            raise TruncatedMedia(
                f"{self._path} ends early, after {delivered}{expected} frames; copy or record it again, "
                "or use it cut to that length."
            )


def first_frame_s(path: Path) -> tuple[Fraction, tuple[Fraction, ...]] | None:
    """Time of the first frame of a video by its own clock, and the jumps of that clock; None without a video.

    See ``VideoSource.origin_s`` and ``VideoSource.joins_s``.
    """
    try:
        with VideoSource(path, ReadOptions(interlaced="keep")) as source:
            return source.origin_s, source.joins_s
    except (MediaError, av.FFmpegError):
        return None
