"""`lpsuite doctor`."""

import json

import pytest

from lp_core.cli import doctor
from lp_core.cli.main import run
from lp_core.errors import UnknownCodec
from lp_core.settings import VIDEO_CODECS


@pytest.fixture
def report(capsys):
    """A function that runs the doctor and returns exit code and findings by (area, name)."""

    def call():
        capsys.readouterr()
        code = run(["doctor", "--json"])
        values = json.loads(capsys.readouterr().out)
        assert values["works"] == (code == 0)
        return code, {(item["area"], item["name"]): item for item in values["findings"]}

    return call


def test_here_the_main_job_works(report):
    code, findings = report()
    assert code == 0
    assert findings["face analysis", "MediaPipe"]["state"] == "ok"
    assert findings["models", "face-landmarker"]["state"] == "ok"
    assert {name for area, name in findings if area == "codecs"} == set(VIDEO_CODECS)
    assert findings["codecs", "h264"]["state"] == "ok"


def test_every_absence_says_how_to_get_it(report):
    _, findings = report()
    for (area, name), item in findings.items():
        if item["state"] == "absent" and area in ("models", "extras", "devices"):
            assert "lpsuite models fetch" in item["detail"] or "pip install" in item["detail"], name


def test_a_missing_landmarker_breaks_the_main_job(report, monkeypatch, tmp_path):
    monkeypatch.setattr("lp_core.models.store._carried", lambda _model: None)
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path))
    code, findings = report()
    assert code == 1
    assert findings["face analysis", "MediaPipe"]["state"] == "broken"
    assert "lpsuite models fetch face-landmarker" in findings["face analysis", "MediaPipe"]["detail"]


@pytest.mark.parametrize(("codec", "code"), [("h264", 1), ("ffv1", 0)])
def test_a_codec_that_cannot_be_opened(report, monkeypatch, codec, code):
    real = doctor._write_tiny_film

    def write(name):
        if name == codec:
            raise UnknownCodec(f"{name} is not built in.")
        real(name)

    monkeypatch.setattr(doctor, "_write_tiny_film", write)
    found, findings = report()
    assert found == code
    assert findings["codecs", codec]["detail"] == f"{codec} is not built in."


@pytest.mark.parametrize(
    ("value", "state"), [(None, "absent"), ("/nicht/da.ocio", "absent"), ("ocio://default", "ok")]
)
def test_the_color_configuration(monkeypatch, value, state):
    monkeypatch.delenv("OCIO", raising=False)
    if value is not None:
        monkeypatch.setenv("OCIO", value)
    finding = doctor._color()
    assert finding.state == state
    assert value is None or value in finding.detail


def test_for_people(capsys):
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.endswith("The main job works.\n")
    assert "codecs\n  ok      h264" in text
