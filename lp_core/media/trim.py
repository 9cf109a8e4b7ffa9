"""Some frames of a video: those before are decoded and passed over, those after never read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lp_core.contexts import ClosesOnExit
from lp_core.errors import SettingError
from lp_core.frame import ClipInfo, Frame
from lp_core.media.base import FrameSource
from lp_core.timing import FrameRange


class TrimmedSource(ClosesOnExit):
    """Delivers a range of a source's frames as a separate clip, which begins at index 0 and time 0."""

    def __init__(self, name: str, source: FrameSource, frames: FrameRange) -> None:
        """Takes the source over and closes it with itself.

        Args:
            name: file name, for messages.
            source: delivers all frames.
            frames: numbers of those wanted, as ``source.info.first_frame`` counts.

        Raises:
            SettingError: the source has no such frames; it is closed then.
        """
        info, self._name, self._source = source.info, name, source
        start = 0 if info.first_frame is None else info.first_frame
        self._skipped, self._count = frames.first - start, len(frames)
        end = self._skipped + self._count
        if self._skipped < 0 or (info.frame_count is not None and end > info.frame_count):
            source.close()
            last = "?" if info.frame_count is None else start + info.frame_count - 1
            raise SettingError(f"{name} has the frames {start} to {last}, not {frames}; give a range within.")
        self._info = replace(
            info,
            frame_count=self._count,
            first_frame=frames.first,
            frames_before=self._skipped,
            timecode=None if info.timecode is None else info.timecode.plus(self._skipped),
        )

    @property
    def info(self) -> ClipInfo:
        """What is known of the part."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Indices, within the part, of frames that replace damaged ones."""
        return tuple(
            index - self._skipped
            for index in self._source.damaged_frames
            if 0 <= index - self._skipped < self._count
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The source's notes."""
        return self._source.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames of the part.

        Raises:
            SettingError: the video, which did not say its length, ends before the part does.
        """
        delivered = 0
        for frame in self._source:
            index = frame.index - self._skipped
            if index < 0:
                continue
            yield replace(frame, index=index, time_s=self._info.rate.time_s(index))
            delivered = index + 1
            if delivered == self._count:
                return
        raise SettingError(
            f"{self._name} ends {self._count - delivered} frames before the part asked for does; give a range "
            "within its length."
        )

    def close(self) -> None:
        """Releases the file."""
        self._source.close()
