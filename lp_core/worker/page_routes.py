"""Routes of the page: login, static files, uploads, thumbnails, results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.responses import Response

from lp_core.errors import LpError, NotThere, TooBusy
from lp_core.link.messages import PHASES
from lp_core.performance_name import BUILTIN_MOTIONS
from lp_core.worker.auth import LOGIN_PATH, Gate, is_foreign_visit
from lp_core.worker.schema import ErrorBody, JobId, Login, PageFacts, Uploaded, slider_infos
from lp_core.worker.service import Service

PAGE = Path(__file__).parent / "page"
STATIC = {
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}
"""Files of the page -> their type; modules (.js) come in addition."""
FILM_TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}
_ANY_FILM: dict[str, dict[str, str]] = {kind: {} for kind in FILM_TYPES.values()}
_LOGIN_AGAIN = (
    "<!doctype html><meta charset=utf-8><title>LP Suite</title><p>This link was used already or is too old. "
    "Get a new one with: <code>lpsuite serve --open</code></p>"
)
_ENTER = (
    "<!doctype html><meta charset=utf-8><title>LP Suite</title><script type=module src=/page/enter.js></script>"
    "<p><a href=/>LP Suite</a>"
)
JPEG: dict[int | str, dict[str, Any]] = {200: {"description": "JPEG.", "content": {"image/jpeg": {}}}}
NO_FILE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody, "description": "There is none."}}


def page_router(service: Service, gate: Gate) -> APIRouter:
    """The routes of the page."""
    router = APIRouter()
    _login_routes(router, gate)
    _page_files(router)
    _uploads(router, service)
    _results(router, service)
    return router


def _login_routes(router: APIRouter, gate: Gate) -> None:
    @router.post("/logins", operation_id="new_login", status_code=201, tags=["page"])
    async def new_login() -> Login:
        """A login for a browser, good once."""
        return Login(path=f"{LOGIN_PATH}?key={gate.new_login()}")

    @router.get(
        LOGIN_PATH,
        operation_id="login",
        tags=["page"],
        status_code=303,
        response_class=RedirectResponse,
        responses={
            200: {"description": "Goes on to the page.", "content": {"text/html": {}}},
            403: {"description": "The key is spent, old or unknown.", "content": {"text/html": {}}},
        },
    )
    async def login(
        request: Request, key: Annotated[str, Query(max_length=200, description="Of a login.")]
    ) -> Response:
        """Spends a login: gives the browser its cookie and shows the page."""
        session = gate.login(key)
        if session is None:
            return HTMLResponse(_LOGIN_AGAIN, 403)
        answer: Response = RedirectResponse("/", 303)
        if is_foreign_visit(request.method, request.headers):  # a redirect would not bear a strict cookie
            answer = HTMLResponse(_ENTER)
        answer.set_cookie(
            gate.cookie, session, httponly=True, samesite="strict", secure=gate.scheme == "https", path="/"
        )
        return answer


def _page_files(router: APIRouter) -> None:
    @router.get("/", include_in_schema=False)
    def page() -> FileResponse:
        """The page."""
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    @router.get("/page/{name}", include_in_schema=False)
    def page_file(name: str) -> FileResponse:
        """A file of the page."""
        kind = "text/javascript" if name.endswith(".js") else STATIC.get(name)
        known = {path.name for path in PAGE.iterdir()}
        if kind is None or name not in known:
            raise NotThere("The page has no such file.")
        return FileResponse(PAGE / name, media_type=f"{kind}; charset=utf-8")


def _uploads(router: APIRouter, service: Service) -> None:
    @router.get("/facts", operation_id="facts", tags=["page"])
    def facts() -> PageFacts:
        """What the page needs next to the schema."""
        return PageFacts(
            sliders=slider_infos(),
            roots=[str(root) for root in service.roots],
            results=str(service.results),
            demos=[f"demo:{name}" for name in BUILTIN_MOTIONS],
            phases={name: phase.label for name, phase in PHASES.items()},
        )

    @router.post(
        "/uploads",
        operation_id="upload",
        status_code=201,
        tags=["page"],
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def upload(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=255, description="File name, for its type.")],
    ) -> Uploaded:
        """Keeps a file that is sent as the body."""
        path, count = await service.uploads.take(safe_name(name), request.stream())
        return Uploaded(path=str(path), bytes=count)


def _results(router: APIRouter, service: Service) -> None:
    @router.get(
        "/jobs/{job}/output",
        operation_id="output",
        tags=["page"],
        response_class=FileResponse,
        responses={
            200: {"description": "The video.", "content": {"application/octet-stream": {}, **_ANY_FILM}},
            206: {"description": "The part that was asked for.", "content": {"application/octet-stream": {}}},
            416: {"description": "There is no such part.", "content": {"text/plain": {}}},
            **NO_FILE,
        },
    )
    def output(job: JobId) -> FileResponse:
        """The video or motion that a job made; an image sequence has no single file."""
        row = service.store.get(job)
        path = Path(service.folders.readable(row.output))
        if row.state != "done" or not path.is_file():
            raise NotThere(f"The job {job!r} has no file to show; it is {row.state}.")
        return FileResponse(path, media_type=FILM_TYPES.get(path.suffix.lower(), "application/octet-stream"))

    @router.get(
        "/jobs/{job}/thumbnail",
        operation_id="thumbnail",
        tags=["page"],
        response_class=Response,
        responses={**JPEG, **NO_FILE},
    )
    def thumbnail(job: JobId) -> Response:
        """A small image: of what the job made, else of its source."""
        row = service.store.get(job)
        names = [str(row.parameters.get("source", ""))]
        if row.state == "done":
            names.insert(0, row.output)
        for name in filter(None, names):
            try:
                return Response(
                    service.looks.jpeg("picture", {"path": service.folders.readable(name)}),
                    media_type="image/jpeg",
                )
            except TooBusy:  # noqa: PERF203 - a handful at most
                raise
            except LpError:  # the next name may do
                continue
        raise NotThere(f"The job {job!r} has no image.")


def safe_name(name: str) -> str:
    """A file name without folders, control characters, leading dots or a place for a frame number."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign if sign.isprintable() and sign not in '%#<>:"|?*' else "_" for sign in last)
    encoded = kept.lstrip(". ").encode("utf-8", "replace")
    cut = encoded[-180:].decode("utf-8", "ignore")
    return cut or "file"
