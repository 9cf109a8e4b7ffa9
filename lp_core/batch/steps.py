"""The steps of a shot: solve once, chunks in any order by anyone, conform once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.batch.assemble_shot import assemble_shot, store_backwards
from lp_core.batch.plan import BatchPlan, Chunk, Shot
from lp_core.batch.up_to_date import (
    KEY_FILE,
    RECORD_FILE,
    Hashes,
    finished_record,
    inputs_of,
    key_of,
    read_inputs,
    read_key,
    read_record,
    write_json,
)
from lp_core.engines.registry import MakeEngine, make_engine
from lp_core.errors import InputChanged, SettingError
from lp_core.files import ensure_folder
from lp_core.media.base import ResumableSink
from lp_core.media.frame_pattern import files_of
from lp_core.media.resumable import start_over
from lp_core.render.chunks import conform, open_parts, render_missing
from lp_core.render.render import Render
from lp_core.render.report import Listener, Summary
from lp_core.render.solution import Solution, solve
from lp_core.render.work_folder import PARTS, SOLUTION, wipe


@dataclass(frozen=True)
class RenderResources:
    """With what the work is done."""

    device: str | None = None
    """Where the networks run; None: as the settings say."""
    make: MakeEngine = make_engine
    listener: Callable[[Shot], Listener | None] = lambda _: None
    """Gives anyone who hears the progress of a shot."""


NOTHING_GIVEN = RenderResources()


def solve_shot(plan: BatchPlan, shot: Shot, means: RenderResources = NOTHING_GIVEN) -> None:
    """Does what needs the whole shot; nothing where it is done, or the result is up to date.

    Raises:
        LpError: whatever a part has to say.
    """
    hashes = Hashes.open(plan)
    if finished_record(plan, shot, hashes) is None:
        opened = _begin(plan, shot, means, hashes)
        with _unchanged(plan, shot), opened.inputs.guarding():
            solve(opened, plan.work(shot) / SOLUTION, means.listener(shot), _key(plan, shot))
    hashes.keep()


def render_shot_chunk(plan: BatchPlan, chunk: Chunk, means: RenderResources = NOTHING_GIVEN) -> None:
    """Renders what is missing of a chunk of a solved shot.

    Raises:
        SettingError: the shot is not solved.
        LpError: whatever a part has to say; finished parts stay.
    """
    shot = plan.shots[chunk.shot]
    if not _is_open(plan, shot):
        return
    with _unchanged(plan, shot):
        _, render, solution, parts = _reopened(plan, shot, means)
        whole = _whole(shot, chunk, solution)
        render_missing(render, solution, parts, range(whole.first, whole.stop), means.listener(shot))
        render.inputs.check()


def conform_shot(plan: BatchPlan, shot: Shot, means: RenderResources = NOTHING_GIVEN) -> dict[str, Any]:
    """Joins the chunks of a shot, signs the result, and keeps a record; returns the record.

    A result that is finished is neither joined nor signed again.

    Raises:
        LpError: chunks are missing, or whatever a part has to say.
    """
    if not _is_open(plan, shot):
        record = read_record(plan, shot)
        if record is not None:
            return record
    with _unchanged(plan, shot):
        key, render, solution, parts = _reopened(plan, shot, means)
        summary = conform(render, solution, parts, means.listener(shot))
    return _finish(plan, shot, key, summary, solution)


def run_shot(
    plan: BatchPlan, shot: Shot, means: RenderResources = NOTHING_GIVEN
) -> tuple[dict[str, Any], bool]:
    """All steps in one process; returns the record, and whether anything was done.

    Raises:
        LpError: whatever a part has to say; finished parts stay.
    """
    hashes = Hashes.open(plan)
    try:
        found = finished_record(plan, shot, hashes)
        if found is not None:
            return found, False
        render = _begin(plan, shot, means, hashes)
    finally:
        hashes.keep()
    listener, key = means.listener(shot), _key(plan, shot)
    start = render.clock()
    with _unchanged(plan, shot), render.inputs.guarding():
        solution = solve(render, plan.work(shot) / SOLUTION, listener, key)
        parts = open_parts(render, solution, plan.work(shot) / PARTS)
        parts.drop_damaged(solution.frames)
        for chunk in plan.chunks_of(0, shot):
            whole = _whole(shot, chunk, solution)
            render_missing(render, solution, parts, range(whole.first, whole.stop), listener)
        summary = conform(render, solution, parts, listener)
    summary = replace(summary, seconds=round(render.clock() - start, 3))
    return _finish(plan, shot, key, summary, solution), True


def _begin(plan: BatchPlan, shot: Shot, means: RenderResources, hashes: Hashes) -> Render:
    """The shot opened, its folder bearing its key; older work of other content is removed."""
    key, folder = key_of(plan, shot, hashes), plan.work(shot)
    begun = read_key(plan, shot)
    is_ours = begun is not None or read_record(plan, shot) is not None
    store = begun == key
    if not store:
        wipe(folder, start_over)
        (folder / RECORD_FILE).unlink(missing_ok=True)
    ensure_folder(folder)
    if not store:
        for path in folder.glob("*.lpmotion"):
            path.unlink()
    store_backwards(plan, shot, means.device, means.listener(shot))
    render = assemble_shot(plan, shot, is_ours or plan.overwrite, means.device, means.make)
    write_json(folder / KEY_FILE, {"key": key, "inputs": inputs_of(plan, shot, hashes)})
    return render


@contextmanager
def _unchanged(plan: BatchPlan, shot: Shot) -> Generator[None]:
    """Refuses to go on with inputs that are no longer those the shot was begun with, and removes what was made.

    Raises:
        InputChanged: an input has changed.
    """
    try:
        before = read_inputs(plan, shot)
        hashes = Hashes.open(plan)
        if before is not None and before != inputs_of(plan, shot, hashes):
            raise InputChanged(f"An input of {shot.words} changed since it was solved; solve the shot again.")
        hashes.keep()
        yield
    except InputChanged:
        wipe(plan.work(shot), start_over)
        write_json(
            plan.work(shot) / KEY_FILE, {"key": "an input changed"}
        )  # the output stays this shot's own
        raise


def _is_open(plan: BatchPlan, shot: Shot) -> bool:
    """True while a shot is begun and not finished."""
    record = read_record(plan, shot)
    key = read_key(plan, shot)
    if record is None and key is None:
        raise SettingError(f"{shot.words} is not solved yet; run its step 'solve' first.")
    return key is not None and (record is None or record["key"] != key)


def _key(plan: BatchPlan, shot: Shot) -> str:
    key = read_key(plan, shot)
    if key is None:
        raise SettingError(f"{shot.words} is not solved yet; run its step 'solve' first.")
    return key


def _reopened(
    plan: BatchPlan, shot: Shot, means: RenderResources
) -> tuple[str, Render, Solution, ResumableSink]:
    """A solved shot as any process opens it."""
    key, folder = _key(plan, shot), plan.work(shot)
    solution = Solution.open(folder / SOLUTION, key)
    if solution is None:
        raise SettingError(f"{shot.words} is not solved yet; run its step 'solve' first.")
    render = assemble_shot(plan, shot, True, means.device, means.make)
    return key, render, solution, open_parts(render, solution, folder / PARTS)


def _whole(shot: Shot, chunk: Chunk, solution: Solution) -> Chunk:
    """The chunk; the last one reaches to the true end, should a video be longer than its header says."""
    return replace(chunk, stop=max(chunk.stop, solution.frames)) if chunk.stop == shot.frames else chunk


def _finish(plan: BatchPlan, shot: Shot, key: str, summary: Summary, solution: Solution) -> dict[str, Any]:
    folder = plan.work(shot)
    files = files_of(summary.output)
    record = {
        "key": key,
        "files": [str(path.relative_to(plan.folder)) for path in files],
        "content": Hashes(folder / "none").of_all(files),
        "summary": summary.as_json(),
        "size": shot.size,
        "jitter_deg": jitter_deg(solution),
    }
    write_json(folder / RECORD_FILE, record)
    for name in (SOLUTION, PARTS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in (folder / KEY_FILE, *folder.glob("*.lpmotion")):
        Path(path).unlink(missing_ok=True)
    return read_record(plan, shot) or record


def jitter_deg(solution: Solution) -> float:
    """How restless the measured head is: median angle between a frame and the middle of its neighbors."""
    with solution.motion() as motion:
        turns = np.asarray(motion.column("rotation", 0, len(motion)), np.float64)
        seen = np.asarray(motion.column("confidence", 0, len(motion))) > 0
    turns = turns[seen]
    if len(turns) < 3:
        return 0.0
    steps = np.swapaxes(turns[:-1], 1, 2) @ turns[1:]
    axes = np.stack(
        [steps[:, 2, 1] - steps[:, 1, 2], steps[:, 0, 2] - steps[:, 2, 0], steps[:, 1, 0] - steps[:, 0, 1]],
        axis=1,
    )
    halves = np.linalg.norm(np.diff(axes / 2, axis=0), axis=1) / 2
    return round(float(np.degrees(np.median(halves))), 4)
