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

    rows, published, drivers = statuses(), _published(), _speech_drivers()
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
        say(json.dumps({"models": values, "engine_models": published, "speech_drivers": drivers}, indent=2))
        return
    for row in rows:
        restricted = " (restricts use)" if row.model.is_restricted else ""
        say(
            f"{row.model.name:28} {row.state.value:11} {megabytes(row.model.total_bytes):>9}  "
            f"{row.model.license}{restricted}"
        )
        say(f"    {row.model.title}")
    for heading, items in (
        ("Published models of the liveportrait engine (--model):", published),
        ("Networks that turn a voice into motion (--speech-driver):", drivers),
    ):
        say(heading)
        for item in items:
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


def _speech_drivers() -> list[dict[str, str]]:
    """The networks that turn a voice into motion, in the form of ``_published``."""
    from lp_core.speech.joyvasa import about

    why_not = about.obstacle()
    return [
        {
            "name": about.NAME,
            "state": "ready" if why_not is None else "not ready",
            "title": about.TITLE,
            "purpose": about.PURPOSE,
            "license": about.LICENSE,
            "reason": "" if why_not is None else str(why_not),
        }
    ]


@models.command("import")
@click.argument("name")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--accept-license", is_flag=True, help="Accept the license notes that are shown.")
@debug_option
def import_model(name: str, folder: Path, accept_license: bool) -> None:
    """Takes the weights of the published model NAME from FOLDER, checks them and keeps them as safetensors."""
    from lp_core.engines.liveportrait import missing_library
    from lp_core.models.acceptance import accept as keep_acceptance
    from lp_core.models.acceptance import demand_accepted
    from lp_core.models.store import cache_dir

    notes = _notes(name)
    show_notes(name)
    if accept_license:
        keep_acceptance(cache_dir(), name, notes)
    demand_accepted(cache_dir(), name, notes)
    try:
        say(str(_import(name, folder, cache_dir())))
    except ModuleNotFoundError as error:
        raise missing_library(error.name or "torch") from error


def _import(name: str, folder: Path, root: Path) -> Path:
    """Imports the weights of a model; the folder they are in now."""
    from lp_core.engines.liveportrait.table import published_model
    from lp_core.speech.joyvasa.about import NAME as JOYVASA

    def report(text: str) -> None:
        say(text, err=True)

    if name == JOYVASA:
        from lp_core.speech.joyvasa.checkpoint import import_joyvasa

        return import_joyvasa(folder, root, report)
    from lp_core.engines.liveportrait.importing import import_weights

    return import_weights(published_model(name), folder, root, report)


def _notes(name: str) -> tuple[str, ...]:
    """The license notes of a model that is imported or accepted."""
    from lp_core.engines.liveportrait.table import published_model
    from lp_core.speech.joyvasa import about

    return about.NOTES if name == about.NAME else published_model(name).notes


@models.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Accept without being asked.")
@debug_option
def accept(name: str, yes: bool) -> None:
    """Shows the license notes of the published model NAME and keeps that they were accepted."""
    from lp_core.models.acceptance import accept as keep_acceptance
    from lp_core.models.store import cache_dir

    notes = _notes(name)
    show_notes(name)
    if not notes:
        say(f"The model {name} has no notes to accept.")
        return
    if not yes:
        click.confirm("Do you accept this?", abort=True, err=True)
    keep_acceptance(cache_dir(), name, notes)
    say(f"Accepted: {name}.")


def show_notes(name: str) -> None:
    """Writes the license notes of a published model to the error channel."""
    for note in _notes(name):
        say(f"- {note}", err=True)


@models.command()
@click.argument("name")
@click.option("--accept-license", is_flag=True, help="Accept a license that restricts the model's use.")
@click.option("--into-environment", is_flag=True, help="Keep it next to this Python, for all its users.")
@debug_option
def fetch(name: str, accept_license: bool, into_environment: bool) -> None:
    """Downloads the model NAME, checks it and prints where it is."""
    from lp_core.models import store

    shown: dict[str, int] = {}

    def show(file: str, arrived: int, total: int) -> None:
        tenth = 10 * arrived // total
        if sys.stderr.isatty() and shown.get(file) != tenth:
            shown[file] = tenth
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
