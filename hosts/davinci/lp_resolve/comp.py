"""What the macro's button does: inputs to EXR, the worker, and the result back into the composition.

Fusion's objects have no published types; ``Comp`` and ``Tool`` below are what is used of them.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from hosts.client import Client
from lp_core.errors import one_line
from lp_core.files import ensure_folder, write_whole
from lp_core.timing import FrameRate

from . import job
from .api_results import ResolveRefused, done, given, rate_of
from .curves import settings_at, slider_curves
from .macro import DATA
from .media import numbers_of
from .windows import ScriptWindows

if TYPE_CHECKING:
    from typing import Protocol

    class Comp(Protocol):
        """A composition."""

        ActiveTool: Any
        GetAttrs: Callable[[], dict[str, Any]]
        GetData: Callable[[str], Any]
        GetPrefs: Callable[[str], Any]
        FindTool: Callable[[str], Any]
        AddTool: Callable[[str, int, int], Any]
        Render: Callable[[dict[str, Any]], bool]
        Lock: Callable[[], None]
        Unlock: Callable[[], None]
        StartUndo: Callable[[str], None]
        EndUndo: Callable[[bool], None]


CHANNELS = "Clip1.OpenEXRFormat"
"""Where a Loader keeps the names of the channels that it reads."""
NOWHERE = -32768
"""Position that lets Fusion choose."""
PASSES = ("beauty", "matte", "stmap", "motion")
WARP = "{0}1 + (get{0}1b(getr2b(x, y), getg2b(x, y)) - {0}1) * geta2b(x, y)"
"""Custom Tool: the source (Image1) at the place that the ST map (Image2) names, mixed by the matte in its alpha."""
MAP = {
    "RedName": "stmap.red",
    "GreenName": "stmap.green",
    "AlphaName": "matte.A",
    "UName": "stmap.red",
    "VName": "stmap.green",
}
"""Channels of the map's Loader: U and V for the tool Texture, red and green for the Custom Tool."""
BEAUTY = {"AlphaName": "matte.A", "XVelName": "forward.u", "YVelName": "forward.v"}
"""Channels of the result's Loader; tools such as Vector Motion Blur read the velocity."""


@dataclass(frozen=True)
class FusionContext:
    """What the macro's script works with."""

    comp: Comp
    """The composition."""
    client: Client
    """The worker."""
    windows: ScriptWindows | None
    """Opens windows; None: progress goes to the console."""
    say: job.Say
    """Takes sentences for the user."""
    color: dict[str, Any]
    """Settings of the group ``color`` that the project asks for; the macro's own go before."""


def render_macro(bench: FusionContext) -> str:
    """Renders, has animated and brings back; returns the result's pattern.

    Raises:
        ResolveRefused: nothing is connected, or Fusion did not do something.
        WorkerError: the job failed.
    """
    comp = bench.comp
    macro = _macro(comp)
    first, last = _range(comp)
    rate = rate_of(given(comp.GetPrefs("Comp.FrameFormat.Rate"), "frame rate of the composition"))
    plate = given(
        macro.MainInput1.GetConnectedOutput(),
        "image at the macro's input Source",
        "connect the plate to it",
    )
    settings = _settings(bench, macro, first)
    folder = _folder(comp, macro)
    source = saved(comp, plate, folder / "source", first, last)
    driver = macro.MainInput2.GetConnectedOutput()
    if driver is not None:
        driving = saved(comp, driver, folder / "driver", first, last)
    else:
        driving = str(macro.GetInput("performance", first) or "").strip()
        if not driving:
            raise ResolveRefused("Neither Driver is connected nor a performance named; do one of both.")
        _check_plain(driving, "performance")
    settings.setdefault("sliders", {}).update(_sliders(macro, folder, first, last))
    output = str(folder / "result" / "result.%04d.exr")
    parameters = {
        "source": source,
        "driving": driving,
        "output": output,
        "settings": completed(settings, first, last, rate),
    }
    job.run(bench.client, "animate", parameters, bench.windows, bench.say)
    there = numbers_of(output)
    if there != list(range(first, last + 1)):
        raise ResolveRefused(
            f"{output} lacks frames of {first}-{last}; look into the job on the worker's page."
        )
    bring_back(comp, macro.Name, plate, output, (first, last), lambda merge: _instead_of(macro, merge))
    bench.say(
        f"{output} is in the composition: {macro.Name}_Merge shows it, {macro.Name}_Warp warps the source."
    )
    return output


