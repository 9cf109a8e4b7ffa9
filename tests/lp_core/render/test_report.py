"""Progress and summary."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lp_core.render.report import Meter, Summary, numbered, runs_of, runs_text


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def summary(**changes):
    values = {
        "output": "out.mp4",
        "frames": 50,
        "rate": "30000/1001",
        "engine": "mesh",
        "seconds": 2.0,
        "audio": "none",
        "lost_driving_frames": (),
        "lost_source_frames": (),
        "notes": (),
    }
    return Summary(**{**values, **changes})


def test_rate_and_time_left():
    clock, events = Clock(), []
    meter = Meter("render", 100, events.append, clock)
    for _ in range(25):
        clock.now += 0.02
        meter.step()
    last = events[-1]
    assert (last.phase, last.total) == ("render", 100)
    assert last.fps == 50.0
    assert last.eta_s == round((100 - last.frame) / 50.0, 2)
    assert len(events) <= 6, "more than ten events a second"


def test_unknown_length_has_no_time_left_but_the_end_knows_it():
    clock, events = Clock(), []
    meter = Meter("analyse", None, events.append, clock)
    clock.now += 1
    meter.step()
    assert events[-1].total is None
    assert events[-1].eta_s is None
    meter.finish()
    assert (events[-1].frame, events[-1].total) == (1, 1)


def test_without_a_listener_frames_are_counted():
    meter = Meter("render", 3, None, Clock())
    meter.step()
    meter.finish()
    assert meter.frame == 1


def test_events_and_summary_are_json():
    clock, events = Clock(), []
    meter = Meter("render", 2, events.append, clock)
    clock.now += 1
    meter.step()
    assert json.loads(json.dumps(events[0].as_json())) == {
        "type": "progress",
        "phase": "render",
        "frame": 1,
        "total": 2,
        "fps": 1.0,
        "eta_s": 1.0,
    }
    value = json.loads(json.dumps(summary(lost_driving_frames=((3, 7),)).as_json()))
    assert value["type"] == "summary"
    assert value["lost_driving_frames"] == [[3, 7]]


def test_the_sentence_names_what_was_lost():
    text = summary(lost_driving_frames=((3, 7), (12, 12)), audio="driving").sentence()
    assert text == (
        "out.mp4: 50 frames at 30000/1001 fps, mesh engine, 2.0 s (25.0 frames/s), sound of the driving clip"
        "; driving face lost in 6 frames: 3-7, 12."
    )
    assert "lost" not in summary().sentence()


def test_one_frame_is_one_frame():
    text = summary(frames=1, lost_source_frames=((0, 0),)).sentence()
    assert "out.mp4: 1 frame at" in text
    assert "lost in 1 frame: 0." in text


@given(st.sets(st.integers(0, 60)))
def test_runs_hold_exactly_the_frames(frames):
    runs = runs_of(sorted(frames))
    assert {f for first, last in runs for f in range(first, last + 1)} == frames
    assert all(after[0] > before[1] + 1 for before, after in zip(runs, runs[1:], strict=False))


def test_many_runs_are_cut_short():
    assert runs_text(runs_of(range(0, 40, 2)), limit=2) == "0, 2, and 18 more runs"


def test_lost_frames_bear_the_numbers_of_their_clip():
    assert numbered([(2, 2), (5, 7)], 1001) == ((1003, 1003), (1006, 1008))
    assert numbered([(2, 2)], None) == ((2, 2),)
