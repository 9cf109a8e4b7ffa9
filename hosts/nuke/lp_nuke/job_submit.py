"""Hands a job to the worker."""

from lp_core.job import RenderJob
from lp_core.link.client import Client
from lp_core.link.messages import JobStatus
from lp_core.link.runtime import read_runtime
from lp_core.link.start import find_program


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
