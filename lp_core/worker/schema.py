"""The wire's schema: pydantic models made from the settings' own dataclasses, so that there is one source.

The command line takes the same fields (lp_core.cli.flags); what only a whole group can tell (two settings that
contradict each other) the dataclasses check in both cases.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Union

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, create_model

from lp_core.link.messages import KINDS, PHASES
from lp_core.settings import UPSCALERS, RenderSettings
from lp_core.settings.live import LiveSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, group_names, path_values, settings_of, with_groups

LONGEST = 4096
"""Characters of a text; longer ones are neither a file name nor a setting."""
MOST_TEXTS = 256
BUILT_IN = re.compile("|".join([r"ocio://[A-Za-z0-9._-]+", *map(re.escape, UPSCALERS)]))
"""Names of things that a library carries itself; they are not files."""
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
Text = Annotated[str, Field(max_length=LONGEST)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST)]
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the job.")]


def _field_type(item: Setting) -> Any:  # noqa: ANN401 - types are built here
    if item.kind is tuple:
        return Annotated[list[Text], Field(max_length=MOST_TEXTS)]
    kind: Any = item.kind
    if item.choices:
        kind = Literal[item.choices]
    elif item.kind is str:
        kind = Text
    elif item.kind is int:
        kind = Annotated[int, Field(ge=item.minimum, le=item.maximum)]
    elif item.kind is float:
        kind = Annotated[float, Field(ge=item.minimum, le=item.maximum, allow_inf_nan=False)]
    return Union[kind, None] if item.is_optional else kind  # noqa: UP007 - made at run time


def _group_model(name: str, group: Any) -> type[BaseModel]:  # noqa: ANN401 - any settings group
    members: dict[str, Any] = {}
    for item in settings_of(name, group):
        given: Any = list(item.default) if item.kind is tuple else item.default
        extra: dict[str, Any] = {
            key: word for key, word in (("unit", item.unit), ("path", item.path)) if word
        }
        about = Field(given, description=item.help, json_schema_extra=extra or None)
        members[item.name] = (_field_type(item), about)
    words = (type(group).__doc__ or "").partition("\n")[0]
    model: type[BaseModel] = create_model(type(group).__name__, __config__=STRICT, __doc__=words, **members)
    return model


def _settings_model() -> type[BaseModel]:
    groups = {name: _group_model(name, getattr(RenderSettings(), name)) for name in group_names()}
    members: dict[str, Any] = {
        name: (group, Field(default_factory=group, description=group.__doc__))
        for name, group in groups.items()
    }
    model: type[BaseModel] = create_model(
        "RenderSettings", __config__=STRICT, __doc__="All settings of one render.", **members
    )
    return model


SettingsModel = _settings_model()
"""Pydantic's twin of RenderSettings."""
LiveModel = _group_model("live", LiveSettings())
"""Pydantic's twin of LiveSettings."""


def to_settings(model: BaseModel) -> RenderSettings:
    """The settings themselves.

    Raises:
        LpError: two settings contradict each other, or one is wrong in a way that its schema cannot express.
    """
    groups = {
        name: {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        for name, values in model.model_dump().items()
    }
    return with_groups(RenderSettings(), groups)


def named_files(settings: RenderSettings) -> dict[str, str]:
    """'group.name' -> value of every setting that names a file or folder; names of built-in things are left out."""
    return {
        f"{group}.{name}": value
        for (group, name), value in path_values(settings).items()
        if not BUILT_IN.fullmatch(value)
    }


class Wire(BaseModel):
    """Something that travels."""

    model_config = STRICT


class Health(Wire):
    """Who answers."""

    name: Literal["lpsuite"] = "lpsuite"
    version: str = Field(description="Version of LP Suite.")
    protocol: int = Field(description="Version of the language spoken here.")
    kinds: list[str] = Field(description="Kinds of jobs that are taken.")
    queued: int = Field(description="Jobs that wait.")
    running: int = Field(description="Jobs at work.")
    problem: str | None = Field(
        default=None, description="What keeps jobs from being done now, such as a full disk; null: nothing."
    )


class ErrorBody(Wire):
    """Why a request was refused."""

    code: str = Field(description="Wire code, as in lp_core.errors.")
    message: str = Field(description="One sentence that says what to do.")


class AnimateParameters(Wire):
    """A performance laid onto a portrait."""

    source: Name = Field(description="Absolute path of a still, video or frame pattern.")
    driving: Name = Field(description="Absolute path of a video, image or motion, or demo:NAME.")
    output: Name = Field(description="Absolute path of a video or frame pattern that is written.")
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]


class ExtractParameters(Wire):
    """A performance stored as a motion file."""

    driving: Name = Field(description="Absolute path of a video, image or motion.")
    output: Name = Field(description="Absolute path of a .lpmotion or .pkl that is written.")
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]


class UpscaleParameters(Wire):
    """A video or images made larger."""

    source: Name = Field(description="Absolute path of a still, video or frame pattern.")
    output: Name = Field(description="Absolute path of a video or frame pattern that is written.")
    settings: SettingsModel = Field(  # type: ignore[valid-type]
        default_factory=SettingsModel, description="The model is settings.upscale.upscale; none: x4plus."
    )


