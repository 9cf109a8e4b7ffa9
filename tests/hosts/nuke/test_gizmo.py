"""Gizmo and example script, read by a real tclsh: grammar, links, every knob against the settings."""

import math
import re
import shutil
import subprocess
from dataclasses import fields

import pytest
from fakes.nuke.script import nodes_of, record
from fakes.nuke.signatures import KNOBS
from fakes.settings import setting_fields

from hosts.nuke.lp_nuke import gizmo, knobs, tcl
from hosts.nuke.lp_nuke.knob_layout import ALWAYS_WRITTEN, MADE_OF, TABS, WITHOUT_KNOB, sections
from lp_core.settings import PASSES, UPSCALERS, RenderSettings
from lp_core.settings.sliders import SLIDERS

pytestmark = pytest.mark.skipif(shutil.which("tclsh") is None, reason="no tclsh on PATH")
FILES = {"gizmo": (gizmo.GIZMO, gizmo.gizmo_text), "example": (gizmo.EXAMPLE, gizmo.example_text)}
TYPES = {1, 2, 3, 4, 6, 7, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 22, 26, 28, 30, 32, 35, 41, 43, 47, 52, 61, 68,
         78, 80, 83, 86}  # fmt: skip
"""nuke.KnobType's numbers, those that addUserKnob takes."""
FLAGS = {"+STARTLINE", "-STARTLINE", "+INVISIBLE", "+HIDDEN", "+DISABLED"}
NUKES_OWN = set(
    " ".join([KNOBS["*"], KNOBS["Group"], "inputs cached dope_sheet postage_stamp lifetimeStart"]).split()
)


def the_group(which="gizmo"):
    nodes = nodes_of(record(FILES[which][0]))
    return next(node for node in nodes if node.kind == "Group")


def settings():
    whole = RenderSettings()
    return {
        name: (default, meta)
        for item in fields(whole)
        for name, default, meta in setting_fields(getattr(whole, item.name))
    }


@pytest.mark.parametrize("which", FILES)
def test_the_committed_file_is_what_the_writer_writes(which):
    path, text = FILES[which]
    assert path.read_text(encoding="utf-8") == text(), "run: python -m hosts.nuke.lp_nuke.gizmo"


@pytest.mark.parametrize("which", FILES)
def test_a_real_tclsh_reads_it(which):
    records = record(FILES[which][0])  # fails on a body that is not a list of pairs
    top = nodes_of(records)  # fails on groups that do not balance
    group = the_group(which)
    assert [node.kind for node in top].count("Group") == 1
    assert [child.values["name"] for child in group.children if child.kind == "Input"] == [
        "Driving",
        "Matte",
        "Source",
    ]
    assert [child.kind for child in group.children].count("Output") == 1
    for knob in group.user_knobs:
        assert knob.kind in TYPES
        assert set(knob.flags) <= FLAGS


@pytest.mark.parametrize("which", FILES)
def test_every_inner_knob_exists_and_every_link_resolves(which):
    group = the_group(which)
    own = {knob.name for knob in group.user_knobs}
    inner = {child.values["name"] for child in group.children}
    assert len(inner) == len(group.children)
    for child in group.children:
        known = {*KNOBS["*"].split(), *KNOBS[child.kind].split(), "inputs"}
        assert set(child.values) <= known, child.kind
        text = " ".join(child.values.values())
        assert set(re.findall(r"parent\.(\w+)", text)) <= own
        assert set(re.findall(r"(?<![\w.])([A-Z]\w+)\.(?:width|height|pixel_aspect)", text)) <= inner


def test_the_wiring_is_source_result_and_warp():
    nodes = {child.values["name"]: child for child in the_group().children}

    def feeds(name):
        return [None if node is None else node.values["name"] for node in nodes[name].inputs]

    assert feeds("Output1") == ["InRange"]
    assert feeds("InRange") == ["Source", "UseMap", "NotRendered", "SingleFrame"]
    assert feeds("NotRendered") == feeds("SingleFrame") == []
    assert feeds("UseMap") == ["Result", "Regions"]
    assert feeds("Regions") == ["Map", "FlowSize"]
    assert feeds("Map") == ["Layers", "FlowSize"]
    assert feeds("Layers") == ["Warp", "FlowSize"]
    assert feeds("Warp") == ["Source", "FlowSize"]
    assert feeds("FlowSize") == ["MapSize"]
    assert feeds("MapSize") == ["Result"]
    assert nodes["Warp"].values["uv"] == "stmap"


def test_names_are_unique_and_none_is_nukes_own():
    names = [knob.name for knob in the_group().user_knobs if knob.name]
    assert len(set(names)) == len(names)
    assert not set(names) & NUKES_OWN


