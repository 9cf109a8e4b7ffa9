"""Results inside the clip: a Fusion composition of the clip lays the result over the clip's own images.

A retime of the Edit page comes after the clip's composition, which so works on the media's own frames: the result goes
along with every retime, ramp and trim. The composition renders what it is given by MediaIn, the worker animates that,
and MediaOut gets the merge of both. What is connected to MediaOut must descend from MediaIn, or Resolve ignores it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from lp_core.timing import FrameRate

from . import job
from .api_results import ResolveRefused, done, given
from .comp import FusionContext, bring_back, completed, saved
from .facade import TimelineItem
from .media import numbers_of
from .plan import DrivingClip, Settings

NAME = "LivePortrait"
"""Begins the names of the tools."""
MEDIA_IN, MEDIA_OUT = "MediaIn1", "MediaOut1"
"""Tools that Resolve puts into a clip's composition."""


def composition_of(item: TimelineItem) -> Any:  # noqa: ANN401 - Fusion's objects have no published types
    """The composition of a clip that results are laid into: ours where there is one, else a new one.

    Raises:
        ResolveRefused: the clip has another composition, which a new one would hide, or Resolve makes none.
    """
    count = int(item.raw.GetFusionCompCount() or 0)
    for index in range(1, count + 1):
        found: Any = item.raw.GetFusionCompByIndex(index)
        if found and found.FindTool(f"{NAME}_Result"):
            return found
    if count:
        raise ResolveRefused(
            f"{item.name} has a Fusion composition, which a new one would hide; use the macro LivePortrait in it, or "
            "let the result go on a track above."
        )
    return given(item.raw.AddFusionComp(), f"Fusion composition of {item.name}", "open the Fusion page once")


def render_in_clip(
    bench: FusionContext,
    driver: DrivingClip,
    settings: Settings,
    output: str,
    rate: FrameRate,
) -> str:
    """Has the images of a clip's composition animated, and lays the result over them in it.

    Args:
        bench: the composition and the worker; the project's colors go before those of the settings.
        driver: the performance; it begins with the first frame that the timeline shows.
        settings: what the user changed.
        output: pattern of the result's EXR images, in a new folder.
        rate: of the media.

    Returns:
        Resolve's name of the worker's job.

    Raises:
        ResolveRefused: the clip has no images, or Fusion did not do something.
        WorkerError: the job failed.
    """
    comp = bench.comp
    hint = "titles and generators have none; let the result go on a track above"
    plate = given(comp.FindTool(MEDIA_IN), f"tool {MEDIA_IN} in the clip's composition", hint)
    out = given(comp.FindTool(MEDIA_OUT), f"tool {MEDIA_OUT} in the clip's composition", hint)
    first, last, seen = _range(comp)
    source = saved(comp, plate, Path(output).parent / "source", first, last)
    made = completed(
        {**{group: dict(values) for group, values in settings.items()}, "color": bench.color},
        first,
        last,
        rate,
    )
    made["input"]["driving_offset"] = int(driver.starts_s * rate.fps + Fraction(1, 2)) - (seen - first)
    parameters = {"source": source, "driving": driver.path, "output": output, "settings": made}
    status = job.run(bench.client, "animate", parameters, bench.windows, bench.say)
    if numbers_of(output) != list(range(first, last + 1)):
        raise ResolveRefused(
            f"{output} lacks frames of {first}-{last}; look into the job on the worker's page."
        )
    bring_back(comp, NAME, plate, output, (first, last), lambda merge: _to(out, merge))
    return status.id


def _to(out: Any, merge: Any) -> None:  # noqa: ANN401
    done(out.ConnectInput("Input", merge), f"connect {MEDIA_OUT}")


def _range(comp: Any) -> tuple[int, int, int]:  # noqa: ANN401
    """First and last frame of a clip's composition, and the first that the timeline shows."""
    attrs = comp.GetAttrs()
    first, last = int(attrs["COMPN_GlobalStart"]), int(attrs["COMPN_GlobalEnd"])
    if first < 0:
        raise ResolveRefused(
            f"The clip's composition begins at {first}, and files count from 0; let the result go on a track above."
        )
    return first, last, min(max(int(attrs["COMPN_RenderStart"]), first), last)
