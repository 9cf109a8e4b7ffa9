"""Writes ``LivePortrait.setting``, the Fusion macro: a control for every setting and slider, from their definitions.

``python -m hosts.davinci.lp_resolve.macro`` writes the file again; a test compares it with what is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hosts.kit.lua_text import text
from lp_core.settings.sliders import SLIDERS
from lp_core.settings.table import Setting, all_settings

NAME = "LivePortrait"
CONTROLS = "Controls"
SCRIPT = "Scripts:Comp/LivePortrait - Render Macro.py"
DATA = "LivePortrait.Macro"
COMP_DECIDES = {
    "face": ("face",),
    "input": ("frames", "handles", "driving_offset"),
    "sliders": ("edit", "edit_file"),
    "output": ("alpha", "codec", "quality", "audio", "fps", "overwrite", "strict"),
}
"""Settings without a control: the comp has range and rate, sliders are controls, EXR has neither codec nor sound,
the Loader takes its alpha from the matte."""
SWITCH = "use_"
"""Before the name of a slider without a neutral value: the check box that takes it into use."""
_BUTTON = f"""local group = tool.ParentTool or tool
comp:SetData("{DATA}", group.Name)
comp:RunScript((fusion or fu):MapPath("{SCRIPT}"))"""


@dataclass(frozen=True)
class Published:
    """A control of the macro."""

    name: str
    """Its id; a setting's or slider's own name."""
    kind: str
    """slider, whole, toggle, choice, text, file, folder or button."""
    page: str
    """Tab of the inspector."""
    default: Any
    """What it shows at first; the index of a choice."""
    help: str
    """What it does."""
    minimum: float | None = None
    """Lowest value."""
    maximum: float | None = None
    """Highest value."""
    choices: tuple[str, ...] = ()
    """Of a choice."""

    @property
    def label(self) -> str:
        """What stands next to it."""
        return self.name.replace("_", " ").capitalize()


def published() -> list[Published]:
    """All controls in their order."""
    found = [
        Published(
            "render",
            "button",
            "Render",
            None,
            "renders the inputs, has them animated, brings the result back",
        ),
        Published(
            "performance",
            "file",
            "Render",
            "",
            "video, sound of a voice, .lpmotion or demo:nod, where Driver is not connected",
        ),
        Published(
            "folder", "folder", "Render", "", "where results go; empty: LivePortrait next to the composition"
        ),
    ]
    found += [
        _of_setting(item) for item in all_settings() if item.name not in COMP_DECIDES.get(item.group, ())
    ]
    for name, slider in SLIDERS.items():
        if not slider.has_neutral:
            found.append(Published(SWITCH + name, "toggle", "Expression", 0, f"take {name} into use"))
        value = slider.neutral if slider.has_neutral else slider.minimum
        low, high = float(slider.minimum), float(slider.maximum)
        found.append(Published(name, "slider", "Expression", float(value), slider.help, low, high))
    return found


def _of_setting(item: Setting) -> Published:
    page = item.group.capitalize()
    if item.choices:
        first = item.choices.index(item.default)
        return Published(item.name, "choice", page, first, item.help, choices=item.choices)
    if item.kind is bool:
        return Published(item.name, "toggle", page, int(item.default), item.help)
    if item.kind in (int, float):
        kind = "whole" if item.kind is int else "slider"
        return Published(item.name, kind, page, item.default, item.help, item.minimum, item.maximum)
    shown = "" if item.default is None else item.default
    return Published(item.name, item.path or "text", page, shown, item.help)


def setting_text() -> str:
    """The macro as Fusion reads it. Numbers have a point, whatever the language."""
    controls = published()
    shown = [
        f"\t\t\t\t{item.name} = InstanceInput {{ SourceOp = {text(CONTROLS)}, Source = {text(item.name)}, "
        f"Name = {text(item.label)}, Page = {text(item.page)},{_default(item)} }},"
        for item in controls
    ]
    made = [f"\t\t\t\t\t\t{item.name} = {{ {', '.join(_rows(item))} }}," for item in controls]
    return "\n".join(
        [
            "{",
            "\tTools = ordered() {",
            f"\t\t{NAME} = GroupOperator {{",
            "\t\t\tCtrlWZoom = false,",
            "\t\t\tInputs = ordered() {",
            '\t\t\t\tMainInput1 = InstanceInput { SourceOp = "Source", Source = "Input", Name = "Source" },',
            '\t\t\t\tMainInput2 = InstanceInput { SourceOp = "Driver", Source = "Input", Name = "Driver" },',
            *shown,
            "\t\t\t},",
            "\t\t\tOutputs = {",
            '\t\t\t\tMainOutput1 = InstanceOutput { SourceOp = "Controls", Source = "Output" },',
            "\t\t\t},",
            "\t\t\tViewInfo = GroupInfo { Pos = { 0, 0 } },",
            "\t\t\tTools = ordered() {",
            "\t\t\t\tSource = PipeRouter { CtrlWShown = false, ViewInfo = PipeRouterInfo { Pos = { -110, 0 } } },",
            "\t\t\t\tDriver = PipeRouter { CtrlWShown = false, ViewInfo = PipeRouterInfo { Pos = { -110, 66 } } },",
            f"\t\t\t\t{CONTROLS} = BrightnessContrast {{",
            '\t\t\t\t\tInputs = { Input = Input { SourceOp = "Source", Source = "Output" } },',
            "\t\t\t\t\tViewInfo = OperatorInfo { Pos = { 0, 0 } },",
            "\t\t\t\t\tUserControls = ordered() {",
            *made,
            "\t\t\t\t\t}",
            "\t\t\t\t},",
            "\t\t\t},",
            "\t\t}",
            "\t},",
            f"\tActiveTool = {text(NAME)}",
            "}",
            "",
        ]
    )


def _default(item: Published) -> str:
    is_number = item.kind in ("slider", "whole", "toggle", "choice")
    return f" Default = {item.default!r}" if is_number else ""


def _rows(item: Published) -> list[str]:
    kinds = {
        "slider": ("Number", "SliderControl"),
        "whole": ("Number", "SliderControl"),
        "toggle": ("Number", "CheckboxControl"),
        "choice": ("Number", "ComboControl"),
        "text": ("Text", "TextEditControl"),
        "file": ("Text", "FileControl"),
        "folder": ("Text", "FileControl"),
        "button": ("Number", "ButtonControl"),
    }
    data, control = kinds[item.kind]
    rows = [
        f"LINKS_Name = {text(item.label)}",
        f"LINKID_DataType = {text(data)}",
        f"INPID_InputControl = {text(control)}",
        f"ICS_ControlPage = {text(item.page)}",
        f"INPS_StatusText = {text(item.help)}",
    ]
    if data == "Number" and item.kind != "button":
        rows.append(f"INP_Default = {item.default!r}")
    if item.kind in ("whole", "toggle", "choice"):
        rows.append("INP_Integer = true")
    if item.minimum is not None and item.maximum is not None:
        rows += [
            f"INP_Min{end} = {item.minimum!r}, INP_Max{end} = {item.maximum!r}"
            for end in ("Scale", "Allowed")
        ]
    if item.kind == "text":
        rows += ["TEC_Lines = 1", f"INPS_DefaultText = {text(item.default)}"]
    rows += [f"{{ CCS_AddString = {text(choice)} }}" for choice in item.choices]
    if item.kind == "folder":
        rows.append("FC_PathBrowse = true")
    if item.kind == "button":
        rows.append(f"BTNCS_Execute = {text(_BUTTON)}")
    return rows


if __name__ == "__main__":
    place = Path(__file__).resolve().parents[1] / f"{NAME}.setting"
    place.write_text(setting_text(), encoding="utf-8")
