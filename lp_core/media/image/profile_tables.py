"""Color profiles made of tables (printers, scanners), applied by LittleCMS through Pillow in 8 bits."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from lp_core.errors import UnreadableMedia
from lp_core.frame import Pixels

_FAILURES = (  # what its readers raise where a file is damaged
    *(
        ImageCms.PyCMSError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        LookupError,
        TypeError,
        AttributeError,
    ),
    *(ArithmeticError, struct.error, Image.DecompressionBombError),
)


def srgb_from_inks(path: Path, data: bytes, icc: bytes) -> Pixels:
    """A CMYK still as sRGB by its profile.

    Args:
        path: for messages.
        data: the whole file, JPEG or TIFF of 8 bits.
        icc: its profile.

    Returns:
        (H, W, 3) uint8 sRGB, not turned upright.

    Raises:
        UnreadableMedia: it cannot be decoded or converted.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return _converted(image.convert("CMYK") if image.mode != "CMYK" else image, icc)
    except _FAILURES as error:
        raise _unusable(path, error) from error


def srgb_by_tables(path: Path, pixels: Pixels, icc: bytes) -> Pixels:
    """(H, W, 3 or 4) uint8 by a profile's tables to sRGB of the same shape; alpha stays.

    Raises:
        UnreadableMedia: the profile cannot be used.
    """
    try:
        colors = _converted(Image.fromarray(np.ascontiguousarray(pixels[..., :3])), icc)
    except _FAILURES as error:
        raise _unusable(path, error) from error
    return np.concatenate([colors, pixels[..., 3:]], axis=2)


def _converted(image: Image.Image, icc: bytes) -> Pixels:
    made = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return np.ascontiguousarray(np.asarray(made))


def _unusable(path: Path, error: Exception) -> UnreadableMedia:
    return UnreadableMedia(
        f"{path} has a color profile that cannot be applied ({error}); convert it to sRGB and save it again."
    )
