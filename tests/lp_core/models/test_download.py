"""Downloads over a real connection to this machine: cut, resumed, refused, too long, a full disk."""

import errno
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lp_core.errors import DiskFull, ModelDamaged, ModelError, NoWritePermission
from lp_core.models.download import download, translated_write_errors

BODY = bytes(range(256)) * 40


class Server:
    """What a test wants the server to do, and what it was asked."""

    def __init__(self, body=BODY, cuts=0, status=None, has_ranges=True, status_times=10**6):
        self.body, self.cuts, self.status, self.has_ranges = body, cuts, status, has_ranges
        self.status_times = status_times
        self.asked = []

    def answer(self, handler):
        span = handler.headers.get("Range")
        self.asked.append(span)
        if self.status and self.status_times > 0:
            self.status_times -= 1
            handler.send_error(self.status)
            return
        start = int(span.removeprefix("bytes=").rstrip("-")) if span and self.has_ranges else 0
        part = self.body[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(part)))
        handler.end_headers()
        if self.cuts > 0:
            self.cuts -= 1
            part = part[: len(part) // 2]
        handler.wfile.write(part)


@contextmanager
def serving(server):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.answer(self)

        def log_message(self, *_args):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/file"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def temporary(tmp_path):
    return tmp_path / "größe.part"


SIZE = len(BODY)


def fetch(server, temporary, size=SIZE):
    told = []
    with serving(server) as url:
        download(url, temporary, size, told.append)
    return told


def test_file_arrives_and_progress_grows_to_its_size(temporary):
    told = fetch(Server(), temporary)
    assert temporary.read_bytes() == BODY
    assert told == sorted(told)
    assert told[-1] == len(BODY)


def test_goes_on_where_an_earlier_try_stopped(temporary):
    temporary.write_bytes(BODY[:1000])
    server = Server()
    assert fetch(server, temporary)[0] == 1000
    assert server.asked == ["bytes=1000-"]
    assert temporary.read_bytes() == BODY


def test_cut_connection_is_taken_up_again(temporary):
    server = Server(cuts=2)
    fetch(server, temporary)
    half = len(BODY) // 2
    assert server.asked == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    assert temporary.read_bytes() == BODY


def test_server_without_ranges_starts_over(temporary):
    temporary.write_bytes(b"x" * 1000)
    fetch(Server(has_ranges=False), temporary)
    assert temporary.read_bytes() == BODY


def test_endless_cuts_end_with_an_error_that_keeps_what_came(temporary):
    with pytest.raises(ModelError, match="are kept"):
        fetch(Server(cuts=99), temporary)
    assert temporary.read_bytes() == BODY[: temporary.stat().st_size]
    assert temporary.stat().st_size > len(BODY) // 2


def test_whole_leftover_needs_no_request(temporary):
    temporary.write_bytes(BODY)
    server = Server(status=500)
    fetch(server, temporary)
    assert server.asked == []


def test_leftover_that_is_too_long_is_thrown_away(temporary):
    temporary.write_bytes(BODY + b"more")
    server = Server()
    fetch(server, temporary)
    assert server.asked == [None]
    assert temporary.read_bytes() == BODY


def test_refused_range_starts_over(temporary):
    temporary.write_bytes(BODY[:10])
    server = Server(status=416, status_times=1)
    fetch(server, temporary)
    assert server.asked == ["bytes=10-", None]
    assert temporary.read_bytes() == BODY


def test_file_that_grew_is_not_collected(temporary):
    with pytest.raises(ModelDamaged, match="larger"):
        fetch(Server(), temporary, size=100)
    assert temporary.stat().st_size == 0


@pytest.mark.parametrize(("status", "words"), [(404, "not there"), (410, "not there"), (403, "refused")])
def test_refusal_is_not_repeated(temporary, status, words):
    server = Server(status=status)
    with pytest.raises(ModelError, match=words):
        fetch(server, temporary)
    assert len(server.asked) == 1


def test_server_fault_is_tried_again(temporary):
    fetch(Server(status=503, status_times=2), temporary)
    assert temporary.read_bytes() == BODY


def test_nobody_listens(temporary):
    with serving(Server()) as url:
        pass
    with pytest.raises(ModelError, match="check the network"):
        download(url, temporary, 10, lambda _: None)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "nonsense"])
def test_only_web_addresses(temporary, url):
    with pytest.raises(ModelError, match="not a web address"):
        download(url, temporary, 10, lambda _: None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk_is_said_and_nothing_is_left(temporary):
    temporary.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="LPSUITE_MODELS"):
        fetch(Server(), temporary)
    assert not temporary.is_symlink()


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EACCES, NoWritePermission),
        (errno.EROFS, NoWritePermission),
        (errno.EIO, ModelError),
    ],
)
def test_foreign_write_errors_are_translated(temporary, number, wanted):
    temporary.write_bytes(b"half")
    with pytest.raises(wanted) as caught, translated_write_errors(temporary):
        raise OSError(number, "reason")
    assert type(caught.value) is wanted
    assert "größe.part" in str(caught.value)
    assert temporary.exists() == (number != errno.ENOSPC)
