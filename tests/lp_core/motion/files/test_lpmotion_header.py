"""The motion file's header: what is not known, or damaged, is refused in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.motion import assert_equal, performance, put_together, taken_apart
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lp_core.errors import BadMotionFile, neutral
from lp_core.motion.files import lpmotion_header as header_module
from lp_core.motion.files.lpmotion import MotionReader, read_motion, write_motion
from lp_core.motion.files.lpmotion_header import HEADER_LIMIT, Header


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "talk.lpmotion"
    write_motion(path, performance())
    return path


def refused(path, words):
    """Opening the file gives one sentence with the file's name and these words."""
    with pytest.raises(BadMotionFile, match=words) as caught:
        MotionReader(path)
    sentence = str(caught.value)
    assert neutral(str(path)) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def changed_text(name, value):
    def change(content, data):
        content["__metadata__"][name] = value
        return content, data

    return change


def changed_entry(array, key, value):
    def change(content, data):
        content[array][key] = value
        return content, data

    return change


def without_text(content, data):
    del content["__metadata__"]["origin"]
    return content, data


def without_array(content, data):
    start, stop = content.pop("confidence")["data_offsets"]
    return content, data[:start] + data[stop:]


def with_another_array(content, data):
    content["extra"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
    return content, data + bytes(4)


def with_an_overlap(content, data):
    start, _ = content["confidence"]["data_offsets"]
    content["confidence"]["data_offsets"] = [start - 20, start]
    return content, data[:start]


def with_a_gap(content, data):
    start, stop = content["confidence"]["data_offsets"]
    content["confidence"]["data_offsets"] = [start + 4, stop + 4]
    return content, data[:start] + bytes(4) + data[start:]


def with_value(name, value):
    def change(content, data):
        start, _ = content[name]["data_offsets"]
        raw = bytearray(data)
        raw[start : start + 4] = np.float32(value).tobytes()
        return content, bytes(raw)

    return change


class TestStrictness:
    @pytest.mark.parametrize(
        "change,words",
        [
            (changed_text("schema", "other.motion"), "schema is not 'lpsuite.motion'"),
            (changed_text("version", "4"), "version 4 .* reads up to 3; update"),
            (changed_text("version", "0"), "version '0', which was never in use"),
            (changed_text("version", "one"), "never in use"),
            (changed_text("rig", "cat"), "rig 'cat' is not known"),
            (changed_text("rig", "mesh478"), r"'expression' as F32 \[5, 21, 3\] where F32 \[5, 478, 3\]"),
            (changed_text("rate", "29.97"), "'29.97' as its frame rate"),
            (changed_text("rate", "0/1"), "'0/1' as its frame rate"),
            (changed_text("rate", "1/0"), "'1/0' as its frame rate"),
            (changed_text("rate", "٣"), "as its frame rate"),
            (changed_text("frames", "6"), r"\[5, 3, 3\] where F32 \[6, 3, 3\]"),
            (changed_text("frames", "0"), "number of frames"),
            (changed_text("frames", "-5"), "number of frames"),
            (changed_text("dense", "[]"), "other words than it should"),
            (changed_text("dense", '{"size": [8, 8], "grid": [8, 8]}'), "other words than it should"),
            (
                changed_text("dense", '{"size": [8, 8], "grid": [8, 9999], "reference": 0, "planes": 2}'),
                "impossible facts",
            ),
            (
                changed_text("dense", '{"size": [8, 8], "grid": [8, 8], "reference": 5, "planes": 2}'),
                "impossible facts",
            ),
            (
                changed_text("dense", '{"size": [8, 8], "grid": [8, 8], "reference": 4, "planes": 2}'),
                "missing dense, dense_ends",
            ),
            (changed_text("metadata", "[]"), "not a table of texts"),
            (changed_text("metadata", '{"a": 1}'), "not a table of texts"),
            (changed_text("metadata", "[" * 100_000), "not a table of texts"),
            (changed_text("metadata", '"\\ud800"'), "not a table of texts"),
            (changed_text("surprise", "yes"), "unknown surprise"),
            (without_text, "missing origin"),
            (without_array, "missing confidence"),
            (with_another_array, "unknown extra"),
            (with_an_overlap, "overlap or leave gaps"),
            (with_a_gap, "overlap or leave gaps"),
            (changed_entry("lips", "dtype", "F64"), "'lips' as F64"),
            (changed_entry("lips", "shape", [5, 1]), r"'lips' as F32 \[5, 1\]"),
            (changed_entry("rotation", "shape", [5, 9]), r"\[5, 9\]"),
            (with_value("lips", np.nan), "not finite .* frame 0"),
            (with_value("scale", -np.inf), "not finite .* frame 0"),
            (with_value("translation", 3e38), "far too large"),
            (with_value("rotation", 1.5), "not a rotation"),
            (with_value("confidence", -0.1), "confidence outside 0 to 1"),
        ],
    )
    def test_what_is_not_known_is_refused_even_when_well_signed(self, stored, change, words):
        content, data = change(*taken_apart(stored))
        put_together(stored, content, data)
        refused(stored, words)

    def test_a_mirror_is_no_rotation(self, stored):
        content, data = taken_apart(stored)
        start, _ = content["rotation"]["data_offsets"]
        raw = bytearray(data)
        raw[start : start + 36] = np.diag([1, 1, -1]).astype("<f4").tobytes()
        put_together(stored, content, bytes(raw))
        refused(stored, "not a rotation")

    @pytest.mark.parametrize(
        "entry",
        [
            None,
            [],
            {},
            {"dtype": "F32", "shape": [5]},
            {"dtype": "F32", "shape": [5], "data_offsets": [0, 20], "more": 1},
            {"dtype": 32, "shape": [5], "data_offsets": [0, 20]},
            {"dtype": "F32", "shape": 5, "data_offsets": [0, 20]},
            {"dtype": "F32", "shape": [5], "data_offsets": [0]},
            {"dtype": "F32", "shape": [5.0], "data_offsets": [0, 20]},
            {"dtype": "F32", "shape": [True], "data_offsets": [0, 20]},
            {"dtype": "F32", "shape": [5], "data_offsets": [-20, 0]},
            {"dtype": "F32", "shape": [5], "data_offsets": [20, 0]},
            {"dtype": "F32", "shape": [5], "data_offsets": "0,20"},
        ],
    )
    def test_array_entries_of_other_forms_are_refused(self, stored, entry):
        content, data = taken_apart(stored)
        content["lips"] = entry
        put_together(stored, content, data, signed=False)
        refused(stored, "not a motion file|overlap")

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b"{",
            b"\xff\xfe",
            b'{"__metadata__": {}}',
            b'{"__metadata__": []}',
            b'{"__metadata__": {"schema": 1}}',
            b'{"__metadata__": {"schema": "lpsuite.motion", "schema": "lpsuite.motion"}}',
            b'{"__metadata__": {"schema": "lpsuite.motion", "origin": "\\ud800"}}',
            b'{"__metadata__": {"schema": "lpsuite.motion"}}',
            b"[" * 200_000,
            b"9" * 5000,
        ],
    )
    def test_headers_of_other_forms_are_refused(self, stored, head):
        put_together(stored, head, b"", signed=False)
        refused(stored, "not a motion file|never in use")

    @pytest.mark.parametrize("length", [HEADER_LIMIT + 1, 2**63, 2**64 - 1])
    def test_an_overlong_header_is_not_read(self, stored, length):
        stored.write_bytes(length.to_bytes(8, "little") + stored.read_bytes()[8:])
        refused(stored, f"header would take {length} bytes")

    @pytest.mark.parametrize("offset", [10**9, 2**63, 10**30])
    def test_offsets_out_of_bounds_are_refused(self, stored, offset):
        content, data = taken_apart(stored)
        start, _ = content["confidence"]["data_offsets"]
        content["confidence"] = {"dtype": "F32", "shape": [5], "data_offsets": [start, start + offset]}
        put_together(stored, content, data)
        refused(stored, "truncated")

    def test_a_file_that_is_not_there_or_empty_or_a_folder(self, tmp_path):
        refused(tmp_path / "none.lpmotion", "No such file .* check the name")
        refused(tmp_path, "cannot be opened")
        refused(f"{tmp_path}/a\0b", "cannot be opened")
        (tmp_path / "empty").touch()
        refused(tmp_path / "empty", "truncated")

    def test_truncation_at_any_place_is_noticed(self, stored):
        data = stored.read_bytes()
        for length in range(0, len(data), 37):
            stored.write_bytes(data[:length])
            refused(stored, "truncated")

    def test_bytes_behind_the_end_are_noticed(self, stored):
        stored.write_bytes(stored.read_bytes() + b"\0")
        refused(stored, "bytes follow its last array")

    def test_an_unsigned_change_is_noticed(self, stored):
        content, data = taken_apart(stored)
        content["__metadata__"]["rate"] = "25"
        put_together(stored, content, data, signed=False)
        refused(stored, "checksum")

    @hypothesis_settings(max_examples=400)
    @given(data=st.data())
    def test_flipped_bytes_are_refused_or_change_nothing(self, tmp_path_factory, data):
        folder = tmp_path_factory.getbasetemp() / "flips"
        folder.mkdir(exist_ok=True)
        good, path = folder / "good.lpmotion", folder / "flipped.lpmotion"
        if not good.exists():
            write_motion(good, performance(2))
        raw = bytearray(good.read_bytes())
        head = 8 + int.from_bytes(raw[:8], "little")
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.one_of(st.integers(0, head - 1), st.integers(0, len(raw) - 1)))
            raw[place] = data.draw(st.integers(0, 255))
        path.write_bytes(raw)
        try:
            got = read_motion(path)
        except BadMotionFile:
            return
        assert_equal(got, performance(2))


