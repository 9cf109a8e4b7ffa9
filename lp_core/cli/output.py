"""What a command writes to the terminal: nothing that a terminal obeys."""

from __future__ import annotations

import click

from lp_core.errors import neutral


def say(text: str, err: bool = False) -> None:
    """Writes a line, or several, to stdout or stderr; control characters and terminal escapes are spelled out."""
    click.echo(neutral(text), err=err)
