"""Failures of the table of jobs as answers, whichever way they come up."""

import asyncio
import json
import sqlite3

import pytest

from lp_core.worker.allowed_folders import Folders
from lp_core.worker.app import create_app
from lp_core.worker.auth import Gate
from lp_core.worker.service import Service

TOKEN = "t" * 32


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setenv("LPSUITE_LIVE_DIR", str(tmp_path / "live"))
    with Service(tmp_path / "state", Folders.of([tmp_path])) as made:
        yield made


def get(app, path):
    """(status, values) of a request that goes straight to the application."""
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
        "raw_path": path.encode(), "query_string": b"", "headers": headers, "scheme": "http", "root_path": "",
        "server": ("localhost", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    said = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        said.append(message)

    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in said)
    return said[0]["status"], json.loads(body)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (sqlite3.OperationalError("database or disk is full"), 507, "disk_full"),
        (sqlite3.OperationalError("database is locked"), 503, "too_busy"),
        (sqlite3.DatabaseError("database disk image is malformed"), 503, "too_busy"),
    ],
)
def test_an_error_of_the_database_is_a_documented_answer(service, monkeypatch, error, status, code):
    def fail(*_):
        raise error

    app = create_app(service, Gate(TOKEN, frozenset({"localhost"})))
    assert get(app, "/jobs") == (200, {"jobs": []})
    monkeypatch.setattr(service.store, "newest", fail)
    found, values = get(app, "/jobs")
    assert (found, values["code"]) == (status, code)
    assert str(status) in app.openapi()["paths"]["/jobs"]["get"]["responses"]
