"""Foreign files in every reader: wrong types, numbers and depth without end are one sentence of the program."""

import ast
import json
from pathlib import Path

import pytest

from lp_core.batch.plan import SCHEMA as PLAN
from lp_core.batch.plan import VERSION as PLAN_VERSION
from lp_core.batch.plan import read_plan
from lp_core.engines.liveportrait.trained_label import TRAINED_NAME, read_trained
from lp_core.engines.liveportrait.weight_layout import LABEL_NAME, read_label
from lp_core.errors import LpError
from lp_core.media.speech_sheet import SpeechSheet, read_sheet, speech_file
from lp_core.models.catalog import parse_catalog
from lp_core.provenance.signing import _without_folders
from lp_core.render.cast_members import cast_of
from lp_core.render.stored_arrays import load_arrays, read_json, save_arrays
from lp_core.saying.dub import read_cues
from lp_core.saying.scenes import read_scenes
from lp_core.settings import FaceSettings
from lp_core.training.config import read_config

ROOT = Path(__file__).resolve().parents[2]
DEEP = "[" * 100_000
HUGE = "1" + "0" * 400
PARSES = {
    ("json", "loads"),
    ("json", "load"),
    ("tomllib", "loads"),
    ("tomllib", "load"),
    ("yaml", "safe_load"),
}
KNOWN = ("RecursionError", "MALFORMED", "Exception", "_DAMAGED")


def is_parse(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in PARSES
    )


def forgetful(path):
    """Lines where a parse is guarded, but not against depth without end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Try):
            continue
        lines = [found.lineno for part in node.body for found in ast.walk(part) if is_parse(found)]
        caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
        if lines and "Error" in caught and not any(word in caught for word in KNOWN):
            yield f"{path.relative_to(ROOT)}:{lines[0]}"


def test_whoever_guards_a_parse_guards_against_depth():
    """json and tomllib raise RecursionError, which is no ValueError."""
    files = [path for top in ("lp_core", "hosts", "upscale") for path in (ROOT / top).rglob("*.py")]
    assert [line for path in files for line in forgetful(path)] == []


def test_temporary_folders_name_their_process():
    """Else what a killed run leaves is not swept by the next one."""
    for path in (path for top in ("lp_core", "upscale") for path in (ROOT / top).rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "TemporaryDirectory(" in line or "mkdtemp(" in line:
                assert "temporary_prefix()" in line, f"{path}: {line}"


def plan(**shot):
    values = {"schema": PLAN, "version": PLAN_VERSION, "problems": [], "notes": [], "file_types": []}
    first = {"clips": [], "size": [], "notes": [], "job": {}, "driver_frames": None}
    return json.dumps({**values, "shots": [{**first, **shot}]})


def cues(start):
    return f"1\n{start}:00:01,000 --> {start}:00:02,000\nHello.\n"


@pytest.mark.parametrize(
    ("parse", "name", "text"),
    [
        (read_plan, "plan.json", plan(driver_frames=[])),
        (read_plan, "plan.json", plan(driver_frames=["a"])),
        (read_config, "t.toml", "a = " + DEEP),
        (read_config, "t.toml", "[optimizer]\nrate = 0x" + "f" * 400),
        (read_config, "t.toml", "[schedule]\nlearns = [[]]"),
        (read_config, "t.toml", '[optimizer]\nbetas = ["a", 1.0, 2.0]'),
        (read_cues, "a.srt", cues("9" * 5000)),
        (read_cues, "a.srt", cues("9" * 400)),
        (lambda path: read_scenes(path, {}), "s.yaml", f"scenes: [{{text: a, portrait: b, speed: 0x{'f' * 400}}}]"),
        (lambda path: read_scenes(path, {}), "s.yaml", f"scenes: [{{text: a, portrait: b, pause: 0x{'f' * 4000}}}]"),
        (lambda path: read_scenes(path, {}), "s.yaml", DEEP),
        (lambda path: read_trained(path.parent), TRAINED_NAME, DEEP),
        (lambda path: read_label(path.parent), LABEL_NAME, DEEP),
        (lambda path: read_label(path.parent), LABEL_NAME, '{"schema": "x", "seed": 1e999, "sha256": {}}'),
        (lambda path: cast_of(FaceSettings(face=('{"face": ' + DEEP,)), "demo:nod"), "unused", ""),
        (lambda path: parse_catalog(path.read_text()), "catalog.toml", "a = " + DEEP),
    ],
)  # fmt: skip
def test_foreign_files_are_one_sentence(tmp_path, parse, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(LpError) as told:
        parse(tmp_path / name)
    assert len(str(told.value)) < 600


@pytest.mark.parametrize("start", [HUGE, "true", '"a"', "[]", "null", "1e999"])
def test_a_sheet_with_odd_times_is_one_sentence(tmp_path, start):
    path = tmp_path / "a.wav"
    with speech_file(path, 8000) as file:
        file.finish(SpeechSheet("v", "l", "m", "en", (("M", 0.123456, 0.2),), (), ()))
    data = path.read_bytes()
    at = data.index(b"lpsp")
    body = data[data.index(b"{") :].strip().replace(b"0.123456", start.encode())
    body += b" " * (len(body) % 2)
    path.write_bytes(data[: at + 4] + len(body).to_bytes(4, "little") + body)
    with pytest.raises(LpError, match="speech sheet"):
        read_sheet(path)


def test_damaged_work_is_known_as_damaged(tmp_path):
    path = tmp_path / "a.npz"
    save_arrays(path, {})
    for content in (b"", path.read_bytes()[:-4], b"PK\3\4" + bytes(40)):
        path.write_bytes(content)
        with pytest.raises(LpError, match="damaged"):
            load_arrays(path)
    (tmp_path / "a.json").write_text(DEEP)
    assert read_json(tmp_path / "a.json") is None


def test_a_name_that_begins_with_a_bracket_is_signed_as_a_name():
    assert _without_folders("{shots}/holdout.png") == "holdout.png"
    assert _without_folders('{"face": "/a/b.png"}') == '{"face": "b.png"}'
