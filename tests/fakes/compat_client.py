"""Requests of the compatible routes' clients."""

import contextlib
import hmac
import http.client
import http.server
import json
import subprocess
import threading
import time
from hashlib import sha256

LIMIT_S = 120
ANNA, BORIS = "key-of-anna-000001", "key-of-boris-00002"


def write_keys(path):
    """The file of two clients: one with short texts and sounds, one with a single video a day."""
    clients = [
        {"name": "anna", "key": ANNA, "text": 200, "seconds": 5},
        {"name": "boris", "key": BORIS, "per_day": 1},
    ]
    path.write_text(json.dumps(clients))
    path.chmod(0o600)
    return path


def ask(worker, method, path, body=None, headers=None, key=ANNA):
    """(status, headers, body); JSON is read, and objects are sent as JSON."""
    address = worker.client.address
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    own = {"X-Api-Key": key} if key else {}
    if isinstance(body, dict):
        body, own = json.dumps(body), {**own, "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, {**own, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, dict(answer.getheaders()), json.loads(content) if is_json else content
    finally:
        connection.close()


def upload(worker, path="/images", field="image", content=None, kind="image/png", key=ANNA):
    content = (worker.data / "portrait.png").read_bytes() if content is None else content
    body = (
        (
            f'--xx\r\nContent-Disposition: form-data; name="{field}"; filename="../../a.png"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        ).encode()
        + content
        + b"\r\n--xx--\r\n"
    )
    return ask(worker, "POST", path, body, {"Content-Type": "multipart/form-data; boundary=xx"}, key)


def until_ended(worker, path, read, ended, key=ANNA):
    until = time.monotonic() + LIMIT_S
    while True:
        _, _, answer = ask(worker, "GET", path, key=key)
        if read(answer) in ended:
            return answer
        assert time.monotonic() < until, answer
        time.sleep(0.3)


def text_talk(url, text="Hi.", **more):
    return {"source_url": url, "script": {"type": "text", "input": text}, **more}


class Webhooks(http.server.BaseHTTPRequestHandler):
    """Takes calls and remembers (path, body, signature)."""

    seen: list

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, body, self.headers["Signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def listening():
    """(address, calls): a receiver of webhooks while the context lasts."""
    handler = type("Receiver", (Webhooks,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until_called(calls, path, key=ANNA):
    """The JSON of a webhook's call, once it came; its signature is verified."""
    until = time.monotonic() + LIMIT_S
    while not any(call[0] == path for call in calls):
        assert time.monotonic() < until, f"no call of {path}"
        time.sleep(0.1)
    _, body, signature = next(call for call in calls if call[0] == path)
    secret = hmac.new(key.encode(), b"webhook", sha256).hexdigest()
    assert signature == hmac.new(secret.encode(), body, sha256).hexdigest()
    return json.loads(body)


def shell(command, **variables):
    """What a command line prints, as bytes; it must succeed."""
    done = subprocess.run(["bash", "-c", command], env=variables, capture_output=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
