"""Hands a job to the worker and follows it, with a window or with the worker's page."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Callable
from urllib.parse import quote

from hosts.client import Client, JobStatus, WorkerError
from lp_core.errors import Cancelled
from lp_core.link.browser import open_page
from lp_core.link.follow import follow as link_follow
from lp_core.link.follow import share, words
from lp_core.link.messages import JobProgress, phase_label

from .windows import ScriptWindows

Say = Callable[[str], None]
"""Takes a sentence for the user."""
LOOK_S = 0.5
PAGE_WAIT_S = 30 * 60
"""How long a page may stay open without a start: a script from the menu cannot be stopped by hand."""
CANCELLED = "The render was cancelled; nothing was put on the timeline."


def run(
    client: Client, kind: str, parameters: dict[str, Any], windows: ScriptWindows | None, say: Say
) -> JobStatus:
    """Has a job done, with its progress in a window or in the console.

    Raises:
        WorkerError: it was refused or failed.
        Cancelled: the user stopped it.
    """
    job = client.submit(kind, parameters)
    return follow(client, job.id, windows, say)


def follow(client: Client, job: str, windows: ScriptWindows | None, say: Say) -> JobStatus:
    """Waits for a job; see ``run``."""
    if windows is not None:
        windows.watch("LivePortrait", lambda: _look(client.job(job)), lambda: _stop(client, job))
        return _ended(client.job(job))
    told = ""

    def listen(progress: JobProgress) -> None:
        nonlocal told
        label = phase_label(progress.phase)
        if label != told:
            say(words(progress))
            told = label

    try:
        return link_follow(client, job, listen)
    except Cancelled as error:
        raise Cancelled(CANCELLED) from error


def by_page(
    client: Client, parameters: dict[str, Any], say: Say, open_page: Callable[[str], Any] = open_page
) -> JobStatus:
    """Opens the worker's page with the job filled in, and waits until the user has started it and it has ended.

    Args:
        client: of the worker.
        parameters: of an ``animate`` job; its output is how the job is recognized.
        say: takes sentences for the user.
        open_page: opens an address in the browser.

    Raises:
        WorkerError: the job failed.
        Cancelled: the user cancelled it on the page, or started nothing for PAGE_WAIT_S.
    """
    earlier = {job.id for job in client.jobs()}  # one that failed may have had the same output
    name = client.prepare()
    link = f"{client.login_link()}#prepared={name}&fill={quote(json.dumps(parameters), safe='')}"
    if not open_page(link):
        say(f"No browser opened; open this address: {link}")
    say(
        "Choose the settings on the page and press Start or Cancel; this script waits for half an hour, then it stops."
    )
    output = os.path.realpath(str(parameters["output"]))
    until = time.monotonic() + PAGE_WAIT_S
    while time.monotonic() < until:
        for job in client.jobs():
            if job.id not in earlier and os.path.realpath(job.output) == output:
                return follow(client, job.id, None, say)
        if not client.is_prepared(name):
            raise Cancelled("The job was cancelled on the page; nothing was rendered.")
        time.sleep(LOOK_S)
    raise Cancelled(
        "Nothing was started on the page for half an hour; start the script again when you need it."
    )


def told_of(status: JobStatus) -> tuple[str, float]:
    """Words and share from 0 to 1 of how far a job is."""
    progress = status.progress
    if progress is None:
        return "Waiting", 0.0
    phase = phase_label(progress.phase)
    if not progress.total:
        return f"{phase} {progress.frame}", 0.0
    left = "" if progress.eta_s is None else f", {progress.eta_s:.0f} s left"
    return f"{phase} {progress.frame} of {progress.total}{left}", share(progress)


def _look(status: JobStatus) -> tuple[str, float] | None:
    return None if status.has_ended else told_of(status)


def _stop(client: Client, job: str) -> None:
    client.cancel(job)


def _ended(status: JobStatus) -> JobStatus:
    if status.state == "cancelled":
        raise Cancelled(CANCELLED)
    if status.state == "failed":
        error = status.error
        raise WorkerError(error.message if error else "The job failed.", error.code if error else "worker")
    return status
