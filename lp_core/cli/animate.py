"""``lpsuite animate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import KeyUnusable

if TYPE_CHECKING:
    from lp_core.job import RenderJob
    from lp_core.settings import RenderSettings

EXAMPLES = """Give a portrait, a performance and an output, for example:

  lpsuite animate portrait.jpg driving.mp4 -o out.mp4
  lpsuite animate portrait.jpg demo:expressive -o out.mp4
  lpsuite animate plate.mov talk.wav -o out.mov --codec prores4444

"""


work_option = click.option(
    "--work",
    metavar="FOLDER",
    help="Folder that keeps finished parts: the same command continues there after a crash. It is removed when the "
    "result is complete.",
)


report_option = click.option(
    "--report",
    metavar="FILE.html",
    help="Page with images of the result, its figures and the curve of confidence.",
)


class ExplainedCommand(click.Command):
    """A command that shows examples when it is called without arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments.

        Raises:
            UsageError: there are none.
        """
        if not args and not ctx.resilient_parsing:
            raise click.UsageError(EXAMPLES, ctx)
        return super().parse_args(ctx, args)


@click.command(cls=ExplainedCommand, short_help="Lay a performance onto a portrait.")
@click.argument("source")
@click.argument("driving", required=False)
@click.option("-o", "--output", required=True, help="Video, or frame pattern such as out.%04d.png.")
@work_option
@report_option
@settings_options()
@progress_option
@debug_option
def animate(
    source: str,
    driving: str | None,
    output: str,
    work: str | None,
    report: str | None,
    progress: str,
    **values: Any,  # noqa: ANN401 - any setting's value
) -> None:
    """Lays the performance of DRIVING onto SOURCE.

    SOURCE is a portrait or a video of one. DRIVING is a video, an image, a motion file (.lpmotion), a
    template of the published LivePortrait pipeline (.pkl) or a built-in motion: demo:expressive, demo:blink,
    demo:nod, demo:still. A voice drives the face, too: talk.wav, or speech:FILE for the sound of a video.
    With --face or --cast it may be left out: the first of them then counts.
    """
    from lp_core.job import RenderJob

    settings = settings_from(values)
    run_job(
        RenderJob(source, driving or _first_performance(settings), output, settings), work, progress, report
    )


def run_job(job: RenderJob, work: str | None, progress: str, report: str | None = None) -> None:
    """Renders a job and reports; exits with a separate code where the result could not be signed.

    Args:
        job: what is rendered.
        work: folder that keeps finished parts; None: nothing is kept.
        progress: how progress is shown.
        report: page about the result; None: none.

    Raises:
        UsageError: a report is asked for of a render in parts, of which some may be from an earlier run.
    """
    if work is not None and report is not None:
        raise click.UsageError("--report needs the render in one go; leave out --work.")
    with make_reporter(progress) as reporter:
        if report is not None:
            from lp_core.reporting import render_with_report

            summary = render_with_report(job, Path(report), reporter.progress)
        elif work is None:
            from lp_core.assemble import assemble

            summary = assemble(job).run(reporter.progress)
        else:
            from lp_core.resuming import render_resumably

            summary = render_resumably(job, Path(work), reporter.progress)
        reporter.done(summary)
    if summary.signature == "failed":  # the result is delivered and the report has said why it is unsigned
        click.get_current_context().exit(KeyUnusable.exit_code)


def _first_performance(settings: RenderSettings) -> str:
    """The performance of the first face that has one."""
    from lp_core.render.cast_members import cast_of

    driving = next((member.driving for member in cast_of(settings.face, "") if member.driving), "")
    if not driving:
        raise click.UsageError("There is no performance; give DRIVING, or --face ID=DRIVING.")
    return driving
