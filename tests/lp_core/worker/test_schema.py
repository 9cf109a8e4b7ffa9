"""The wire's schema is the settings' own: same names, defaults and ranges; and it knows which of them are files."""

from dataclasses import fields
from typing import get_type_hints

import pytest
from fakes.settings import setting_fields
from pydantic import ValidationError

from lp_core.errors import SettingError
from lp_core.settings import RenderSettings
from lp_core.worker.schema import SettingsModel, named_files, to_settings

DEFAULTS = RenderSettings()
EVERY = [
    (item.name, name, default, meta)
    for item in fields(DEFAULTS)
    for name, default, meta in setting_fields(getattr(DEFAULTS, item.name))
]
NO_FILES = {
    "source_face", "driving_face", "reference", "device", "frames", "layer", "view", "fps", "exr_compression",
    "emotion", "input_space", "output_space", "passes", "transcript_language", "watermark",
}  # fmt: skip
"""Settings in free words that name no file; anyone who adds one says here or by ``path=`` which it is."""


def test_nothing_said_gives_the_defaults():
    assert to_settings(SettingsModel.model_validate({})) == DEFAULTS


@pytest.mark.parametrize("group,name,default,meta", EVERY, ids=[item[1] for item in EVERY])
def test_every_setting_is_there_with_its_range(group, name, default, meta):
    schema = SettingsModel.model_json_schema()
    about = schema["$defs"][type(getattr(DEFAULTS, group)).__name__]["properties"][name]
    assert about["description"] == meta["help"]
    assert about["default"] == (list(default) if isinstance(default, tuple) else default)
    for wrong in (meta["maximum"] + 1 if meta["maximum"] is not None else None, "no such choice"):
        if wrong is None or (isinstance(wrong, str) and not meta["choices"]):
            continue
        with pytest.raises(ValidationError):
            SettingsModel.model_validate({group: {name: wrong}})


def test_every_setting_in_free_words_is_known_as_a_file_or_not():
    loose = set()
    for group, name, _, meta in EVERY:
        hint = str(get_type_hints(type(getattr(DEFAULTS, group)))[name])
        if ("str" in hint and "Tuple" not in hint) and not meta["choices"] and not meta.get("path"):
            loose.add(name)
    assert loose - NO_FILES == set()


def test_files_are_found_and_built_in_names_are_none():
    model = SettingsModel.model_validate({"sliders": {"edit_file": "/a.json"}, "engine": {"weights": "/w"}})
    assert named_files(to_settings(model)) == {"sliders.edit_file": "/a.json", "engine.weights": "/w"}
    built_in = SettingsModel.model_validate({"color": {"ocio": "ocio://studio-config-latest"}})
    assert named_files(to_settings(built_in)) == {}
    by_name = SettingsModel.model_validate({"upscale": {"upscale": "x4plus"}})
    assert named_files(to_settings(by_name)) == {}
    by_file = SettingsModel.model_validate({"upscale": {"upscale": "/x4plus"}})
    assert named_files(to_settings(by_file)) == {"upscale.upscale": "/x4plus"}
    sly = SettingsModel.model_validate({"color": {"ocio": "ocio:///etc/passwd"}})
    assert named_files(to_settings(sly)) == {"color.ocio": "ocio:///etc/passwd"}


def test_what_only_a_group_can_tell_is_told_by_the_group():
    with pytest.raises(SettingError):
        to_settings(SettingsModel.model_validate({"motion": {"reference": "soon"}}))
