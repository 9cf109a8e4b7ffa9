"""The command ``lpsuite``: its commands, and what happens to errors."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click

from lp_core.cli.output import say
from lp_core.cli.streams import finish, reserve_streams, tolerant_streams
from lp_core.errors import Cancelled, defect_message
from lp_core.files import known_failure
from lp_core.log_lines import neutral_log
from lp_core.version import __version__

COMMANDS = {
    "animate": "lp_core.cli.animate:animate",
    "lipsync": "lp_core.cli.lipsync:lipsync",
    "say": "lp_core.cli.say:say",
    "dub": "lp_core.cli.dub:dub",
    "batch": "lp_core.cli.batch:batch",
    "extract": "lp_core.cli.extract:extract",
    "demo": "lp_core.cli.demo:demo",
    "inspect": "lp_core.cli.inspect:inspect",
    "sync": "lp_core.cli.sync:sync",
    "train": "lp_core.cli.train:train",
    "upscale": "lp_core.cli.upscale:upscale",
    "serve": "lp_core.cli.serve:serve",
    "live": "lp_core.cli.live:live",
    "host": "lp_core.cli.host:host",
    "doctor": "lp_core.cli.doctor:doctor",
    "models": "lp_core.cli.models:models",
    "provenance": "lp_core.cli.provenance:provenance",
    "completion": "lp_core.cli.completion:completion",
}
"""Command -> where it is; imported on use."""

DEFECT_EXIT_CODE = 70
"""EX_SOFTWARE of sysexits: the program itself is at fault."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Invocation:
    """What one invocation knows of itself."""

    debug: bool = False


def _set_debug(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().obj.debug = True


def debug_option(command: Command) -> Command:
    """Adds ``--debug``."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_set_debug,
        help="Show the traceback of an error.",
    )(command)


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; an unknown word gets a suggestion."""
        from difflib import get_close_matches

        near = get_close_matches(args[0], COMMANDS, 1) if args[0] not in COMMANDS else []
        if near:
            raise click.UsageError(f"No such command '{args[0]}'. Did you mean '{near[0]}'?", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lpsuite")
@debug_option
def lpsuite() -> None:
    """Portrait animation: one portrait plus a performance gives an animated portrait."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; errors become one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a file name may hold what the terminal cannot show
    session = Invocation()
    try:
        with _terminate_as_interrupt():
            code = lpsuite.main(arguments, prog_name="lpsuite", standalone_mode=False, obj=session)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context else "lpsuite"
        return _fail(f"{error.format_message()} See {command} --help.", error.exit_code, session)
    except (click.Abort, KeyboardInterrupt):
        return _fail("Stopped; nothing half-written is left.", Cancelled.exit_code, session)
    except Exception as error:  # noqa: BLE001 - the last resort of the program
        known = known_failure(error)
        if known is not None:
            return _fail(str(known), known.exit_code, session)
        again = "" if session.debug else " (run it again with --debug for the traceback)"
        return _fail(defect_message(error, again), DEFECT_EXIT_CODE, session)
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int, session: Invocation) -> int:
    if session.debug:
        traceback.print_exc()
    say(sentence, err=True)
    return code


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """A host program that ends this one with SIGTERM, or a terminal that closes, gets the clean stop of Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _interrupt)}
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:  # ignored under nohup
        before[hang_up] = signal.signal(hang_up, _as_termination)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the clean-up
    raise KeyboardInterrupt


def _as_termination(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)  # anyone who handles that now, such as the worker's server


def main() -> NoReturn:
    """Entry point of the installed command."""
    reserve_streams()
    out = tolerant_streams()
    neutral_log()
    code = run()
    lost = finish(out)
    if lost is not None:
        say(str(lost), err=True)
        code = code or lost.exit_code
    sys.exit(code)
