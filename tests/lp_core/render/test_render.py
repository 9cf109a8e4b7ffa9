"""The render with every edge faked: what is drawn when, what is lost, what remains after a fault."""

import threading
import tracemalloc
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import ToyEngine, lost, toy_motion
from fakes.faces import FirstFollower, PlantedAnalyzer, make_face, planted
from fakes.media import MemorySink, MemorySource

from lp_core.errors import DiskFull, FaceNotThere, NoFace
from lp_core.frame import ClipInfo, Frame
from lp_core.motion.sequence import stack
from lp_core.render import halved_watch
from lp_core.render.edges import FilmedFace, RenderTarget, Still, StoredMotion
from lp_core.render.render import Render
from lp_core.settings import FaceSettings, MotionSettings, OutputSettings
from lp_core.timing import FrameRate

RAW = MotionSettings(smoothing=0.0, reference="0")


def require(faces, width, height):
    if not faces:
        raise NoFace("No face was found in 'driving.mp4'; use a clip that shows one.")
    raise FaceNotThere("Face 3 is not in 'driving.mp4'; choose another.")


def film(values, rate=25, follower=FirstFollower, **source):
    """A clip whose frames show faces of the given values (0: none)."""
    open_source = partial(MemorySource, lambda i: planted(values[i]), len(values), rate, **source)
    return FilmedFace("driving.mp4", open_source().info, open_source, PlantedAnalyzer, follower, require)


def still(value=200):
    frame = Frame(planted(value), 0, FrameRate.parse(25).time_s(0))
    info = ClipInfo(10, 8, FrameRate.parse(25), 1, is_still=True)
    return Still(info, frame, make_face(value))


def stored(values, rate="25", is_lost=()):
    frames = [lost(toy_motion(v)) if i in is_lost else toy_motion(v) for i, v in enumerate(values)]
    sequence = stack(frames, FrameRate.parse(rate), "mesh478")
    return StoredMotion("demo:test", "mesh478", lambda: nullcontext(sequence))


@dataclass
class Sinks:
    """Opens sinks and remembers them."""

    options: dict = field(default_factory=dict)
    opened: list = field(default_factory=list)

    def __call__(self, spec):
        self.opened.append(MemorySink(spec, **self.options))
        return self.opened[-1]


def render(source, driving, engine=None, rate=None, motion=RAW, on_lost="hold", listener=None, **sink):
    sinks = Sinks(sink)
    target = RenderTarget(
        "out.mp4", sinks, rate and FrameRate.parse(rate), OutputSettings(audio="none"), None
    )
    job = Render(engine or ToyEngine(), source, driving, target, motion, FaceSettings(on_lost=on_lost))
    summary = job.run(listener)
    return summary, sinks.opened[0]


def lips(sink):
    """The motion value that each written frame shows."""
    return [int(frame.pixels[1, 1, 0]) for frame in sink.frames]


def borrowed(sink):
    """The value of the driving image each frame was drawn with."""
    return [int(frame.pixels[0, 1, 0]) for frame in sink.frames]


def test_a_film_drives_a_still_frame_by_frame():
    summary, sink = render(still(), film([10, 20, 30]))
    assert lips(sink) == borrowed(sink) == [10, 20, 30]
    assert summary.frames == 3
    assert sink.committed
    assert [frame.time_s for frame in sink.frames] == [FrameRate.parse(25).time_s(k) for k in range(3)]


def test_the_still_is_prepared_once():
    engine = ToyEngine()
    render(still(), film([10] * 30), engine)
    assert (engine.prepared, engine.animated) == (1, 30)


def test_an_engine_without_use_for_the_driving_picture_gets_none():
    _, sink = render(still(), film([10, 20]), ToyEngine(uses_driving_picture=False))
    assert borrowed(sink) == [0, 0]


def test_a_stored_motion_needs_no_film():
    summary, sink = render(still(), stored([5, 6, 7, 8]))
    assert lips(sink) == [5, 6, 7, 8]
    assert summary.lost_driving_frames == ()


def test_the_output_rate_is_exact():
    summary, sink = render(still(), film([10, 20, 30], rate="29.97"))
    assert summary.rate == "30000/1001"
    assert sink.spec.rate == FrameRate.parse("30000/1001")


def test_another_rate_keeps_the_duration():
    summary, sink = render(still(), film([10] * 25), rate="50")
    assert summary.frames == 50
    assert borrowed(sink) == [10] * 50


def test_driving_pictures_stay_in_step_at_another_rate():
    _, sink = render(still(), film([10, 20, 30], rate=25), rate="50")
    assert borrowed(sink) == [10, 10, 20, 20, 30, 30]
    assert lips(sink) == [10, 15, 20, 25, 30, 30]


def test_a_plate_sets_rate_and_length():
    summary, sink = render(film([200] * 6, rate=30), film([10, 20, 30, 40, 50, 60, 70], rate=30))
    assert (summary.frames, summary.rate) == (6, "30")
    assert lips(sink) == [10, 20, 30, 40, 50, 60]


