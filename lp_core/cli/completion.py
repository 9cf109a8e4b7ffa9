"""``lpsuite completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from lp_core.cli.main import debug_option
from lp_core.cli.output import say

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_LPSUITE_COMPLETE"


@click.command(short_help="Print a script that completes commands and options.")
@click.argument("shell", type=click.Choice(SHELLS))
@debug_option
def completion(shell: str) -> None:
    """Prints the completion script of SHELL.

    Add to ~/.bashrc or ~/.zshrc: eval "$(lpsuite completion bash)", with your shell's name.
    For fish: lpsuite completion fish > ~/.config/fish/completions/lpsuite.fish
    """
    from lp_core.cli.main import lpsuite

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows these three
    say(made(lpsuite, {}, "lpsuite", _VARIABLE).source())
