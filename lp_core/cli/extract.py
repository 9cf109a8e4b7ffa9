"""``lpsuite extract``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option


@click.command(short_help="Store a performance as a motion file.")
@click.argument("driving")
@click.option("-o", "--output", required=True, help="Motion file to write, such as talk.lpmotion.")
@settings_options("driving_face", "engine", "overwrite")
@progress_option
@debug_option
def extract(driving: str, output: str, progress: str, **values: Any) -> None:  # noqa: ANN401
    """Reads the performance of DRIVING once and stores it as a motion file."""
    settings = settings_from(values)
    with make_reporter(progress) as reporter:
        from lp_core.assemble import assemble_extraction

        reporter.done(assemble_extraction(driving, output, settings).run(reporter.progress))
