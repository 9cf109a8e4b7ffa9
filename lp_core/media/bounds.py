"""The largest images that are read and written: one bound for stills, sequences, videos and pushed frames.

Libraries below this program fail in their own ways beyond these sizes: some wrap a 16-bit coordinate, some abort the
process. So the size is read from the header and checked before anything is decoded. Numbers in, an error out.
"""

from __future__ import annotations

from pathlib import Path

from lp_core.errors import MediaError, UnreadableMedia

LONGEST_SIDE = 32_766
"""Pixels of a side; coordinates of image libraries have 16 bits with a sign."""
MOST_PIXELS = 1 << 28
"""Pixels of an image: 16384 x 16384."""
MOST_SAMPLES = MOST_PIXELS * 4
"""Numbers that are read for an image of many channels."""
MOST_BYTES = 1 << 33
"""Bytes of a still's file."""


def check_size(name: str | Path, width: int, height: int) -> None:
    """Refuses to read an image that is too large, or that has no pixels.

    Args:
        name: of the file, for the message.
        width: pixels.
        height: pixels.

    Raises:
        UnreadableMedia: the size is not between 1 and the bounds.
    """
    if width < 1 or height < 1:
        raise UnreadableMedia(f"{name} has {width}x{height} pixels; export it again.")
    if not _fits(width, height):
        raise UnreadableMedia(f"{name} has {width}x{height} pixels, and {_limits()}; make it smaller.")


def check_output_size(name: str | Path, width: int, height: int) -> None:
    """Refuses to write an image that is too large.

    Raises:
        MediaError: the size is beyond the bounds.
    """
    if not _fits(width, height):
        raise MediaError(
            f"{name} would have {width}x{height} pixels, and {_limits()}; enlarge it less, or begin with a smaller "
            "image."
        )


def check_samples(name: str | Path, width: int, height: int, channels: int) -> None:
    """Refuses to read an image whose channels together are too large.

    Raises:
        UnreadableMedia: width times height times channels is beyond the bound.
    """
    if width * height * channels > MOST_SAMPLES:
        raise UnreadableMedia(
            f"{name} has {width}x{height} pixels, and its channels are so far apart that {channels} must be read; "
            "export the layer to a file."
        )


def check_bytes(path: Path, size: int) -> None:
    """Refuses to load a file that is too large for a still.

    Raises:
        UnreadableMedia: it has more than MOST_BYTES.
    """
    if size > MOST_BYTES:
        raise UnreadableMedia(
            f"{path} has {size / (1 << 30):.1f} GiB, and images of up to {MOST_BYTES >> 30} GiB are read; make it "
            "smaller."
        )


def _fits(width: int, height: int) -> bool:
    return max(width, height) <= LONGEST_SIDE and width * height <= MOST_PIXELS


def _limits() -> str:
    return f"images of up to {LONGEST_SIDE} pixels a side and {MOST_PIXELS / 1e6:.0f} million in all are supported"
