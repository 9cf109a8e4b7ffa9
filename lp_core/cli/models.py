"""``lpsuite models``."""

from __future__ import annotations

import json
import sys

import click

from lp_core.cli.main import debug_option


@click.group(short_help="List, fetch and check the model files.")
def models() -> None:
    """Lists, fetches and checks the model files."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
def list_models(as_json: bool) -> None:
    """Shows every model, whether it is installed, its size and its licence."""
    from lp_core.models.store import statuses

    rows = statuses()
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
        click.echo(json.dumps({"models": values}, indent=2))
        return
    for row in rows:
        restricted = " (restricts use)" if row.model.is_restricted else ""
        click.echo(
            f"{row.model.name:28} {row.state.value:11} {megabytes(row.model.total_bytes):>9}  "
            f"{row.model.license}{restricted}"
        )
        click.echo(f"    {row.model.title}")


@models.command()
@click.argument("name")
@click.option("--accept-license", is_flag=True, help="Accept a licence that restricts the model's use.")
@click.option("--into-environment", is_flag=True, help="Keep it beside this Python, for all its users.")
@debug_option
def fetch(name: str, accept_license: bool, into_environment: bool) -> None:
    """Downloads the model NAME, checks it and prints where it is."""
    from lp_core.models import store

    told: dict[str, int] = {}

    def show(file: str, arrived: int, total: int) -> None:
        tenth = 10 * arrived // total
        if sys.stderr.isatty() and told.get(file) != tenth:
            told[file] = tenth
            click.echo(f"{file}: {megabytes(arrived)} of {megabytes(total)}", err=True)

    click.echo(store.fetch(name, accept_license, show, into_environment))


@models.command()
@click.argument("name", required=False)
@debug_option
def verify(name: str | None) -> None:
    """Hashes the files of all models, or of NAME, anew; fails when one is not the published file."""
    from lp_core.errors import ModelDamaged
    from lp_core.models.store import ModelState
    from lp_core.models.store import verify as verify_models

    rows = verify_models(name)
    for row in rows:
        click.echo(f"{row.model.name:28} {row.state.value}")
    damaged = [row.reason for row in rows if row.state is ModelState.DAMAGED]
    if damaged:
        raise ModelDamaged(damaged[0])


@models.command()
@click.argument("name", required=False)
@debug_option
def path(name: str | None) -> None:
    """Prints the model folder, or where the model NAME is."""
    from lp_core.models.store import cache_dir, locate

    click.echo(cache_dir() if name is None else locate(name))


def megabytes(count: int) -> str:
    """Bytes in MB (10^6), one digit after the point."""
    return f"{count / 1e6:.1f} MB"
