"""Reading requests and telling errors in a vendor's own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lp_core.errors import DiskFull, LpError, NotAllowed, NotThere, SettingError, TooBusy
from lp_core.worker.compat.clients import ApiClient, client_of
from lp_core.worker.compat.talks import OutOfCredits

Model = TypeVar("Model", bound=BaseModel)
Shape = Callable[[int, str], dict[str, Any]]
"""(status, sentence) -> body of an error."""


class Body(BaseModel):
    """A request's body: fields that are not known are kept and reported as ignored."""

    model_config = ConfigDict(extra="allow", str_max_length=1_000_000)


class NoKey(LpError):
    """The request bears no key of a client."""


async def body_of(request: Request, model: type[Model]) -> tuple[Model, dict[str, Any], tuple[str, ...]]:
    """The body of a request: parsed, as it was sent, and the names of what is not known of it.

    Raises:
        SettingError: it is not understood.
    """
    try:
        sent = json.loads(await request.body() or b"{}")
        sent = without_nulls(sent)
        parsed = model.model_validate(sent)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingError(f"{where or 'The body'}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingError("The body is not valid JSON; send an object.") from error
    return parsed, sent, tuple(ignored_fields(parsed))


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same without names whose value is null: clients send such names for what they leave out."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def ignored_fields(model: BaseModel, place: str = "") -> list[str]:
    """Names of fields that are not known, such as config.sharpen."""
    found = [f"{place}{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                found += ignored_fields(item, f"{place}{name}.")
    return list(dict.fromkeys(found))


def known_client(clients: tuple[ApiClient, ...]) -> Callable[[Request], ApiClient]:
    """A dependency: the client whose key the request bears.

    Raises:
        NoKey: nobody's.
    """

    def found(request: Request) -> ApiClient:
        client = client_of(clients, request.headers)
        if client is None:
            raise NoKey("The key is missing or not known.")
        return client

    return found


def status_of(error: Exception) -> tuple[int, str]:
    """(HTTP status, sentence) of an error."""
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return 400, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"
    table: tuple[tuple[type[Exception], int], ...] = (
        (NoKey, 401), (OutOfCredits, 402), (NotThere, 404), (TooBusy, 429), (DiskFull, 507), (NotAllowed, 403),
    )  # fmt: skip
    return next((status for kind, status in table if isinstance(error, kind)), 400), str(error)


def route_class(shape: Shape) -> type[APIRoute]:
    """Routes whose errors have a vendor's shape."""

    class VendorRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    return await inner(request)
                except (LpError, RequestValidationError, HTTPException) as error:
                    status, sentence = status_of(error)
                    headers = {"www-authenticate": "Basic"} if status == 401 else None
                    return JSONResponse(shape(status, sentence), status, headers)

            return handler

    return VendorRoute


def base_of(request: Request) -> str:
    """Scheme and host under which the client reaches this worker."""
    return f"{request.url.scheme}://{request.headers['host']}"


def moment(seconds: float | None) -> str | None:
    """ISO 8601 of seconds since 1970."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
