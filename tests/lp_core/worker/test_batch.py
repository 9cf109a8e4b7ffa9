"""Timelines as jobs of the worker."""

from pathlib import Path

import pytest
from fakes.cuts import clip_of, file_at, places, read, timeline_of, write

from lp_core.errors import WorkerError


def asked(worker, timeline, output="out"):
    return {"timeline": str(timeline), "output": str(worker.data / output)}


def test_a_timeline_is_rendered_and_again_found_up_to_date(worker, portrait):
    clips = [clip_of("still", file_at(portrait, 25, 1), 25, 0, 12, "demo:nod")]
    timeline = write(timeline_of("cut", [clips]), worker.data / "cut.otio")
    job = worker.client.submit("batch", asked(worker, timeline)).id
    done = worker.client.wait(job)
    assert (done.state, done.summary["rendered"], done.summary["frames"]) == ("done", 1, 12)
    clip = places(read(worker.data / "out" / "timeline.otio"))[0]
    assert Path(clip.media_reference.target_url).is_file()
    again = worker.client.wait(worker.client.submit("batch", asked(worker, timeline)).id)
    assert (again.summary["rendered"], again.summary["up_to_date"]) == (0, 1)


def test_media_of_a_timeline_is_bound_to_the_allowed_folders(worker, portrait, tmp_path):
    outside = tmp_path / "portrait.png"
    outside.write_bytes(portrait.read_bytes())
    clips = [clip_of("still", file_at(outside, 25, 1), 25, 0, 12, "demo:nod")]
    timeline = write(timeline_of("cut", [clips]), worker.data / "outside.otio")
    with pytest.raises(WorkerError, match="outside") as caught:
        worker.client.wait(worker.client.submit("batch", asked(worker, timeline, "other")).id)
    assert caught.value.code == "not_allowed"
    with pytest.raises(WorkerError, match="outside"):
        worker.client.submit("batch", asked(worker, tmp_path / "cut.otio"))
