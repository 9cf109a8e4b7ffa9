"""Settings: one default each, ranges and choices held, help for every field."""

from dataclasses import FrozenInstanceError, fields

import pytest
from fakes.settings import setting_fields

from lp_core.errors import SettingError, UnknownCodec
from lp_core.settings import RenderSettings
from lp_core.settings.live import LiveSettings

GROUPS = [*(getattr(RenderSettings(), item.name) for item in fields(RenderSettings)), LiveSettings()]
FIELDS = [(type(group), *item) for group in GROUPS for item in setting_fields(group)]
IDS = [name for _, name, _, _ in FIELDS]


def test_names_are_unique_over_all_groups():
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("group,name,default,meta", FIELDS, ids=IDS)
def test_every_setting_has_help_and_a_valid_default(group, name, default, meta):
    assert len(meta["help"]) > 10
    assert getattr(group(**{name: default}), name) == default
    if meta["choices"] is not None:
        assert default in meta["choices"]


@pytest.mark.parametrize("group,name,default,meta", FIELDS, ids=IDS)
def test_what_is_out_of_range_is_refused_by_name(group, name, default, meta):
    wrong = []
    if meta["choices"] is not None:
        wrong += ["nonsense", ""]
    if meta["minimum"] is not None:
        wrong += [meta["minimum"] - 1, -float("inf"), float("nan")]
    if meta["maximum"] is not None:
        wrong += [meta["maximum"] + 1, float("inf")]
    for value in wrong:
        with pytest.raises(UnknownCodec if name == "codec" else SettingError, match=name):
            group(**{name: value})


@pytest.mark.parametrize("group,name,default,meta", FIELDS, ids=IDS)
def test_ends_of_ranges_and_all_choices_are_allowed(group, name, default, meta):
    for value in [*(meta["choices"] or ()), meta["minimum"], meta["maximum"]]:
        if value is not None:
            assert getattr(group(**{name: value}), name) == value


def test_settings_cannot_be_changed():
    settings = RenderSettings()
    with pytest.raises(FrozenInstanceError):
        settings.motion.strength = 2.0


@pytest.mark.parametrize("reference", ["first", "-1", "1.5", ""])
def test_a_reference_is_auto_or_a_frame_number(reference):
    with pytest.raises(SettingError, match="reference"):
        type(RenderSettings().motion)(reference=reference)


def test_passes_are_names_with_commas():
    output = type(RenderSettings().output)
    assert output(passes="beauty, stmap,motion").pass_names == {"beauty", "stmap", "motion"}
    with pytest.raises(SettingError, match="'mate'.*matte"):
        output(passes="beauty,mate")
