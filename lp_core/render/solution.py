"""A solved shot: everything that needs the whole clip, computed once and stored in a folder.

After that every frame of the result depends on the folder, the source and the driving image of that frame
alone, so that any frames can be drawn in any order, by any number of processes, with the same bytes.

``solve`` writes the folder step by step; a step that was finished is not done again:

    performance.lpmotion   the performance as it was measured
    sample.npz             frames that span it, for calibration (removed when the shot is solved)
    faces.bin, faces.json  the source's face in every frame (one record for a still)
    face1, face2           the same for the further faces of a cast
    tuning.npz             what calibration found
    solution.json          facts; stands last, and its presence means that the rest is whole
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lp_core.engines.base import NO_TUNING, Portrait, Tuning
from lp_core.errors import MALFORMED, BadMotionFile, SettingError
from lp_core.faces.base import Face
from lp_core.files import ensure_folder, sha256_of
from lp_core.frame import Frame
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.render.calibration import needs_trials, survey, tune
from lp_core.render.drawing import Drawing
from lp_core.render.edges import QUEUE_DEPTH, FilmedFace, Still
from lp_core.render.pipeline import ReadAhead
from lp_core.render.read_performance import MOTION_FILE, SAMPLE_FILE, read_samples, store_performance
from lp_core.render.render import Render
from lp_core.render.report import Listener, Meter, runs_of
from lp_core.render.retime import at_rate
from lp_core.render.stored_arrays import load_arrays, save_arrays, write_json
from lp_core.render.stored_faces import FACES_FILE, StoredFaces, read_faces, write_faces

SCHEMA, VERSION = "lpsuite.solution", 1
_TUNING, _FACTS = "tuning.npz", "solution.json"
_KEPT = (MOTION_FILE, FACES_FILE, _TUNING)


@dataclass(frozen=True)
class Solution:
    """A solved shot, read from its folder."""

    folder: Path
    """Where it is."""
    origin: str
    """What it was made of, in the caller's words: a job's JSON, say."""
    engine: str
    """Engine it was made with and for."""
    frames: int
    """Frames of the result."""
    rate: str
    """Frames per second of the result, an exact fraction."""
    faces: StoredFaces
    """The source's face in every frame."""
    tuning: Mapping[str, NDArray[Any]]
    """What calibration found; empty without it."""
    notes: tuple[str, ...]
    """Sentences for the summary."""
    others: tuple[Solution, ...] = ()
    """Of a cast: those of its further faces."""

    @classmethod
    def open(cls, folder: Path, origin: str) -> Solution | None:
        """Reads a solution; None when the shot is not solved yet.

        Raises:
            SettingError: it was made of something else, or by a newer version.
            BadMotionFile: a file is damaged.
        """
        facts = _facts(folder)
        if facts is None:
            return None
        if facts.get("version") != VERSION:
            raise SettingError(f"{folder} holds a solution of another version; solve the shot again.")
        if facts["origin"] != origin:
            raise SettingError(f"{folder} holds the solution of another job; use another folder.")
        faces = read_faces(folder)
        if faces is None:
            raise BadMotionFile(f"{folder} lacks the faces of its solution; solve the shot again.")
        return cls(
            folder,
            origin,
            str(facts["engine"]),
            int(facts["frames"]),
            str(facts["rate"]),
            faces,
            load_arrays(folder / _TUNING),
            tuple(str(note) for note in facts["notes"]),
            tuple(
                _opened(cls, face_folder(folder, at + 1), origin) for at in range(int(facts.get("others", 0)))
            ),
        )

    def check(self) -> None:
        """Compares the files with their checksums; reads all of them.

        Raises:
            BadMotionFile: one is damaged or lost.
        """
        sums = (_facts(self.folder) or {}).get("files")
        for name in _KEPT:
            path = self.folder / name
            if not isinstance(sums, dict) or not path.is_file() or sha256_of(path) != sums.get(name):
                raise BadMotionFile(f"{path} is damaged; solve the shot again.")

    def motion(self) -> MotionReader:
        """Opens the performance."""
        return MotionReader(self.folder / MOTION_FILE)


def solve(render: Render, folder: Path, listener: Listener | None = None, origin: str = "") -> Solution:
    """Does everything that needs the whole clip, or what an earlier run left of it.

    Args:
        render: the shot.
        folder: for the solution; made if need be.
        listener: takes progress; what it raises stops the work, and finished steps stay.
        origin: what the solution is made of, in the caller's words.

    Raises:
        LpError: whatever a part has to say.
    """
    try:
        return _all_solved(render, folder, listener, origin)
    except BadMotionFile:
        if not folder.exists():
            raise
        shutil.rmtree(folder)  # a step that is damaged on the disk is done again, once
        return _all_solved(render, folder, listener, origin)


def face_folder(folder: Path, number: int) -> Path:
    """Folder of a further face of a cast, numbered from 1."""
    return folder / f"face{number}"