def test_buttons_are_python_and_call_functions_that_exist():
    import ast

    found = [knob for knob in the_group().user_knobs if knob.kind == 22]
    assert len(found) >= 11
    module = ast.parse((gizmo.HERE / "lp_nuke" / "buttons.py").read_text(encoding="utf-8"))
    functions = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    for knob in found:
        ast.parse(knob.marks["T"])
        assert knob.marks["T"] == f"from lp_nuke import buttons; buttons.{knob.name}()"
        assert knob.name in functions
    ast.parse(the_group().values["knobChanged"])


class TestTheTable:
    """Each knob's name, type, range, default and tooltip against the schema."""

    def test_every_setting_has_a_knob_or_a_reason(self):
        plain = [name for tab in TABS for _, names in sections(tab) for name in names]
        places = [*plain, *MADE_OF, *WITHOUT_KNOB]
        assert len(set(places)) == len(places)
        assert set(places) - {"fps"} == set(settings()) - {"fps"}
        assert all(knobs.by_name()[part] for parts in MADE_OF.values() for part in parts)

    @pytest.mark.parametrize("name", [name for tab in TABS for _, names in sections(tab) for name in names])
    def test_a_knob_is_what_its_setting_says(self, name):
        default, meta = settings()[name]
        group = the_group()
        knob = next(knob for knob in group.user_knobs if knob.name == name)
        value = group.values.get(name)
        assert knob.marks["t"] == meta["help"]
        if meta["choices"]:
            assert (knob.kind, tuple(knob.marks["M"])) == (4, tuple(meta["choices"]))
            assert (value or knob.marks["M"][0]) == default
        elif isinstance(default, bool):
            assert (knob.kind, value == "true") == (6, default)
        elif isinstance(default, int):
            assert (knob.kind, int(value or 0)) == (3, default)
        elif isinstance(default, float):
            assert (knob.kind, float(value or 0)) == (7, default)
            assert knob.marks["R"] == (meta["minimum"], meta["maximum"])
        else:
            assert knob.kind == (2 if meta["path"] else 1)
            assert (value or None) == default

    @pytest.mark.parametrize("name", SLIDERS)
    def test_a_slider_is_what_the_table_of_sliders_says(self, name):
        group, slider = the_group(), SLIDERS[name]
        knob = next(knob for knob in group.user_knobs if knob.name == name)
        assert (knob.kind, knob.marks["t"]) == (7, slider.help)
        assert knob.marks["R"] == (slider.minimum, slider.maximum)
        value = float(group.values.get(name, 0))
        assert value == (slider.minimum if math.isnan(slider.neutral) else slider.neutral)
        has_switch = any(other.name == name + "_on" for other in group.user_knobs)
        assert has_switch is not slider.has_neutral

    def test_knobs_that_settings_are_made_of(self):
        found = {knob.name: knob for knob in the_group().user_knobs}
        values = the_group().values
        assert found["upscale"].marks["M"] == ["none", *UPSCALERS, "file"]
        assert settings()["upscale"][0] is None
        assert found["reference"].marks["M"][0] == settings()["reference"][0]
        for face in ("source_face", "driving_face"):
            assert found[face].marks["M"][0] == settings()[face][0]
        assert {name[5:] for name in found if name.startswith("pass_")} == set(PASSES) - set(ALWAYS_WRITTEN)
        assert not any(values.get(name) for name in found if name.startswith("pass_"))
        assert settings()["passes"][0] == "beauty"

    def test_demos_are_those_there_are(self):
        from lp_core.motion.builtin import _MOTIONS

        assert tuple(_MOTIONS) == knobs.BUILTIN_MOTIONS


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        "two words",
        "a[b]c",
        "{",
        "}",
        "}{",
        '"',
        "\\",
        "$x",
        "line\nbreak",
        "Ünï",
        "a;b",
        "#c",
        "C:\\x\\n",
    ],
)
def test_words_come_back_from_tcl(text, tmp_path):
    path = tmp_path / "x.nk"
    path.write_text(tcl.node("NoOp", [("label", tcl.word(text))]) + "\nend_group\n", encoding="utf-8")
    assert record(path)[0] == ["node", "NoOp", [["label", text]]]


class TestTheReaderItself:
    @pytest.mark.parametrize(
        ("script", "told"),
        [
            ("Blur {size}", "no list of pairs"),
            ("Blur {size {1}\n", "missing close-brace"),
            ("blur {size 1}", "no node"),
            ("exec rm x", "no node"),
        ],
    )
    def test_it_refuses(self, script, told, tmp_path):
        (tmp_path / "x.nk").write_text(script)
        with pytest.raises(ValueError, match=told):
            record(tmp_path / "x.nk")

    @pytest.mark.parametrize("script", ["Group {name a}", "end_group"])
    def test_groups_balance(self, script, tmp_path):
        (tmp_path / "x.nk").write_text(script)
        with pytest.raises(ValueError, match="group"):
            nodes_of(record(tmp_path / "x.nk"))

    def test_the_program_is_there(self):
        assert (
            subprocess.run([shutil.which("tclsh")], input=b"puts ok", capture_output=True).stdout == b"ok\n"
        )
