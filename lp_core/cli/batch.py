"""``lpsuite batch``: whole timelines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lp_core.cli.batch_steps import chunk, conform, deliver, end_with, solve
from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.cli.progress import JsonReporter, make_reporter, progress_option
from lp_core.performance_name import speech_file

if TYPE_CHECKING:
    from lp_core.batch.plan import BatchPlan
    from lp_core.batch.planner import PlanRequest

RUN = "run"
WAYS = ("effect", "metadata", "marker")
FARMS = ("openjd", "opencue")
_REQUIRE = click.option(
    "--require",
    multiple=True,
    metavar="NAME=NUMBER",
    help="What machines of a farm must have: gpu, gpu-memory, memory (MiB), vcpu; may be repeated.",
)


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
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Sidecar with marks (TOML or .ale).")
@click.option("--relink", multiple=True, help="Folder in which missing media is looked for; may be repeated.")
@click.option("--plan", "plan_only", is_flag=True, help="Show and write the plan; render nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --plan: print it as one JSON object.")
@click.option("--chunk", default=None, type=click.IntRange(min=1), help="Frames of a chunk.")
@click.option(
    "--file-type", default="auto", show_default=True, help="Suffix of the results, such as .mov or .exr."
)
@click.option(
    "--devices", default="", help="Devices that share the work, such as cuda:0,cuda:1; a process each."
)
@click.option("--submit", type=click.Choice(FARMS), help="Write a job for a farm; render nothing.")
@_REQUIRE
@click.option(
    "--run", "run_with", type=click.Choice(["openjd-local"]), help="Check the bundle and run it here."
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
    as_json: bool,
    devices: str,
    submit: str | None,
    require: tuple[str, ...],
    run_with: str | None,
    file_types: tuple[str, ...],
    progress: str,
    **values: Any,  # noqa: ANN401
) -> None:
    """Renders the marked clips of TIMELINE into a folder and writes timeline.otio there.

    What is done and up to date is not done again. --handles adds frames at either end of every clip.
    """
    from lp_core.batch.planner import make_plan

    if as_json and not plan_only:
        raise click.UsageError("--json prints a plan; add --plan.")
    own = [timeline.suffix] if timeline.suffix.lower() not in (".otio", ".otioz", ".otiod") else []
    plan, read = make_plan(_plan_request(timeline, output, values))
    plan = replace(
        plan, file_types=tuple(dict.fromkeys([*own, *file_types])), overwrite=bool(values["overwrite"])
    )
    plan.write()
    if as_json:
        say(plan.to_json())
    elif plan_only:
        show_plan(plan)
    elif submit or run_with:
        _bundle(plan, submit if run_with is None else None, require)
    else:
        _render(plan, read, [name.strip() for name in devices.split(",") if name.strip()], progress)


def _render(plan: BatchPlan, read: Any, devices: list[str], progress: str) -> None:  # noqa: ANN401 - a timeline
    with make_reporter(progress) as reporter:
        from lp_core.batch.devices import run_on_devices
        from lp_core.batch.run import deliver as write
        from lp_core.batch.run import run_plan
        from lp_core.batch.steps import RenderResources
        from lp_core.engines.registry import WarmEngines

        means = RenderResources(devices[0] if devices else None, WarmEngines().make)
        if len(devices) > 1:
            results = run_on_devices(plan, devices, reporter.progress)
        else:
            results = run_plan(plan, means, reporter.progress)
        summary = write(plan, results, read)
    end_with(summary, isinstance(reporter, JsonReporter))


def _bundle(plan: BatchPlan, farm: str | None, require: tuple[str, ...]) -> None:
    """Writes the job for a farm; None: one of Open Job Description that is run here."""
    import shutil

    from lp_core.batch.opencue import write_job
    from lp_core.batch.openjd import local_bundle, run_locally, write_bundle
    from lp_core.batch.task_steps import parse_needs

    needs = parse_needs(require)
    if farm is None:
        run_locally(local_bundle(plan))
        result = plan.shots[0].output if plan.is_job else "timeline.otio"
        say(f"{plan.folder / result}: written by the bundle.")
        return
    if farm == "opencue":
        path = write_job(plan, ("lpsuite",), needs)
        say(f"Written: {path}. Launch it with opencue.api.launchSpec, on machines that share the folder.")
    else:
        folder = write_bundle(plan, ("lpsuite",), needs=needs)
        say(f"Written: {folder}. Check it with: openjd check {folder / 'template.json'}")
    if shutil.which("lpsuite") is None:
        say("The machines that run it need lpsuite on their PATH.")


@batch.command(short_help="Plan one job in chunks, for a farm.")
@click.argument("job_file", metavar="JOB", type=click.Path(path_type=Path))
@click.option("--chunk", default=None, type=click.IntRange(min=1), help="Frames of a chunk.")
@click.option(
    "--submit", multiple=True, type=click.Choice(FARMS), help="Write a job for a farm; may be repeated."
)
@_REQUIRE
@click.option(
    "--run", "run_with", type=click.Choice(["openjd-local"]), help="Check the bundle and run it here."
)
@debug_option
def job(
    job_file: Path, chunk: int | None, submit: tuple[str, ...], require: tuple[str, ...], run_with: str | None
) -> None:
    """Plans the job in the file JOB, as hosts write it (job.json), as one shot: plan.json next to its output.

    Its steps are those of a batch, without deliver; they render it in chunks, on as many machines as there are.
    """
    from lp_core.batch.job_plan import plan_job, read_job
    from lp_core.batch.plan import CHUNK_FRAMES

    plan = plan_job(read_job(job_file), job_file, chunk or CHUNK_FRAMES)
    path = plan.write()
    say(f"{plan.frames} frames, {len(plan.chunks())} chunks. Written: {path}")
    for farm in submit:
        _bundle(plan, farm, require)
    if run_with:
        _bundle(plan, None, require)


def _plan_request(timeline: Path, output: Path, values: dict[str, Any]) -> PlanRequest:
    from lp_core.batch.marks import read_map
    from lp_core.batch.plan import CHUNK_FRAMES
    from lp_core.batch.planner import PlanRequest

    map_file = values.pop("map_file")
    return PlanRequest(
        timeline=timeline,
        output=output,
        relink=values.pop("relink"),
        chunk_frames=values.pop("chunk") or CHUNK_FRAMES,
        file_type=values.pop("file_type"),
        lines=() if map_file is None else read_map(map_file),
        settings=settings_from({name: value for name, value in values.items() if name != "overwrite"}),
    )


def show_plan(plan: BatchPlan) -> None:
    """Writes what is planned to the terminal."""
    for shot in plan.shots:
        driver = Path(speech_file(shot.job.driving)).name
        say(f"{shot.id}  {shot.frames:6d} frames  ~{shot.estimate_s:8.1f} s  {shot.words} <- {driver}")
        for note in shot.notes:
            say(f"            {note}")
    for problem in plan.problems:
        say(f"{problem.kind}: {problem.message}")
    for note in plan.notes:
        say(note)
    counts = ", ".join(f"{count} {name}" for name, count in plan.counts.items())
    seconds = sum(shot.estimate_s for shot in plan.shots)
    say(
        f"{len(plan.shots)} shots, {plan.frames} frames, {len(plan.chunks())} chunks, about {seconds:.0f} s on this "
        f"kind of machine (a guess); {counts}. Written: {plan.folder / 'plan.json'}"
    )


@batch.command(short_help="Write marks into a timeline.")
@click.argument("timeline", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Marked timeline that is written."
)
@click.option(
    "--clip", "names", multiple=True, required=True, help="Clip to mark; * and ? match; may be repeated."
)
@click.option("--track", default="*", show_default=True, help="Track of the clips, in the same manner.")
@click.option("--driver", required=True, help="File, demo:NAME, clip:NAME or track:NAME.")
@click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Setting of animate; may be repeated."
)
@click.option(
    "--way",
    type=click.Choice(WAYS),
    default="metadata",
    show_default=True,
    help="How: an effect LivePortrait, metadata lp_suite, or a marker named LP.",
)
@debug_option
def mark(
    timeline: Path,
    output: Path,
    names: tuple[str, ...],
    track: str,
    driver: str,
    pairs: tuple[str, ...],
    way: str,
) -> None:
    """Marks clips of TIMELINE, so that a batch animates them; everything else stays."""
    from lp_core.batch.marks import parse_pairs, read_mark
    from lp_core.batch.otio.marking import bundle_of, write_marks
    from lp_core.batch.otio.timeline import read_timeline, write_timeline

    values: dict[str, Any] = {"driver": driver}
    for pair in pairs:
        values.update(parse_pairs(pair, "--set"))
    made = read_mark(values, "--set")
    read, notes = read_timeline(timeline, bundle_of(output))
    marked = write_marks(read, made, names, track, way)
    write_timeline(read, output)
    for note in notes:
        say(note)
    for place in marked:
        say(f"{place.words}: {made.as_marker()}")


for command in (solve, chunk, conform, deliver):
    batch.add_command(command)
