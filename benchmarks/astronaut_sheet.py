"""Makes the images of the README: the astronaut under the built-in expressive motion.

python benchmarks/astronaut_sheet.py docs/images/astronaut.png     a contact sheet
python benchmarks/astronaut_sheet.py docs/images/demo.webp         a moving image
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lp_core.assemble import assemble
from lp_core.cli.demo import PORTRAIT
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.settings import OutputSettings, RenderSettings

MOMENTS_S = (0.0, 0.5, 1.5, 2.76, 3.72, 4.84, 5.16, 6.44, 7.6, 8.0)
"""Rest, blink, smile and brows, both turns, speech, smile, wink."""
ROWS, COLUMNS = 2, 5
HEAD = slice(0, 200), slice(120, 320)
"""Rows and columns of the photo that are shown."""
SIDE = 240
MOVING_SIDE = 320
STEP = 2
"""The moving image shows every second frame."""


def main() -> None:
    """Renders the video and writes what the file name asks for."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mkv"
        settings = RenderSettings(output=OutputSettings(codec="ffv1", overwrite=True))
        assemble(RenderJob(str(PORTRAIT), "demo:expressive", str(video), settings)).run()
        with open_source(video) as source:
            frames = [frame.as_rgb8()[HEAD] for frame in source]
    if target.suffix == ".webp":
        moving = [Image.fromarray(enlarged(frame, MOVING_SIDE)) for frame in frames[::STEP]]
        moving[0].save(
            target, save_all=True, append_images=moving[1:], duration=40 * STEP, loop=0, quality=80, method=6
        )
        return
    tiles = [enlarged(frames[round(moment * 25)], SIDE) for moment in MOMENTS_S]
    rows = [np.hstack(tiles[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)]
    write_image(target, np.vstack(rows))


def enlarged(frame: np.ndarray, side: int) -> np.ndarray:
    """The frame at ``side`` pixels a side."""
    return cv2.resize(np.ascontiguousarray(frame), (side, side), interpolation=cv2.INTER_CUBIC)


if __name__ == "__main__":
    main()
