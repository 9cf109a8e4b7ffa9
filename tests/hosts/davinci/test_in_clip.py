"""Results inside a clip's own composition: before its retime, in the clip's own numbers, updated in place."""

import json
from fractions import Fraction

import pytest
from fakes.fusion import Comp
from fakes.plates import told_index
from fakes.resolve_desk import FAST, User, desk
from fakes.timelines import as_otio

from hosts.davinci.lp_resolve.animate import animate, update
from hosts.davinci.lp_resolve.api_results import ResolveRefused
from lp_core.media.open import open_source

pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
ANSWERS = {"driver": "demo:nod", "engine": "mesh", "place": "into the clip", **FAST}


def tool(comp, name):
    return next(found for found in comp.tools if found.Name == name)


def shown_at(item, comp, frame):
    """The image of the result that a retimed clip shows at a frame of the timeline."""
    loader = tool(comp, "LivePortrait_Result")
    at = int(frame * item.speed)
    assert loader.values["GlobalIn"] <= at <= loader.values["GlobalOut"]
    pattern = json.loads(item.markers[0.0]["customData"])["output"]
    with open_source(pattern) as source:
        numbered = {frame.index: frame.pixels for frame in source}
    return told_index(numbered[at - loader.values["GlobalIn"]])


def test_the_result_goes_along_with_the_clips_speed(worker, cut):
    host, timeline, clip, item = cut
    host.otio, speed = as_otio, Fraction(2)
    item.first, item.count, item.length, item.speed = 2, 16, 8, speed
    made, said = desk(host, worker, User(**ANSWERS))
    placed = animate(made)
    (comp,) = item.comps
    assert list(timeline.tracks) == [1]
    assert placed.item.raw is item
    out, merge, loader = (
        tool(comp, name) for name in ("MediaOut1", "LivePortrait_Merge", "LivePortrait_Result")
    )
    assert out.inputs["Input"].output is merge.Output
    assert merge.inputs["Background"].output is tool(comp, "MediaIn1").Output
    assert merge.inputs["Foreground"].output is loader.Output
    assert (loader.values["GlobalIn"], loader.values["GlobalOut"]) == (0, 15)
    assert [tool_.kind for tool_ in comp.tools if tool_.kind == "Saver"] == []
    seen = [shown_at(item, comp, frame) for frame in range(item.length)]
    assert seen == [2 + int(frame * speed) for frame in range(item.length)]
    assert "goes along with the clip's retime" in said[-1]


def test_update_lays_a_new_version_into_the_same_tools(worker, cut):
    host, timeline, clip, item = cut
    made, _ = desk(host, worker, User(**ANSWERS))
    animate(made)
    (comp,) = item.comps
    before, first = [found.uid for found in comp.tools], json.loads(item.markers[0.0]["customData"])
    update(made)
    second = json.loads(item.markers[0.0]["customData"])
    assert [found.uid for found in comp.tools] == before
    assert second["output"] != first["output"]
    assert tool(comp, "LivePortrait_Result").values["Clip"] == second["output"] % 0
    assert len(item.comps) == 1


def test_a_composition_of_the_editor_is_not_hidden(worker, cut):
    host, timeline, clip, item = cut
    item.comps.append(Comp(host, 0, 15, 25.0))
    made, _ = desk(host, worker, User(**ANSWERS))
    with pytest.raises(ResolveRefused, match="which a new one would hide"):
        animate(made)
    assert len(item.comps) == 1
