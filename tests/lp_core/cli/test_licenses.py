"""Licenses are read from what is installed, and docs/licenses.md is what they say."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from lp_core.cli import licenses
from lp_core.cli.main import run

ROOT = Path(__file__).resolve().parents[3]


def has(*names):
    try:
        return all(distribution(name) for name in names)
    except PackageNotFoundError:
        return False


def test_the_page_is_what_the_metadata_says():
    extras = [name for name in licenses.PURPOSES if name not in licenses._LEFT_OUT]
    shown = [item for extra in ("", *extras) for item in licenses.components(extra)]
    absent = [item.name for item in shown if not item.is_installed and item.name != "face-alignment"]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    assert (ROOT / "docs" / "licenses.md").read_text(encoding="utf-8") == licenses.text()


def test_every_package_has_a_license_and_a_duty():
    for item in licenses.installed_components():
        assert item.duties and all(duty.endswith(".") for duty in item.duties)
    for extra in ("", "all", "live", "otio-plugins"):
        assert all(item.license != "not stated" for item in licenses.components(extra))


@pytest.mark.skipif(not has("av"), reason="av is not installed")
def test_copyleft_within_wheels_is_found():
    found = dict(licenses.component("av").carried)
    libraries = {file.name for file in distribution("av").files or () if "x264" in file.name}
    assert ("x264" in found) == bool(libraries)
    if libraries:
        assert "under the GPL" in " ".join(licenses.component("av").duties)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("GPL-2.0-only", "under the GPL"),
        ("LGPL-2.1-or-later", "replace the library"),
        ("MPL-2.0", "MPL"),
        ("Apache-2.0 OR MIT", "copyright notice"),
        ("Apache-2.0", "NOTICE"),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", "copyright notice"),
        ("BSD-3-Clause", "copyright notice"),
    ],
)
def test_duties_follow_from_the_license(name, word):
    (duty,) = licenses.Component("a", name).duties
    assert word in duty


def test_doctor_lists_them(capsys):
    assert run(["doctor", "--licenses"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("numpy ") for line in lines)
    assert "docs/licenses.md" in lines[-1]
    assert run(["doctor", "--licenses", "--json"]) == 0
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)["components"]}
    assert "MIT" in found["platformdirs"]["license"]
