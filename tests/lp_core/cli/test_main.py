"""The command as a whole: help without weight, errors as one sentence with an exit code."""

import subprocess
import sys
import time

import click
import pytest

from lp_core.cli import main as program
from lp_core.errors import LpError

COMMANDS = ("animate", "extract", "inspect", "doctor", "models")
HEAVY = ("numpy", "cv2", "av", "mediapipe", "torch", "safetensors", "rich", "matplotlib")


def errors(kind=LpError):
    """Every error class of lp_core.errors; other modules may have narrower ones that end a program the same way."""
    children = [child for child in kind.__subclasses__() if child.__module__ == kind.__module__]
    return [kind] + [found for child in children for found in errors(child)]


def python(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.realtime
def test_help_is_quick():
    def seconds():
        start = time.perf_counter()
        done = python("from lp_core.cli.main import main; main()", "--help")
        assert done.returncode == 0
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.4


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_loads_nothing_heavy(arguments):
    code = f"""
import sys
from lp_core.cli.main import run
code = run(sys.argv[1:])
heavy = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(code if not heavy else "loaded: " + ", ".join(heavy))
"""
    done = python(code, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_help_names_every_command(capsys):
    assert program.run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_no_arguments_show_the_help(capsys):
    assert program.run([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.fixture
def planted(monkeypatch):
    """A function that makes the command `doctor` raise an error."""

    def plant(error):
        @click.command()
        @program.debug_option
        def command():
            raise error

        monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: command)

    return plant


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__name__)
def test_each_error_is_one_sentence_with_its_exit_code(kind, planted, capsys):
    planted(kind("out.mp4 is the cause; do this."))
    assert program.run(["doctor"]) == kind.exit_code
    shown = capsys.readouterr()
    assert shown.err == "out.mp4 is the cause; do this.\n"
    assert shown.out == ""


def test_exit_codes_are_all_different():
    codes = [kind.exit_code for kind in errors()] + [program.DEFECT_EXIT_CODE]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("arguments", [["--debug", "doctor"], ["doctor", "--debug"]])
def test_debug_shows_the_traceback_too(planted, capsys, arguments):
    planted(LpError("The sentence."))
    assert program.run(arguments) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.endswith("The sentence.\n")


def test_a_defect_says_that_it_is_one(planted, capsys):
    planted(ZeroDivisionError("a planted defect"))
    assert program.run(["doctor"]) == program.DEFECT_EXIT_CODE
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "defect" in shown
    assert "--debug" in shown
    assert "a planted defect" in shown


def test_ctrl_c_is_130(planted, capsys):
    planted(KeyboardInterrupt())
    assert program.run(["doctor"]) == 130
    assert capsys.readouterr().err.strip().splitlines() == ["Stopped; nothing half-written is left."]


TERMINATED = """
import signal
import click
from lp_core.cli import main as program

@click.command()
def command():
    signal.raise_signal(signal.SIGTERM)

program.LazyGroup.get_command = lambda *_: command
print(program.run(["doctor"]), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""


def test_terminate_is_ctrl_c_and_the_old_handler_comes_back():
    """In another process: a signal that nobody handled would end this one, and with it the run of the tests."""
    done = python("import signal; signal.signal(signal.SIGTERM, signal.SIG_DFL)" + TERMINATED)
    assert done.stdout == "130 True\n"
    assert done.stderr.strip() == "Stopped; nothing half-written is left."


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["animate", "a.png", "-o", "c.mp4"], "DRIVING"),
        (["animate", "a.png", "b.mp4"], "--output"),
        (["animate", "--nonsense"], "--nonsense"),
        (["animate", "a.png", "b.mp4", "-o", "c.mp4", "--quality", "best"], "--quality"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_with_code_2(arguments, named, capsys):
    assert program.run(arguments) == 2
    shown = capsys.readouterr().err
    assert named in shown
    assert shown.count("\n") == 1


def test_what_a_terminal_cannot_show_does_not_stop_it():
    done = subprocess.run(
        [sys.executable, "-m", "lp_core", "animate", "b\udce9.png", "demo:still", "-o", "out.mp4"],
        capture_output=True,
        check=False,
        timeout=60,
        env={"PYTHONIOENCODING": "ascii", "PATH": "", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 11
    assert b"does not exist" in done.stderr
    assert done.stderr.count(b"\n") == 1
