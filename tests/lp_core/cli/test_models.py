"""`lpsuite models`."""

import json

import pytest

from lp_core.cli.main import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty model folder."""
    monkeypatch.setenv("LPSUITE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_the_list_shows_state_and_licence(capsys):
    assert run(["models", "list"]) == 0
    text = capsys.readouterr().out
    assert "face-landmarker" in text
    assert "Apache-2.0" in text


def test_the_list_as_json(capsys):
    assert run(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert rows["face-landmarker"]["bytes"] == 3_758_596
    assert rows["liveportrait"]["state"] == "missing"
    assert "lpsuite models fetch liveportrait" in rows["liveportrait"]["reason"]


def test_the_folder(capsys, folder):
    assert run(["models", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(folder)


def test_the_path_of_a_missing_model(capsys):
    assert run(["models", "path", "liveportrait"]) == 41
    assert "lpsuite models fetch liveportrait" in capsys.readouterr().err


def test_an_unknown_model(capsys):
    assert run(["models", "fetch", "nonsense"]) == 40
    assert "nonsense" in capsys.readouterr().err


def test_fetching_shows_where_it_is(capsys, monkeypatch, folder):
    asked = []

    def fetch(name, accept_license, progress, into_environment=False):
        asked.append((name, accept_license))
        progress("a.bin", 50, 100)
        return folder / name

    monkeypatch.setattr("lp_core.models.store.fetch", fetch)
    assert run(["models", "fetch", "liveportrait", "--accept-license"]) == 0
    assert asked == [("liveportrait", True)]
    assert capsys.readouterr().out.strip() == str(folder / "liveportrait")


def test_verify_fails_on_a_damaged_file(capsys, folder):
    place = folder / "face-landmarker" / "face_landmarker.task"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not the model")
    assert run(["models", "verify", "face-landmarker"]) == 42
    shown = capsys.readouterr()
    assert "damaged" in shown.out
    assert "face_landmarker.task" in shown.err


def test_verify_passes_what_is_missing(capsys):
    assert run(["models", "verify", "liveportrait"]) == 0
    assert "missing" in capsys.readouterr().out
