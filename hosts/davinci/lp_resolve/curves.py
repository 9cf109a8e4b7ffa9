"""The macro's values as the worker wants them: settings of one moment, sliders as curves. Pure."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from lp_core.settings import RenderSettings
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, all_settings, changed_values, grouped, with_groups

from .macro import COMP_DECIDES, SWITCH

ReadControl = Callable[[str, int], Any]
"""Value of a control at a frame of the comp."""
CLOSE = 1e-4
"""Share of a slider's range within which a straight line is for the curve."""


def settings_at(read: ReadControl, frame: int) -> dict[str, dict[str, Any]]:
    """Group -> setting -> value of what differs from the defaults."""
    values = {
        item.name: _value(read(item.name, frame), item)
        for item in all_settings()
        if item.name not in COMP_DECIDES.get(item.group, ())
    }
    settings = with_groups(RenderSettings(), grouped(values))  # refuses what the worker would refuse
    return changed_values(settings)


def _value(given: Any, item: Setting) -> Any:  # noqa: ANN401 - any setting's value
    default = item.default
    if given is None:
        return default
    if item.choices:
        return item.choices[int(given)]
    if item.kind in (bool, int):
        return item.kind(given)
    if item.kind is float:
        return default if abs(float(given) - default) < CLOSE * max(abs(default), 1.0) else float(given)
    return str(given).strip() or default


def slider_curves(read: ReadControl, first: int, last: int) -> dict[str, Any]:
    """Slider -> its value, or points [frame of the result from 0, value] where it moves; those at rest are left out."""
    found: dict[str, Any] = {}
    for name, slider in SLIDERS.items():
        if not slider.has_neutral and not read(SWITCH + name, first):
            continue
        values = [_limited(read(name, frame), slider) for frame in range(first, last + 1)]
        close = CLOSE * (slider.maximum - slider.minimum)
        if max(values) - min(values) <= close:
            if not slider.has_neutral or abs(values[0] - slider.neutral) > close:
                found[name] = round(values[0], 6)
            continue
        found[name] = [[index, round(values[index], 6)] for index in corners(values, close)]
    return found


def _limited(value: Any, slider: Any) -> float:  # noqa: ANN401 - a number of Fusion
    return min(max(float(value), slider.minimum), slider.maximum)


def corners(values: Sequence[float], close: float) -> list[int]:
    """Indices between which straight lines stay as close as asked to all values."""
    kept, start = [0], 0
    while start < len(values) - 1:
        end = start + 1
        while end + 1 < len(values) and _is_straight(values, start, end + 1, close):
            end += 1
        kept.append(end)
        start = end
    return kept


def _is_straight(values: Sequence[float], start: int, end: int, close: float) -> bool:
    slope = (values[end] - values[start]) / (end - start)
    return all(
        abs(values[start] + slope * (at - start) - values[at]) <= close for at in range(start + 1, end)
    )
