"""Too little memory: a result or one sentence, nothing half-written, and a worker that goes on."""

import subprocess
import sys
import time

import cv2
import pytest
from fakes.deadly_kinds import kinds
from fakes.films import write_portrait

from lp_core.errors import FaceError, MissingDependency, OutOfMemory
from lp_core.files import known_failure
from lp_core.worker.events import Hub
from lp_core.worker.job_runner import JobRunner
from lp_core.worker.job_store import JobStore
from lp_core.worker.lane_processes import LaneProcesses

resource = pytest.importorskip("resource", reason="limits of POSIX")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep RLIMIT_AS")


@pytest.fixture(scope="module")
def portrait(tmp_path_factory, astronaut):
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    return write_portrait(tmp_path_factory.mktemp("memory") / "p.png", small)


@pytest.mark.parametrize("megabytes", [120, 700, 1100])
def test_little_memory_is_a_result_or_one_sentence(portrait, tmp_path, megabytes):
    """A library that ends the process itself is no defect of ours, but must leave nothing half-written."""
    words = ["animate", str(portrait), "demo:blink", "-o", str(tmp_path / "o.mp4"), "--frames", "0-2"]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    done = subprocess.run(
        [sys.executable, "-m", "lp_core", *words, "--engine", "mesh", "--calibration", "off", "--progress", "none"],
        capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, hard)),
    )  # fmt: skip
    codes = [0, OutOfMemory.exit_code, FaceError.exit_code]  # the landmarker does not always say why
    codes += [127] + [1] * ("OpenBLAS error" in done.stderr)  # glibc (a thread's own data) and OpenBLAS exit
    assert done.returncode in codes or done.returncode < 0, done.stderr
    assert "Traceback" not in done.stderr
    there = [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert there == (["o.mp4"] if done.returncode == 0 else []), (done.returncode, done.stderr)


def test_a_job_without_memory_fails_and_the_next_one_is_done(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite3")
    processes = LaneProcesses(tmp_path / "lanes", [tmp_path], "fakes.deadly_kinds:kinds")
    runner = JobRunner(store, Hub(), kinds(None), tmp_path / "jobs", processes.do)
    for name, how in (("a", "plain"), ("b", "hungry"), ("c", "plain")):
        store.add(name, "plain", "cpu", 0, "o.mp4", {"how": how})
    runner.wake("cpu")
    end = time.monotonic() + 30
    while not all(store.get(name).has_ended for name in "abc"):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert store.get("b").error["code"] == OutOfMemory.wire_code
    assert store.get("b").starts == 1
    assert store.get("c").state == "done"
    assert store.get("c").summary["pid"] == store.get("a").summary["pid"]
    runner.close()
    processes.close()
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        "libtorch_cpu.so: failed to map segment from shared object",
        "libopencv.so: cannot allocate memory for program header",
        "/x/a.so: cannot enable executable stack as shared object requires: Cannot allocate memory",
    ],
)
def test_a_library_that_finds_no_memory_is_not_called_absent(text):
    error = ImportError(text, name="torch", path="/x/a.so")
    assert isinstance(known_failure(error), OutOfMemory)
    assert isinstance(known_failure(ImportError("No module named 'torch'", name="torch")), MissingDependency)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("std::bad_alloc"),
        cv2.error("OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 12 bytes"),
    ],
    ids=lambda error: str(error)[:24],
)
def test_libraries_say_it_in_their_own_words(error):
    assert isinstance(known_failure(error), OutOfMemory)
