"""The worker's HTTP application: one small function for every route, everything typed.

Errors have one shape everywhere (lp_core.worker.schema.ErrorBody) and one table of codes.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from lp_core.errors import (
    DiskFull,
    LpError,
    MediaError,
    NotAllowed,
    NotThere,
    SettingError,
    TooBusy,
    WorkerError,
)
from lp_core.link.messages import PROTOCOL
from lp_core.version import __version__
from lp_core.worker.auth import Gate, Guard
from lp_core.worker.bodies import BodyLimit
from lp_core.worker.compat.routes import compat_router
from lp_core.worker.compat.talks import Compat
from lp_core.worker.connections import EVENTS
from lp_core.worker.events import Event, stream
from lp_core.worker.face_routes import face_router
from lp_core.worker.live_routes import live_router
from lp_core.worker.page_routes import page_router
from lp_core.worker.prepared import prepared_router
from lp_core.worker.schema import (
    AnimateRequest,
    BatchRequest,
    ErrorBody,
    ExtractRequest,
    Health,
    Job,
    JobId,
    JobList,
    Log,
    SayRequest,
    UpscaleRequest,
)
from lp_core.worker.service import Service
from lp_core.worker.speak_routes import speak_router
from lp_core.worker.speech_routes import speech_router
from lp_core.worker.streaming import EndlessResponse
from lp_core.worker.talking.routes import talking_router

STATUSES: tuple[tuple[type[LpError], int], ...] = (
    (NotAllowed, 403),
    (NotThere, 404),
    (TooBusy, 503),
    (DiskFull, 507),
    (SettingError, 422),
    (MediaError, 422),
    (WorkerError, 409),
)
"""Error -> status; the first that fits; 422 for all others."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "The token or the session is missing."},
    403: {"model": ErrorBody, "description": "The path, the page or the caller is not one that is served."},
    413: {"model": ErrorBody, "description": "The body is larger than this address takes."},
    422: {"model": ErrorBody, "description": "The request cannot be understood or done."},
    503: {"model": ErrorBody, "description": "The worker serves as many as it can; try again."},
    507: {"model": ErrorBody, "description": "A disk or a quota is full."},
}
NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "There is none."}}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-Sent Events: state, progress, log.", "content": {"text/event-stream": {}}}
}
JOB_LINKS = {
    name: {"operationId": name, "parameters": {"job": "$response.body#/id"}}
    for name in ("job", "log", "job_events", "cancel", "thumbnail", "output", "forget")
}
"""What can be asked of a job that was made."""
JobRequest = Annotated[
    AnimateRequest | ExtractRequest | UpscaleRequest | SayRequest | BatchRequest, Field(discriminator="kind")
]


def create_app(service: Service, gate: Gate, compat: Compat | None = None) -> FastAPI:
    """The application over a service; anyone who made the service closes it.

    Args:
        service: does the work.
        gate: lets requests in.
        compat: routes that clients of other vendors use; None: none.
    """
    app = FastAPI(
        title="LP Suite worker",
        version=__version__,
        summary="Portrait animation as a local service.",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
    )
    app.state.service, app.state.gate = service, gate
    app.include_router(_health_router(service))
    app.include_router(_jobs_router(service))
    app.include_router(_events_router(service))
    app.include_router(live_router(service))
    app.include_router(speak_router())
    app.include_router(talking_router(service.talking, service.folders))
    app.include_router(page_router(service, gate))
    app.include_router(face_router(service.folders, service.looks))
    app.include_router(prepared_router())
    app.include_router(speech_router(service.folders))
    if compat is not None:
        app.include_router(compat_router(compat))
    app.add_exception_handler(LpError, _lp_problem)
    app.add_exception_handler(RequestValidationError, _request_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(sqlite3.Error, _store_problem)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, gate=gate, busy=partial(_busy, service))
    return app


def _health_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["worker"])

    @router.get("/health", operation_id="health")
    def health() -> Health:
        """Who answers; the only route without a token."""
        counts: dict[str, int] = {}
        problem = service.lanes.problem
        try:
            counts = service.store.counts()
        except LpError as error:  # the worker answers, and says what is wrong
            problem = str(error)
        return Health(
            version=__version__,
            protocol=PROTOCOL,
            kinds=list(service.kinds),
            queued=counts.get("queued", 0),
            running=counts.get("running", 0),
            problem=problem,
        )

    return router