def _opened(kind: type[Solution], folder: Path, origin: str) -> Solution:
    found = kind.open(folder, origin)
    if found is None:
        raise BadMotionFile(f"{folder} lacks the solution of a face; solve the shot again.")
    return found


def _all_solved(render: Render, folder: Path, listener: Listener | None, origin: str) -> Solution:
    """Every face of a cast, the first one last: its facts say that all are there."""
    for number, other in enumerate(render.others, 1):
        _solved(other, face_folder(folder, number), listener, origin)
    return _solved(render, folder, listener, origin)


def _solved(render: Render, folder: Path, listener: Listener | None, origin: str) -> Solution:
    found = Solution.open(folder, origin)
    if found is not None:
        found.check()
        return found
    ensure_folder(folder)
    notes = store_performance(render, folder, listener)
    if read_faces(folder) is None:
        _store_faces(render, folder, listener)
    faces = read_faces(folder)
    if faces is None:
        raise BadMotionFile(f"{folder} lost its faces while they were written; check its disk.")
    notes.extend((*faces.notes, *render.measured()))
    with render.drawing(folder, []) as drawing:
        total = drawing.count(len(faces))
        if not (folder / _TUNING).exists():
            save_arrays(folder / _TUNING, _tuning(render, drawing, faces, folder, listener))
        rate = str(drawing.rate)
    render.inputs.check()
    facts = {
        "schema": SCHEMA,
        "version": VERSION,
        "origin": origin,
        "engine": render.engine.info.name,
        "frames": total,
        "rate": rate,
        "notes": notes,
        "others": len(render.others),
        "files": {name: sha256_of(folder / name) for name in _KEPT},
    }
    write_json(folder / _FACTS, facts)
    (folder / SAMPLE_FILE).unlink(missing_ok=True)
    solution = Solution.open(folder, origin)
    if solution is None:
        raise BadMotionFile(f"{folder} lost its solution while it was written; check its disk.")
    return solution


def lost_frames(solution: Solution, drawing: Drawing) -> tuple[tuple[int, int], ...]:
    """Runs of the source's frames that are shown and in which its face was lost."""
    source = drawing.source
    if not isinstance(source, FilmedFace):
        return ()
    shown = dict.fromkeys(at_rate(range(len(solution.faces)), source.info.rate, drawing.rate))
    return runs_of(index for index in shown if not solution.faces.rows[index]["found"])


def _store_faces(render: Render, folder: Path, listener: Listener | None) -> None:
    """Step two: the source's faces."""
    source = render.source
    if not isinstance(source, FilmedFace):
        write_faces(folder, [source.face], [])
        return
    meter = Meter("analyse", source.info.frame_count, listener, render.clock)
    notes: list[str] = []

    def faces(followed: Iterator[tuple[Frame, Face | None]]) -> Iterator[Face | None]:
        for _, face in followed:
            yield face
            meter.step()
        meter.finish()

    with closing(source.followed(notes.append)) as followed:
        write_faces(folder, faces(followed), notes, source.face)


def _tuning(
    render: Render, drawing: Drawing, faces: StoredFaces, folder: Path, listener: Listener | None
) -> Tuning:
    """Step three: calibration, and the survey of a filmed source."""
    samples = read_samples(render, folder, drawing.motion)
    tuned = NO_TUNING
    if needs_trials(render, samples):
        model: Portrait = render.engine.prepare(*_model(drawing, faces))
        tuned = tune(render, drawing.timeline, samples, model, listener)
    return {
        **tuned,
        **survey(render, drawing.timeline, lambda: closing(faces_of_source(render.source, faces))),
    }


def faces_of_source(source: Still | FilmedFace, faces: StoredFaces) -> Generator[tuple[Frame, Face | None]]:
    """Every frame of a source with its stored face."""
    if isinstance(source, Still):
        yield source.frame, faces.face(0)
        return
    with source.open() as clip, ReadAhead(clip, QUEUE_DEPTH, "decode") as frames:
        for frame in frames:
            yield frame, faces.face(frame.index)


def _model(drawing: Drawing, faces: StoredFaces) -> tuple[Frame, Face]:
    """The first frame that is shown with its face."""
    source = drawing.source
    with closing(faces_of_source(source, faces)) as followed:
        for frame, face in at_rate(followed, source.info.rate, drawing.rate):
            if face is not None:
                return frame, face
    if isinstance(source, FilmedFace):
        source.require([], source.info.width, source.info.height)
    raise BadMotionFile("The source shows its face only between the frames that are shown; change --fps.")


def _facts(folder: Path) -> dict[str, Any] | None:
    path = folder / _FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, *MALFORMED) as error:
        raise BadMotionFile(f"{path} is damaged ({error}); solve the shot again.") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise BadMotionFile(f"{path} is not a solution; use another folder.")
    return facts
