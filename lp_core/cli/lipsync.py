"""``lpsuite lipsync``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.animate import run_job, work_option
from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import progress_option
from lp_core.performance_name import voice_name


@click.command(short_help="Replace the mouth of a video by another voice's.")
@click.argument("plate")
@click.argument("voice")
@click.option("-o", "--output", required=True, help="Video, or frame pattern such as out.%04d.png.")
@work_option
@settings_options()
@progress_option
@debug_option
def lipsync(
    plate: str,
    voice: str,
    output: str,
    work: str | None,
    progress: str,
    **values: Any,  # noqa: ANN401 - any setting's value
) -> None:
    """Lets the face of PLATE speak with VOICE.

    PLATE is a video of a face, VOICE a sound file or a video whose sound is used. Only the mouth region changes;
    head, eyes and the rest stay as filmed, bit for bit. The result carries the voice. The summary says how late the
    sound of PLATE is against its own lips.
    """
    from lp_core.job import RenderJob

    settings = settings_from({**values, "lipsync": True})
    run_job(RenderJob(plate, voice_name(voice), output, settings), work, progress)
