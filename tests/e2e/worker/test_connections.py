"""Who is turned away when too many connect or send too much: a real worker that has few descriptors."""

import http.client
import json
import subprocess
import sys
from contextlib import closing

import pytest
from fakes.worker import ROOT


@pytest.mark.realtime
def test_a_worker_with_few_descriptors_answers_while_others_press(tmp_path):
    done = subprocess.run(
        [sys.executable, "benchmarks/connections.py", "--streams", "80", "--half-open", "200", "--idle", "20",
         "--seconds", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "under attack" in done.stdout and "event streams" in done.stdout and "status 503" in done.stdout


@pytest.mark.parametrize("stated", [True, False])
def test_a_large_json_body_is_refused_before_it_is_read_whole(worker, stated):
    address = json.loads((worker.run / "worker.json").read_text())
    headers = {"Authorization": f"Bearer {address['token']}", "Content-Type": "application/json"}
    body = b" " * (2 << 20)
    with closing(http.client.HTTPConnection("127.0.0.1", address["port"], timeout=20)) as connection:
        connection.request(
            "POST", "/jobs", body if stated else iter([body]), headers, encode_chunked=not stated
        )
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")
