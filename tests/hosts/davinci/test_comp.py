"""The macro's button in a composition: Savers, the real worker, and the result wired back in."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.fusion import Comp, Input, Macro, Picture
from fakes.plates import real_pictures, told_index
from fakes.resolve import Host
from fakes.resolve_ui import Bmd, Fusion

from hosts.davinci.lp_resolve.api_results import ResolveRefused
from hosts.davinci.lp_resolve.comp import CHANNELS, WARP, FusionContext, render_macro
from hosts.davinci.lp_resolve.macro import published
from hosts.davinci.lp_resolve.windows import ScriptWindows

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
FIRST, LAST = 5, 12


def play(dispatcher, window):
    dispatcher.On.call("Timeout")


@pytest.fixture
def comp(worker, pictures, media, record):
    """MediaIn -> macro -> MediaOut's input, and a driver on the second input."""
    host = Host()
    record(host)
    made = Comp(host, FIRST, LAST, 25.0, str(worker.data / "Schnitt ü.comp"))
    plate, driver = Picture(made, "MediaIn1", pictures), Picture(made, "MediaIn2", real_pictures(
        media / "driving" / "d0.mp4", LAST + 1))  # fmt: skip
    values = {item.name: item.default for item in published()}
    values.update({"engine": 1, "calibration": 0})
    macro = Macro(made, "LivePortrait1", values)
    macro.MainInput1.ConnectTo(plate.Output)
    macro.MainInput2.ConnectTo(driver.Output)
    out = Input(host)
    out.ConnectTo(macro.MainOutput1)
    made.tools = [plate, driver, macro]
    made.data["LivePortrait.Macro"] = "LivePortrait1"
    return made, plate, macro, out


def bench(comp, worker, color=None):
    said = []
    windows = ScriptWindows(Fusion(comp.host), Bmd(play))
    return FusionContext(comp, worker.client, windows, said.append, color or {}), said


def tool(comp, name):
    return next(found for found in comp.tools if found.Name == name)


def layers(pattern, frame):
    file = oiio.ImageInput.open(pattern % frame)
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT)
    file.close()
    return {name: pixels[..., index] for index, name in enumerate(spec.channelnames)}


def test_the_button_brings_the_result_back(comp, worker):
    made, plate, macro, out = comp
    macro.curves["smile"] = lambda frame: 0.1 * (frame - FIRST)
    work, said = bench(made, worker)
    pattern = render_macro(work)
    names = [found.Name for found in made.tools]
    assert names == ["MediaIn1", "MediaIn2", "LivePortrait1", *(f"LivePortrait1_{n}" for n in
                     ("Result", "Merge", "Map", "Texture", "Warp"))]  # fmt: skip
    result, merge, uv, texture, warp = (
        tool(made, f"LivePortrait1_{name}") for name in ("Result", "Merge", "Map", "Texture", "Warp")
    )
    assert out.output is merge.Output
    assert merge.inputs["Background"].output is plate.Output
    assert merge.inputs["Foreground"].output is result.Output
    assert (texture.inputs["Input"].output, texture.inputs["Texture"].output) == (uv.Output, plate.Output)
    fed = [warp.inputs[name].output for name in ("Background", "Foreground", "EffectMask")]
    assert fed == [plate.Output, texture.Output, uv.Output]
    for loader in (result, uv):
        assert loader.values["Clip"] == pattern % FIRST
        assert (loader.values["GlobalIn"], loader.values["GlobalOut"]) == (FIRST, LAST)
        assert loader.values["Clip1.OpenEXRFormat.AlphaName"] == "matte.A"
    assert result.values["PostMultiplyByAlpha"] == 1
    velocity = [result.values[f"{CHANNELS}.{name}Name"] for name in ("XVel", "YVel")]
    assert velocity == ["forward.u", "forward.v"]
    assert (made.locks, made.undo) == (0, [])
    found = layers(pattern, FIRST + 3)
    used = {uv.values[f"{CHANNELS}.{name}Name"] for name in ("Red", "Green", "Alpha", "U", "V")}
    assert used | set(velocity) <= set(found)
    assert told_index(np.stack([found[name] for name in "RGB"], axis=-1)) == FIRST + 3
    job = worker.client.jobs(limit=1)[0]
    edits = json.loads(Path(job.parameters["settings"]["sliders"]["edit_file"]).read_text(encoding="utf-8"))
    assert edits == {"smile": [[0, 0.0], [LAST - FIRST, pytest.approx(0.7)]]}
    assert job.parameters["settings"]["output"]["fps"] == "25"
    assert "Warp" in said[-1]


