"""The job: what is written comes back, what is not known is named."""

import json
from dataclasses import fields, replace

import pytest
from fakes.settings import setting_fields
from hypothesis import given
from hypothesis import strategies as st

from lp_core import job as job_module
from lp_core.errors import SettingError, UnknownCodec
from lp_core.job import RenderJob
from lp_core.settings import RenderSettings, SliderSettings

JOB = RenderJob("portrait.jpg", "demo:expressive", "out.%04d.png")
names = st.text(st.characters(exclude_characters="\0", exclude_categories=()), min_size=1)


def values_of(name, kind, meta):
    """Any allowed value of a setting."""
    if name == "crop_scale":
        return st.just(0.0) | st.floats(1.0, meta["maximum"])
    if meta["choices"] is not None:
        return st.sampled_from(meta["choices"])
    if isinstance(kind, bool):
        return st.booleans()
    if isinstance(kind, int):
        return st.integers(meta["minimum"], meta["maximum"])
    if isinstance(kind, float):
        return st.floats(meta["minimum"], meta["maximum"])
    return st.sampled_from(["25", "3"]) if kind is None else st.just(kind)


@st.composite
def jobs(draw):
    """Jobs with any settings."""
    settings = RenderSettings()
    for item in fields(RenderSettings):
        group = getattr(settings, item.name)
        changed = {
            name: draw(values_of(name, default, meta)) for name, default, meta in setting_fields(group)
        }
        settings = replace(settings, **{item.name: replace(group, **changed)})
    return RenderJob(draw(names), draw(names), draw(names), settings)


def as_data(job=JOB):
    return json.loads(job.to_json())


@given(jobs())
def test_every_job_comes_back(job):
    text = job.to_json()
    assert text.isascii()
    assert RenderJob.from_json(text) == job


def test_text_holds_every_group_and_setting():
    data = as_data()
    assert (data["schema"], data["version"]) == ("lpsuite.job", 2)
    for item in fields(RenderSettings):
        group = getattr(RenderSettings(), item.name)
        assert list(data["settings"][item.name]) == [name for name, _, _ in setting_fields(group)]


def test_settings_that_are_not_named_keep_their_defaults():
    data = as_data()
    data["settings"] = {"motion": {"strength": 2}}
    job = RenderJob.from_json(json.dumps(data))
    assert job.settings == replace(RenderSettings(), motion=replace(RenderSettings().motion, strength=2.0))
    assert isinstance(job.settings.motion.strength, float)
    del data["settings"]
    assert RenderJob.from_json(json.dumps(data)) == JOB


@pytest.mark.parametrize(
    "path,value,words",
    [
        (("outptu",), "x", "The job has no outptu"),
        (("settings", "motoin"), {}, "The job's settings has no motoin"),
        (("settings", "motion", "strenght"), 1.0, "'motion' has no strenght"),
        (("settings",), [], "settings must be an object"),
        (("settings", "motion"), 3, "'motion' must be an object"),
        (("settings", "motion", "strength"), "1", "strength = '1' has the wrong type; it must be float"),
        (("settings", "motion", "strength"), True, "strength"),
        (("settings", "motion", "strength"), 10**400, "strength"),
        (("settings", "motion", "strength"), 9, "strength = 9.0 is out of range"),
        (("settings", "output", "quality"), 18.5, "quality"),
        (("settings", "output", "overwrite"), 1, "overwrite"),
        (("settings", "output", "fps"), 25, "fps = 25 .* it must be str or nothing"),
        (("settings", "output", "codec"), "mpeg1", "codec"),
        (("settings", "face", "on_lost"), None, "on_lost"),
        (("source",), "", "source"),
        (("driving",), None, "driving"),
        (("output",), "a\0b", "output"),
        (("schema",), "other", "lpsuite.job"),
        (("version",), 3, "version 3 .* up to 2; update"),
        (("version",), True, "version True"),
        (("version",), None, "version None"),
        (("version",), 0, "version 0 was never in use"),
    ],
)
def test_what_is_not_known_or_wrong_is_named(path, value, words):
    data = as_data()
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(UnknownCodec if value == "mpeg1" else SettingError, match=words):
        RenderJob.from_json(json.dumps(data))


@pytest.mark.parametrize("name", ["source", "driving", "output"])
def test_a_missing_file_is_named(name):
    data = as_data()
    del data[name]
    with pytest.raises(SettingError, match=f"does not say its {name}"):
        RenderJob.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, "9" * 5000, '{"schema": NaN}'])
def test_what_is_no_job_is_refused(text):
    with pytest.raises(SettingError):
        RenderJob.from_json(text)


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(SettingError, match="source twice"):
        RenderJob.from_json(JOB.to_json().replace('"driving":', '"source":'))


def test_an_old_version_is_read_by_its_upgrade_step(monkeypatch):
    """Version 0 of this test's world called the output 'target'."""
    data = as_data()
    data["version"] = 0
    data["target"] = data.pop("output")

    def from_0(old):
        new = {name: value for name, value in old.items() if name != "target"}
        return {**new, "version": 2, "output": old["target"]}

    monkeypatch.setitem(job_module._UPGRADES, 0, from_0)
    assert RenderJob.from_json(json.dumps(data)) == JOB


def test_sliders_travel_as_a_list():
    job = RenderJob(
        "a.png", "b.mp4", "c.mp4", RenderSettings(sliders=SliderSettings(edit=("smile=0.6", "yaw=5")))
    )
    assert RenderJob.from_json(job.to_json()) == job
    for wrong in ('"smile=0.6"', "[1]"):
        content = json.loads(job.to_json())
        content["settings"]["sliders"]["edit"] = json.loads(wrong)
        with pytest.raises(SettingError, match="edit"):
            RenderJob.from_json(json.dumps(content))


def test_version_1_kept_each_engines_settings_in_one_group():
    engine = {"engine": "mesh", "calibration": "off", "stitching": False}
    old = {"schema": "lpsuite.job", "version": 1, "source": "a.png", "driving": "demo:nod", "output": "o.mp4"}
    read = RenderJob.from_json(
        json.dumps({**old, "settings": {"engine": engine, "motion": {"strength": 0.5}}})
    )
    assert read.settings.engine.engine == "mesh"
    assert read.settings.mesh.calibration == "off"
    assert read.settings.liveportrait.stitching is False
    assert read.settings.motion.strength == 0.5
