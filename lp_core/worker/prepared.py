"""Jobs that a host program has prepared on the page and nobody has started yet.

The job itself is in the page's address, which no server sees; here is only whether the page still wants it. A host asks
until the job is started, or the name is gone: cancelled on the page, or lost with an earlier worker.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from lp_core.errors import NotThere
from lp_core.worker.schema import ErrorBody, JobId, Wire

MOST = 64
"""Prepared jobs that are kept; the oldest go first."""
_NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "There is none."}}


class PreparedJob(Wire):
    """A job on the page that nobody has started yet."""

    id: str = Field(description="Name of the prepared job; the page is told it in its address.")


class PreparedJobs:
    """The names of the prepared jobs; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: OrderedDict[str, None] = OrderedDict()

    def add(self) -> str:
        """A new name."""
        name = uuid.uuid4().hex
        with self._lock:
            self._names[name] = None
            while len(self._names) > MOST:
                self._names.popitem(last=False)
        return name

    def require(self, name: str) -> None:
        """Raises NotThere where a job is not prepared any more."""
        with self._lock:
            if name not in self._names:
                raise NotThere(
                    f"No job {name} is prepared; it was cancelled, or prepared for an earlier worker."
                )

    def drop(self, name: str) -> None:
        """The job is cancelled, or started; raises as ``require``."""
        self.require(name)
        with self._lock:
            self._names.pop(name, None)


def prepared_router() -> APIRouter:
    """The routes of prepared jobs."""
    router = APIRouter(tags=["page"])
    jobs = PreparedJobs()

    @router.post("/prepared", operation_id="prepare", status_code=201)
    def prepare() -> PreparedJob:
        """Says that a job will be filled in on the page."""
        return PreparedJob(id=jobs.add())

    @router.get("/prepared/{job}", operation_id="prepared", responses=_NOT_THERE)
    def prepared(job: JobId) -> PreparedJob:
        """Whether the page still wants a prepared job."""
        jobs.require(job)
        return PreparedJob(id=job)

    @router.delete("/prepared/{job}", operation_id="drop_prepared", status_code=204, responses=_NOT_THERE)
    def drop(job: JobId) -> None:
        """Cancels a prepared job: the host program stops waiting for it."""
        jobs.drop(job)

    return router
