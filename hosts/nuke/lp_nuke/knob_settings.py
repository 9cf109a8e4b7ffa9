"""What the knobs of a node say, as settings of a render. Reads knobs by their names, touches nothing."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence

from lp_core.errors import SettingError
from lp_core.settings import RenderSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Groups, Setting, all_settings, with_groups
from lp_core.timing import FrameRange

from .knob_layout import ALWAYS_WRITTEN, MADE_OF, WITHOUT_KNOB
from .knobs import DOUBLE, INTEGER, SWITCH, UNSET, by_name
from .pixels import Size, core_from_nuke

ReadKnob = Callable[[str], Any]
"""Name of a knob -> its value now."""
ReadAt = Callable[[str, int], float]
"""Name of a knob, frame -> its value there, curves and expressions included."""
SliderCurve = Any
"""A slider's value, or (frame of the output, value) pairs."""


@dataclass(frozen=True)
class Given:
    """What only the host knows."""

    fps: str
    """The project's rate."""
    ocio: Optional[str]
    """The project's OpenColorIO configuration; None: it has none."""
    space: Optional[str]
    """The project's working space; None: scene-linear."""
    source_size: Size
    """Format of the source in pixels; (0, 0) where no position is given on it."""
    driving_size: Size
    """The same of the driving input."""


def frame_range(read: ReadKnob) -> FrameRange:
    """The range to render.

    Raises:
        SettingError: it runs backwards.
    """
    return FrameRange(int(read("first")), int(read("last")))


def groups_of(read: ReadKnob, frames: FrameRange, given: Given) -> Groups:
    """The settings that differ from their defaults, by groups.

    Raises:
        SettingError: a knob holds something that no render can be made with.
    """
    found: Groups = {}
    for item in all_settings():
        if item.name in WITHOUT_KNOB and item.name != "fps":
            continue
        value = _made(item, read, frames, given) if item.name in _MAKERS else _plain(item, read)
        if value != item.default:
            found.setdefault(item.group, {})[item.name] = value
    return found


def settings_of(groups: Groups) -> RenderSettings:
    """The settings, checked as the worker will check them.

    Raises:
        SettingError: a value is out of range.
    """
    return with_groups(RenderSettings(), groups)


def curves_of(read: ReadKnob, read_at: ReadAt, frames: FrameRange) -> Dict[str, SliderCurve]:
    """The sliders that are set: a number where it holds all along, else a row for every frame of the output."""
    found: Dict[str, SliderCurve] = {}
    for name, slider in SLIDERS.items():
        if not slider.has_neutral and not read(name + "_on"):
            continue
        values = [float(read_at(name, frame)) for frame in frames]
        if any(value != values[0] for value in values):
            found[name] = [[index, value] for index, value in enumerate(values)]
        elif not slider.has_neutral or values[0] != slider.neutral:
            found[name] = values[0]
    return found


def refuse_animated(is_animated: Callable[[str], bool]) -> None:
    """Only the sliders may change over time.

    Raises:
        SettingError: another knob has keys or an expression that depends on the frame.
    """
    kinds = (DOUBLE, INTEGER, SWITCH)
    names = [name for name, knob in by_name().items() if knob.kind in kinds and not name.startswith("lp_")]
    own = set(SLIDERS) | {"apply_stmap"}
    for name in names:
        if name not in own and is_animated(name):
            raise SettingError(
                f"The knob {name} is animated, but only the sliders of the tab Expression may change over time; "
                "remove its keys."
            )


def shown_settings() -> Sequence[str]:
    """Names of all knobs that a result depends on."""
    taken = [name for names in MADE_OF.values() for name in names]
    plain = [
        item.name for item in all_settings() if item.name not in MADE_OF and item.name not in WITHOUT_KNOB
    ]
    own = ["driver", "driver_file", "driver_demo", "source_is", "still_frame", "float_plates", "cache"]
    switches = [name + "_on" for name, slider in SLIDERS.items() if not slider.has_neutral]
    return [*taken, *plain, *own, *SLIDERS, *switches]


def _plain(item: Setting, read: ReadKnob) -> Any:  # noqa: ANN401 - any setting's value
    value = read(item.name)
    if item.kind in (bool, int, float):
        return item.kind(value)
    text = str(value or "").strip()
    return text or item.default


def _made(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> Any:  # noqa: ANN401
    return _MAKERS[item.name](item, read, frames, given)


def _face(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> str:
    word = str(read(item.name))
    if word != "position":
        return word
    size = given.source_size if item.name == "source_face" else given.driving_size
    if size == (0, 0):
        raise SettingError(
            f"{item.name} is a position, but nothing is connected to the input that it would be on; choose a word."
        )
    x, y = core_from_nuke(tuple(read(item.name + "_at")), size)  # type: ignore[arg-type]
    return f"{x:g},{y:g}"


def _reference(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> str:
    word = str(read("reference"))
    if word != "frame":
        return word
    index = int(read("reference_frame")) - frames.first
    if index < 0 or (read("driver") == "input" and index >= len(frames)):
        raise SettingError(
            f"The reference frame {frames.first + index} is outside the range {frames}; take one within it."
        )
    return str(index)


def _upscale(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> Optional[str]:
    word = str(read("upscale"))
    if word == "file":
        path = str(read("upscale_file") or "")
        if not path:
            raise SettingError("upscale is set to file, but no checkpoint is named; choose one.")
        return path
    return None if word == UNSET else word


def _passes(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> str:
    chosen: List[str] = [name[5:] for name in MADE_OF["passes"] if read(name)]
    return ",".join([*ALWAYS_WRITTEN, *chosen])


def _ocio(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> Optional[str]:
    return str(read("ocio") or "").strip() or given.ocio


def _space(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> Optional[str]:
    return str(read("input_space") or "").strip() or given.space


def _rate(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> str:
    return given.fps


def _no_frames(item: Setting, read: ReadKnob, frames: FrameRange, given: Given) -> Optional[str]:
    """Plates are named with their range; a still under a stored performance is counted from its first frame."""
    if read("source_is") == "still" and read("driver") != "input":
        return str(FrameRange(0, len(frames) - 1))
    return None


_Maker = Callable[[Setting, ReadKnob, FrameRange, Given], Any]
_MAKERS: Dict[str, _Maker] = {
    "source_face": _face,
    "driving_face": _face,
    "reference": _reference,
    "upscale": _upscale,
    "passes": _passes,
    "ocio": _ocio,
    "input_space": _space,
    "fps": _rate,
    "frames": _no_frames,
}
"""Setting -> what makes its value of several knobs or of what the host knows."""
