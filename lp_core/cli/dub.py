"""``lpsuite dub``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import KeyUnusable


@click.command(short_help="Let the face of a video speak subtitles.")
@click.argument("film")
@click.argument("subtitles")
@click.option("-o", "--output", required=True, help="Video to write.")
@click.option("--voice", default="", help="Voice, as for lpsuite say.")
@click.option("--language", default="", help="Language of the subtitles, such as de.")
@click.option(
    "--fastest",
    type=float,
    default=1.4,
    show_default=True,
    metavar="1..2",
    help="How fast speech may get to fit its time.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Another number gives another take.",
)
@settings_options()
@progress_option
@debug_option
def dub(
    film: str,
    subtitles: str,
    output: str,
    voice: str,
    language: str,
    fastest: float,
    seed: int,
    progress: str,
    **values: Any,  # noqa: ANN401 - any setting's value
) -> None:
    """Lets the face of FILM speak SUBTITLES (.srt, .vtt) in time; only its mouth changes.

    Each subtitle begins at its own time. Its speech is made faster, up to --fastest, or a little slower, to fit.
    """
    from lp_core.saying.dub import DubJob
    from lp_core.saying.dub import dub as dub_job
    from lp_core.speech.voices.base import Delivery

    settings = settings_from(values)
    job = DubJob(film, subtitles, output, voice, Delivery(language, 1.0, seed), fastest, settings)
    with make_reporter(progress) as reporter:
        summary = dub_job(job, reporter.progress)
        reporter.done(summary)
    if summary.signature == "failed":
        click.get_current_context().exit(KeyUnusable.exit_code)
