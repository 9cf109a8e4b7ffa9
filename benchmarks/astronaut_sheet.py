"""Makes the README's picture: the astronaut under the built-in expressive motion.

python benchmarks/astronaut_sheet.py docs/images/astronaut.png
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from lp_core.assemble import assemble
from lp_core.cli.demo import find_portrait
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


def main() -> None:
    """Renders the film, picks the moments, writes the sheet."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mkv"
        settings = RenderSettings(output=OutputSettings(codec="ffv1", overwrite=True))
        assemble(RenderJob(str(find_portrait()), "demo:expressive", str(film), settings)).run()
        with open_source(film) as source:
            frames = [frame.as_rgb8()[HEAD] for frame in source]
        tiles = [
            cv2.resize(frames[round(moment * 25)], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            for moment in MOMENTS_S
        ]
    rows = [np.hstack(tiles[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)]
    write_image(Path(sys.argv[1]), np.vstack(rows))


if __name__ == "__main__":
    main()
