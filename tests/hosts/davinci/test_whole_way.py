"""From the menu to the result on the timeline: real plates, the real worker, and a Resolve that behaves like one."""

import json
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from fakes.plates import told_index, write_plate
from fakes.resolve import Host
from fakes.resolve_desk import CASES, FAST, FIRST, HANDLES, SHOWN, User, desk, frames_of, lay
from fakes.resolve_pool import GalleryStill, described
from fakes.resolve_ui import Fusion
from fakes.timelines import as_otio

from hosts.davinci.lp_resolve.animate import EditContext, animate, update
from hosts.davinci.lp_resolve.api_results import ResolveRefused
from hosts.davinci.lp_resolve.batch import batch
from hosts.davinci.lp_resolve.choose import BUILT_IN, choices, use_of
from hosts.davinci.lp_resolve.facade import ResolveSession
from lp_core.errors import Cancelled, WorkerError
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.performance_name import BUILTIN_MOTIONS


@pytest.mark.parametrize("name", CASES)
def test_the_result_lies_above_to_the_frame(worker, pictures, record, name):
    case, host = CASES[name], Host(end_is_included=name != "25")
    record(host)
    timeline, clip, item = lay(host, worker, pictures, case, name.replace(" ", "-"))
    user = User(driver="demo:nod", engine="mesh", handles=HANDLES, **FAST)
    made, said = desk(host, worker, user)
    placed = animate(made)
    result = timeline.tracks[2][0]
    assert (result.start, result.length) == (case.starts_at + 5, SHOWN)
    assert timeline.names[2] == "LivePortrait"
    assert placed.track == 2
    folder = next(folder for folder in host.project.pool.root.folders if folder.name == "LivePortrait")
    assert folder.items == [result.clip]
    assert host.project.pool.folder is host.project.pool.root
    assert result.clip.properties["Start TC"] == case.result_timecode
    assert result.first == HANDLES
    data = json.loads(result.markers[0.0]["customData"])
    output = data["output"]
    numbers = f" {case.first + FIRST - HANDLES}-{case.first + FIRST + SHOWN + HANDLES - 1}"
    with open_source(output + numbers if "%0" in output else output) as source:
        assert source.info.timecode.text == case.result_timecode
        assert source.info.rate.fps == Fraction(case.rate)
        indices = [told_index(frame.pixels) for frame in source]
    assert indices == list(range(FIRST - HANDLES, FIRST + SHOWN + HANDLES))
    assert Path(output).parent.parent.name == "LivePortrait" or Path(output).parent.name == "LivePortrait"
    assert any("Rendering" in words for words in user.words)
    assert user.seen == ["LivePortraitAnimate", "LivePortraitProgress"]
    assert len(timeline.tracks[1]) == 1


def test_update_follows_a_trim_and_keeps_the_settings(worker, cut):
    host, timeline, _, item = cut
    made, _ = desk(host, worker, User(driver="demo:nod", engine="mesh", strength="0,5", handles=1, **FAST))
    first = animate(made)
    item.first, item.count, item.start, item.length = FIRST + 3, SHOWN - 6, item.start + 3, SHOWN - 6
    host.page = "color"
    timeline.playhead = "10:00:00:10"
    second = update(made)
    assert (second.item.start, second.item.duration) == (item.start, SHOWN - 6)
    assert second.track == first.track == 2
    assert [found.uid for found in timeline.tracks[2]] == [second.item.id]
    data, pixels = frames_of(timeline)
    assert data["output"].endswith("sh030_lp_v002.mov") or "_lp_v" in data["output"]
    assert data["settings"]["motion"] == {"strength": 0.5}
    assert [told_index(picture) for picture in pixels] == list(range(FIRST + 2, FIRST + SHOWN - 2))


def test_update_without_a_result_says_where_to_go(worker, cut):
    host, timeline, *_ = cut
    made, _ = desk(host, worker, User())
    with pytest.raises(ResolveRefused, match="put the playhead on one"):
        update(made)


