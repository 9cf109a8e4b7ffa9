"""Contact sheets of small images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.files import write_whole

U8 = NDArray[np.uint8]
GAP_PX = 2


def contact_sheet(rows: Sequence[Sequence[U8]]) -> U8:
    """Images of one size in rows, two pixels apart.

    Args:
        rows: of (H, W, 3) uint8 images; short rows end in black.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = np.zeros((len(rows) * (height + GAP_PX), columns * (width + GAP_PX), 3), np.uint8)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = y * (height + GAP_PX), x * (width + GAP_PX)
            sheet[top : top + height, left : left + width] = image
    return sheet


def as_u8(image: NDArray[np.floating[Any]]) -> U8:
    """(3, H, W) floats, 0..1 -> (H, W, 3) uint8."""
    return np.asarray(np.clip(np.rint(np.moveaxis(image, 0, -1) * 255), 0, 255), np.uint8)


def write_png(path: Path, image: U8) -> None:
    """Writes an RGB image."""
    write_whole(path, bytes(cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1]), durable=False)