def bring_back(
    comp: Comp,
    name: str,
    plate: Any,  # noqa: ANN401
    output: str,
    frames: tuple[int, int],
    connect: Callable[[Any], None],
) -> None:
    """Loader with the matte as alpha over the source; ST map and warp next to it. Used again where they are there.

    Args:
        comp: the composition.
        name: begins the names of the tools.
        plate: the source, a tool or an output.
        output: pattern of the result.
        frames: its first and last number.
        connect: shows the new merge, a tool, where its result belongs.
    """
    first, last = frames
    comp.StartUndo("LivePortrait")
    try:
        comp.Lock()
        try:
            result, _ = _tool(comp, "Loader", f"{name}_Result")
            merge, is_new = _tool(comp, "Merge", f"{name}_Merge")
            uv, _ = _tool(comp, "Loader", f"{name}_Map")
            if is_new:
                connect(merge)
            done(merge.ConnectInput("Background", plate), "connect the source")
            done(merge.ConnectInput("Foreground", result), "connect the result")
        finally:
            comp.Unlock()
        _load(result, output, first, last, BEAUTY)
        result.SetInput("PostMultiplyByAlpha", 1)
        _load(uv, output, first, last, MAP)
        _warp(comp, name, plate, uv)
    finally:
        comp.EndUndo(True)


def _warp(comp: Comp, name: str, plate: Any, uv: Any) -> None:  # noqa: ANN401
    """The tools that warp the source by the map: Texture and a Merge; a Custom Tool where Texture cannot do it."""
    comp.Lock()
    try:
        texture = _texture(comp, f"{name}_Texture", uv)
        tool, _ = _tool(comp, "Custom" if texture is None else "Merge", f"{name}_Warp")
        if texture is None:
            done(tool.ConnectInput("Image1", plate), "connect the source to the warp")
            done(tool.ConnectInput("Image2", uv), "connect the map to the warp")
        else:
            done(texture.ConnectInput("Input", uv), "connect the map to the warp")
            done(texture.ConnectInput("Texture", plate), "connect the source to the warp")
            done(tool.ConnectInput("Background", plate), "connect the source")
            done(tool.ConnectInput("Foreground", texture), "connect the warped source")
            done(tool.ConnectInput("EffectMask", uv), "connect the matte")
    finally:
        comp.Unlock()
    if texture is None:
        for channel, letter in (("Red", "r"), ("Green", "g"), ("Blue", "b"), ("Alpha", "a")):
            tool.SetInput(f"{channel}Expression", WARP.format(letter))


def _texture(comp: Comp, name: str, uv: Any) -> Any:  # noqa: ANN401
    """The tool Texture; None where Fusion has none, or the Loader does not keep the names of its U and V channels."""
    if any(uv.GetInput(f"{CHANNELS}.{channel}") != MAP[channel] for channel in ("UName", "VName")):
        return None
    found = comp.FindTool(name)
    if found is None:
        found = comp.AddTool("Texture", NOWHERE, NOWHERE)
        if found:
            found.SetAttrs({"TOOLS_Name": name})
    return found or None


def _load(loader: Any, output: str, first: int, last: int, channels: dict[str, str]) -> None:  # noqa: ANN401
    """Points a loader to a sequence. Setting its clip resets the range, so that comes after."""
    head, name = os.path.split(output)  # a folder's own name may look like a pattern
    name = re.sub(r"%0(\d)d", lambda found: f"{first:0{found.group(1)}d}", name)
    loader.SetInput("Clip", os.path.join(head, name))  # noqa: PTH118 - as it was split
    loader.SetInput("GlobalOut", last)  # before GlobalIn, else the range would be empty for a moment
    loader.SetInput("GlobalIn", first)
    for channel, layer in channels.items():
        loader.SetInput(f"{CHANNELS}.{channel}", layer)
    if int(loader.GetInput("GlobalIn") or 0) != first:
        raise ResolveRefused(
            f"Fusion did not set the first frame of {output} to {first}; set GlobalIn by hand."
        )


