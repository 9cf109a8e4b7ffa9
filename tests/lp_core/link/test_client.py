"""The client under every Python that hosts embed, against a real worker; and how it finds and starts one."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.films import write_portrait
from fakes.pythons import python
from fakes.worker import Worker

from lp_core.errors import WorkerError
from lp_core.link.client import Client
from lp_core.link.runtime import Address

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = ("3.7", "3.9", "3.10", "3.11", "3.12", "3.13")
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from hosts.client import Client, WorkerError
client = Client.connect(start=False)
job = client.submit("animate", {"source": sys.argv[2], "driving": "demo:still", "output": sys.argv[3],
                                "settings": {"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}}})
frames = [event.progress.frame for event in client.follow(job.id) if event.progress]
assert frames, "no progress was told"
assert client.wait(job.id).summary["frames"] == 50
try:
    client.job("none")
except WorkerError as error:
    assert error.code == "not_there", error.code
else:
    raise AssertionError("a job that is not there was found")
print("%d.%d" % sys.version_info[:2])
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    from skimage import data

    made = Worker(tmp_path_factory.mktemp("client"))
    made.client = made.start()
    write_portrait(made.data / "portrait.png", data.astronaut())
    yield made
    made.stop()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_makes_a_film_and_follows_it(worker, version):
    program = python(version)
    output = worker.data / f"by-{version}.mp4"
    done = subprocess.run(
        [program, "-W", "error", "-c", SCRIPT, ROOT, worker.data / "portrait.png", output],
        env=worker.environment, cwd=worker.folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == version
    assert output.stat().st_size > 1000


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("lp_core/link/*.py")), ROOT / "hosts" / "client.py"])
def test_its_syntax_is_that_of_the_oldest_host(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_it_starts_a_worker_and_says_why_it_cannot(tmp_path, monkeypatch):
    run, state = tmp_path / "run", tmp_path / "state"
    monkeypatch.setenv("LPSUITE_RUNTIME_DIR", str(run))
    monkeypatch.setenv("LPSUITE_SETTINGS", str(tmp_path / "host.json"))
    monkeypatch.delenv("LPSUITE", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkerError, match="set the environment variable LPSUITE"):
        Client.connect()
    program = tmp_path / "lpsuite"
    program.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m lp_core "$@"\n')
    program.chmod(0o755)
    options = ["--allow", str(tmp_path / "nowhere"), "--state", str(state)]
    (tmp_path / "host.json").write_text(json.dumps({"lpsuite": str(program), "serve": options}))
    monkeypatch.setenv("PATH", os.defpath)
    with pytest.raises(WorkerError, match="is not a folder; allow one that exists"):
        Client.connect()
    options[1] = str(tmp_path)
    (tmp_path / "host.json").write_text(json.dumps({"lpsuite": str(program), "serve": options}))
    client = Client.connect()
    try:
        assert client.health()["running"] == 0
        assert Client.connect(start=False).address == client.address
    finally:
        os.kill(client.address.pid, 15)


def test_a_worker_that_is_gone_is_told_in_a_sentence():
    client = Client(Address("http", "127.0.0.1", 9, "x" * 20), timeout_s=1)
    with pytest.raises(WorkerError, match="cannot be reached") as told:
        client.jobs()
    assert told.value.code == "unreachable"


def test_a_token_is_never_shown():
    secret = "s" * 24
    assert secret not in repr(Address("http", "127.0.0.1", 9, secret))


def test_over_tls_with_a_token_of_the_users(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on PATH")
    certificate, key, token = (tmp_path / name for name in ("cert.pem", "key.pem", "token"))
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    token.write_text("a-token-of-my-own-choice\n")
    for path in (token, key):
        path.chmod(0o600)  # looser ones are refused
    worker = Worker(tmp_path / "worker")
    for lacking in ([], ["--tls-cert", certificate, "--tls-key", key]):
        with pytest.raises(AssertionError, match="lets other machines in"):
            worker.start("--listen", "0.0.0.0", *lacking)  # noqa: S104 - refused
    options = ["--tls-cert", certificate, "--tls-key", key, "--token-file", token, "--name", "localhost"]
    client = worker.start("--listen", "0.0.0.0", *options)  # noqa: S104 - with TLS and a token
    try:
        assert client.address.scheme == "https"
        assert client.address.token == token.read_text().strip()
        assert client.jobs() == []
        stranger = Client(Address("https", "localhost", client.address.port, client.address.token))
        with pytest.raises(WorkerError, match="certificate"):
            stranger.jobs()
    finally:
        worker.stop()
