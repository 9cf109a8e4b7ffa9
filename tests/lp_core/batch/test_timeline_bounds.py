"""Timelines beyond a depth or size are refused before a parser sees them."""

import json
import zipfile

import pytest

from lp_core.batch.marks import read_map
from lp_core.batch.otio import timeline_bounds
from lp_core.batch.otio.timeline import read_timeline
from lp_core.batch.otio.timeline_bounds import DEEPEST, deepest
from lp_core.batch.plan import read_plan
from lp_core.errors import LpError, SettingError, UnreadableMedia


def nested(count):
    open_stack = '{"OTIO_SCHEMA":"Stack.1","name":"s","children":['
    inner = open_stack * count + '{"OTIO_SCHEMA":"Clip.1","name":"c"}' + "]}" * count
    return '{"OTIO_SCHEMA":"Timeline.1","name":"t","tracks":' + inner + "}"


def with_metadata(count):
    metadata = "[" * count + "]" * count
    tracks = '{"OTIO_SCHEMA":"Stack.1","name":"s","children":[]}'
    return '{"OTIO_SCHEMA":"Timeline.1","name":"t","metadata":{"a":' + metadata + '},"tracks":' + tracks + "}"


@pytest.mark.parametrize("make", [nested, with_metadata])
@pytest.mark.parametrize("count", [DEEPEST, 3000, 100_000])
@pytest.mark.parametrize("suffix", [".otio", ".otioz", ".otiod"])
def test_deep_timelines_are_refused(tmp_path, make, count, suffix):
    path = tmp_path / f"t{suffix}"
    if suffix == ".otioz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("version.txt", "1.0.0")
            archive.writestr("content.otio", make(count))
    elif suffix == ".otiod":
        path.mkdir()
        (path / "content.otio").write_text(make(count))
    else:
        path.write_text(make(count))
    with pytest.raises(UnreadableMedia, match=f"nested more than {DEEPEST} levels deep"):
        read_timeline(path, tmp_path / "bundle")


def test_deep_but_legal_timeline_is_read(tmp_path):
    (tmp_path / "t.otio").write_text(nested(50))
    read_timeline(tmp_path / "t.otio", tmp_path / "bundle")


def test_large_timelines_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(timeline_bounds, "MOST_BYTES", 100)
    (tmp_path / "t.otio").write_text(nested(20))
    with pytest.raises(UnreadableMedia, match="MiB are read; split it"):
        read_timeline(tmp_path / "t.otio", tmp_path / "bundle")


def test_brackets_in_words_do_not_count():
    assert deepest(json.dumps({"a": "[[[[", 'b"]{': ["\\"]}).encode()) == 2
    assert deepest(b'{"a": "never closed [[[') <= 4


@pytest.mark.parametrize("text", ["a=" + "[" * 100_000, "[" * 100_000 + "]" * 100_000, "a=" + "9" * 5000])
def test_deep_and_huge_maps_and_plans_are_one_sentence(tmp_path, text):
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(SettingError):
        read_map(path)
    with pytest.raises(LpError):
        read_plan(path)
