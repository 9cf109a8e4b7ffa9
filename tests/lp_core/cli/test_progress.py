"""What a running render shows."""

import io
import json
import sys

import pytest

from lp_core.cli.progress import BarReporter, JsonReporter, Reporter, make_reporter
from lp_core.errors import NoFace
from lp_core.render.report import Progress, Summary

EVENT = Progress("render", 3, 10, 25.0, 0.28)
SUMMARY = Summary("é.mp4", 10, "25", "mesh", 0.4, "none", (), ((3, 4),), ("A note.",))


def test_json_lines_parse_and_the_summary_is_last(capsys):
    with JsonReporter() as reporter:
        reporter.progress(EVENT)
        reporter.done(SUMMARY)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == EVENT.as_json()
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["output"] == "é.mp4"
    assert lines[-1]["lost_source_frames"] == [[3, 4]]


@pytest.mark.parametrize(
    ("error", "code"),
    [(NoFace("No face."), "no_face"), (KeyboardInterrupt(), "cancelled"), (ValueError("x"), "defect")],
)
def test_an_error_is_the_last_json_line(capsys, error, code):
    with pytest.raises(type(error)), JsonReporter() as reporter:
        reporter.progress(EVENT)
        raise error
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["type"], last["code"]) == ("error", code)


def test_without_a_terminal_there_is_one_line_and_the_notes(capsys):
    with make_reporter("auto") as reporter:
        assert type(reporter) is Reporter
        reporter.progress(EVENT)
        reporter.done(SUMMARY)
    assert capsys.readouterr().out.splitlines() == ["A note.", SUMMARY.sentence()]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with make_reporter("auto") as reporter:
        assert isinstance(reporter, BarReporter)
        reporter.progress(Progress("analyse", 10, 10, 70.0, 0.0))
        reporter.progress(EVENT)
        reporter.progress(Progress("render", 10, 10, 25.0, 0.0))
        reporter.done(SUMMARY)
    shown = terminal.getvalue()
    assert "Reading the performance" in shown
    assert "10/10" in shown
    assert "25.0 fps" in shown
    assert SUMMARY.sentence() in capsys.readouterr().out


def test_an_error_ends_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(NoFace), make_reporter("auto") as reporter:
        reporter.progress(EVENT)
        raise NoFace("No face was found.")
    # a bar that still ran would leave its refresh thread behind, which the suite's own check reports


def test_none_shows_no_bar_even_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(make_reporter("none")) is Reporter
