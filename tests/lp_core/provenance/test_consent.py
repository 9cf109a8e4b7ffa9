"""Consent files: what is one, and whether it holds today."""

import json
from datetime import date

import pytest

from lp_core.errors import ConsentMissing
from lp_core.provenance.consent import read_consent

GOOD = {
    "schema": "lpsuite.consent",
    "version": 1,
    "person": "The portrayed",
    "granted_by": "The portrayed",
    "valid_until": "2030-12-31",
}


@pytest.fixture
def read(tmp_path):
    def call(values, today=date(2027, 1, 1)):
        path = tmp_path / "consent.json"
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        return read_consent(path, today)

    return call


def test_what_holds_is_read(read):
    whole = {
        **GOOD,
        "valid_from": "2026-01-01",
        "allows": ["animate"],
        "scope": "one advert",
        "reference": "7",
    }
    assert read(whole) == whole


def test_the_last_day_counts(read):
    assert read(GOOD, date(2030, 12, 31)) == GOOD


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"valid_until": "2026-12-31"}, "ended on 2026-12-31"),
        ({"valid_from": "2028-01-01"}, "begins on 2028-01-01"),
        ({"valid_until": "soon"}, "date such as"),
        ({"valid_until": 5}, "valid_until"),
        ({"person": ""}, "person"),
        ({"allows": ["dubbing"]}, "allows only dubbing"),
        ({"allows": "any"}, "list of texts"),
        ({"scope": 4}, "scope"),
        ({"extra": 1}, "no extra"),
        ({"version": 2}, "version"),
    ],
)
def test_what_does_not_hold_is_said(read, change, words):
    with pytest.raises(ConsentMissing, match=words):
        read({**GOOD, **change})


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 50_000, "x" * 100_001])
def test_what_is_no_consent_is_refused(read, text):
    with pytest.raises(ConsentMissing):
        read(text)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ConsentMissing, match="cannot be read"):
        read_consent(tmp_path / "none.json")