def test_a_performance_that_ends_early_is_held_and_said():
    summary, sink = render(film([200] * 5), film([10, 20, 30]))
    assert lips(sink) == borrowed(sink) == [10, 20, 30, 30, 30]
    assert any("ends 2 frames before" in note for note in summary.notes)


def test_a_plate_without_its_face_passes_through():
    plate = film([200, 0, 0, 201, 202])
    summary, sink = render(plate, film([10, 20, 30, 40, 50]))
    assert summary.lost_source_frames == ((1, 2),)
    assert [int(f.pixels[0, 0, 0]) for f in sink.frames] == [10, 0, 0, 40, 50]
    np.testing.assert_array_equal(sink.frames[1].pixels, planted(0))


def test_a_plate_of_unknown_length_is_rendered_to_its_end():
    plate = film([200] * 4)
    plate = FilmedFace(
        plate.name,
        ClipInfo(10, 8, FrameRate.parse(25), None),
        plate.open,
        plate.open_analyzer,
        plate.open_follower,
        plate.require,
    )
    events = []
    summary, _ = render(plate, stored([1, 2, 3, 4]), listener=events.append)
    assert summary.frames == 4
    assert (events[0].total, events[-1].total) == (None, 4)


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [("hold", [10, 10, 10, 40]), ("interpolate", [10, 20, 30, 40]), ("source", [10, 7, 7, 40])],
)
def test_where_the_driving_face_is_lost_the_policy_decides(policy, wanted):
    summary, sink = render(still(), film([10, 0, 0, 40]), on_lost=policy)
    assert lips(sink) == wanted
    assert summary.lost_driving_frames == ((1, 2),)
    assert summary.frames == 4


def test_lost_frames_borrow_from_the_last_picture_with_a_face():
    _, sink = render(still(), film([10, 0, 0, 40]))
    assert borrowed(sink) == [10, 10, 10, 40]


def test_frames_before_the_face_borrow_from_the_first_picture_with_it():
    summary, sink = render(still(), film([0, 0, 30]), motion=MotionSettings(smoothing=0.0))
    assert lips(sink) == [30, 30, 30]
    assert borrowed(sink) == [30, 30, 30]
    assert summary.lost_driving_frames == ((0, 1),)


def test_source_policy_writes_the_source_bit_for_bit():
    portrait = still()
    _, sink = render(portrait, stored([1, 2, 3], is_lost=[1]), on_lost="source")
    np.testing.assert_array_equal(sink.frames[1].pixels, portrait.frame.pixels)
    assert (sink.frames[0].pixels != portrait.frame.pixels).any()


def test_no_face_in_the_whole_performance_is_an_error_that_names_it():
    with pytest.raises(NoFace, match=r"driving\.mp4"):
        render(still(), film([0, 0, 0]))


class NeverFollower:
    notes = ()

    def follow(self, faces, width, height, picture=None):
        return None


def test_a_chosen_face_that_never_comes_is_an_error():
    with pytest.raises(FaceNotThere):
        render(still(), film([1, 2], follower=NeverFollower))


def test_a_plate_that_never_shows_its_face_is_an_error_and_leaves_nothing():
    sinks = Sinks()
    target = RenderTarget("out.mp4", sinks, None, OutputSettings(audio="none"), None)
    with pytest.raises(NoFace):
        Render(ToyEngine(), film([0, 0]), stored([1, 2]), target, RAW, FaceSettings()).run()
    assert sinks.opened[0].aborted


@pytest.mark.parametrize("fail_at", [0, 3, 9])
def test_a_full_disk_stops_the_render_and_leaves_nothing(fail_at):
    sinks = Sinks({"fail_at": fail_at})
    target = RenderTarget("out.mp4", sinks, None, OutputSettings(audio="none"), None)
    with pytest.raises(DiskFull):
        Render(ToyEngine(), still(), film([9] * 10), target, RAW, FaceSettings()).run()
    assert sinks.opened[0].aborted
    assert not sinks.opened[0].committed


def test_ctrl_c_midway_leaves_nothing_and_no_thread():
    before = threading.active_count()
    sinks = Sinks()
    target = RenderTarget("out.mp4", sinks, None, OutputSettings(audio="none"), None)
    with pytest.raises(KeyboardInterrupt):
        Render(ToyEngine(fail_at=4), film([200] * 50), film([9] * 50), target, RAW, FaceSettings()).run()
    assert sinks.opened[0].aborted
    assert threading.active_count() == before


@pytest.mark.parametrize("fail_at", [0, 5])
def test_a_fault_of_the_decoder_arrives(fail_at):
    with pytest.raises(RuntimeError, match="planted fault"):
        render(still(), film([9] * 10, fail_at=fail_at))


def test_a_fault_of_the_plate_arrives_and_leaves_nothing():
    sinks = Sinks()
    target = RenderTarget("out.mp4", sinks, None, OutputSettings(audio="none"), None)
    with pytest.raises(RuntimeError, match="planted fault"):
        Render(ToyEngine(), film([9] * 10, fail_at=7), stored([1] * 10), target, RAW, FaceSettings()).run()
    assert sinks.opened[0].aborted


