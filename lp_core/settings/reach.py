"""Which settings a run can use: one table, and the values that would be without effect by name.

Standard library only, Python 3.7 syntax.
"""

from dataclasses import dataclass
from typing import Callable, Dict, FrozenSet, List, Tuple

from ..errors import SettingError
from .render import RenderSettings
from .table import all_settings, changed_values, find

Names = FrozenSet[str]


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run before it begins; an empty text: not known, and then nothing is reported for it."""

    kind: str
    """A key of USES."""
    engine: str = ""
    """Engine that reads or draws: mesh or liveportrait."""
    source: str = ""
    """What is animated: image, sequence or video."""
    driving: str = ""
    """The performance: image, sequence, video, motion or speech."""
    output: str = ""
    """What is written: image, exr or video."""
    model: str = ""
    """Published model of the liveportrait engine."""
    has_layers: bool = True
    """Whether the source is of a type that can hold layers and views (EXR)."""


@dataclass(frozen=True)
class Unused:
    """A setting that was given and has no effect."""

    name: str
    """Name of the setting."""
    why: str
    """Why it has none; completes "--name: ..."."""


def _groups(*names: str) -> Names:
    return frozenset(item.name for item in all_settings() if item.group in names)


ALL = frozenset(item.name for item in all_settings())
_NETWORKS = frozenset(("model", "weights", "device", "precision", "compile", "graphs"))
LIVEPORTRAIT_ONLY = _NETWORKS | {"batch"} | _groups("liveportrait")
MESH_ONLY = _groups("mesh")
SPEECH_ONLY = _groups("speech")
UPSCALE_DETAILS = _groups("upscale") - {"upscale"}
READING = frozenset(("missing", "interlaced", "references"))

USES: Dict[str, Names] = {
    "animate": ALL,
    "live": _groups("face", "motion", "engine", "mesh", "liveportrait", "sliders", "speech")
    - {"fade_below", "batch", "steady_eyes", "people", "face", "cast", "points"}
    - {"lipsync", "speech_track", "head_from", "emotion", "transcript", "transcript_language", "speech_driver"}
    | {"watermark", "consent", "require_consent", "strict"},
    "extract": READING | (_groups("engine", "speech") - {"lipsync"})
    | {
        "driving_face", "people", "official_compat", "crop_scale", "fps", "reference", "dense_motion", "overwrite",
        "strict",
    },
    "convert": frozenset(("overwrite", "strict")),
    "upscale": READING | (UPSCALE_DETAILS - {"upscale_region"}) | {
        "upscale", "device", "precision", "ocio", "input_space", "codec", "quality", "audio", "fps",
        "exr_compression", "overwrite", "strict",
    },
}  # fmt: skip
"""Kind of run -> settings it can use. The shots of a batch are of the kind animate."""

KIND_WORDS = {
    "animate": "a render",
    "live": "a live stream",
    "extract": "an extraction",
    "convert": "the conversion of a stored motion",
    "upscale": "upscaling without a render",
}

Condition = Callable[[RunFacts, RenderSettings], bool]


def _is_absolute(run: RunFacts, settings: RenderSettings) -> bool:
    """Whether nothing is compared with a reference frame."""
    is_lone = run.kind != "live" and run.driving == "image"
    return settings.motion.motion == "absolute" or (is_lone and settings.motion.reference != "neutral")


def _moves_no_pose(_run: RunFacts, settings: RenderSettings) -> bool:
    return settings.motion.region not in ("all", "pose")


def _has_no(kind: str) -> Condition:
    """Whether neither source nor performance is of a kind; a matte (holdout) may be of any."""

    def condition(run: RunFacts, settings: RenderSettings) -> bool:
        known = [name for name in (run.source, run.driving) if name]
        return bool(known) and kind not in known and settings.input.holdout in ("auto", "off")

    return condition


def _writes_no(kind: str) -> Condition:
    return lambda run, _settings: run.output not in ("", kind)


def _is_model(*names: str) -> Condition:
    """Whether one of some published models draws."""
    return lambda run, _settings: run.engine == "liveportrait" and run.model in names


def _is(engine: str, condition: Condition) -> Condition:
    return lambda run, settings: run.engine == engine and condition(run, settings)


RULES: Tuple[Tuple[Names, str, Condition], ...] = (
    (
        LIVEPORTRAIT_ONLY - {"device", "precision"},
        "not used by the mesh engine",
        lambda run, _settings: run.engine == "mesh",
    ),
    (
        frozenset(("device", "precision")),
        "not used by the mesh engine",
        lambda run, settings: (
            run.engine == "mesh" and not (run.kind == "animate" and settings.upscale.upscale is not None)
        ),
    ),
    (
        MESH_ONLY,
        "not used by the liveportrait engine",
        lambda run, _settings: run.engine == "liveportrait",
    ),
    (
        frozenset(("motion", "pose_strength", "driving_option")),
        "the model performrecast takes the expression alone; --recast says how",
        _is_model("performrecast"),
    ),
    (
        frozenset(("stitching",)),
        "the model has no stitching network",
        _is_model("performrecast", "liveportrait-animals"),
    ),
    (
        frozenset(("recast",)),
        "for the model performrecast only",
        _is_model("liveportrait", "liveportrait-animals"),
    ),
    (
        frozenset(("motion", "reference", "driving_option")),
        "the model liveportrait-animals always plays the performer's own pose",
        _is_model("liveportrait-animals"),
    ),
    (
        frozenset(("graphs",)),
        "there are graphs on CUDA cards only",
        lambda _run, settings: settings.engine.device in ("cpu", "mps"),
    ),
    (
        frozenset(("person_matte", "clean_plate")),
        "not used by the liveportrait engine",
        lambda run, _settings: run.engine == "liveportrait",
    ),
    (
        frozenset(("person_matte", "clean_plate")),
        "the head does not move here",
        lambda _run, settings: settings.motion.region not in ("all", "pose") or settings.speech.lipsync,
    ),
    (
        frozenset(("clean_plate",)),
        "--person-matte is off",
        lambda _run, settings: settings.input.person_matte == "off",
    ),
    (frozenset(("reference",)), "nothing is compared with a reference here", _is_absolute),
    (
        frozenset(("driving_option", "normalize_lip")),
        "for relative motion only",
        _is("liveportrait", lambda _run, settings: settings.motion.motion == "absolute"),
    ),
    (
        frozenset(("normalize_lip",)),
        "--lip-retargeting opens the lips",
        _is("liveportrait", lambda _run, settings: settings.liveportrait.lip_retargeting),
    ),
    (
        frozenset(("smoothing",)),
        "--official-compat has the published filter",
        _is(
            "liveportrait",
            lambda run, settings: run.kind == "animate" and settings.liveportrait.official_compat,
        ),
    ),
    (
        frozenset(("steady_eyes",)),
        "the source is not a video",
        _is("liveportrait", lambda run, _settings: run.source == "image"),
    ),
    (
        frozenset(("source_face",)),
        "--points says where the face is",
        lambda _run, settings: settings.face.points is not None,
    ),
    (
        frozenset(("calibration",)),
        "no model reads a face whose points were set by hand",
        lambda _run, settings: settings.face.points is not None,
    ),
    (
        frozenset(("head", "head_from", "blink_rate", "expressiveness", "region", "motion", "reference"))
        | {"pose_strength", "calibration", "dense_motion", "max_turn", "max_shift", "steady_eyes"},
        "--lipsync moves the mouth alone",
        lambda run, settings: settings.speech.lipsync and run.driving in ("", "speech"),
    ),
    (
        frozenset(("camera", "shading")),
        "they are seen in a driving video, in relative motion with dense motion",
        _is("mesh", lambda run, settings: not settings.mesh.dense_motion or _is_absolute(run, settings)),
    ),
    (frozenset(("pose_strength",)), "the chosen region leaves the pose as it is", _moves_no_pose),
    (
        frozenset(("expression_strength",)),
        "the chosen region leaves the expression as it is",
        lambda _run, settings: settings.motion.region == "pose",
    ),
    (
        frozenset(("driving_face",)),
        "a stored motion or a voice has one face",
        lambda run, _settings: run.driving in ("motion", "speech"),
    ),
    (
        SPEECH_ONLY,
        "the performance is not a voice",
        lambda run, _settings: run.driving not in ("", "speech"),
    ),
    (
        frozenset(("fps",)),
        "a recorded performance keeps its own rate",
        lambda run, _settings: run.kind == "extract" and run.driving != "speech",
    ),
    (
        frozenset(("smoothing",)),
        "a voice gives smooth motion",
        lambda run, _settings: run.driving == "speech",
    ),
    (
        frozenset(("head",)),
        "--head-from gives the head",
        lambda _run, settings: settings.speech.head_from is not None,
    ),
    (
        SPEECH_ONLY - {"speech_driver", "speech_seed", "speech_track", "head", "mouth_strength", "lipsync"},
        "JoyVASA hears the sound alone and makes the whole face",
        lambda run, settings: settings.speech.speech_driver == "joyvasa" and run.kind != "live",
    ),
    (
        frozenset(("transcript_language",)),
        "there is no --transcript",
        lambda _run, settings: settings.speech.transcript is None,
    ),
    (
        frozenset(("driving_offset",)),
        "a single image has one frame",
        lambda run, _settings: run.driving == "image",
    ),
    (frozenset(("missing",)), "no image sequence is read", _has_no("sequence")),
    (frozenset(("interlaced", "references")), "no video is read", _has_no("video")),
    (
        frozenset(("layer", "view")),
        "the source is not an EXR file",
        lambda run, _settings: not run.has_layers,
    ),
    (
        frozenset(("ocio",)),
        "no color space is named",
        lambda run, settings: (
            settings.color.input_space is None
            and (settings.color.output_space is None or run.kind == "upscale")
        ),
    ),
    (frozenset(("codec", "quality")), "no video is written", _writes_no("video")),
    (
        frozenset(("quality",)),
        "the codec has no such factor",
        lambda _run, settings: settings.output.codec not in ("h264", "hevc", "av1"),
    ),
    (
        frozenset(("audio",)),
        "images carry no audio",
        lambda run, settings: run.output in ("image", "exr") and settings.output.audio == "source",
    ),
    (frozenset(("exr_compression",)), "no EXR is written", _writes_no("exr")),
    (
        UPSCALE_DETAILS,
        "nothing is upscaled; add --upscale",
        lambda run, settings: run.kind == "animate" and settings.upscale.upscale is None,
    ),
    (
        frozenset(("upscale_scale",)),
        "--upscale-height decides the size",
        lambda _run, settings: settings.upscale.upscale_height > 0,
    ),
    (
        frozenset(("upscale_backend",)),
        "for processors only",
        lambda _run, settings: settings.engine.device.startswith(("cuda", "mps")),
    ),
    (
        frozenset(("generated_source",)),
        "the result is not signed",
        lambda _run, settings: not settings.provenance.sign,
    ),
)
"""(settings, why they have no effect, when); the first rule that holds gives the reason."""


def unused(settings: RenderSettings, run: RunFacts) -> Tuple[Unused, ...]:
    """Settings that differ from their default and that a run cannot use, in the order of their definition."""
    names = (name for values in changed_values(settings).values() for name in values)
    reasons = ((name, _why(name, settings, run)) for name in names)
    return tuple(Unused(name, why) for name, why in reasons if why)


def _why(name: str, settings: RenderSettings, run: RunFacts) -> str:
    if name not in USES[run.kind]:
        return f"not used by {KIND_WORDS[run.kind]}"
    return next((why for names, why, holds in RULES if name in names and holds(run, settings)), "")


def unused_notes(settings: RenderSettings, run: RunFacts) -> List[str]:
    """What is to be said of settings without effect: one note, or none.

    Args:
        settings: as they were given.
        run: what they are for.

    Raises:
        SettingError: there are such settings, and ``strict`` forbids them.
    """
    found = unused(settings, run)
    if not found:
        return []
    reasons: Dict[str, List[str]] = {}
    for item in found:
        reasons.setdefault(item.why, []).append(_flag(item.name, settings))
    parts = "; ".join("{} ({})".format(", ".join(names), why) for why, names in reasons.items())
    if settings.output.strict:
        raise SettingError(f"Without effect here: {parts}. Leave them out, or run without --strict.")
    return [f"Without effect here: {parts}."]


def _flag(name: str, settings: RenderSettings) -> str:
    """The setting as the command line has it."""
    value = getattr(getattr(settings, find(name).group), name)
    return "--{}{}".format("no-" if value is False else "", name.replace("_", "-"))