class BatchParameters(Wire):
    """The marked clips of a timeline."""

    timeline: Name = Field(description="Absolute path of a timeline that OpenTimelineIO reads.")
    output: Name = Field(
        description="Absolute path of the folder that takes timeline.otio, media and reports."
    )
    map: Name | None = Field(None, description="Absolute path of a sidecar with marks (TOML).")
    relink: list[Name] = Field([], max_length=64, description="Folders in which missing media is looked for.")
    file_type: Name = Field(
        "auto", description="Suffix of the results, such as .mov or .exr; auto: by the source."
    )
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]


class SceneBody(Wire):
    """A part of a script: one portrait, one voice."""

    portrait: Name = Field(description="Absolute path of a still or video.")
    text: Annotated[str, Field(max_length=200_000)] = Field(
        "", description="Text or SSML; empty where a sound is given."
    )
    sound: Text = Field("", description="Absolute path of a sound file with a voice, in place of the text.")
    voice: Text = Field(
        "", description="hibari:NAME or espeak:LANGUAGE; empty: the default for the language."
    )
    language: Annotated[str, Field(max_length=35)] = Field("", description="BCP 47 tag.")
    speed: Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False)] = 1.0
    emotion: Text = Field("", description="As the setting of the same name.")
    pause: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = Field(
        0.0, description="Seconds after the scene."
    )
    music: Text = Field("", description="Absolute path of a sound file under the scene.")
    title: Annotated[str, Field(max_length=200)] = ""


class FramingBody(Wire):
    """How the portrait is cut, and what is behind it."""

    aspect: Annotated[str, Field(max_length=9)] = Field("", description="Such as 9:16.")
    height: Annotated[int, Field(ge=0, le=4320)] = Field(
        0, description="Rows of the result; 0: the cut's own."
    )
    head_height: Annotated[float, Field(ge=0, le=0.95, allow_inf_nan=False)] = 0.0
    background: Text = Field("", description="#RRGGBB, or absolute path of an image or video.")
    matte: Text = Field("", description="Absolute path of an image.")


class SayParameters(Wire):
    """A portrait that says a text."""

    scenes: list[SceneBody] = Field(min_length=1, max_length=50)
    output: Name = Field(description="Absolute path of a video that is written.")
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    framing: FramingBody = Field(default_factory=lambda: FramingBody.model_validate({}))
    subtitles: bool = Field(False, description="Writes SRT and WebVTT files next to the video.")
    burned: bool = Field(False, description="Draws subtitles on the frames.")
    settings: SettingsModel = Field(default_factory=SettingsModel)  # type: ignore[valid-type]


class _Request(Wire):
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")
    key: str = Field(
        "", max_length=64, pattern=r"^[A-Za-z0-9_-]*$", description="The same key again gives the same job."
    )


class AnimateRequest(_Request):
    """Asks for a video or a sequence."""

    kind: Literal["animate"]
    parameters: AnimateParameters


class ExtractRequest(_Request):
    """Asks for a motion file."""

    kind: Literal["extract"]
    parameters: ExtractParameters


class UpscaleRequest(_Request):
    """Asks for a larger video or sequence."""

    kind: Literal["upscale"]
    parameters: UpscaleParameters


class SayRequest(_Request):
    """Asks for a portrait that says a text."""

    kind: Literal["say"]
    parameters: SayParameters


class BatchRequest(_Request):
    """Asks for a timeline with its marked clips animated."""

    kind: Literal["batch"]
    parameters: BatchParameters


class ProgressBody(Wire):
    """How far a job has come."""

    phase: str = Field(description=f"One of: {', '.join(PHASES)}.")
    frame: int
    total: int | None
    fps: float
    eta_s: float | None


class Job(Wire):
    """A job as the worker knows it."""

    id: str
    kind: Literal[KINDS]  # type: ignore[valid-type]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    priority: int
    output: str
    created_s: float = Field(description="Seconds since 1970.")
    started_s: float | None
    ended_s: float | None
    progress: ProgressBody | None
    error: ErrorBody | None
    summary: dict[str, Any] | None = Field(description="What came of it.")
    parameters: dict[str, Any] = Field(description="What was asked for.")


class JobList(Wire):
    """Jobs, newest first."""

    jobs: list[Job]


class LogLine(Wire):
    """A sentence of a job."""

    at_s: float = Field(description="Seconds since 1970.")
    text: str


class Log(Wire):
    """Sentences of a job, in order."""

    lines: list[LogLine]


class Uploaded(Wire):
    """A file that was sent."""

    path: str = Field(description="Absolute path it has here.")
    bytes: int


class Login(Wire):
    """A page login."""

    path: str = Field(description="Good once; to be opened behind the worker's address.")


class SliderInfo(Wire):
    """One slider of expression editing."""

    name: str
    minimum: float
    maximum: float
    neutral: float | None = Field(description="Value that changes nothing; null: leave the slider out.")
    help: str


class PageFacts(Wire):
    """What the page needs next to the schema."""

    sliders: list[SliderInfo]
    roots: list[str] = Field(description="Allowed folders.")
    results: str = Field(description="Folder for results without their own place.")
    demos: list[str] = Field(description="Built-in motions.")
    phases: dict[str, str] = Field(description="Phase of a job -> its label.")


def slider_infos() -> list[SliderInfo]:
    """All sliders."""
    return [
        SliderInfo(
            name=name,
            minimum=float(slider.minimum),
            maximum=float(slider.maximum),
            neutral=float(slider.neutral) if slider.has_neutral else None,
            help=slider.help,
        )
        for name, slider in SLIDERS.items()
    ]
