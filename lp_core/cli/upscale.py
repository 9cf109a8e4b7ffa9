"""``lpsuite upscale``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option


@click.command(short_help="Make a video or images larger.")
@click.argument("source")
@click.option("-o", "--output", required=True, help="Video, or frame pattern such as out.%04d.png.")
@click.option("--model", "upscale", default="x4plus", show_default=True, help="Same as --upscale of animate.")
@click.option("--scale", "upscale_scale", default=0.0, type=float, help="Same as --upscale-scale of animate.")
@click.option("--height", "upscale_height", default=0, type=int, help="Same as --upscale-height of animate.")
@click.option("--tile", "upscale_tile", default=0, type=int, help="Same as --upscale-tile of animate.")
@click.option("--backend", "upscale_backend", default="auto", help="Same as --upscale-backend of animate.")
@settings_options(
    "denoise", "steady", "device", "precision", "ocio", "input_space", "missing", "interlaced", "references",
    "codec", "quality", "audio", "fps", "exr_compression", "overwrite", "strict",
)  # fmt: skip
@progress_option
@debug_option
def upscale(source: str, output: str, progress: str, **values: Any) -> None:  # noqa: ANN401
    """Makes SOURCE larger with a Real-ESRGAN network, or any checkpoint that spandrel reads.

    Depth, alpha, frame rate, frame numbers, timecode and sound stay as they are.
    """
    settings = settings_from(values)
    with make_reporter(progress) as reporter:
        from lp_core.upscaling import assemble_upscale

        reporter.done(assemble_upscale(source, output, settings).run(reporter.progress))
