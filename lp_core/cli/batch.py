"""``lpsuite batch``: whole timelines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.progress import JsonReporter, make_reporter, progress_option

if TYPE_CHECKING:
    from lp_core.batch.plan import Plan
    from lp_core.batch.planning import Wish
    from lp_core.batch.results import BatchSummary

RUN = "run"


class BatchGroup(click.Group):
    """A group whose first word may be a timeline: ``lpsuite batch cut.otio`` is ``lpsuite batch run cut.otio``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the command in where it was left out."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = [RUN, *args]
        return super().parse_args(ctx, args)


@click.group(cls=BatchGroup, short_help="Animate the marked clips of a timeline.")
@debug_option
def batch() -> None:
    """Animates the marked clips of a timeline: lpsuite batch TIMELINE -o FOLDER.

    Clips are marked by an effect, by metadata, by a marker named "LP: driver=..., engine=..." or by a sidecar
    (--map); lpsuite batch mark writes such marks.
    """


@batch.command(RUN, short_help="Render the marked clips and write the timeline (the word may be left out).")
@click.argument("timeline", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the results.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Sidecar with marks (TOML).")
@click.option("--relink", multiple=True, help="Folder in which missing media is looked for; may be repeated.")
@click.option("--plan", "plan_only", is_flag=True, help="Show and write the plan; render nothing.")
@click.option("--chunk", default=None, type=click.IntRange(min=1), help="Frames of a chunk.")
@click.option(
    "--file-type", default="auto", show_default=True, help="Suffix of the results, such as .mov or .exr."
)
@click.option(
    "--as", "file_types", multiple=True, metavar="SUFFIX", help="Write the timeline in this format too."
)
@settings_options()
@progress_option
@debug_option
def run(
    timeline: Path,
    output: Path,
    plan_only: bool,
    file_types: tuple[str, ...],
    progress: str,
    **values: Any,  # noqa: ANN401
) -> None:
    """Renders the marked clips of TIMELINE into a folder and writes timeline.otio there.

    What is done and up to date is not done again. --handles adds frames at either end of every clip.
    """
    from lp_core.batch.planning import make_plan

    wish = _wish(timeline, output, values)
    plan, read = make_plan(wish)
    plan.write()
    if plan_only:
        _show_plan(plan)
        return
    with make_reporter(progress) as reporter:
        from lp_core.batch.run import deliver, run_plan
        from lp_core.batch.steps import Means
        from lp_core.engines.registry import WarmEngines

        means = Means(make=WarmEngines().make, overwrite=bool(values["overwrite"]))
        results = run_plan(plan, means, reporter.progress)
        own = [timeline.suffix] if timeline.suffix.lower() not in (".otio", ".otioz", ".otiod") else []
        summary = deliver(plan, results, read, list(dict.fromkeys([*own, *file_types])))
    _end(summary, isinstance(reporter, JsonReporter))


def _wish(timeline: Path, output: Path, values: dict[str, Any]) -> Wish:
    from lp_core.batch.marks import read_map
    from lp_core.batch.plan import CHUNK_FRAMES
    from lp_core.batch.planning import Wish

    map_file = values.pop("map_file")
    return Wish(
        timeline=timeline,
        output=output,
        relink=values.pop("relink"),
        chunk_frames=values.pop("chunk") or CHUNK_FRAMES,
        file_type=values.pop("file_type"),
        lines=() if map_file is None else read_map(map_file),
        settings=settings_from({name: value for name, value in values.items() if name != "overwrite"}),
    )


def _end(summary: BatchSummary, as_json: bool) -> None:
    import json

    if as_json:
        click.echo(json.dumps(summary.as_json()))
    else:
        for line in summary.sentences():
            click.echo(line)
    if summary.exit_code:
        click.get_current_context().exit(summary.exit_code)


def _show_plan(plan: Plan) -> None:
    for shot in plan.shots:
        driver = Path(str(shot.job["driving"])).name
        click.echo(f"{shot.id}  {shot.frames:6d} frames  ~{shot.estimate_s:8.1f} s  {shot.words} <- {driver}")
        for note in shot.notes:
            click.echo(f"            {note}")
    for problem in plan.problems:
        click.echo(f"{problem.kind}: {problem.message}")
    for note in plan.notes:
        click.echo(note)
    counts = ", ".join(f"{count} {name}" for name, count in plan.counts.items())
    seconds = sum(shot.estimate_s for shot in plan.shots)
    click.echo(
        f"{len(plan.shots)} shots, {plan.frames} frames, {len(plan.chunks())} chunks, about {seconds:.0f} s on this "
        f"kind of machine (a guess); {counts}. Written: {plan.folder / 'plan.json'}"
    )


_PLAN = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
_DEVICE = click.option("--device", default=None, help="Where the networks run; default: as the plan says.")


@batch.command(short_help="Do what needs the whole of a shot, once.")
@_PLAN
@click.option("--shot", required=True, help="Number in the plan, from 0, or name of the shot.")
@_DEVICE
@progress_option
@debug_option
def solve(plan_file: Path, shot: str, device: str | None, progress: str) -> None:
    """Measures performance and source of a shot of PLAN; its chunks may be rendered after that."""
    from lp_core.batch.plan import read_plan
    from lp_core.batch.steps import Means, solve_shot

    plan = read_plan(plan_file)
    with make_reporter(progress) as reporter:
        chosen = _shot(plan, shot)
        solve_shot(plan, chosen, Means(device, listener=lambda _: reporter.progress))
    click.echo(f"{chosen.words}: solved.")


@batch.command(short_help="Render one chunk of a plan.")
@_PLAN
@click.option("--chunk", required=True, type=int, help="Number in the plan, from 0.")
@_DEVICE
@progress_option
@debug_option
def chunk(plan_file: Path, chunk: int, device: str | None, progress: str) -> None:
    """Renders a chunk of PLAN, or what is missing of it; chunks share nothing and may run anywhere."""
    from lp_core.batch.plan import read_plan
    from lp_core.batch.steps import Means, render_shot_chunk
    from lp_core.errors import SettingError

    plan = read_plan(plan_file)
    chunks = plan.chunks()
    if not 0 <= chunk < len(chunks):
        raise SettingError(f"The plan has the chunks 0 to {len(chunks) - 1}, not {chunk}.")
    one = chunks[chunk]
    with make_reporter(progress) as reporter:
        render_shot_chunk(plan, one, Means(device, listener=lambda _: reporter.progress))
    click.echo(f"{plan.shots[one.shot].words}: frames {one.first} to {one.stop - 1} are rendered.")


@batch.command(short_help="Join the chunks of a shot.")
@_PLAN
@click.option("--shot", required=True, help="Number in the plan, from 0, or name of the shot.")
@progress_option
@debug_option
def conform(plan_file: Path, shot: str, progress: str) -> None:
    """Joins the chunks of a shot of PLAN, lays its sound beside it and signs it."""
    from lp_core.batch.plan import read_plan
    from lp_core.batch.steps import Means, conform_shot

    plan = read_plan(plan_file)
    with make_reporter(progress) as reporter:
        chosen = _shot(plan, shot)
        record = conform_shot(plan, chosen, Means(listener=lambda _: reporter.progress))
    click.echo(f"{plan.folder / chosen.output}: {record['summary']['frames']} frames.")


@batch.command(short_help="Write the timeline and the reports of rendered shots.")
@_PLAN
@progress_option
@debug_option
def deliver(plan_file: Path, progress: str) -> None:
    """Writes timeline and reports of PLAN from what is rendered; shots that are not done stay as they are."""
    from lp_core.batch.plan import read_plan
    from lp_core.batch.run import deliver as write
    from lp_core.batch.run import results_of

    plan = read_plan(plan_file)
    _end(write(plan, results_of(plan)), progress == "json")


def _shot(plan: Plan, name: str) -> Any:  # noqa: ANN401 - a Shot
    if name.isdigit() and int(name) < len(plan.shots):
        return plan.shots[int(name)]
    return plan.shot_of(name)
