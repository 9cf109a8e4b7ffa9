"""`lpsuite doctor`."""

import json
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from lp_core.cli import doctor
from lp_core.cli.extras import PURPOSES, packages_of
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
    monkeypatch.setattr("lp_core.models.store.carried", lambda _package, _path: None)
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


def test_every_extra_of_the_package_is_listed_and_explained(report):
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    declared = set(tomllib.loads(text)["project"]["optional-dependencies"])
    _, findings = report()
    assert {name for area, name in findings if area == "extras"} == declared
    assert set(PURPOSES) == declared


def test_an_extra_holds_the_packages_of_those_it_includes():
    lines = [
        "click>=8",
        "a-b>=1; extra == 'one'",
        'c[x]==2.0; python_version < "4" and extra == "two"',
        'LP_Suite[one,three]; extra == "two"',
        "lp-suite[two]; extra == 'three'",
    ]
    assert packages_of("one", lines) == ("a-b",)
    assert packages_of("two", lines) == ("c", "a-b")
    assert packages_of("three", lines) == ("c", "a-b")


def test_an_extra_that_is_there_in_part_is_absent_and_names_what_lacks(report, monkeypatch):
    from lp_core.cli import extras

    real = extras.version

    def version(name):
        if name == "opencolorio":
            raise PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(extras, "version", version)
    _, findings = report()
    item = findings["extras", "vfx"]
    assert item["state"] == "absent"
    assert "not installed: opencolorio" in item["detail"]
    assert "pip install 'lp-suite[vfx]'" in item["detail"]
