"""``lpsuite extract``."""

from __future__ import annotations

from typing import Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import SettingError
from lp_core.performance_name import MOTION_FORMATS, motion_suffix
from lp_core.settings.reach import USES


@click.command(short_help="Store a performance as a motion file.")
@click.argument("driving")
@click.option(
    "-o",
    "--output",
    required=True,
    help="Motion file to write, such as talk.lpmotion or talk.pkl; of a voice also talk.csv or talk.json.",
)
@click.option(
    "--format",
    "wanted",
    type=click.Choice(["lpmotion", "liveportrait-pkl"]),
    help="Format, which the output's suffix (.lpmotion, .pkl) must fit; default: by the suffix.",
)
@settings_options(*USES["extract"])
@progress_option
@debug_option
def extract(
    driving: str,
    output: str,
    wanted: str | None,
    progress: str,
    **values: Any,  # noqa: ANN401
) -> None:
    """Reads the performance of DRIVING once and stores it as a motion file.

    For the mesh engine the file also keeps how hair, neck and shoulders move (--no-dense-motion leaves that out).

    A stored motion of the liveportrait engine becomes a template of the published pipeline (.pkl), and a
    template a motion file. A voice (talk.wav, or speech:FILE for the sound of a video) becomes a motion file, a
    Live Link Face CSV (.csv) or visemes with their times (.json).
    """
    settings = settings_from(values)
    with make_reporter(progress) as reporter:
        from lp_core.assemble import assemble_extraction

        if wanted is not None and MOTION_FORMATS.get(motion_suffix(output)) != wanted:
            suffix = next(suffix for suffix, word in MOTION_FORMATS.items() if word == wanted)
            raise SettingError(f"{output} does not fit --format {wanted}; let its name end in {suffix}.")
        reporter.done(assemble_extraction(driving, output, settings).run(reporter.progress))
