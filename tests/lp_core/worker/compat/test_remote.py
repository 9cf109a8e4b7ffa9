import http.server
import threading

import pytest

from lp_core.errors import NotAllowed, UnreadableMedia
from lp_core.worker.compat import remote as module
from lp_core.worker.compat.remote import Remote, is_public

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0",  # noqa: S104
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "198.18.0.1", "192.0.0.8", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
    "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:db8::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/a.png", "http://images.example.evil.example/a.png", "http://notimages.example/a.png",
        "ftp://images.example/a.png", "file:///etc/passwd", "http:///a.png", "http://user:key@images.example/a.png",
        "http://images.example:8080/a.png", "http://images.example:22/", "http://images.example\\@10.0.0.1/",
        "http://images.example\r\nHost: x/a.png", "http://images.example/\x00", "gopher://images.example/",
        "http://[::1]/a.png", "http://2130706433/a.png", "http://0x7f.1/a.png", "javascript:alert(1)", "",
        "http://images.example#@10.0.0.1/".replace("images.example#", "x.example#"), "http://" + "a" * 5000,
        "http://sub.images.example/a.png", "http://cdn.example/a.png",
    ],
)  # fmt: skip
def test_addresses_that_are_not_fetched(url, tmp_path):
    remote = Remote(
        ("images.example", "*.cdn.example"), resolve=lambda *_: pytest.fail("a name was looked up")
    )
    with pytest.raises(NotAllowed):
        remote.fetch(url, tmp_path / "a")


@pytest.mark.parametrize("address", PRIVATE)
def test_names_of_private_addresses(address, tmp_path):
    for answers in ([address], ["93.184.216.34", address]):
        remote = Remote(("images.example",), resolve=lambda *_, answers=answers: answers)
        with pytest.raises(NotAllowed, match="private network"):
            remote.fetch("http://images.example/a.png", tmp_path / "a")


class Handler(http.server.BaseHTTPRequestHandler):
    answers: dict = {}
    seen: list = []

    def do_GET(self):
        self.seen.append((self.path, self.headers["Host"]))
        status, headers, body = self.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, body, self.headers["Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    Handler.answers, Handler.seen = {}, []
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    real = module.socket.create_connection
    asked = []

    def connect(address, timeout, *_):
        asked.append(address)
        return real(made.server_address, timeout)

    monkeypatch.setattr(module.socket, "create_connection", connect)
    made.asked = asked
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_connection_goes_to_the_checked_address(server, tmp_path):
    Handler.answers["/a.png?x=1"] = (200, {"Content-Type": "image/png", "Content-Length": "4"}, b"data")
    looked_up = iter([["93.184.216.34"], ["127.0.0.1"]])  # another answer the second time: DNS rebinding
    remote = Remote(("images.example",), resolve=lambda *_: next(looked_up))
    assert remote.fetch("http://images.example/a.png?x=1", tmp_path / "a") == "image/png"
    assert (tmp_path / "a").read_bytes() == b"data"
    assert server.asked == [("93.184.216.34", 80)]
    assert Handler.seen == [("/a.png?x=1", "images.example")]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest",
        "http://other.example/",
        "file:///etc/passwd",
        "//10.0.0.1/",
    ],
)
def test_redirects_are_checked(server, tmp_path, target):
    Handler.answers["/a"] = (302, {"Location": target, "Content-Length": "0"}, b"")
    remote = Remote(("images.example",), resolve=lambda *_: ["93.184.216.34"])
    with pytest.raises(NotAllowed):
        remote.fetch("http://images.example/a", tmp_path / "a")
    assert len(Handler.seen) == 1
    assert not (tmp_path / "a").exists()


def test_redirects_end(server, tmp_path):
    Handler.answers["/a"] = (302, {"Location": "/a", "Content-Length": "0"}, b"")
    remote = Remote(("images.example",), resolve=lambda *_: ["93.184.216.34"])
    with pytest.raises(NotAllowed, match="too often"):
        remote.fetch("http://images.example/a", tmp_path / "a")
    assert len(Handler.seen) == 4


def test_files_that_are_too_large_or_cut_off(server, tmp_path):
    Handler.answers["/large"] = (200, {"Content-Length": "200000"}, b"x" * 200000)
    Handler.answers["/short"] = (200, {"Content-Length": "200000"}, b"x" * 1000)
    Handler.answers["/none"] = (404, {"Content-Length": "0"}, b"")
    remote = Remote(("images.example",), resolve=lambda *_: ["93.184.216.34"])
    for path, words in (
        ("large", "larger than"),
        ("short", "too early|IncompleteRead"),
        ("none", "status 404"),
    ):
        with pytest.raises(UnreadableMedia, match=words):
            remote.fetch(
                f"http://images.example/{path}", tmp_path / "a", most=100_000 if path == "large" else 1 << 20
            )
        assert not list(tmp_path.iterdir())


def test_webhooks_need_https_or_the_operators_word(server):
    remote = Remote(("images.example",), ("http://127.0.0.1:99",), resolve=lambda *_: ["93.184.216.34"])
    for url in (
        "http://images.example/",
        "http://127.0.0.1:98/x",
        "https://127.0.0.1:99/x",
        "http://127.0.0.1:99@x/",
    ):
        with pytest.raises(NotAllowed):
            remote.call(url, b"{}", {"Signature": "s"})
    assert remote.call("http://127.0.0.1:99/done", b"{}", {"Signature": "s"}) == 204
    assert Handler.seen == [("/done", b"{}", "s")]
