"""Animated GIF, PNG and WebP as clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from lp_core.contexts import ClosesOnExit
from lp_core.errors import EmptyVideo, TruncatedMedia, UnreadableMedia
from lp_core.files import check_readable, read_failure
from lp_core.frame import ClipInfo, Frame, Pixels
from lp_core.media.base import AS_STORED, ReadOptions
from lp_core.media.bounds import check_bytes, check_size
from lp_core.media.image.animation_header import AnimationHeader, read_animation
from lp_core.media.image.headers import read_header
from lp_core.media.image.pillow_frames import decoded_frames
from lp_core.media.image.still_color import color_of, to_srgb
from lp_core.media.orientation import turn_upright
from lp_core.media.video.constant_rate import constant_rate, is_even
from lp_core.timing import FrameRate

_TICK = Fraction(1, 1000)


class AnimatedSource(ClosesOnExit):
    """The frames of an animated image, at a rate that keeps every one; loops are played once.

    Where frames are shown for different times, they are repeated as often as their times ask for.

    Raises:
        UnreadableMedia: missing, forbidden, a folder, empty, or not one frame can be decoded.
    """

    def __init__(self, path: str | Path, options: ReadOptions = AS_STORED) -> None:
        """Opens it and decodes one frame; nothing in ``options`` concerns it."""
        del options
        self._path = Path(path)
        self._data = _content(self._path)
        animation = read_animation(self._data)
        if animation is None:
            raise UnreadableMedia(f"{self._path} has a single frame; read it as a still.")
        self._header = read_header(self._data)
        if self._header.size is not None:
            check_size(self._path, *self._header.size)
        self._color = color_of(self._path, self._header)
        first = next(decoded_frames(self._path, self._data))
        self._has_alpha = self._shows_transparency(first, animation)
        rate, self._repeats = _conformed(animation)
        shape = turn_upright(first, self._header.orientation).shape
        self._info = ClipInfo(
            width=shape[1],
            height=shape[0],
            rate=rate,
            frame_count=sum(self._repeats),
            has_alpha=self._has_alpha,
            color=self._color.tags,
            notes=tuple(self._opening_notes(animation, rate)),
        )

    @property
    def info(self) -> ClipInfo:
        """What is known of the clip."""
        return self._info

    @property
    def damaged_frames(self) -> tuple[int, ...]:
        """Always empty: damage ends the clip."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of ``info``."""
        return self._info.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames.

        Raises:
            TruncatedMedia: after the last frame that can be decoded, when the file announces more.
        """
        index = decoded = 0
        for pixels, times in zip(decoded_frames(self._path, self._data), self._repeats, strict=False):
            shown = self._finished(pixels)
            decoded += 1
            for _ in range(times):
                yield Frame(shown, index, self._info.rate.time_s(index))
                index += 1
        if decoded < len(self._repeats):
            raise TruncatedMedia(
                f"{self._path} ends early, after {decoded} of {len(self._repeats)} frames; copy or export it again."
            )

    def close(self) -> None:
        """Releases the file's content; may be called twice."""

    def _shows_transparency(self, first: Pixels, animation: AnimationHeader) -> bool:
        """True where any canvas has it: headers only say that single frames may, to be laid over others."""
        if (first[..., 3] < 255).any():
            return True
        if not (animation.clears or self._header.has_alpha):
            return False
        try:
            return any((pixels[..., 3] < 255).any() for pixels in decoded_frames(self._path, self._data))
        except TruncatedMedia:
            return False  # said when the frames are read

    def _finished(self, rgba: Pixels) -> Pixels:
        """A decoded canvas as it is delivered: in the colors of ``info``, upright."""
        pixels = rgba if self._has_alpha else np.ascontiguousarray(rgba[..., :3])
        if self._color.profile is not None and self._color.profile.is_simple:
            pixels, _ = to_srgb(self._path, pixels, self._color.profile)
        return turn_upright(pixels, self._header.orientation)

    def _opening_notes(self, animation: AnimationHeader, rate: FrameRate) -> Iterator[str]:
        if self._color.note:
            yield self._color.note
        profile = self._color.profile
        if profile is not None and profile.is_simple:
            yield f"{self._path} was converted to sRGB from its color profile '{profile.name}'."
        elif profile is not None:
            yield f"{self._path} has a color profile made of tables ('{profile.name}'), which is not applied."
        if self._header.bit_depth > 8:
            yield f"{self._path} is an animated image of {self._header.bit_depth} bits; it is read with 8."
        if max(self._repeats) > 1:
            yield (
                f"{self._path} shows its {len(animation.durations_s)} frames for different times; it is delivered at a "
                f"constant {rate} frames per second, which keeps them all."
            )


def _content(path: Path) -> bytes:
    try:
        check_readable(path)
        check_bytes(path, path.stat().st_size)
        return path.read_bytes()
    except EmptyVideo as error:
        raise UnreadableMedia(str(error)) from error
    except OSError as error:
        raise read_failure(path, error) from error


def _conformed(animation: AnimationHeader) -> tuple[FrameRate, Sequence[int]]:
    """A constant rate, and how often each frame is delivered at it: at least once."""
    durations = animation.durations_s
    starts = [Fraction(0)]
    for duration in durations:
        starts.append(starts[-1] + duration)
    if is_even(starts, _TICK):
        fps = constant_rate(starts, len(durations) / starts[-1], _TICK) or len(durations) / starts[-1]
        return FrameRate(fps), [1] * len(durations)
    fps = 1 / min(durations)
    # The first period of the grid that begins while the frame is shown, rounded up; so each frame has one.
    grid = [-(-start * fps // 1) for start in starts]
    return FrameRate(fps), [int(end - begin) for begin, end in zip(grid, grid[1:], strict=False)]
