"""What the knobs of a node say, without a look at what is upstream: quick enough for every move of a slider."""

from dataclasses import dataclass
from typing import Any, Dict, Optional

import nuke

from lp_core.errors import SettingError
from lp_core.settings.sliders import SLIDERS
from lp_core.timing import FrameRange, FrameRate

from . import cache, colors, knob_settings
from .knobs import by_name
from .pixels import Size


@dataclass(frozen=True)
class KnobState:
    """What a node's knobs ask for."""

    frames: FrameRange
    """Frames of the result."""
    driver: str
    """Performance that is not an input; empty: the input driving."""
    still: Optional[int]
    """Frame of the source that is the portrait; None: the source is a plate."""
    is_float: bool
    """Whether plates are written in 32 bits."""
    groups: knob_settings.Groups
    """Settings that differ from their defaults."""
    curves: Dict[str, knob_settings.SliderCurve]
    """Sliders."""

    @property
    def mark(self) -> str:
        """Digits of all this."""
        return cache.digest(
            [str(self.frames), self.driver, self.still, self.is_float, self.groups, self.curves]
        )


def asked_of(node: Any) -> KnobState:  # noqa: ANN401 - a nuke.Group
    """What a node's knobs ask for now.

    Raises:
        SettingError: something makes no sense.
    """
    read = _reader(node)
    frames = knob_settings.frame_range(read)
    knob_settings.refuse_animated(lambda name: _changes(node, name, frames))
    driver = _driver(read)
    groups = knob_settings.groups_of(read, frames, _given(node, read))
    knob_settings.settings_of(groups)
    curves = knob_settings.curves_of(read, _reader_at(node, frames), frames)
    still = int(read("still_frame")) if read("source_is") == "still" else None
    return KnobState(frames, driver, still, bool(read("float_plates")), groups, curves)


def _is_constant(knob: Any) -> bool:  # noqa: ANN401 - a nuke.Knob
    return not (knob.isAnimated() or knob.hasExpression())


def _changes(node: Any, name: str, frames: FrameRange) -> bool:  # noqa: ANN401 - a nuke.Group
    """Whether a knob's value changes over the range; an expression may well give the same all along."""
    knob = node.knob(name)
    if knob is None or _is_constant(knob):
        return False
    return len({knob.getValueAt(frame) for frame in frames}) > 1


def _reader(node: Any) -> knob_settings.ReadKnob:  # noqa: ANN401 - a nuke.Group
    """Reads knobs; one that a node made by an older version lacks has its default, as the node has always acted."""
    table = by_name()

    def read(name: str) -> Any:  # noqa: ANN401 - any knob's value
        knob = node.knob(name)
        return table[name].default if knob is None else knob.value()

    return read


def _reader_at(node: Any, frames: FrameRange) -> knob_settings.ReadAt:  # noqa: ANN401 - a nuke.Group
    table = by_name()

    def read(name: str, frame: int) -> float:
        knob = node.knob(name)
        if knob is None:
            return float(table[name].default)
        return float(held[name] if name in held else knob.getValueAt(frame))

    constant = (name for name in SLIDERS if node.knob(name) is not None and _is_constant(node[name]))
    held = {name: node[name].value() for name in constant}  # one look instead of one a frame
    return read


def _driver(read: knob_settings.ReadKnob) -> str:
    kind = read("driver")
    if kind == "demo":
        return "demo:" + str(read("driver_demo"))
    if kind == "input":
        return ""
    path = str(read("driver_file") or "").strip()
    if not path:
        raise SettingError("The driver is a file, but none is named; choose one on the tab Drive.")
    return path


def _given(node: Any, read: knob_settings.ReadKnob) -> knob_settings.Given:  # noqa: ANN401 - a nuke.Group
    ocio, space = colors.working_space()
    rate = str(FrameRate.parse(float(nuke.root()["fps"].value())))
    sizes = [_size(node, number, read(name)) for number, name in enumerate(("source_face", "driving_face"))]
    return knob_settings.Given(rate, ocio, space, sizes[0], sizes[1])


def _size(node: Any, number: int, face: str) -> Size:  # noqa: ANN401 - a nuke.Group
    """Format of an input; asked only where a position counts, because Nuke has to look upstream for it."""
    upstream = node.input(number) if face == "position" else None
    return (0, 0) if upstream is None else (upstream.width(), upstream.height())
