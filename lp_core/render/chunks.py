"""A render in chunks that share nothing but a solution: any frames, by any process, with the same bytes.

::

    solution = solve(render, folder / "solution")          # once: what needs the whole clip
    parts = open_parts(render, solution, folder / "parts")
    for run in parts.missing(solution.frames):             # in any order, on any machine
        render_chunk(render, solution, parts, run)
    summary = conform(render, solution, parts)             # once: the video joined, the sound next to it

``render_in_chunks`` does all of it in one process, and after a crash what is left of it. Who shares the work
cuts it at multiples of ``parts.part_length``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import islice, repeat
from pathlib import Path

from lp_core.errors import InputChanged, SettingError
from lp_core.frame import Frame
from lp_core.media.base import ResumableSink
from lp_core.render.cast import laid_together
from lp_core.render.drawing import Drawing
from lp_core.render.edges import QUEUE_DEPTH, Still
from lp_core.render.kept_remarks import keeping_remarks, kept_remarks
from lp_core.render.passes import DrawnFrame, with_passes
from lp_core.render.pipeline import ReadAhead
from lp_core.render.render import Render
from lp_core.render.report import Listener, Meter, Progress, Summary, sealed
from lp_core.render.solution import Solution, faces_of_source, lost_frames, solve
from lp_core.render.source_frames import SourceFrame, filmed_source, still_source
from lp_core.render.work_folder import PARTS, SOLUTION, claim, wipe


def render_in_chunks(
    render: Render, folder: Path, listener: Listener | None = None, origin: str = ""
) -> Summary:
    """Renders in one process, or goes on where an earlier one was stopped.

    Args:
        render: the shot; assembled with ``resumes=True`` where an earlier run may have begun it.
        folder: of the job's own, kept until the job has ended.
        listener: takes progress; what it raises stops the work, and everything finished stays.
        origin: what was asked for, so that no other job goes on in this folder.

    Raises:
        InputChanged: an input changed while the work ran; what was finished is removed.
        LpError: whatever a part has to say; call ``discard`` to remove what was finished.
    """
    start = render.clock()
    notes = claim(folder, render.inputs, render.target.discard_parts)
    try:
        with render.inputs.guarding(), render.helped():
            solution = solve(render, folder / SOLUTION, listener, origin)
            parts = open_parts(render, solution, folder / PARTS)
            render_missing(render, solution, parts, listener=listener)
            summary = conform(render, solution, parts, listener)
    except InputChanged:
        wipe(folder, render.target.discard_parts)
        raise
    seconds = round(render.clock() - start, 3)
    return replace(summary, seconds=seconds, notes=(*notes, *summary.notes))


def render_resumable(
    render: Render, folder: Path, listener: Listener | None = None, origin: str = ""
) -> Summary:
    """Renders in parts that outlive a crash; what cannot be cut into parts is rendered in one go.

    Upscaled frames, and passes in files next to the output, cannot; a later call begins such an output again.

    Args:
        render: see ``render_in_chunks``.
        folder: see ``render_in_chunks``.
        listener: see ``render_in_chunks``.
        origin: see ``render_in_chunks``.

    Raises:
        LpError: see ``render_in_chunks``; nothing is left of an output made in one go.
    """
    if render.target.open_parts is None:
        return render.run(listener)
    return render_in_chunks(render, folder, listener, origin)


def render_missing(
    render: Render,
    solution: Solution,
    parts: ResumableSink,
    frames: range | None = None,
    listener: Listener | None = None,
) -> None:
    """Draws what is not finished, and again what an earlier run finished and the disk has damaged since.

    Args:
        render: the shot.
        solution: of it.
        parts: of its output.
        frames: what is wanted; None: everything.
        listener: takes progress.

    Raises:
        LpError: whatever a part has to say; finished parts stay.
    """
    wanted = range(solution.frames) if frames is None else frames
    if frames is None:
        parts.drop_damaged(solution.frames)
    for run in parts.missing(solution.frames):
        first, stop = max(run.start, wanted.start), min(run.stop, wanted.stop)
        if first < stop:
            render_chunk(render, solution, parts, range(first, stop), listener)


def discard(render: Render, folder: Path, origin: str = "") -> None:
    """Removes what a render in chunks has made so far, images under their final names included."""
    solution = Solution.open(folder / SOLUTION, origin)
    if solution is not None:
        open_parts(render, solution, folder / PARTS).discard()


def open_parts(render: Render, solution: Solution, folder: Path) -> ResumableSink:
    """The output, to be written in parts; the folder keeps what must outlive a crash.

    Raises:
        SettingError: the output cannot be written in parts.
    """
    if render.target.open_parts is None:
        raise SettingError(f"{render.target.name} cannot be written in parts; render it in one go.")
    with _drawing(render, solution) as drawing:
        return render.target.open_parts(drawing.spec(), folder)


def render_chunk(
    render: Render, solution: Solution, parts: ResumableSink, run: range, listener: Listener | None = None
) -> None:
    """Draws and writes the frames of a run that begins at a multiple of ``parts.part_length``.

    Raises:
        LpError: whatever a part has to say; finished parts stay.
    """
    done = solution.frames - sum(len(missing) for missing in parts.missing(solution.frames))
    meter = Meter("render", solution.frames, listener, render.clock, done)

    def counted(frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield frame
            meter.step()

    with (
        closing(draw_frames(render, solution, run.start, run.stop)) as drawn,
        ReadAhead(drawn, QUEUE_DEPTH, "draw") as ahead,
    ):
        parts.write(run.start, counted(iter(ahead)))


def draw_frames(render: Render, solution: Solution, first: int, stop: int) -> Generator[Frame]:
    """The frames of a half-open range of the result, drawn from the solution.

    A video has no frame that can be reached without those before it, so the source and the driving video are
    decoded from their beginning; nothing is analysed and nothing drawn before ``first``.

    Raises:
        SettingError: the range is not within the result.
    """
    if not 0 <= first < stop <= solution.frames:
        raise SettingError(
            f"Frames {first} to {stop - 1} are asked for; there are 0 to {solution.frames - 1}."
        )
    output = render.target.settings
    passes = output.pass_names
    begin, end = first, stop
    if "motion" in passes:  # a frame's motion needs the one after it, that of the very last the one before
        begin, end = max(first - (stop == solution.frames), 0), min(stop + 1, solution.frames)
    with ExitStack() as stack:
        drawn = [
            _drawn(part, solved, range(begin, end), stack)
            for part, solved in zip((render, *render.others), (solution, *solution.others), strict=True)
        ]
        whole = laid_together(drawn, render.names) if render.others else drawn[0]
        for frame in with_passes(whole, passes, render.source.info, alpha=output.alpha):
            if first <= frame.index < stop:
                yield frame


def _drawn(render: Render, solution: Solution, frames: range, stack: ExitStack) -> Iterator[DrawnFrame]:
    """Some frames of the result with one face animated."""
    drawing = stack.enter_context(_drawing(render, solution))
    drivers = drawing.drivers(stack, frames.start)
    sources = _sources(drawing, solution, frames.start, stack)
    pairs = islice(zip(sources, drivers, strict=False), len(frames))
    return keeping_remarks(drawing.drawn(pairs, {}, frames.start), solution.folder)


def conform(
    render: Render, solution: Solution, parts: ResumableSink, listener: Listener | None = None
) -> Summary:
    """Makes the whole of its parts under its final name and signs it.

    Raises:
        InputChanged: an input is no longer what it was when the render was assembled.
        MediaError: parts are missing, or the whole cannot be written.
    """
    if listener is not None:
        listener(Progress("join", solution.frames, solution.frames, 0.0, None))
    render.inputs.check()
    told = parts.join(solution.frames)
    with _drawing(render, solution) as drawing:
        solved = [note for one in (solution, *solution.others) for note in one.notes]
        drawing.notes.extend((*render.notes, *solved, *told))
        for one in (solution, *solution.others):
            for remark, indices in kept_remarks(one.folder).items():
                drawing.remarks.setdefault(remark, {}).update(indices)
        summary = drawing.summary(solution.frames, lost_frames(solution, drawing))
    return sealed(summary, render.seal)


@contextmanager
def _drawing(render: Render, solution: Solution) -> Iterator[Drawing]:
    if render.engine.info.name != solution.engine:
        raise SettingError(
            f"The shot was solved for the {solution.engine} engine, not for {render.engine.info.name}; solve it again."
        )
    with render.drawing(solution.folder, []) as drawing:
        yield drawing


def _sources(drawing: Drawing, solution: Solution, first: int, stack: ExitStack) -> Iterator[SourceFrame]:
    """The source at every output frame from ``first`` on, prepared as it was for the solution."""
    source, faces = drawing.source, solution.faces
    fronts = drawing.fronts and stack.enter_context(drawing.fronts())
    if isinstance(source, Still):
        face = faces.face(0) or source.face
        return repeat(still_source(source.frame, face, drawing.engine, solution.tuning, fronts))
    followed = stack.enter_context(closing(faces_of_source(source, faces)))
    frames = filmed_source(
        followed,
        source.info.rate,
        drawing.rate,
        drawing.engine,
        lambda *_: solution.tuning,
        first,
        fronts,
        drawing.layers and stack.enter_context(drawing.layers()),
    )
    return stack.enter_context(ReadAhead(frames, QUEUE_DEPTH, "source"))