def _jobs_router(service: Service) -> APIRouter:
    router = APIRouter(prefix="/jobs", tags=["jobs"])

    @router.post(
        "",
        operation_id="submit",
        status_code=201,
        responses={
            200: {"model": Job, "description": "The job of the same key, which was there already."},
            201: {"links": JOB_LINKS},
        },
    )
    def submit(request: JobRequest, response: Response) -> Job:
        """Hands over a job."""
        row, is_new = service.submit(request.kind, request)
        response.status_code = 201 if is_new else 200
        return Job.model_validate(row.as_json())

    @router.get("", operation_id="jobs")
    def jobs(
        state: Annotated[
            str | None,
            Query(pattern="^(queued|running|done|failed|cancelled)$", description="Of this state alone."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
    ) -> JobList:
        """Jobs, newest first."""
        return JobList(jobs=[Job.model_validate(row.as_json()) for row in service.store.newest(state, limit)])

    @router.get("/{job}", operation_id="job", responses=NOT_THERE)
    def job(job: JobId) -> Job:
        """One job."""
        return Job.model_validate(service.store.get(job).as_json())

    @router.delete(
        "/{job}",
        operation_id="forget",
        status_code=204,
        responses={**NOT_THERE, 409: {"model": ErrorBody, "description": "It has not ended."}},
    )
    def forget(job: JobId) -> None:
        """Takes an ended job off the list; what it made stays."""
        service.store.forget(job)

    @router.post("/{job}/cancel", operation_id="cancel", responses=NOT_THERE)
    def cancel(job: JobId) -> Job:
        """Stops a job; an ended one stays as it is."""
        return Job.model_validate(service.lanes.cancel(job).as_json())

    @router.get("/{job}/log", operation_id="log", responses=NOT_THERE)
    def log(job: JobId) -> Log:
        """The lines that a job has logged."""
        return Log.model_validate({"lines": service.store.log(job)})

    return router


def _events_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.get(
        "/jobs/{job}/events",
        operation_id="job_events",
        response_class=StreamingResponse,
        responses={**STREAM, **NOT_THERE},
    )
    async def job_events(job: JobId) -> StreamingResponse:
        """What happens to a job until it has ended; first its state now."""
        item = service.hub.subscribe(job)
        leave = partial(service.hub.leave, item)
        try:
            first = _known(service, job)
            return EndlessResponse(service.limits, stream(service.hub, item, first), EVENTS, leave)
        except BaseException:
            leave()
            raise

    @router.get("/events", operation_id="events", response_class=StreamingResponse, responses=STREAM)
    async def events() -> StreamingResponse:
        """What happens to all jobs, from now on."""
        item = service.hub.subscribe(None)
        leave = partial(service.hub.leave, item)
        try:
            return EndlessResponse(service.limits, stream(service.hub, item, []), EVENTS, leave)
        except TooBusy:
            leave()
            raise

    return router


def _busy(service: Service, path: str) -> str | None:
    """Why a stream of events cannot be opened now, decided before the request is parsed."""
    if not path.endswith("/events") or service.limits.has_stream(EVENTS):
        return None
    return str(service.limits.no_stream(EVENTS))


def _known(service: Service, job: str) -> list[Event]:
    """What a listener must know of a job before it hears what happens."""
    row = service.store.get(job)
    first = [Event(job, "log", {"job": job, "text": line["text"]}) for line in service.store.log(job)]
    first.append(Event(job, "state", row.as_json()))
    if row.progress is not None and not row.has_ended:
        first.append(Event(job, "progress", {"job": job, **row.progress}))
    return first


def _problem(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status)


async def _lp_problem(_request: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 422)
    code = error.code if isinstance(error, WorkerError) else getattr(error, "wire_code", "error")
    return _problem(status, code, str(error))


async def _store_problem(_request: Request, error: Exception) -> JSONResponse:
    """The table of jobs failed: a full disk, or a file that something else holds."""
    if "full" in str(error):
        return _problem(507, DiskFull.wire_code, "The disk of the worker's state is full; free some space.")
    return _problem(
        503, TooBusy.wire_code, f"The worker's table of jobs cannot be used ({error}); try again."
    )


async def _request_problem(_request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    words = []
    for fault in faults[:3]:
        where = ".".join(str(part) for part in fault["loc"] if part not in ("body", "query", "path"))
        words.append(f"{where or 'the request'}: {fault['msg']}")
    sentence = "; ".join(words) or "it does not fit the schema"
    return _problem(422, SettingError.wire_code, f"The request cannot be understood: {sentence}.")


async def _http_problem(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 400:
        return _problem(
            422, SettingError.wire_code, "The request's body is not valid JSON in UTF-8; send some."
        )
    headers = error.headers if isinstance(error, HTTPException) else None
    words = {
        404: ("not_there", "There is no such address."),
        405: ("method", "This address takes other methods."),
        413: ("too_large", str(getattr(error, "detail", ""))),
    }
    code, sentence = words.get(status, ("http", str(getattr(error, "detail", "")) or f"HTTP {status}."))
    answer = _problem(status, code, sentence)
    answer.headers.update(headers or {})
    return answer
