"""A shot is made of one version of its inputs, however its steps are shared out."""

from dataclasses import replace

import pytest
from fakes.cuts import clip_of, file_at, timeline_of, write
from fakes.films import write_portrait

from lp_core.batch.planner import PlanRequest, make_plan
from lp_core.batch.steps import conform_shot, render_shot_chunk, run_shot, solve_shot
from lp_core.batch.up_to_date import Hashes, inputs_of
from lp_core.errors import InputChanged


@pytest.fixture
def plan(tmp_path, astronaut):
    write_portrait(tmp_path / "p.png", astronaut[:256, 96:352])
    still = clip_of("still", file_at(tmp_path / "p.png", 25, 1), 25, 0, 6, "demo:nod")
    cut = write(timeline_of("cut", [[still]]), tmp_path / "cut.otio")
    made, _ = make_plan(PlanRequest(cut, tmp_path / "out", chunk_frames=48))
    assert not made.problems
    made.write()
    return made


def test_chunk_of_a_changed_input_is_refused_and_solved_again(plan, tmp_path, astronaut):
    (shot,) = plan.shots
    (chunk,) = plan.chunks()
    solve_shot(plan, shot)
    write_portrait(tmp_path / "p.png", astronaut[:256, 96:352] // 2)
    with pytest.raises(InputChanged, match="changed since it was solved; solve the shot again"):
        render_shot_chunk(plan, chunk)
    solve_shot(plan, shot)
    render_shot_chunk(plan, chunk)
    conform_shot(plan, shot)
    assert not run_shot(plan, shot)[1]


def test_a_voice_is_an_input_too(plan, tmp_path):
    (shot,) = plan.shots
    voice = tmp_path / "voice.mov"
    found = set()
    for content in (b"one", b"two"):
        voice.write_bytes(content)
        spoken = replace(shot, job=replace(shot.job, driving=f"speech:{voice}"))
        found.add(inputs_of(plan, spoken, Hashes(tmp_path / "hashes.json", {})))
    assert len(found) == 2


def test_join_of_a_changed_input_is_refused(plan, tmp_path, astronaut):
    (shot,) = plan.shots
    solve_shot(plan, shot)
    render_shot_chunk(plan, plan.chunks()[0])
    write_portrait(tmp_path / "p.png", astronaut[:256, 96:352] // 2)
    with pytest.raises(InputChanged):
        conform_shot(plan, shot)
    assert run_shot(plan, shot)[1]
