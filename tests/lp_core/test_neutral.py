import ast
import io
import logging
from pathlib import Path

import pytest

from lp_core.cli.main import run
from lp_core.cli.progress import make_reporter
from lp_core.errors import LpError, SettingError, UnreadableMedia, WorkerError, neutral, one_line
from lp_core.log_lines import NeutralLines
from lp_core.render.report import Summary

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "a\x1b]0;title\x07\x9b2J\nopenjd_env: PATH=/evil\r"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b]0;title\x07", "a\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x9b2J\x7f\x00\r", "\\x9b2J\\x7f\\x00\\r"),
        ("exe\u202egnp.", "exe\\u202egnp."),
        ("two\nlines\tand tabs, é 漢字", "two\nlines\tand tabs, é 漢字"),
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text, shown):
    assert neutral(text) == shown
    for kind in (LpError, UnreadableMedia, WorkerError):
        assert str(kind(f"{text} is missing.")) == f"{shown} is missing."


def test_one_line_has_no_line_end():
    assert one_line(HOSTILE) == "a\\x1b]0;title\\x07\\x9b2J\\nopenjd_env: PATH=/evil\\r"


def test_commands_write_through_one_function():
    for path in (ROOT / "lp_core").rglob("*.py"):
        if path.name not in ("output.py", "synth.py"):  # synth.py writes errors, which are neutral
            calls = [
                node.func
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Call)
            ]
            found = {"click.echo", "click.secho", "print", "sys.stdout.write", "sys.stderr.write"} & {
                ast.unparse(call) for call in calls
            }
            assert not found, f"{path}: {found}"


def test_log_lines_begin_no_new_line_and_send_no_escape():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(NeutralLines("%(levelname)s: %(message)s"))
    logger = logging.getLogger("test_neutral")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.warning("job %s", HOSTILE, exc_info=True)
    logger.removeHandler(handler)
    text = out.getvalue()
    first, second, *_ = text.split("\n")
    assert first == "WARNING: job " + one_line(HOSTILE)
    assert second == "Traceback (most recent call last):"
    assert neutral(text) == text


@pytest.mark.parametrize("kind", ["none", "openjd", "json"])
def test_names_cannot_speak_to_a_farm_or_a_terminal(capsys, kind):
    with make_reporter(kind) as reporter:
        reporter.done(Summary(HOSTILE, 1, "25", "mesh", 1.0, "none", (), (), (HOSTILE,)))
    with pytest.raises(SettingError), make_reporter(kind):
        raise SettingError(HOSTILE)
    said = capsys.readouterr().out
    assert neutral(said) == said
    assert not [line for line in said.splitlines() if line.startswith("openjd_env")]


def test_hostile_names_are_shown_spelled_out(tmp_path, capsys):
    folder = tmp_path / "a\x1b[2J"
    folder.mkdir()
    for words in (
        ["inspect", str(folder / "none.png")],
        ["batch", str(folder / "a.otio"), "-o", str(folder)],
    ):
        assert run(words) != 0
        said = "".join(capsys.readouterr())
        assert "a\\x1b[2J" in said
        assert "\x1b" not in said