def test_a_driver_on_another_track_keeps_its_place(worker, cut, pictures):
    """Frame for frame the plate meets the driver that is above it."""
    host, timeline, clip, item = cut
    path = write_plate(worker.data / "take 2.mov", pictures[6:], "25", "12:00:00:00")
    # Its media frame 3 is over the plate's frame 4.
    timeline.put(2, host.project.pool.add(described(path)), item.start - 2, 1, 15)
    answers = {"clip": "Track 1: sh030.mov", "driver": "Track 2: take 2.mov", "engine": "mesh", **FAST}
    made, _ = desk(host, worker, User(**{**answers, "clip": 0}))
    with pytest.raises(ResolveRefused, match="cannot drive itself"):  # the driver is what is seen
        animate(made)
    made, _ = desk(host, worker, User(**answers))
    placed = animate(made)
    data, pixels = frames_of(timeline, placed.track)
    assert data["settings"]["input"]["driving_offset"] == 3 - FIRST
    assert data["driving"]["item"] == timeline.tracks[2][0].uid
    assert placed.track == 3, "the driver is on the track above, so the result goes on a new one"
    assert len(pixels) == SHOWN
    timeline.tracks[2][0].start += 2  # the performance is laid two frames later
    timeline.playhead = "10:00:00:08"
    update(made)
    assert frames_of(timeline, placed.track)[0]["settings"]["input"]["driving_offset"] == 1 - FIRST
    timeline.tracks[2].clear()
    timeline.tracks[1][0].start += 1  # now the plate moves on, and the driver is gone: its place counts
    timeline.playhead = "10:00:00:09"
    update(made)
    assert frames_of(timeline, placed.track)[0]["settings"]["input"]["driving_offset"] == 2 - FIRST


def test_a_still_of_the_gallery_is_the_portrait(worker, cut, astronaut):
    host, timeline, *_ = cut
    host.project.gallery.album.stills.append(
        GalleryStill(host, "Nahe", lambda path: write_image(path, astronaut))
    )
    made, _ = desk(host, worker, User(driver="demo:nod", portrait="Still: Nahe", engine="mesh", **FAST))
    animate(made)
    data, pixels = frames_of(timeline)
    assert Path(data["portrait"]).suffix == ".png"
    assert len(pixels) == SHOWN
    assert pixels[0].shape[:2] == (512, 512)
    host.gallery_is_open = False
    timeline.tracks[2].clear()
    with pytest.raises(ResolveRefused, match="open the Gallery"):
        animate(made)


def test_a_managed_project_keeps_numbers_and_space(worker, cut):
    host, timeline, clip, item = cut
    host.settings = {"colorScienceMode": "davinciYRGBColorManagedv2", "colorSpaceInput": "Rec.709 Gamma 2.4"}
    clip.properties["Input Color Space"] = "Rec.709 Gamma 2.4"
    made, _ = desk(host, worker, User(driver="demo:still", engine="mesh", **FAST))
    placed = animate(made)
    data, pixels = frames_of(timeline)
    assert data["settings"]["color"]["output_space"] == "Gamma 2.4 Encoded Rec.709"
    assert placed.clip.says("Input Color Space") == "Rec.709 Gamma 2.4"
    with open_source(clip.properties["File Path"]) as source:
        plate = [frame.pixels for frame in source][FIRST]
    scale = {"uint8": 255, "uint16": 65535}
    both = [picture[..., :3] / scale[picture.dtype.name] for picture in (plate, pixels[0])]
    assert np.abs(both[0] - both[1]).mean() < 0.002, "the same numbers, but for the codec"


def test_a_ramp_and_a_title_are_refused_unless_they_are_rendered_in_place(worker, cut):
    host, timeline, clip, item = cut
    item.count *= 2
    host.otio = as_otio
    made, _ = desk(host, worker, User(in_place=False, driver="demo:nod"))
    with pytest.raises(ResolveRefused, match="retimed to about 194%"):
        animate(made)
    item.clip = None
    with pytest.raises(ResolveRefused, match="no clip of the media pool"):
        animate(made)
    timeline.tracks[1].clear()
    with pytest.raises(ResolveRefused, match="put the playhead on a clip"):
        animate(made)


def test_cancel_leaves_the_timeline_alone(worker, cut):
    host, timeline, *_ = cut

    class Impatient(User):
        def __call__(self, dispatcher, window):
            super().__call__(dispatcher, window)
            if window.about["ID"] == "LivePortraitProgress" and not self.answers.pop("stopped", None):
                window.On.call("Stop", "Clicked")

    made, _ = desk(host, worker, Impatient(driver="demo:expressive", engine="mesh", calibration="fine"))
    with pytest.raises(Cancelled):
        animate(made)
    assert list(timeline.tracks) == [1]


