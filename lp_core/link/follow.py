"""Following a job of the worker: progress for a listener, cancellation while it runs, the end as an error or not.

Standard library only, Python 3.7 syntax.
"""

import queue
import threading
from typing import Any, Callable, Optional

from ..errors import Cancelled, LpError, WorkerError
from .client import Client
from .messages import JobEvent, JobProgress, JobStatus, phase_label

LOOK_S = 0.2
"""Seconds between two checks whether the user has cancelled."""


def words(progress: JobProgress) -> str:
    """How far a job has come, for people: ``rendering, frame 3 of 10``."""
    label = phase_label(progress.phase)
    total = f" of {progress.total}" if progress.total else ""
    return f"{label[:1].lower()}{label[1:]}, frame {progress.frame}{total}"


def share(progress: JobProgress) -> float:
    """The same as a share of the phase, 0 to 1; 0 where its length is not known."""
    return min(progress.frame / progress.total, 1.0) if progress.total else 0.0


def follow(
    client: Client,
    job: str,
    listen: Callable[[JobProgress], None],
    is_cancelled: Callable[[], bool] = lambda: False,
) -> JobStatus:
    """Waits until a job has ended.

    A thread listens to the worker, so that ``listen`` and ``is_cancelled`` run in the caller's own.

    Args:
        client: of the worker.
        job: its name.
        listen: called with progress.
        is_cancelled: asked every LOOK_S; True cancels the job.

    Returns:
        The finished job.

    Raises:
        Cancelled: the job was cancelled, here or elsewhere.
        LpError: the job failed, or the worker cannot be reached.
    """
    events = queue.Queue()  # type: queue.Queue[Any]
    thread = threading.Thread(target=_listen, args=(client, job, events), name="lp-follow", daemon=True)
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
        return client.job(job)


def _listen(client: Client, job: str, events: Any) -> None:  # noqa: ANN401 - a queue
    """Puts progress into the queue and, last, None or what went wrong; that end always arrives."""
    last = None  # type: Optional[LpError]

    def hear(event: JobEvent) -> None:
        if event.progress is not None:
            events.put(event.progress)

    try:
        client.wait(job, hear)
    except LpError as error:
        last = error
    except Exception as error:  # noqa: BLE001 - a thread's error goes to the caller
        last = WorkerError(f"The job {job} cannot be followed: {error}.")
    finally:
        events.put(last)


def _raise(found: Optional[LpError]) -> None:
    if isinstance(found, WorkerError) and found.code == "cancelled":
        raise Cancelled("The render was cancelled.") from found
    if found is not None:
        raise found
