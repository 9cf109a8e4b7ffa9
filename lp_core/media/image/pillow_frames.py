"""Frames of GIF, animated PNG and animated WebP by Pillow: composed, one after the other."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lp_core.errors import MediaError, TruncatedMedia, UnreadableMedia
from lp_core.frame import Pixels
from lp_core.media.bounds import check_size

_FAILURES = (  # what its readers raise where a file is damaged
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(struct.error, Image.DecompressionBombError),
)


def decoded_frames(path: Path, data: bytes) -> Iterator[Pixels]:
    """The whole canvas after each frame, played once.

    Args:
        path: for messages.
        data: the file.

    Yields:
        (H, W, 4) uint8 RGBA, straight alpha, not turned upright.

    Raises:
        UnreadableMedia: not one frame can be decoded.
        TruncatedMedia: a later one cannot; those before have been yielded.
    """
    count = 0
    try:
        with _quietly():
            image = Image.open(io.BytesIO(data))
            total = getattr(image, "n_frames", 1)
            first = 1 if getattr(image, "default_image", False) else 0
        with image:
            for number in range(first, total):
                with _quietly():
                    image.seek(number)
                    check_size(path, *image.size)
                    pixels = np.array(image.convert("RGBA"))
                count += 1
                yield pixels
    except _FAILURES as error:
        raise _broken(path, count, error) from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings on the terminal: damage raises errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _broken(path: Path, count: int, error: Exception) -> MediaError:
    reason = str(error) or type(error).__name__
    if count:
        return TruncatedMedia(
            f"{path} ends early, after {count} frames ({reason}); copy or export it again, or use it cut to that "
            "length."
        )
    return UnreadableMedia(f"{path} cannot be decoded ({reason}); save it again as PNG, TIFF or JPEG.")
