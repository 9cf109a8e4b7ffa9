"""Every phase of a job renders in every reporter, and all of them read one table."""

import re
from pathlib import Path
from typing import get_args

import pytest

import hosts.nuke
from hosts.davinci.lp_resolve.job import told_of
from lp_core.batch.plan import BatchPlan
from lp_core.batch.run import Overall
from lp_core.cli.progress import BarReporter, JsonReporter, OpenJdReporter
from lp_core.link.messages import PHASES, JobProgress, JobStatus, phase_label
from lp_core.render.report import Phase, Progress

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("phase", get_args(Phase))


def test_the_type_and_the_table_name_the_same_phases():
    assert get_args(Phase) == tuple(PHASES)


def test_labels_differ_and_gains_and_shares_rise():
    assert len({info.label for info in PHASES.values()}) == len(PHASES)
    for values in ([info.gain for info in PHASES.values()], [info.share for info in PHASES.values()]):
        assert values == sorted(values)
    assert all(0 <= begin <= end <= 1 for begin, end in (info.share for info in PHASES.values()))


@EVERY
@pytest.mark.parametrize("reporter", [BarReporter, OpenJdReporter])
def test_the_command_line_shows_the_label(phase, reporter, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with reporter() as shown:
        shown.progress(Progress(phase, 3, 10, 25.0, 0.28))
        shown.progress(Progress(phase, 10, None, 25.0, None))
    captured = capsys.readouterr()
    assert PHASES[phase].label in captured.out + captured.err


@EVERY
def test_json_names_the_phase(phase, capsys):
    JsonReporter().progress(Progress(phase, 3, 10, 25.0, 0.28))
    assert f'"phase": "{phase}"' in capsys.readouterr().out


@EVERY
def test_nuke_shows_the_label(phase, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(hosts.nuke.__file__).parent))
    from lp_core.link.follow import words

    label = PHASES[phase].label
    assert words(JobProgress(phase, 3, 10, 25.0, 0.28)) == f"{label[0].lower()}{label[1:]}, frame 3 of 10"


@EVERY
def test_resolve_shows_the_label(phase):
    progress = JobProgress(phase, 3, 10, 25.0, 2.0)
    status = JobStatus("a", "upscale", "running", 0, "o.mp4", 0.0, 0.0, None, progress, None, None, {})
    assert told_of(status) == (f"{PHASES[phase].label} 3 of 10, 2 s left", 0.3)


@EVERY
def test_a_batch_counts_the_phase(phase):
    told = []
    shot = type("Shot", (), {"id": "a", "frames": 10})()
    overall = Overall(BatchPlan("t.otio", "out", (shot,)), told.append, iter(range(9)).__next__)
    overall.of(shot)(Progress(phase, 10, 10, 25.0, 0.0))
    assert told[-1].frame == round(PHASES[phase].share[1] * 10)


@EVERY
def test_a_worker_counts_every_phase_as_progress(phase, tmp_path):
    import threading

    from lp_core.worker.job_context import JobContext

    told = []
    context = JobContext(
        "a", tmp_path, lambda event, gain: told.append(gain), lambda text: None, threading.Event()
    )
    context.progress(Progress(phase, 3, 10, 25.0, 0.0))
    assert told == [PHASES[phase].gain + 3]


def test_a_phase_of_a_newer_worker_is_shown_by_its_name():
    assert phase_label("polish") == "polish"


def test_no_reporter_has_a_table_of_its_own():
    labels = "|".join(re.escape(info.label) for info in PHASES.values())
    copies = [
        path.relative_to(ROOT).as_posix()
        for folder in ("lp_core", "hosts", "upscale")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js", ".lua")
        and len(set(re.findall(rf"[\"']({labels})[\"']", path.read_text(encoding="utf-8"), re.IGNORECASE)))
        > 1
    ]
    assert copies == ["lp_core/link/messages.py"]
