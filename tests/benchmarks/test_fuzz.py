"""A second of damaged input for each parser; benchmarks/fuzz.py runs longer."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("fuzz", Path(__file__).parents[2] / "benchmarks" / "fuzz.py")
fuzz = importlib.util.module_from_spec(_SPEC)
sys.modules["fuzz"] = fuzz  # its dataclasses look there
_SPEC.loader.exec_module(fuzz)
NAMES = (
    "png",
    "jpeg",
    "tiff",
    "tags",
    "animation",
    "kinds",
    "options",
    "marks",
    "job",
    "lpmotion",
    "icc",
    "selector",
    "mouth_map",
    "request",
)
FILES = (
    *("pkl", "ring", "map", "references", "consent", "curves", "points", "cast", "plan", "rules"),
    *("subtitles", "ssml", "markdown", "yaml", "sheet", "training", "catalog", "dense", "journal"),
)


def test_every_parser_is_fuzzed_here(tmp_path):
    assert sorted(fuzz.parsers(tmp_path)) == sorted(NAMES + FILES)


@pytest.mark.parametrize("name", NAMES + FILES)
def test_only_typed_errors_come_out(name, tmp_path):
    parser = fuzz.parsers(tmp_path)[name]
    for seed in parser.seeds:
        try:
            parser.call(seed)
        except fuzz.EXPECTED:
            continue
    assert fuzz.fuzz(name, parser, 100_000, time.monotonic() + 0.3, seed=7) > 0


def test_a_defect_is_found_and_its_input_told():
    def broken(data):
        return 1 / (len(data) - 3)

    with pytest.raises(SystemExit, match="broken: ZeroDivisionError: .* by b"):
        fuzz.fuzz("broken", fuzz.Parser(broken, (b"abc",)), 10_000, time.monotonic() + 10, seed=1)
