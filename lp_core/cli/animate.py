"""``lpsuite animate``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import KeyUnusable


@click.command(short_help="Lay a performance onto a portrait.")
@click.argument("source")
@click.argument("driving")
@click.option("-o", "--output", required=True, help="Film, or frame pattern such as out.%04d.png.")
@settings_options()
@progress_option
@debug_option
def animate(source: str, driving: str, output: str, progress: str, **values: Any) -> None:  # noqa: ANN401
    """Lays the performance of DRIVING onto SOURCE.

    SOURCE is a portrait or a film of one. DRIVING is a film, a picture, a motion file (.lpmotion), a
    template of the published LivePortrait pipeline (.pkl) or a built-in motion: demo:expressive, demo:blink,
    demo:nod, demo:still.
    """
    from lp_core.job import RenderJob

    job = RenderJob(source, driving, output, settings_from(values))
    with make_reporter(progress) as reporter:
        from lp_core.assemble import assemble

        summary = assemble(job).run(reporter.progress)
        reporter.done(summary)
    if summary.signature == "failed":  # the result is delivered and the report has said why it is unsigned
        click.get_current_context().exit(KeyUnusable.exit_code)
