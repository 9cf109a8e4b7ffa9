"""The macro: the committed file is the written one, loads in a real Lua, and publishes what the worker's schema has."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.settings import setting_fields

from hosts.davinci.lp_resolve.curves import corners, settings_at, slider_curves
from hosts.davinci.lp_resolve.macro import COMP_DECIDES, SWITCH, published, setting_text
from lp_core.settings import MotionSettings, RenderSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.worker.schema import SettingsModel, slider_infos

LUAJIT = shutil.which("luajit")
needs_lua = pytest.mark.skipif(LUAJIT is None, reason="luajit is not installed")


@pytest.fixture(scope="module")
def loaded():
    setting = Path(__file__).resolve().parents[3] / "hosts" / "davinci" / "LivePortrait.setting"
    script = Path(__file__).with_name("load_setting.lua")
    done = subprocess.run([LUAJIT, script, setting], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_the_committed_macro_is_the_written_one(here):
    committed = (here / "LivePortrait.setting").read_text(encoding="utf-8")
    assert committed == setting_text(), "run: python -m hosts.davinci.lp_resolve.macro"


@needs_lua
def test_its_button_runs_the_script_for_the_macro_it_is_in(loaded):
    said = loaded["BUTTON"]
    assert said == [
        "LivePortrait.Macro=LivePortrait_1",
        "/mapped/Scripts:Comp/LivePortrait - Render Macro.py",
    ]
    script = Path(said[1].partition("Comp/")[2])
    assert (Path(__file__).resolve().parents[3] / "hosts/davinci/scripts/Comp" / script).is_file()


@needs_lua
def test_the_controls_are_the_workers_schema(loaded):
    """One table of what the worker takes, one of what Fusion shows; neither may have what the other lacks."""
    schema = SettingsModel.model_json_schema()
    wanted = {}
    for group, about in schema["properties"].items():
        part = schema["$defs"][about["$ref"].rpartition("/")[2]] if "$ref" in about else about
        left_out = COMP_DECIDES.get(group, ())
        wanted.update({name: kind for name, kind in part["properties"].items() if name not in left_out})
    sliders = {info.name: info for info in slider_infos()}
    extra = {
        "render",
        "performance",
        "folder",
        "BUTTON",
        *(SWITCH + n for n, s in sliders.items() if s.neutral is None),
    }
    assert set(loaded) == set(wanted) | set(sliders) | extra
    for name, kind in wanted.items():
        control, default, low, high, choices, first_text, words = loaded[name]
        assert words == kind["description"], name
        real = next((part for part in kind.get("anyOf", [kind]) if part.get("type") != "null"), kind)
        if "enum" in real:
            assert control == "ComboControl"
            assert choices.split(",") == real["enum"]
            assert real["enum"][int(default)] == kind["default"]
        elif real["type"] == "boolean":
            assert (control, default) == ("CheckboxControl", str(int(kind["default"])))
        elif real["type"] in ("number", "integer"):
            assert control == "SliderControl"
            assert (float(default), float(low), float(high)) == (
                kind["default"],
                real["minimum"],
                real["maximum"],
            )
        else:
            assert control in ("TextEditControl", "FileControl"), name
            assert first_text in ("nil", kind["default"] or "")
    for name, info in sliders.items():
        _, default, low, high, *_ = loaded[name]
        assert (float(low), float(high)) == pytest.approx((info.minimum, info.maximum))
        assert float(default) == pytest.approx(info.minimum if info.neutral is None else info.neutral)


def test_what_has_no_control_exists_and_says_why():
    defaults = RenderSettings()
    for group, names in COMP_DECIDES.items():
        assert set(names) <= {name for name, *_ in setting_fields(getattr(defaults, group))}


def values():
    return {item.name: item.default for item in published()}


def test_a_fresh_macro_asks_for_nothing():
    found = values()
    assert settings_at(lambda name, _: found[name], 0) == {}
    assert slider_curves(lambda name, _: found[name], 0, 30) == {}


def test_settings_are_read_at_the_first_frame():
    found = {
        **values(),
        "strength": 1.5,
        "engine": 1.0,
        "sign": 0.0,
        "ocio": " /x.ocio ",
        "upscale_tile": 256.0,
    }
    assert settings_at(lambda name, _: found[name], 1001) == {
        "motion": {"strength": 1.5},
        "engine": {"engine": "mesh"},
        "color": {"ocio": "/x.ocio"},
        "upscale": {"upscale_tile": 256},
        "provenance": {"sign": False},
    }
    assert MotionSettings().strength != 1.5


def test_sliders_go_along_as_curves_that_say_the_same():
    found = values()
    curve = {"smile": lambda frame: 0.5 + 0.5 * math.sin(frame / 5), "yaw": lambda frame: min(frame - 10, 8)}

    def read(name, frame):
        return curve[name](frame) if name in curve else found[name]

    curves = slider_curves(read, 10, 58)
    assert curves["yaw"] == [[0, 0.0], [8, 8.0], [48, 8.0]]
    points = dict(curves["smile"])
    assert min(points) == 0
    assert max(points) == 48
    span = SLIDERS["smile"].maximum - SLIDERS["smile"].minimum
    for frame in range(49):
        before = max(at for at in points if at <= frame)
        after = min(at for at in points if at >= frame)
        share = (frame - before) / (after - before) if after > before else 0
        line = points[before] + share * (points[after] - points[before])
        assert line == pytest.approx(curve["smile"](frame + 10), abs=2e-4 * span)
    json.dumps(curves)


def test_a_slider_without_a_neutral_value_waits_for_its_switch():
    found = {**values(), "eye_ratio": 0.4}
    assert slider_curves(lambda name, _: found[name], 0, 3) == {}
    found[SWITCH + "eye_ratio"] = 1
    assert slider_curves(lambda name, _: found[name], 0, 3) == {"eye_ratio": 0.4}


def test_corners_of_a_still_pair():
    assert corners([1.0], 0.1) == [0]
    assert corners([0.0, 5.0], 0.1) == [0, 1]
