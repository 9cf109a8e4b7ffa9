"""OpenTimelineIO's own sample timelines go through marking and a batch and come back equal, by its own judgment."""

import shutil
from pathlib import Path

import opentimelineio as otio
import pytest

from lp_core.batch.marks import EFFECT, KEYS, read_mark
from lp_core.batch.otio.marking import WRITERS, write_marks
from lp_core.batch.otio.timeline import SOURCE_KEY, places_of, read_timeline, write_timeline
from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.run import deliver, run_plan
from lp_core.batch.steps import RenderResources

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "otio"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.otio"))
MARK = read_mark({"driver": "demo:nod", "engine": "mesh", "calibration": "off"}, "the test")


def without_marks(timeline):
    for place in places_of(timeline):
        clip = place.clip
        for key in KEYS:
            if key in clip.metadata:
                del clip.metadata[key]
        for items, is_ours in ((clip.effects, lambda item: item.name == EFFECT), (clip.markers, is_lp)):
            for index in reversed(range(len(items))):
                if is_ours(items[index]):
                    del items[index]
    return timeline


def equal(ours, theirs):
    """OTIO's own equality; big_int holds a NaN and so is not even equal to its own copy: its text is compared."""
    if theirs.is_equivalent_to(theirs.deepcopy()):
        return ours.is_equivalent_to(theirs)
    return ours.to_json_string() == theirs.to_json_string()


def is_lp(marker):
    return marker.name.startswith("LP:")


def with_originals(timeline):
    """What was shown before, back in its place; returns how many clips had been animated."""
    count = 0
    for place in places_of(timeline):
        references = dict(place.clip.media_references())
        if SOURCE_KEY in references:
            count += 1
            original = references.pop(SOURCE_KEY)
            references[place.clip.active_media_reference_key] = original
            place.clip.set_media_references(
                {name: item.deepcopy() for name, item in references.items()},
                place.clip.active_media_reference_key,
            )
    return count


@pytest.fixture(scope="module")
def rushes(stage, tmp_path_factory):
    """A folder that has every video the samples name."""
    folder = tmp_path_factory.mktemp("rushes")
    for name in ("titles.mov", "wind-up.mov", "punchline.mov", "credits.mov", "black.mov"):
        shutil.copy(stage / "film.mkv", folder / name)
    return folder


@pytest.mark.parametrize("way", sorted(WRITERS))
@pytest.mark.parametrize("name", NAMES)
def test_marking_changes_nothing_else(name, way, tmp_path):
    timeline, _ = read_timeline(SAMPLES / f"{name}.otio", tmp_path)
    original = timeline.deepcopy()
    assert write_marks(timeline, MARK, ["*"], "*", way)
    assert not equal(timeline, original)
    write_timeline(timeline, tmp_path / "marked.otio")
    again, _ = read_timeline(tmp_path / "marked.otio", tmp_path)
    assert equal(without_marks(again), original)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_changes_the_media_of_animated_clips_alone(name, tmp_path, rushes):
    timeline, _ = read_timeline(SAMPLES / f"{name}.otio", tmp_path)
    write_marks(timeline, MARK, ["*"], "*", "metadata")
    marked = tmp_path / "marked.otio"
    write_timeline(timeline, marked)
    plan, read = make_plan(PlanRequest(marked, tmp_path / "out", relink=(str(rushes),)))
    results = run_plan(plan, RenderResources())
    assert [item.message for item in results if item.state == "failed"] == []
    deliver(plan, results, read)
    found = otio.adapters.read_from_file(str(tmp_path / "out" / "timeline.otio"))
    animated = with_originals(found)
    assert animated == sum(len(shot.clips) for shot in plan.shots)
    assert equal(found, timeline)


def test_the_samples_that_name_media_are_animated(tmp_path, rushes):
    counts = {}
    for name in NAMES:
        timeline, _ = read_timeline(SAMPLES / f"{name}.otio", tmp_path)
        write_marks(timeline, MARK, ["*"], "*", "metadata")
        write_timeline(timeline, tmp_path / "marked.otio")
        plan, _ = make_plan(PlanRequest(tmp_path / "marked.otio", tmp_path / "out", relink=(str(rushes),)))
        counts[name] = sum(len(shot.clips) for shot in plan.shots)
        assert counts[name] + len(plan.problems) == plan.counts.get("marked", 0)
    assert {name for name, count in counts.items() if count} == {
        "big_int", "multiple_track", "simple_cut", "transition",
    }  # fmt: skip
