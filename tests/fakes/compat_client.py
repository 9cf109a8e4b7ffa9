"""Requests of the compatible routes' clients."""

import http.client
import json
import time

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
