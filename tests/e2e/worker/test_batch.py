"""Timelines as jobs of the worker."""

from pathlib import Path

import pytest
from fakes.cuts import clip_of, file_at, places, read, timeline_of, write
from fakes.films import write_portrait
from fakes.worker import Worker

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


def test_a_killed_worker_goes_on_with_the_batch(tmp_path, astronaut):
    mortal = Worker(tmp_path)
    portrait = write_portrait(mortal.data / "portrait.png", astronaut)
    clips = [clip_of(name, file_at(portrait, 25, 1), 25, 0, 200, f"demo:{name}") for name in ("nod", "blink")]
    timeline = write(timeline_of("cut", [clips]), mortal.data / "cut.otio")
    client = mortal.start()
    try:
        client.wait(client.submit("batch", asked(mortal, timeline, "calm")).id)
        job = client.submit("batch", asked(mortal, timeline, "rough")).id
        for event in client.follow(job):
            if event.progress is not None and event.progress.frame >= 250:  # within the second shot
                break
        mortal.kill()
        client = mortal.start()
        done = client.wait(job)
        assert (done.summary["rendered"], done.summary["up_to_date"]) == (1, 1)
        films = [
            {path.name: path.read_bytes() for path in (mortal.data / name / "media").iterdir()}
            for name in ("calm", "rough")
        ]
        assert films[0] == films[1]
    finally:
        mortal.stop()


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


@pytest.mark.parametrize("part", ["work", "media"])
def test_results_do_not_leave_through_a_link_in_the_work_folder(worker, portrait, tmp_path, part):
    clips = [clip_of("still", file_at(portrait, 25, 1), 25, 0, 12, "demo:nod")]
    timeline = write(timeline_of("cut", [clips]), worker.data / "linked.otio")
    output = worker.data / f"linked-{part}"
    output.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (output / part).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkerError, match="outside") as caught:
        worker.client.wait(worker.client.submit("batch", asked(worker, timeline, output.name)).id)
    assert caught.value.code == "not_allowed"
    assert not any((tmp_path / "elsewhere").iterdir())
