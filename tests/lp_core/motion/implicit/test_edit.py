"""Expression editing: sliders and curves."""

import json

import numpy as np
import pytest

from lp_core.errors import SettingError
from lp_core.motion.implicit.edit import (
    Edit,
    EditCurves,
    make_curves,
    read_curves,
)
from lp_core.motion.implicit.motion import ImplicitMotion, degrees_from_rotation, rotation_from_degrees
from lp_core.settings.sliders import SLIDERS

AT_REST = ImplicitMotion(np.eye(3), np.zeros((21, 3)), 1.4, np.zeros(3))
RATIOS = {"eye_ratio", "lip_ratio"}


@pytest.mark.parametrize("name", sorted(set(SLIDERS) - RATIOS))
def test_every_slider_has_an_effect_and_none_at_its_neutral(name):
    slider = SLIDERS[name]
    assert slider.minimum <= slider.neutral <= slider.maximum

    def edited(value):
        moved = Edit({name: value}).applied(AT_REST)
        return np.concatenate([moved.rotation.ravel(), moved.expression.ravel(), [moved.scale]])

    still = edited(slider.neutral)
    assert np.allclose(still, np.concatenate([np.eye(3).ravel(), np.zeros(63), [1.4]]))
    for value in {slider.minimum, slider.maximum} - {slider.neutral}:
        assert np.abs(edited(value) - still).max() > 1e-3


def test_sliders_add_up():
    values = {"smile": 0.6, "wink": 12.0, "eyebrow": -9.0, "gaze_x": 7.0}
    parts = sum(Edit({name: value}).expression() for name, value in values.items())
    assert np.allclose(Edit(values).expression(), parts)


def test_brows_and_gaze_differ_below_zero():
    for name in ("eyebrow", "gaze_x"):
        up, down = Edit({name: 10.0}).expression(), Edit({name: -10.0}).expression()
        assert not np.allclose(up, -down)


def test_angles_are_added_to_the_sources():
    source = ImplicitMotion(rotation_from_degrees(3, -4, 5), np.zeros((21, 3)), 1.0, np.zeros(3))
    moved = Edit({"pitch": 10, "yaw": -20, "roll": 1}).applied(source)
    assert np.allclose(degrees_from_rotation(moved.rotation), [13, -24, 6])


@pytest.mark.parametrize(
    ("name", "value"), [("smile", 2.0), ("wink", -1.0), ("smile", float("nan")), ("nose", 0)]
)
def test_unknown_or_out_of_range_is_refused(name, value):
    with pytest.raises(SettingError, match=name):
        Edit({name: value})


def test_curves_run_straight_between_keys_and_hold_beyond():
    curves = EditCurves({"smile": ((10, 0.0), (20, 1.0)), "yaw": ((0, 7.0),)})
    assert [curves.at(f).values["smile"] for f in (0, 10, 15, 20, 99)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert curves.at(50).values["yaw"] == 7.0


@pytest.mark.parametrize("keys", [(), ((3, 0.0), (3, 0.1)), ((3, 0.0), (1, 0.1)), ((0, 9.0),)])
def test_impossible_curves_are_refused(keys):
    with pytest.raises(SettingError, match="smile"):
        EditCurves({"smile": keys})


def test_curves_are_read_from_a_file(tmp_path):
    path = tmp_path / "édit.json"
    path.write_text(json.dumps({"smile": [[0, 0.0], [12, 0.8]], "yaw": 10}))
    edit = read_curves(path).at(6)
    assert edit.values == {"smile": pytest.approx(0.4), "yaw": 10.0}


@pytest.mark.parametrize("text", ["", "[]", '{"smile": "x"}', '{"smile": [[0]]}', '{"smile": [[0, 1, 2]]}'])
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "edit.json"
    path.write_text(text)
    with pytest.raises(SettingError, match=r"edit\.json"):
        read_curves(path)
    with pytest.raises(SettingError, match=r"absent\.json"):
        read_curves(tmp_path / "absent.json")


class TestWhatTheCommandLineSays:
    def test_values_are_held_and_files_are_joined(self, tmp_path):
        path = tmp_path / "edit.json"
        path.write_text('{"yaw": [[0, 0], [10, 10]]}')
        curves = make_curves(["smile=0.6", "blink=-1e1"], path)
        assert curves.at(5).values == {"yaw": 5.0, "smile": 0.6, "blink": -10.0}
        assert curves.at(500).values["smile"] == 0.6

    def test_nothing_said_changes_nothing(self):
        assert make_curves((), None).at(3).values == {}

    @pytest.mark.parametrize(
        ("entries", "named"),
        [
            (["smile"], "smile"),
            (["smile=much"], "much"),
            (["smile=7"], "out of range"),
            (["nonsense=1"], "nonsense"),
            (["smile=nan"], "smile"),
            (["smile=0.1", "smile=0.2"], "twice"),
        ],
    )
    def test_what_makes_no_sense_is_named(self, entries, named):
        with pytest.raises(SettingError, match=named):
            make_curves(entries, None)