def test_a_second_render_uses_the_tools_again(comp, worker):
    made, _, macro, out = comp
    macro.MainInput2.output = None
    macro.values["performance"] = "demo:nod"
    first = render_macro(bench(made, worker)[0])
    before = [found.uid for found in made.tools]
    second = render_macro(bench(made, worker)[0])
    assert first != second
    assert [found.uid for found in made.tools] == before
    assert tool(made, "LivePortrait1_Result").values["Clip"] == second % FIRST
    assert out.output is tool(made, "LivePortrait1_Merge").Output


@pytest.mark.parametrize("why", ["no tool", "names not kept"])
def test_the_custom_tool_warps_where_texture_cannot(comp, worker, why):
    made, plate, macro, _ = comp
    made.lacks, made.forgets = ({"Texture"}, set()) if why == "no tool" else (set(), {"UName"})
    macro.MainInput2.output = None
    macro.values["performance"] = "demo:still"
    render_macro(bench(made, worker)[0])
    warp, uv = tool(made, "LivePortrait1_Warp"), tool(made, "LivePortrait1_Map")
    assert (warp.kind, [found.kind for found in made.tools].count("Texture")) == ("Custom", 0)
    assert (warp.inputs["Image1"].output, warp.inputs["Image2"].output) == (plate.Output, uv.Output)
    assert warp.values["RedExpression"] == "r1 + (getr1b(getr2b(x, y), getg2b(x, y)) - r1) * geta2b(x, y)"


def test_the_warp_rebuilds_the_animation_from_the_plate(comp, worker):
    """What both ways compute, computed here: the plate at the place that the map names, mixed by the matte."""
    made, _, macro, _ = comp
    pattern = render_macro(bench(made, worker)[0])
    assert WARP.format("g") == "g1 + (getg1b(getr2b(x, y), getg2b(x, y)) - g1) * geta2b(x, y)"
    frame = LAST
    found = layers(pattern, frame)
    plate = layers(pattern.replace("result/result", "source/source"), frame)
    height, width = found["G"].shape
    x = found["stmap.red"] * width - 0.5
    y = (1 - found["stmap.green"]) * height - 0.5
    warped = cv2.remap(plate["G"], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mixed = plate["G"] + (warped - plate["G"]) * found["matte.A"]
    inside = found["matte.A"] > 0
    assert inside.any()
    moved = np.abs(plate["G"] - found["G"])[inside]
    left = np.abs(mixed - found["G"])[inside]
    assert moved.mean() > 1e-3
    assert np.median(left) < 1e-3
    assert left.mean() < moved.mean() / 4


def test_what_is_missing_is_told(comp, worker):
    made, _, macro, _ = comp
    macro.MainInput2.output = None
    with pytest.raises(ResolveRefused, match="Neither Driver is connected"):
        render_macro(bench(made, worker)[0])
    macro.MainInput1.output = None
    with pytest.raises(ResolveRefused, match="connect the plate to it"):
        render_macro(bench(made, worker)[0])
    made.attrs["COMPN_RenderStart"] = -5.0
    with pytest.raises(ResolveRefused, match="begins at -5"):
        render_macro(bench(made, worker)[0])


def test_the_projects_colours_go_along_and_the_macros_own_go_before(comp, worker):
    made, _, macro, _ = comp
    macro.MainInput2.output = None
    macro.values.update({"performance": "demo:still", "input_space": "ACEScg"})
    color = {"ocio": "ocio://studio-config-latest", "input_space": "ACEScct", "output_space": "ACEScct"}
    macro.values["output_space"] = "ACEScg"
    render_macro(bench(made, worker, color)[0])
    told = worker.client.jobs(limit=1)[0].parameters["settings"]["color"]
    assert told == {"ocio": "ocio://studio-config-latest", "input_space": "ACEScg", "output_space": "ACEScg"}
