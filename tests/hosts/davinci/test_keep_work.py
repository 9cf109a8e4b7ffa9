"""*Update* keeps what an editor did with a result; several selected clips are animated at once."""

import json

import pytest
from fakes.resolve_desk import CASES, FAST, SHOWN, User, desk

from hosts.davinci.lp_resolve.animate import animate, update
from lp_core.media.open import open_source


def as_edited(timeline):
    """Gives the result a grade and a transform, as an editor does; returns it."""
    result = timeline.tracks[2][0]
    result.grade, result.look["Pan"] = "warm", 12.5
    return result


def test_update_of_the_same_frames_touches_nothing_on_the_timeline(worker, cut):
    host, timeline, *_ = cut
    made, _ = desk(host, worker, User(driver="demo:nod", engine="mesh", handles=1, **FAST))
    first = animate(made)
    result = as_edited(timeline)
    before = json.loads(result.markers[0.0]["customData"])["output"]
    result.markers[0.0]["note"] = "mine"
    second = update(made)
    assert (second.item.id, second.clip.id) == (first.item.id, first.clip.id)
    assert timeline.tracks[2] == [result]
    assert (result.grade, result.look["Pan"], result.markers[0.0]["note"]) == ("warm", 12.5, "mine")
    after = json.loads(result.markers[0.0]["customData"])["output"]
    assert after != before
    assert result.clip.properties["File Path"] == after
    assert result.clip.properties["Start TC"] == CASES["25"].result_timecode[:-2] + "03"


@pytest.mark.parametrize("why", ["trimmed", "not replaced"])
def test_update_of_other_frames_takes_grade_and_transform_along(worker, cut, why):
    host, timeline, _, item = cut
    made, said = desk(host, worker, User(driver="demo:nod", engine="mesh", **FAST))
    first = animate(made)
    as_edited(timeline).stiff = ()
    host.replacing_is_a_lie = why == "not replaced"
    if why == "trimmed":
        item.count, item.length = SHOWN - 4, SHOWN - 4
    second = update(made)
    assert second.item.id != first.item.id
    assert second.track == first.track == 2
    (result,) = timeline.tracks[2]
    assert (result.grade, result.look["Pan"], result.length) == ("warm", 12.5, item.length)
    assert any("its own keyframes and effects were not" in words for words in said)


def test_all_selected_clips_are_animated_at_once(worker, cut, pictures):
    host, timeline, clip, item = cut
    other = timeline.put(1, clip, item.start + 100, 2, 6)
    timeline.selection = [other, item]
    user = User(clip="All 2 selected clips", driver="demo:nod", engine="mesh", **FAST)
    made, said = desk(host, worker, user)
    animate(made)
    assert [(found.start, found.length) for found in timeline.tracks[2]] == [
        (item.start, SHOWN),
        (other.start, 6),
    ]
    assert user.seen == ["LivePortraitAnimate", "LivePortraitProgress"]


def test_a_result_with_the_matte_as_alpha(worker, cut):
    host, timeline, *_ = cut
    user = User(driver="demo:nod", engine="mesh", alpha="matte", **FAST)
    made, _ = desk(host, worker, user)
    animate(made)
    (result,) = timeline.tracks[2]
    assert result.clip.properties["Alpha mode"] == "Straight"
    with open_source(json.loads(result.markers[0.0]["customData"])["output"]) as source:
        assert source.info.has_alpha
        alpha = next(iter(source)).pixels[..., 3] / 65535
    assert 0.02 < (alpha > 0.99).mean() < 0.6
    assert (alpha == 0).mean() > 0.3


def test_a_selected_clip_goes_before_the_one_under_the_playhead(worker, cut):
    host, timeline, clip, item = cut
    other = timeline.put(1, clip, item.start + 100, 2, 6)
    timeline.selection = [other]
    made, _ = desk(host, worker, User(driver="demo:nod", engine="mesh", **FAST))
    assert animate(made).item.start == other.start
