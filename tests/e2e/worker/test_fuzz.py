"""Random requests by the worker's own description: no failure of the server, no way out of the folders."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.films import write_portrait
from fakes.settings import setting_fields
from fakes.worker import ROOT, Worker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lp_core.errors import WorkerError
from lp_core.settings import RenderSettings

pytest.importorskip("schemathesis")
PROGRAM = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
EXAMPLES = 8


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    """A worker of its own: its table fills with nonsense."""
    made = Worker(tmp_path_factory.mktemp("hunted"))
    made.client = made.start()
    yield made
    code, words = made.stop()
    assert code == 0, words
    assert "Traceback" not in words, words


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["fuzzing", "stateful"])
def test_no_request_that_the_description_allows_breaks_the_worker(hunted, astronaut, phase):
    """Stateful: requests in chains, by the links of the description: a job is made, asked for, cancelled, forgotten."""
    address = hunted.client.address
    environment = dict(os.environ)
    if phase == "stateful":
        write_portrait(hunted.data / "portrait.png", astronaut[:256, 96:352])
        paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
        hooks = {"SCHEMATHESIS_HOOKS": "fakes.request_hooks", "PYTHONPATH": paths}
        environment |= {**hooks, "LPSUITE_TEST_DATA": str(hunted.data)}
    command = [
        *(
            PROGRAM,
            "run",
            f"{address.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {address.token}",
        ),
        *("--exclude-path", "/events"),  # streams without end
        *("--exclude-path", "/streams/{stream}/preview.mjpeg"),
        *("--phases", phase, "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"),
        *("--generation-database", "none"),
        "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    ]
    done = subprocess.run(
        command, cwd=hunted.folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:]
    if phase == "stateful":
        assert re.search(r"API Links:\s+[1-9]", done.stdout), "no request followed another one"
    assert " passed" in done.stdout
    assert hunted.client.health()["name"] == "lpsuite"


def any_value(meta, default):
    """Values of a setting, right and wrong ones."""
    good = [default] if default is None or not isinstance(default, tuple) else []
    good += list(meta["choices"] or ())
    wild = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20), st.sampled_from(["/etc/passwd", "../../etc", "auto", "0-3", "25", "smile=1"]),
    )  # fmt: skip
    return st.one_of(st.sampled_from(good), wild) if good else wild


GROUPS = {
    group: {
        name: any_value(meta, default)
        for name, default, meta in setting_fields(getattr(RenderSettings(), group))
    }
    for group in vars(RenderSettings())
}
SOME_SETTINGS = st.fixed_dictionaries(
    {}, optional={group: st.fixed_dictionaries({}, optional=members) for group, members in GROUPS.items()}
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=SOME_SETTINGS)
def test_any_settings_become_a_job_or_a_sentence(hunted, asked):
    parameters = {
        "source": str(hunted.data / "none.png"),
        "driving": "demo:still",
        "output": str(hunted.data / "none.mp4"),
        "settings": asked,
    }
    try:
        job = hunted.client.submit("animate", parameters)
    except WorkerError as error:
        assert str(error)
        assert error.code not in ("defect", "protocol", "http", "unreachable")
        return
    hunted.client.cancel(job.id)


STEPS = st.lists(
    st.sampled_from(["..", ".", "in", "out", "away", "up", "loop", "file.png", "pipe", "x.%04d.png", "a\0b", "ü"]),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, which=st.sampled_from(["source", "driving", "output"]))
def test_no_path_leads_out_of_the_allowed_folders(hunted, steps, which):
    make_traps(hunted)
    path = "/".join([str(hunted.data), *steps])
    asked = {
        "source": str(hunted.data / "in" / "file.png"),
        "driving": "demo:still",
        "output": str(hunted.data / "o.mp4"),
        which: path,
    }
    try:
        job = hunted.client.submit("animate", asked)
    except WorkerError:
        return
    finally:
        assert not list((hunted.folder / "secret").glob("*.mp4"))
    hunted.client.cancel(job.id)
    real = os.path.realpath(job.parameters[which])
    assert Path(real).is_relative_to(os.path.realpath(hunted.data))


def make_traps(worker):
    """Links that lead out, in circles and to a pipe, in the allowed folder."""
    secret = worker.folder / "secret"
    if secret.exists():
        return
    (worker.data / "in").mkdir()
    secret.mkdir()
    (secret / "file.png").write_bytes(b"secret")
    (worker.data / "in" / "file.png").write_bytes(b"no picture")
    (worker.data / "out").symlink_to(secret)
    (worker.data / "away").symlink_to("/etc")
    (worker.data / "up").symlink_to("..")
    (worker.data / "loop").symlink_to("loop")
    (worker.data / "x.0001.png").symlink_to(secret / "file.png")
    os.mkfifo(worker.data / "pipe")
