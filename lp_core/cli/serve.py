"""``lpsuite serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.errors import MissingDependency, WorkerError, absent_library, missing_extra

if TYPE_CHECKING:
    from lp_core.link.runtime import Address


@click.command(short_help="Run the worker that host programs talk to.")
@click.option(
    "--allow", multiple=True, metavar="DIR", help="Folder it may touch; repeatable. Default: your home."
)
@click.option(
    "--listen", default="127.0.0.1", show_default=True, metavar="HOST", help="Address to listen at."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="TCP port. Default: a free one.")
@click.option("--state", metavar="DIR", help="Folder for its jobs and uploads. Default: your state folder.")
@click.option("--tls-cert", metavar="FILE", help="Certificate (PEM); needed beyond this machine.")
@click.option("--tls-key", metavar="FILE", help="Its key (PEM).")
@click.option("--token-file", metavar="FILE", help="File with your own token; needed beyond this machine.")
@click.option("--name", "names", multiple=True, help="Name by which others reach this machine; repeatable.")
@click.option(
    "--until-idle",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="End after so long without request, job or live stream. Default: run on.",
)
@click.option(
    "--compat",
    default="",
    metavar="did,heygen",
    help="Serve routes for clients of these vendors (docs/worker.md).",
)
@click.option("--compat-keys", metavar="FILE", help="Clients of those routes and their keys (JSON).")
@click.option("--compat-settings", metavar="FILE", help="Settings of all their videos, by group (JSON).")
@click.option(
    "--allow-fetch",
    multiple=True,
    metavar="HOST",
    help="Host whose files those routes may fetch; repeatable.",
)
@click.option(
    "--allow-webhook",
    multiple=True,
    metavar="URL",
    help="scheme://host:port that webhooks may call although it is not public; repeatable.",
)
@click.option(
    "--allow-origin",
    multiple=True,
    metavar="URL",
    help="scheme://host:port whose web pages may use those routes with a key; repeatable.",
)
@click.option(
    "--contain/--no-contain",
    "contained",
    default=True,
    help="Do jobs in separate processes, so that a crash in a decoder fails one job. Default: --contain.",
)
@click.option(
    "--from-host", is_flag=True, hidden=True, help="Close what the host program left open to its children."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser; prints its one-time link.")
@debug_option
def serve(
    allow: tuple[str, ...],
    listen: str,
    port: int,
    state: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    token_file: str | None,
    names: tuple[str, ...],
    until_idle: float | None,
    compat: str,
    compat_keys: str | None,
    compat_settings: str | None,
    allow_fetch: tuple[str, ...],
    allow_webhook: tuple[str, ...],
    allow_origin: tuple[str, ...],
    contained: bool,
    from_host: bool,
    opens: bool,
) -> None:
    """Runs the worker until Ctrl-C. Where one runs already, --open opens its page."""
    if from_host:
        os.closerange(3, 4096)  # a host's sockets would stay taken after its end
    try:
        from lp_core.worker import serve as worker
        from lp_core.worker.compat.routes import CompatOptions
    except ImportError as error:
        if absent_library(error) is None or isinstance(error, MissingDependency):
            raise
        raise missing_extra("The worker", "worker") from error

    def announce(address: Address, link: str) -> None:
        say(f"The worker answers at {address.url} (process {address.pid}).")
        if opens:
            show(link)

    options = worker.ServeOptions(
        allow=allow,
        host=listen,
        port=port,
        state=_path(state),
        certificate=_path(tls_cert),
        private_key=_path(tls_key),
        token_file=_path(token_file),
        names=names,
        until_idle_s=until_idle,
        compat=CompatOptions(
            _words(compat),
            _path(compat_keys),
            allow_fetch,
            allow_webhook,
            allow_origin,
            _path(compat_settings),
        ),
        is_contained=contained,
    )
    try:
        worker.serve(options, announce)
    except WorkerError as error:
        open_running(error, opens)


def show(link: str) -> None:
    """Prints a login link and opens it."""
    from lp_core.link.browser import open_page

    say(f"Page (this link works once): {link}")
    open_page(link)


def open_running(refusal: WorkerError, opens: bool) -> None:
    """Opens the page of the worker that runs, where that is why another one was refused and the page is asked for.

    Raises:
        WorkerError: the refusal itself, or the worker does not answer.
    """
    if refusal.code != "running" or not opens:
        raise refusal
    from lp_core.link.client import Client

    show(Client.connect(start=False).login_link())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)
