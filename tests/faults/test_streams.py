"""Closed and full streams, signals, limits: a result or one sentence, never a defect, and nothing half-written."""

import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import pytest
from fakes.films import write_portrait

from lp_core.assemble import assemble
from lp_core.cli.main import run
from lp_core.errors import DiskFull, MediaError, OutOfMemory
from lp_core.files import known_failure, owner
from lp_core.job import RenderJob
from lp_core.leftovers import sweep
from lp_core.settings import EngineSettings, MeshSettings, RenderSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="streams and signals of POSIX")
PLAIN = RenderSettings(engine=EngineSettings(engine="mesh"), mesh=MeshSettings(calibration="off"))


@pytest.fixture
def stage(tmp_path, astronaut):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "out").mkdir()
    write_portrait(tmp_path / "p.png", cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA))
    return tmp_path


def command(stage, frames="0-1", *more):
    given = ["animate", str(stage / "p.png"), "demo:expressive", "-o", str(stage / "out" / "o.mp4")]
    more = ("--engine", "mesh", "--calibration", "off", "--frames", frames, *more)
    return [sys.executable, "-m", "lp_core", *given, *more]


def environment(stage):
    return {**os.environ, "TMPDIR": str(stage / "tmp"), "GLOG_minloglevel": "3"}


def piped(words, stage):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, env=environment(stage), **pipes)


def shell(stage, redirections, *more):
    line = "exec " + " ".join(f"'{word}'" for word in command(stage, "0-1", *more)) + " " + redirections
    return subprocess.run(
        ["sh", "-c", line], env=environment(stage), capture_output=True, text=True, timeout=120, check=False
    )


def is_whole(path):
    film = cv2.VideoCapture(str(path))
    read = [film.read()[0] for _ in range(3)]
    film.release()
    return read == [True, True, False]


@pytest.mark.parametrize("redirections", ["<&- >&- 2>&-", "2>/dev/full"])
def test_result_is_whole_whatever_the_streams_are(stage, redirections):
    done = shell(stage, redirections)
    assert done.returncode == 0, done.stderr
    assert is_whole(stage / "out" / "o.mp4")


def test_full_output_is_said_and_the_result_is_there(stage):
    done = shell(stage, ">/dev/full", "--progress", "json")
    assert done.returncode == DiskFull.exit_code
    assert "The program's output is not complete" in done.stderr
    assert is_whole(stage / "out" / "o.mp4")


def test_reader_that_goes_away_does_not_end_the_work(stage):
    running = piped(command(stage, "0-1", "--progress", "json"), stage)
    running.stdout.close()
    assert (running.wait(120), running.stderr.close()) == (0, None)
    assert is_whole(stage / "out" / "o.mp4")


def begun(stage):
    """A long render that has begun to write."""
    running = piped(command(stage, "0-600", "--progress", "json"), stage)
    end = time.monotonic() + 60
    while not any((stage / "out").iterdir()) or not any((stage / "tmp").iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return running


def reaped(running):
    running.communicate(timeout=60)
    return running.returncode


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_signals_clean_up(stage, name):
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # under nohup the program would be told to ignore SIGHUP
    try:
        running = begun(stage)
    finally:
        signal.signal(number, before)
    running.send_signal(number)
    assert reaped(running) == 130
    assert not list((stage / "out").iterdir())
    assert not list((stage / "tmp").iterdir())


def test_what_a_kill_leaves_is_swept_at_the_next_start(stage):
    running = begun(stage)
    running.kill()
    reaped(running)
    assert list((stage / "out").iterdir())
    assert list((stage / "tmp").iterdir())
    assert shell(stage, "").returncode == 0
    assert [path.name for path in (stage / "out").iterdir()] == ["o.mp4"]
    assert not list((stage / "tmp").iterdir())


def test_only_files_of_dead_processes_of_this_machine_are_swept(tmp_path):
    machine, _, own = owner().partition("-")
    gone = subprocess.Popen(["true"])
    gone.wait()
    keep = [
        f".lpsuite-{machine}-{own}-a.mp4",
        f".lpsuite-{machine}-{os.getppid():x}-a.mp4",
        f".lpsuite-{'0' * 8}-{gone.pid:x}-a.mp4",
        ".lpsuite-my.mp4",
        "lpsuite-notes.txt",
        "o.mp4",
    ]
    for name in (*keep, f".lpsuite-{machine}-{gone.pid:x}-a.mp4"):
        (tmp_path / name).touch()
    (tmp_path / f"lpsuite-{machine}-{gone.pid:x}-b" / "c").mkdir(parents=True)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(keep)
    sweep(tmp_path / "absent")


def test_file_size_limit_is_one_sentence(stage):
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    done = subprocess.run(
        command(stage),
        env=environment(stage),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (256, limit[1])),
    )
    assert done.returncode == DiskFull.exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert not list((stage / "out").iterdir())


@pytest.mark.parametrize("harm", ["removed", "replaced by a file", "read-only"])
@pytest.mark.parametrize("output", ["o.mp4", "o.%03d.png"])
def test_output_folder_that_changes_under_the_work_is_one_sentence(stage, harm, output):
    folder = stage / "out"

    def act(event):
        if event.phase != "render" or not folder.is_dir():
            return
        if harm == "read-only":
            folder.chmod(0o500)
            return
        shutil.rmtree(folder)
        if harm == "replaced by a file":
            folder.touch()

    job = RenderJob(str(stage / "p.png"), "demo:blink", str(folder / output), PLAIN)
    try:
        if harm == "read-only" and os.getuid() == 0:
            pytest.skip("permissions do not bind root")
        with pytest.raises(MediaError, match="cannot be"):
            assemble(job).run(act)
    finally:
        if folder.is_dir():
            folder.chmod(0o700)


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory")], ids=repr)
def test_lack_of_memory_is_no_defect(error):
    assert isinstance(known_failure(error), OutOfMemory)


@pytest.mark.parametrize(
    "content", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_malformed_tls_files_are_one_sentence(tmp_path, capsys, content):
    pytest.importorskip("uvicorn", reason="the extra worker is not installed")
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "token").write_text("a" * 32)
    (tmp_path / "token").chmod(0o600)
    given = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    given += ["--token-file", str(tmp_path / "token"), "--state", str(tmp_path / "state")]
    assert run(["serve", "--listen", "127.0.0.1", *given]) == 2
    assert "cannot be used as a TLS certificate" in capsys.readouterr().err