class TestUpgrade:
    def test_an_old_version_is_read_by_its_upgrade_steps(self, stored, monkeypatch):
        """Version 0 of this test's world called 'lips' 'mouth' and had no origin."""
        content, data = taken_apart(stored)
        content["mouth"] = content.pop("lips")
        del content["__metadata__"]["origin"]
        content["__metadata__"]["version"] = "0"
        put_together(stored, content, data)
        refused(stored, "never in use")

        def from_0(header):
            arrays = {"lips" if name == "mouth" else name: array for name, array in header.arrays.items()}
            return Header({**header.texts, "version": "1", "origin": "unknown"}, arrays, header.data_at)

        monkeypatch.setitem(header_module.UPGRADES, 0, from_0)
        got = read_motion(stored)
        assert_equal(got, replace(performance(), origin="unknown"))

    @pytest.mark.parametrize("version", ["1", "2"])
    def test_older_versions_are_the_same_without_dense_motion(self, stored, version):
        content, data = taken_apart(stored)
        content["__metadata__"]["version"] = version
        del content["__metadata__"]["dense"]
        put_together(stored, content, data)
        assert_equal(read_motion(stored), performance())

    def test_every_step_leads_towards_the_present(self):
        assert all(0 <= version < header_module.VERSION for version in header_module.UPGRADES)
