"""``lpsuite models``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say


@click.group(short_help="List, fetch and check the model files.")
def models() -> None:
    """Lists, fetches and checks the model files."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
def list_models(as_json: bool) -> None:
    """Shows every model, whether it is installed, its size and its license."""
    from lp_core.models.store import statuses

    rows, published = statuses(), _published()
    if as_json:
        values = [
            {
                "name": row.model.name,
                "title": row.model.title,
                "state": row.state.value,
                "path": str(row.path),
                "bytes": row.model.total_bytes,
                "license": row.model.license,
                "is_restricted": row.model.is_restricted,
                "source": row.model.source,
                "reason": row.reason,
            }
            for row in rows
        ]
        say(json.dumps({"models": values, "engine_models": published}, indent=2))
        return
    for row in rows:
        restricted = " (restricts use)" if row.model.is_restricted else ""
        say(
            f"{row.model.name:28} {row.state.value:11} {megabytes(row.model.total_bytes):>9}  "
            f"{row.model.license}{restricted}"
        )
        say(f"    {row.model.title}")
    say("Published models of the liveportrait engine (--model):")
    for item in published:
        say(f"{item['name']:28} {item['state']:11} {'':>9}  {item['license']}")
        say(f"    {item['title']}; for {item['purpose']}")
        if item["reason"]:
            say(f"    {item['reason']}")


def _published() -> list[dict[str, str]]:
    """The published models of the neural engine: what they are for, whether they can be used, and why not."""
    from lp_core.engines.liveportrait.installed import model_obstacle
    from lp_core.engines.liveportrait.table import PUBLISHED_MODELS

    rows = []
    for row in PUBLISHED_MODELS.values():
        obstacle = model_obstacle(row, None)
        rows.append(
            {
                "name": row.name,
                "state": "ready" if obstacle is None else "not ready",
                "title": row.title,
                "purpose": row.purpose,
                "license": row.license,
                "reason": "" if obstacle is None else str(obstacle),
            }
        )
    return rows


@models.command("import")
@click.argument("name")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--accept-license", is_flag=True, help="Accept the license notes that are shown.")
@debug_option
def import_model(name: str, folder: Path, accept_license: bool) -> None:
    """Takes the weights of the published model NAME from FOLDER, checks them and keeps them as safetensors."""
    from lp_core.engines.liveportrait import missing_library
    from lp_core.engines.liveportrait.table import published_model
    from lp_core.models.acceptance import accept as keep_acceptance
    from lp_core.models.acceptance import demand_accepted
    from lp_core.models.store import cache_dir

    model = published_model(name)
    show_notes(name)
    if accept_license:
        keep_acceptance(cache_dir(), model.name, model.notes)
    demand_accepted(cache_dir(), model.name, model.notes)
    try:
        from lp_core.engines.liveportrait.importing import import_weights
    except ModuleNotFoundError as error:
        raise missing_library(error.name or "torch") from error
    say(str(import_weights(model, folder, cache_dir(), lambda text: say(text, err=True))))


@models.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Accept without being asked.")
@debug_option
def accept(name: str, yes: bool) -> None:
    """Shows the license notes of the published model NAME and keeps that they were accepted."""
    from lp_core.engines.liveportrait.table import published_model
    from lp_core.models.acceptance import accept as keep_acceptance
    from lp_core.models.store import cache_dir

    model = published_model(name)
    show_notes(name)
    if not model.notes:
        say(f"The model {name} has no notes to accept.")
        return
    if not yes:
        click.confirm("Do you accept this?", abort=True, err=True)
    keep_acceptance(cache_dir(), model.name, model.notes)
    say(f"Accepted: {name}.")


def show_notes(name: str) -> None:
    """Writes the license notes of a published model to the error channel."""
    from lp_core.engines.liveportrait.table import published_model

    for note in published_model(name).notes:
        say(f"- {note}", err=True)


@models.command()
@click.argument("name")
@click.option("--accept-license", is_flag=True, help="Accept a license that restricts the model's use.")
@click.option("--into-environment", is_flag=True, help="Keep it next to this Python, for all its users.")
@debug_option
def fetch(name: str, accept_license: bool, into_environment: bool) -> None:
    """Downloads the model NAME, checks it and prints where it is."""
    from lp_core.models import store

    told: dict[str, int] = {}

    def show(file: str, arrived: int, total: int) -> None:
        tenth = 10 * arrived // total
        if sys.stderr.isatty() and told.get(file) != tenth:
            told[file] = tenth
            say(f"{file}: {megabytes(arrived)} of {megabytes(total)}", err=True)

    say(str(store.fetch(name, accept_license, show, into_environment)))


@models.command()
@click.argument("name", required=False)
@debug_option
def verify(name: str | None) -> None:
    """Hashes the files of all models, or of NAME, again; fails when one is not the published file."""
    from lp_core.errors import ModelDamaged
    from lp_core.models.store import ModelState
    from lp_core.models.store import verify as verify_models

    rows = verify_models(name)
    for row in rows:
        say(f"{row.model.name:28} {row.state.value}")
    damaged = [row.reason for row in rows if row.state is ModelState.DAMAGED]
    if damaged:
        raise ModelDamaged(damaged[0])


@models.command()
@click.argument("name", required=False)
@debug_option
def path(name: str | None) -> None:
    """Prints the model folder, or where the model NAME is."""
    from lp_core.models.store import cache_dir, locate

    say(str(cache_dir() if name is None else locate(name)))


def megabytes(count: int) -> str:
    """Bytes in MB (10^6), one digit after the point."""
    return f"{count / 1e6:.1f} MB"
