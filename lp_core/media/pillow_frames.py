"""Frames of GIF, animated PNG and animated WebP by Pillow: composed, one after the other."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lp_core.errors import MediaError, TruncatedMedia, UnreadableMedia
from lp_core.frame import Pixels

_FAILURES = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        with image:
            total = getattr(image, "n_frames", 1)
            first = 1 if getattr(image, "default_image", False) else 0
            for number in range(first, total):
                image.seek(number)
                pixels = np.array(image.convert("RGBA"))
                count += 1
                yield pixels
    except _FAILURES as error:
        raise _broken(path, count, error) from error


def _broken(path: Path, count: int, error: Exception) -> MediaError:
    reason = str(error) or type(error).__name__
    if count:
        return TruncatedMedia(
            f"{path} ends early, after {count} frames ({reason}); copy or export it again, or use it cut to that "
            "length."
        )
    return UnreadableMedia(f"{path} cannot be decoded ({reason}); save it again as PNG, TIFF or JPEG.")