def test_the_free_edition_has_the_page(worker, cut, media):
    """UIManager is not touched; the job is filled into the page, and what was chosen there is what is remembered."""
    host, timeline, *_ = cut
    host.product = "DaVinci Resolve"
    session = ResolveSession.open(host.resolve)
    assert not session.has_windows
    links = []

    def press_start(link):
        """What the page does with what stands behind the #: test_page.py shows it in a browser."""
        from urllib.parse import parse_qs, urlsplit

        links.append(link)
        job = json.loads(parse_qs(urlsplit(link).fragment)["fill"][0])
        job["settings"].update({"engine": {"engine": "mesh"}, "mesh": {"calibration": "off"}})
        job["driving"] = "demo:blink"
        worker.client.submit("animate", job)
        return True

    def fail_first(link):
        """A job of an earlier attempt with the same output, which failed."""
        from urllib.parse import parse_qs, urlsplit

        job = json.loads(parse_qs(urlsplit(link).fragment)["fill"][0])
        job["source"] = str(worker.data / "not there.mov")
        failed = worker.client.submit("animate", job)
        with pytest.raises(WorkerError):
            worker.client.wait(failed.id)
        return True

    said = []
    with pytest.raises(WorkerError, match="not there"):
        animate(EditContext(session, worker.client, None, said.append, fail_first))
    placed = animate(EditContext(session, worker.client, None, said.append, press_start))
    assert placed.item.duration == SHOWN
    data, pixels = frames_of(timeline)
    assert data["driving"]["path"] == "demo:blink"
    assert data["settings"]["mesh"] == {"calibration": "off"}
    assert [told_index(picture) for picture in pixels] == list(range(FIRST, FIRST + SHOWN))
    assert links[0].startswith(worker.client.address.url)
    assert not host.modal
    assert "Fusion.UIManager" not in host.calls


def test_free_up_to_19_0_has_windows():
    assert ResolveSession.open(Host("DaVinci Resolve", (19, 0, 3, 5, "")).resolve).has_windows
    assert not ResolveSession.open(Host("DaVinci Resolve", (19, 1, 0, 5, "")).resolve).has_windows
    assert ResolveSession.open(Host("DaVinci Resolve Studio", (21, 0, 0, 1, "b")).resolve).has_windows


def test_touching_the_windows_on_free_would_spoil_later_calls():
    """The double's gate, so that the test above can fail."""
    host = Host("DaVinci Resolve")
    assert Fusion(host).UIManager is None
    assert host.resolve.GetProductName() is None


def test_a_call_that_resolve_does_not_have_fails():
    host = Host()
    assert hasattr(host.resolve, "GetCurrentTimelin")
    with pytest.raises(AssertionError, match="has no Resolve.GetCurrentTimelin"):
        host.resolve.GetCurrentTimelin()


def test_a_locked_track_is_passed_over_and_a_result_is_no_source(worker, cut):
    host, timeline, clip, item = cut
    timeline.locked.add(2)
    timeline.tracks[2] = []
    made, _ = desk(host, worker, User(driver="demo:nod", engine="mesh", **FAST))
    placed = animate(made)
    assert placed.track == 3, "a locked track takes nothing"
    other, _ = desk(host, worker, User(driver="demo:blink", engine="mesh", **FAST))
    assert animate(other).track == 4, "the result is seen now, and its source is animated again"
    timeline.tracks[1].clear()
    with pytest.raises(ResolveRefused, match="is a result already"):
        animate(made)


def test_the_built_in_motions_are_all_offered():
    assert [f"demo:{name}" for name in BUILTIN_MOTIONS] == list(BUILT_IN)


def test_choices_leave_out_the_clip_itself(worker, cut):
    host, timeline, clip, item = cut
    session = ResolveSession.open(host.resolve)
    view = session.timeline()
    labels = [choice.label for choice in choices(session, view, use_of(view, view.current()))]
    assert labels == ["demo:expressive", "demo:blink", "demo:nod", "demo:still"]


def test_the_batch_goes_out_as_otio_and_comes_back_as_a_timeline(worker, cut):
    host, timeline, clip, item = cut
    item.markers[0.0] = {"name": "LP: driver=demo:nod, engine=mesh, calibration=off", "color": "Blue", "note": "",
                         "duration": 1, "customData": ""}  # fmt: skip
    host.otio = as_otio
    folder = worker.data / f"batch-{time.monotonic_ns()}"
    made, said = desk(host, worker, User(folder=folder, engine="mesh"))
    host.project.timeline("Schnitt LivePortrait", "25", "01:00:00:00")
    host.project.current = timeline
    back = batch(made)
    assert back.name == "Schnitt LivePortrait 2"
    result = otio.adapters.read_from_file(back.raw.made_from)
    (found,) = result.find_clips()
    media = found.media_reference.target_url
    assert media != clip.properties["File Path"]
    assert found.trimmed_range().duration.value == SHOWN
    assert Path(media).is_absolute(), "Resolve reads bare absolute paths alone"
    with open_source(media) as source:
        indices = [told_index(frame.pixels) for frame in source]
    first = int(found.trimmed_range().start_time.value - found.available_range().start_time.value)
    assert indices[first : first + SHOWN] == list(range(FIRST, FIRST + SHOWN))