def test_the_temporary_motion_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    render(still(), film([1, 2, 3]))
    with pytest.raises(NoFace):
        render(still(), film([0]))
    assert list(tmp_path.iterdir()) == []


def test_progress_covers_both_phases_to_the_end():
    events = []
    render(still(), film([9] * 12), listener=events.append)
    ends = {event.phase: event for event in events}
    assert list(ends) == ["analyse", "render"]
    assert all((event.frame, event.total) == (12, 12) for event in ends.values())


def test_notes_of_all_parts_are_said_once():
    driving = film([1, 2], notes=("driving.mp4 has a variable rate.",))
    summary, _ = render(
        film([200, 200], notes=("plate.mov has a variable rate.",)), driving, notes=("Alpha was dropped.",)
    )
    assert sorted(summary.notes) == [
        "Alpha was dropped.",
        "driving.mp4 has a variable rate.",
        "plate.mov has a variable rate.",
    ]


def test_sound_is_handed_to_the_sink():
    sinks = Sinks()
    target = RenderTarget("out.mp4", sinks, None, OutputSettings(), Path("driving.mp4"))
    summary = Render(ToyEngine(), still(), stored([1, 2]), target, RAW, FaceSettings()).run()
    assert sinks.opened[0].spec.audio.path == Path("driving.mp4")
    assert summary.audio == "driving"


def test_an_analyzer_is_closed_and_sees_times_that_increase():
    made = []

    def open_analyzer(limit):
        made.append(PlantedAnalyzer(limit))
        return made[-1]

    clip = film([9] * 20, rate="59.94")
    clip = FilmedFace(clip.name, clip.info, clip.open, open_analyzer, clip.open_follower, clip.require)
    render(still(), clip)
    assert all(analyzer.closed for analyzer in made)
    times = [time for analyzer in made for time in analyzer.times_ms]
    assert len(times) == 20
    assert all(after > before for before, after in zip(times, times[1:], strict=False))


def peak_bytes(count):
    """Peak of traced memory of a film-on-plate render of that many frames."""

    def make(index):
        return planted(1 + index % 200, 64, 64)

    open_source = partial(MemorySource, make, count)
    clip = FilmedFace("long.mp4", open_source().info, open_source, PlantedAnalyzer, FirstFollower, require)
    tracemalloc.start()
    try:
        render(clip, clip, keep=False)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_length(monkeypatch):
    monkeypatch.setattr(halved_watch, "MOST_FRAMES", 200)  # as many wait in both
    peak_bytes(8)  # first use imports and caches
    short, long = peak_bytes(800), peak_bytes(3200)  # both longer than the blocks that motion is read in
    assert long < short * 1.05


def test_a_performance_read_in_batches_is_the_same_and_lost_frames_stay_in_place():
    values = [10, 0, 20, 30, 0, 0, 40, 50]
    engine = ToyEngine(batch=3)
    summary, sink = render(still(), film(values), engine)
    assert lips(sink) == [10, 10, 20, 30, 30, 30, 40, 50]
    assert summary.lost_driving_frames == ((1, 1), (4, 5))
    assert engine.batches == [2, 1, 2]


@pytest.mark.parametrize("batch", [2, 5])
@pytest.mark.parametrize("source", ["still", "plate"])
def test_pictures_drawn_together_are_those_drawn_alone(source, batch):
    values = [20, 21, 22, 23, 24, 25, 26]
    made = still() if source == "still" else film([200, 201, 0, 0, 202, 203, 204])
    alone, together = ToyEngine(), ToyEngine(batch=batch)
    wanted_summary, wanted = render(made, film(values), alone)
    summary, got = render(made, film(values), together)
    assert replace(summary, seconds=0) == replace(wanted_summary, seconds=0)
    assert [(f.index, f.time_s) for f in got.frames] == [(f.index, f.time_s) for f in wanted.frames]
    for one, other in zip(got.frames, wanted.frames, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert sum(together.drawn) == sum(alone.drawn) == (7 if source == "still" else 5)
    assert max(alone.drawn) == 1
    assert len(together.drawn) < len(alone.drawn)


class TunedEngine(ToyEngine):
    """Corrects by the motion's value; notes what each frame is drawn with."""

    def slow_correction(self, portrait, motion):
        return np.array([float(motion.lips)])

    def animate_all(self, acts, reference):
        self.corrections = [
            *getattr(self, "corrections", []),
            *(float(act.slow_correction[0]) for act in acts),
        ]
        return super().animate_all(acts, reference)


def test_a_frame_is_drawn_with_the_average_of_what_its_neighbors_are_corrected_by():
    values = [20] * 10 + [60] + [20] * 10
    engine = TunedEngine()
    render(still(), film(values), engine)
    found = np.array(engine.corrections)
    assert found[:5] == pytest.approx(20)
    assert found[10] == found.max()
    assert 25 < found[10] < 35, "most of what a lone frame asks for is not given"
    assert found[9] > 21
    np.testing.assert_allclose(found, found[::-1])
    assert found.sum() == pytest.approx(sum(values), rel=1e-3)