def saved(comp: Comp, output: Any, stem: Path, first: int, last: int) -> str:  # noqa: ANN401
    """Renders an output into numbered EXR of half floats in the folder ``stem``; returns their pattern.

    Raises:
        ResolveRefused: Fusion did not render it.
    """
    ensure_folder(stem)
    pattern = str(stem / f"{stem.name}.%04d.exr")
    saver = given(comp.AddTool("Saver", NOWHERE, NOWHERE), "Saver")
    try:
        saver.SetInput("Clip", str(stem / f"{stem.name}.0000.exr"))
        saver.SetInput("OutputFormat", "OpenEXRFormat")
        saver.SetInput("OpenEXRFormat.Depth", 1)
        done(saver.ConnectInput("Input", output), "connect a Saver")
        options = {"Start": first, "End": last, "Wait": True, "Tool": saver}
        done(comp.Render(options), f"render {stem.name}", "look into the console")
    finally:
        saver.Delete()
    if numbers_of(pattern) != list(range(first, last + 1)):
        raise ResolveRefused(
            f"The Saver left frames of {first}-{last} out of {pattern}; render them by hand."
        )
    return pattern


def _macro(comp: Comp) -> Any:  # noqa: ANN401
    name = comp.GetData(DATA)
    found = comp.FindTool(name) if name else comp.ActiveTool
    return given(found, "macro LivePortrait", "press Render in its inspector")


def _range(comp: Comp) -> tuple[int, int]:
    attrs = comp.GetAttrs()
    first, last = int(attrs["COMPN_RenderStart"]), int(attrs["COMPN_RenderEnd"])
    if first < 0:
        raise ResolveRefused(
            f"The render range begins at {first}; files count from 0, so begin it there or later."
        )
    return first, last


def _settings(bench: FusionContext, macro: Any, first: int) -> dict[str, dict[str, Any]]:  # noqa: ANN401
    found = settings_at(lambda name, frame: macro.GetInput(name, frame), first)
    color = {**bench.color, **found.get("color", {})}
    if color:
        found["color"] = color
    return found


def _sliders(macro: Any, folder: Path, first: int, last: int) -> dict[str, str]:  # noqa: ANN401
    curves = slider_curves(lambda name, frame: macro.GetInput(name, frame), first, last)
    if not curves:
        return {}
    path = folder / "sliders.json"
    write_whole(path, json.dumps(curves))
    return {"edit_file": str(path)}


def completed(
    settings: dict[str, dict[str, Any]], first: int, last: int, rate: FrameRate
) -> dict[str, dict[str, Any]]:
    """Settings for a composition's frames: their range and rate, and the passes that its tools read."""
    made = {group: dict(values) for group, values in settings.items() if values}
    out = made.setdefault("output", {})
    wanted = [name.strip() for name in str(out.get("passes", "")).split(",") if name.strip()]
    out["passes"] = ",".join(dict.fromkeys([*PASSES, *wanted]))
    out["fps"], out["audio"] = str(rate), "none"
    made.setdefault("input", {})["frames"] = f"{first}-{last}"
    return made


def _folder(comp: Comp, macro: Any) -> Path:  # noqa: ANN401
    """A new folder for this render."""
    named = str(macro.GetInput("folder", 0) or "").strip()
    file = str(comp.GetAttrs().get("COMPS_FileName") or "")
    base = Path(named) if named else (Path(file).parent if file else Path.home()) / "LivePortrait"
    _check_plain(str(base), "folder")
    number = 1
    while (base / f"{macro.Name}_v{number:03}").exists():
        number += 1
    made = base / f"{macro.Name}_v{number:03}"
    ensure_folder(made)
    return made


def _check_plain(text: str, what: str) -> None:
    """Refuses a text that a composition's file may not give back."""
    if one_line(text) != text:
        raise ResolveRefused(
            f"The {what} '{one_line(text)}' holds a control character, which a composition cannot keep; choose another."
        )


def _tool(comp: Comp, kind: str, name: str) -> tuple[Any, bool]:
    """The tool of that name, and whether it is new."""
    found = comp.FindTool(name)
    if found is not None:
        return found, False
    made = given(comp.AddTool(kind, NOWHERE, NOWHERE), f"tool {kind}")
    made.SetAttrs({"TOOLS_Name": name})
    return made, True


def _instead_of(macro: Any, merge: Any) -> None:  # noqa: ANN401
    """What the macro's output goes to shows the merge."""
    for reader in list((macro.MainOutput1.GetConnectedInputs() or {}).values()):
        reader.ConnectTo(merge.Output)
