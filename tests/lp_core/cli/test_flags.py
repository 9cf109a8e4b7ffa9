"""Options derived from the settings: all of them, with their defaults, ranges and words."""

from dataclasses import fields

import click
import pytest
from click.testing import CliRunner
from fakes.settings import setting_fields

from lp_core.cli.flags import settings_from, settings_options
from lp_core.errors import SettingError, UnknownCodec
from lp_core.settings import RenderSettings


def parse(arguments, *only):
    """The settings that a command line gives."""
    got = []

    @click.command()
    @settings_options(*only)
    def command(**values):
        got.append(settings_from(values))

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return got[0]


def every_setting():
    defaults = RenderSettings()
    return [
        (group.name, name, default, meta)
        for group in fields(defaults)
        for name, default, meta in setting_fields(getattr(defaults, group.name))
    ]


def other_value(name, default, meta):
    """A value that is not the default, as text."""
    if meta["choices"]:
        return next(choice for choice in meta["choices"] if choice != default)
    if name == "crop_scale":
        return "1.5"
    if isinstance(default, float):
        return "0.75" if meta["minimum"] is None or meta["minimum"] <= 0.75 else str(default / 2)
    if isinstance(default, int) and not isinstance(default, bool):
        return "30"
    words = {
        "fps": "25",
        "reference": "7",
        "device": "cuda:1",
        "edit": "smile=0.6",
        "frames": "1001-1100",
        "watermark": "0x1F",
        "passes": "matte",
        "batch": "8",
        "handles": "8",
        "exr_compression": "dwaa:45",
        "emotion": "happy",
    }
    return words.get(name, "left")


def test_without_options_the_defaults_stand():
    assert parse([]) == RenderSettings()


@pytest.mark.parametrize(("group", "name", "default", "meta"), every_setting())
def test_every_setting_has_a_flag_that_sets_it_and_nothing_else(group, name, default, meta):
    flag = ("--no-" if default is True else "--") + name.replace("_", "-")
    arguments = [flag] if isinstance(default, bool) else [flag, other_value(name, default, meta)]
    changed = parse(arguments)
    differing = [
        (g, n)
        for g, n, _, _ in every_setting()
        if getattr(getattr(changed, g), n) != getattr(getattr(RenderSettings(), g), n)
    ]
    assert differing == [(group, name)]


def test_a_flag_that_may_be_repeated():
    assert parse(["--edit", "smile=0.6", "--edit", "yaw=5"]).sliders.edit == ("smile=0.6", "yaw=5")


def test_what_is_on_can_be_said_too():
    assert parse(["--stitching"]) == RenderSettings()


def test_values_have_the_settings_types():
    settings = parse(["--strength", "1", "--quality", "20"])
    assert type(settings.motion.strength) is float
    assert type(settings.output.quality) is int


@pytest.mark.parametrize(
    "arguments",
    [["--strength", "2.1"], ["--quality", "-1"], ["--on-lost", "panic"], ["--smoothing", "nan"]],
)
def test_what_the_settings_refuse_is_refused_in_their_words(arguments):
    with pytest.raises(SettingError, match=arguments[0].lstrip("-").replace("-", "_")):
        parse(arguments)


def test_an_unknown_codec_has_its_own_error():
    with pytest.raises(UnknownCodec, match=r"vp9.*h264"):
        parse(["--codec", "vp9"])


def test_a_word_for_a_number_is_a_usage_error():
    with pytest.raises(click.BadParameter):
        parse(["--strength", "much"])


def test_only_the_named_settings_have_flags():
    assert parse(["--overwrite"], "overwrite").output.overwrite
    with pytest.raises(click.NoSuchOption):
        parse(["--strength", "1"], "overwrite")


def test_the_help_shows_words_ranges_and_defaults():
    @click.command()
    @settings_options()
    def command(**values):
        pass

    text = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    for _, name, default, meta in every_setting():
        assert "--" + name.replace("_", "-") in text
        assert meta["help"].split()[0] in text
        if meta["choices"]:
            assert "|".join(meta["choices"]) in text
        if not isinstance(default, bool | tuple) and default is not None:
            assert f"[default: {default}]" in text


@pytest.mark.parametrize("name", ["animate", "extract", "upscale", "live", "batch run"])
def test_every_command_that_takes_settings_takes_strict_and_all_that_it_uses(name):
    from importlib import import_module

    from lp_core.cli.main import COMMANDS
    from lp_core.settings.reach import USES

    first, *rest = name.split()
    module, attribute = COMMANDS[first].split(":")
    command = getattr(import_module(module), attribute)
    for word in rest:
        command = command.commands[word]
    taken = {parameter.name for parameter in command.params}
    assert USES.get(name, USES["animate"]) <= taken
    settings = {parameter.name for parameter in command.params} & USES["animate"]
    assert settings == USES.get(name, USES["animate"])
