"""``python -m lp_core.cli.demo``: animates the astronaut portrait without network, driver or settings."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from lp_core.errors import LpError, ModelDamaged, missing_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PORTRAIT_SHA256 = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
"""Eileen Collins, NASA, public domain; skimage/data/astronaut.png of scikit-image."""
MOTION = "demo:expressive"
COLUMNS, ROWS = 6, 3
"""Pictures of the contact sheet."""


def find_portrait() -> Path:
    """The astronaut in the installed scikit-image, which is not imported.

    Raises:
        MissingDependency: scikit-image is not installed.
        ModelDamaged: the picture is not the published one.
    """
    spec = find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    path = next((Path(folder, "data", "astronaut.png") for folder in folders), None)
    if path is None or not path.is_file():
        raise missing_extra("The demo's portrait", "demo")
    if hashlib.sha256(path.read_bytes()).hexdigest() != PORTRAIT_SHA256:
        raise ModelDamaged(f"{path} is not the published picture; install scikit-image again.")
    return path


def make_demo(folder: Path) -> tuple[Path, Path]:
    """Renders the demo film and its contact sheet into a folder; replaces those of an earlier run."""
    from lp_core.assemble import assemble
    from lp_core.cli.progress import make_reporter
    from lp_core.job import RenderJob
    from lp_core.media.image.stills import write_image
    from lp_core.settings import OutputSettings, RenderSettings

    film, sheet = folder / "demo.mp4", folder / "demo.png"
    settings = RenderSettings(output=OutputSettings(overwrite=True))
    with make_reporter("auto") as reporter:
        job = RenderJob(str(find_portrait()), MOTION, str(film), settings)
        reporter.done(assemble(job).run(reporter.progress))
    write_image(sheet, contact_sheet(film))
    return film, sheet


def contact_sheet(film: Path) -> NDArray[np.uint8]:
    """Evenly spaced pictures of a film at half size, row by row: (H, W, 3) uint8."""
    import numpy as np

    from lp_core.media.open import open_source

    with open_source(film) as source:
        total = source.info.frame_count or sum(1 for _ in source)
    wanted = {round(index * (total - 1) / (COLUMNS * ROWS - 1)) for index in range(COLUMNS * ROWS)}
    with open_source(film) as source:
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


def main() -> NoReturn:
    """Makes the demo in ``out/`` and prints where it is."""
    try:
        film, sheet = make_demo(Path("out"))
    except LpError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    click.echo(f"Film: {film.resolve()}\nContact sheet: {sheet.resolve()}")
    sys.exit(0)


if __name__ == "__main__":
    main()
