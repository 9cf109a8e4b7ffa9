"""``lpsuite demo``: animates the astronaut portrait without network, driving video or settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PORTRAIT = Path(__file__).with_name("astronaut.png")
"""Eileen Collins, NASA, public domain; the crop that scikit-image publishes, 512x512."""
MOTION = "demo:expressive"
COLUMNS, ROWS = 6, 3
"""Images of the contact sheet."""


def make_demo(folder: Path) -> tuple[Path, Path]:
    """Renders the demo video and its contact sheet into a folder; replaces those of an earlier run."""
    from lp_core.assemble import assemble
    from lp_core.cli.progress import make_reporter
    from lp_core.job import RenderJob
    from lp_core.media.image.stills import write_image
    from lp_core.settings import OutputSettings, RenderSettings

    video, sheet = folder / "demo.mp4", folder / "demo.png"
    settings = RenderSettings(output=OutputSettings(overwrite=True))
    with make_reporter("auto") as reporter:
        job = RenderJob(str(PORTRAIT), MOTION, str(video), settings)
        reporter.done(assemble(job).run(reporter.progress))
    write_image(sheet, contact_sheet(video))
    return video, sheet


def contact_sheet(video: Path) -> NDArray[np.uint8]:
    """Evenly spaced frames of a video at half size, row by row: (H, W, 3) uint8."""
    import numpy as np

    from lp_core.media.open import open_source

    with open_source(video) as source:
        total = source.info.frame_count or sum(1 for _ in source)
    wanted = {round(index * (total - 1) / (COLUMNS * ROWS - 1)) for index in range(COLUMNS * ROWS)}
    with open_source(video) as source:
        tiles = [half_size(frame.as_rgb8()) for frame in source if frame.index in wanted]
    tiles += [np.zeros_like(tiles[0])] * (COLUMNS * ROWS - len(tiles))
    rows = [np.concatenate(tiles[row * COLUMNS : (row + 1) * COLUMNS], axis=1) for row in range(ROWS)]
    return np.concatenate(rows)


def half_size(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The means of blocks of two by two pixels; an odd last row or column is dropped. (H, W, 3) uint8."""
    import numpy as np

    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    blocks = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    halved: NDArray[np.uint8] = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return halved


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="out",
    show_default=True,
    help="Folder for the video and its contact sheet; those of an earlier run are replaced.",
)
@debug_option
def demo(output: Path) -> None:
    """Animate a portrait that comes with LP Suite: no media and no settings needed."""
    video, sheet = make_demo(output)
    say(f"Video: {video.resolve()}\nContact sheet: {sheet.resolve()}")
