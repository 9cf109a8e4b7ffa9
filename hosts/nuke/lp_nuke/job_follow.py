"""Follows a job of the worker from a thread of its own, so that whoever listens may look up every few moments."""

import queue
import threading
from typing import Any, Callable, Optional

from lp_core.errors import Cancelled, LpError, WorkerError
from lp_core.job import RenderJob
from lp_core.link.client import Client
from lp_core.link.messages import JobEvent, JobProgress, JobStatus, phase_label
from lp_core.link.runtime import read_runtime
from lp_core.link.start import find_program

LOOK_S = 0.2
"""Seconds between two looks whether the user has cancelled."""


def check_worker() -> None:
    """Raises WorkerError, with what to do, where neither a worker nor the program that starts one is found."""
    if read_runtime() is None:
        find_program()


def submit(client: Client, job: RenderJob) -> JobStatus:
    """Hands a job over, or gives the one that makes the same output already."""
    for state in ("running", "queued"):
        for status in client.jobs(state):
            if status.output == job.output:
                return status
    return client.submit("animate", job)


def words(progress: JobProgress) -> str:
    """How far a job has come, for people."""
    label = phase_label(progress.phase)
    total = f" of {progress.total}" if progress.total else ""
    return f"{label[:1].lower()}{label[1:]}, frame {progress.frame}{total}"


def percent(progress: JobProgress) -> int:
    """The same in hundredths of the phase."""
    return min(100, int(100 * progress.frame / progress.total)) if progress.total else 0


def follow(
    client: Client,
    job: str,
    listen: Callable[[JobProgress], None],
    is_cancelled: Callable[[], bool],
) -> None:
    """Waits until a job has ended.

    Args:
        client: of the worker.
        job: its name.
        listen: is called with progress.
        is_cancelled: is asked every few moments.

    Raises:
        Cancelled: here, or elsewhere by somebody else.
        LpError: the job failed, or the worker stays away.
    """
    events = queue.Queue()  # type: queue.Queue[Any]
    thread = threading.Thread(target=_listen, args=(client, job, events), name="lp-nuke-follow", daemon=True)
    thread.start()
    has_cancelled = False
    while True:
        if not has_cancelled and is_cancelled():
            has_cancelled = True
            client.cancel(job)
        try:
            found = events.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if isinstance(found, JobProgress):
            listen(found)
            continue
        thread.join()
        _raise(found)
        return


def _listen(client: Client, job: str, events: Any) -> None:  # noqa: ANN401 - a queue
    """Puts progress into the queue and, last, None or what went wrong; that end always arrives."""
    last: Optional[LpError] = None

    def hear(event: JobEvent) -> None:
        if event.progress is not None:
            events.put(event.progress)

    try:
        client.wait(job, hear)
    except LpError as error:
        last = error
    except Exception as error:  # noqa: BLE001 - a thread's error goes to whoever waits
        last = WorkerError(f"The job {job} cannot be followed: {error}.")
    finally:
        events.put(last)


def _raise(found: Optional[LpError]) -> None:
    if isinstance(found, WorkerError) and found.code == "cancelled":
        raise Cancelled("The render was cancelled.") from found
    if found is not None:
        raise found
