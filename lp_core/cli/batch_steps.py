"""The steps of a batch as separate commands: what a farm, or any other manager of work, calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.cli.progress import make_reporter, progress_option
from lp_core.errors import Cancelled, SettingError, one_line
from lp_core.timing import whole_number

if TYPE_CHECKING:
    from lp_core.batch.plan import BatchPlan, Chunk, Shot
    from lp_core.batch.results import BatchSummary
    from lp_core.render.report import Listener

Command = TypeVar("Command", bound=Callable[..., Any])
Item = TypeVar("Item")


def step_options(command: Command) -> Command:
    """Adds what every step takes: the plan, and where it and its files are on this machine."""
    for decorate in (
        debug_option,
        progress_option,
        click.option(
            "--path-rules",
            type=click.Path(path_type=Path),
            help="Path mapping rules of Open Job Description.",
        ),
        click.option(
            "--results", type=click.Path(path_type=Path), help="Folder of the results, where it is here."
        ),
        click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path)),
    ):
        command = decorate(command)
    return command


_DEVICE = click.option("--device", default=None, help="Where the networks run; default: as the plan says.")
_SHOT = click.option(
    "--shot",
    "names",
    multiple=True,
    required=True,
    help="Number in the plan, from 0, or name; may be repeated.",
)


@click.command(short_help="Do what needs the whole of a shot, once.")
@step_options
@_SHOT
@_DEVICE
def solve(
    plan_file: Path,
    results: Path | None,
    path_rules: Path | None,
    names: tuple[str, ...],
    device: str | None,
    progress: str,
) -> None:
    """Measures performance and source of shots of PLAN; their chunks may be rendered after that."""
    from lp_core.batch.steps import RenderResources, solve_shot
    from lp_core.engines.registry import WarmEngines

    plan, make = _opened(plan_file, results, path_rules), WarmEngines().make

    def work(shot: Shot, listener: Listener) -> str:
        solve_shot(plan, shot, RenderResources(device, make, lambda _: listener))
        return f"{shot.words}: solved."

    _each([_shot(plan, name) for name in names], work, progress)


@click.command(short_help="Render chunks of a plan.")
@step_options
@click.option(
    "--chunk", "numbers", multiple=True, required=True, type=int, help="Number, from 0; may be repeated."
)
@_DEVICE
def chunk(
    plan_file: Path,
    results: Path | None,
    path_rules: Path | None,
    numbers: tuple[int, ...],
    device: str | None,
    progress: str,
) -> None:
    """Renders chunks of PLAN, or what is missing of them; chunks share nothing and may run anywhere."""
    from lp_core.batch.steps import RenderResources, render_shot_chunk
    from lp_core.engines.registry import WarmEngines

    plan, make = _opened(plan_file, results, path_rules), WarmEngines().make
    chunks = plan.chunks()
    for number in numbers:
        if not 0 <= number < len(chunks):
            raise SettingError(f"The plan has the chunks 0 to {len(chunks) - 1}, not {number}.")

    def work(one: Chunk, listener: Listener) -> str:
        render_shot_chunk(plan, one, RenderResources(device, make, lambda _: listener))
        return f"{plan.shots[one.shot].words}: frames {one.first} to {one.stop - 1} are rendered."

    _each([chunks[number] for number in numbers], work, progress)


@click.command(short_help="Join the chunks of shots.")
@step_options
@_SHOT
def conform(
    plan_file: Path, results: Path | None, path_rules: Path | None, names: tuple[str, ...], progress: str
) -> None:
    """Joins the chunks of shots of PLAN, lays their sound next to them and signs them."""
    from lp_core.batch.steps import RenderResources, conform_shot

    plan = _opened(plan_file, results, path_rules)

    def work(shot: Shot, listener: Listener) -> str:
        record = conform_shot(plan, shot, RenderResources(listener=lambda _: listener))
        return f"{plan.folder / shot.output}: {record['summary']['frames']} frames."

    _each([_shot(plan, name) for name in names], work, progress)


@click.command(short_help="Write the timeline and the reports of rendered shots.")
@step_options
def deliver(plan_file: Path, results: Path | None, path_rules: Path | None, progress: str) -> None:
    """Writes timeline and reports of PLAN from what is rendered; shots that are not done stay as they are."""
    from lp_core.batch.run import deliver as write
    from lp_core.batch.run import results_of

    plan = _opened(plan_file, results, path_rules)
    end_with(write(plan, results_of(plan)), progress == "json")


def end_with(summary: BatchSummary, as_json: bool) -> None:
    """Shows what became of a batch and ends with its exit code."""
    if as_json:
        say(json.dumps(summary.as_json()))
    else:
        for line in summary.sentences():
            say(line)
    if summary.exit_code:
        click.get_current_context().exit(summary.exit_code)


def _opened(plan_file: Path, results: Path | None, path_rules: Path | None) -> BatchPlan:
    from lp_core.batch.path_mapping import moved_plan, read_rules
    from lp_core.batch.plan import read_plan

    return moved_plan(read_plan(plan_file), results, () if path_rules is None else read_rules(path_rules))


def _shot(plan: BatchPlan, name: str) -> Shot:
    number = whole_number(name)
    if number is not None and number < len(plan.shots):
        return plan.shots[number]
    return plan.shot_of(name)


def _each(items: Iterable[Item], work: Callable[[Item, Listener], str], progress: str) -> None:
    """Does one after the other; one that fails does not stop the others, and the first error ends the command."""
    failed: Exception | None = None
    with make_reporter(progress) as reporter:
        for item in items:
            try:
                say(one_line(work(item, reporter.progress)), err=progress == "json")
            except Cancelled:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, when the others are done
                if failed is not None:
                    say(str(error) or type(error).__name__, err=True)
                failed = failed or error
        if failed is not None:
            raise failed
