"""A solved shot: everything that needs the whole clip, computed once and stored in a folder.

After that every frame of the result depends on the folder, the source and the driving picture of that frame
alone, so that any frames can be drawn in any order, by any number of processes, with the same bytes.

``solve`` writes the folder step by step; a step that was finished is not done again:

    performance.lpmotion   the performance as it was measured
    sample.npz             frames that span it, for calibration (removed when the shot is solved)
    faces.bin, faces.json  the source's face in every frame (one record for a still)
    tuning.npz             what calibration found
    solution.json          facts; stands last, and its presence means that the rest is whole
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import DrivingPicture, Portrait, TrialFrame
from lp_core.errors import BadMotionFile, SettingError
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.files import ensure_folder, replacing, write_whole
from lp_core.frame import Frame
from lp_core.motion.files.lpmotion import MotionReader, MotionWriter
from lp_core.motion.sequence import MOTION_ARRAYS, MotionFrame
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.edges import BLOCK, FilmedFace, Motion, StoredMotion
from lp_core.render.performance_sample import DENSITIES, PerformanceSample
from lp_core.render.read_performance import record_motion, sample_stored
from lp_core.render.render import Drawing, Render
from lp_core.render.report import Listener, Meter, runs_of
from lp_core.render.retime import at_rate
from lp_core.render.stored_faces import StoredFaces, read_faces, write_faces

SCHEMA, VERSION = "lpsuite.solution", 1
_MOTION, _SAMPLE, _TUNING, _FACTS = "performance.lpmotion", "sample.npz", "tuning.npz", "solution.json"


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
            _load_arrays(folder / _TUNING),
            tuple(str(note) for note in facts["notes"]),
        )

    def motion(self) -> MotionReader:
        """Opens the performance."""
        return MotionReader(self.folder / _MOTION)


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
    found = Solution.open(folder, origin)
    if found is not None:
        return found
    ensure_folder(folder)
    notes = _store_motion(render, folder, listener)
    if read_faces(folder) is None:
        _store_faces(render, folder, listener)
    faces = read_faces(folder)
    if faces is None:
        raise BadMotionFile(f"{folder} lost its faces while they were written; check its disk.")
    notes.extend(faces.notes)
    with MotionReader(folder / _MOTION) as motion:
        timeline = MotionTimeline(motion, render.motion, render.face.on_lost)
        drawing = Drawing(render, motion, timeline, [])
        total = drawing.count(len(faces))
        if not (folder / _TUNING).exists():
            _store_tuning(drawing, faces, folder, listener)
        rate = str(drawing.rate)
    facts = {
        "schema": SCHEMA,
        "version": VERSION,
        "origin": origin,
        "engine": render.engine.info.name,
        "frames": total,
        "rate": rate,
        "notes": notes,
    }
    _write_json(folder / _FACTS, facts)
    (folder / _SAMPLE).unlink(missing_ok=True)
    solution = Solution.open(folder, origin)
    if solution is None:
        raise BadMotionFile(f"{folder} lost its solution while it was written; check its disk.")
    return solution


def lost_frames(solution: Solution, drawing: Drawing) -> tuple[tuple[int, int], ...]:
    """Runs of the source's frames that are shown and in which its face was lost."""
    source = drawing.render.source
    if not isinstance(source, FilmedFace):
        return ()
    shown = dict.fromkeys(at_rate(range(len(solution.faces)), source.info.rate, drawing.rate))
    return runs_of(index for index in shown if not solution.faces.rows[index]["found"])


def _store_motion(render: Render, folder: Path, listener: Listener | None) -> list[str]:
    """Step one: the performance; returns what was to be told about it."""
    facts = folder / "performance.json"
    if facts.exists():
        return [str(note) for note in json.loads(facts.read_text(encoding="utf-8"))["notes"]]
    notes: list[str] = []
    path, driving = folder / _MOTION, render.driving
    if isinstance(driving, StoredMotion):
        with driving.open() as motion:
            _copy_motion(motion, path)
    else:
        sample = PerformanceSample(DENSITIES[render.calibration])
        meter = Meter("analyse", driving.info.frame_count, listener, render.clock)
        with MotionWriter(
            path, driving.info.rate, render.engine.info.rig, driving.name, overwrite=True
        ) as writer:
            record_motion(driving, render.engine, writer.append, meter, notes.append, sample)
            writer.commit()
        _save_arrays(folder / _SAMPLE, _sample_arrays(sample.samples))
    _write_json(facts, {"notes": notes})
    return notes


def _copy_motion(motion: Motion, path: Path) -> None:
    with MotionWriter(
        path, motion.rate, motion.rig, motion.origin, motion.metadata, overwrite=True
    ) as writer:
        for first in range(0, len(motion), BLOCK):
            writer.extend(motion.rows(first, min(first + BLOCK, len(motion))))
        writer.commit()


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
        write_faces(folder, faces(followed), notes)


def _store_tuning(drawing: Drawing, faces: StoredFaces, folder: Path, listener: Listener | None) -> None:
    """Step three: calibration."""
    render = drawing.render
    samples = _samples(drawing, folder) if render.trial_analyzer is not None else []
    tuning: Mapping[str, NDArray[Any]] = {}
    if samples and render.trial_analyzer is not None:
        watched = replace(render, trial_analyzer=_watched(render.trial_analyzer, listener, render.clock))
        portrait = _model(drawing, faces)
        tuning = render.engine.tuning_of(watched.tuned(portrait, samples, drawing.timeline.reference))
    if isinstance(render.source, FilmedFace):
        with closing(_plate(render.source, faces)) as plate:
            tuning = {**tuning, **drawing.surveyed(plate)}
    _save_arrays(folder / _TUNING, tuning)


def _plate(source: FilmedFace, faces: StoredFaces) -> Generator[tuple[Frame, Face | None]]:
    with source.open() as frames:
        for frame in frames:
            yield frame, faces.face(frame.index)


def _model(drawing: Drawing, faces: StoredFaces) -> Portrait:
    """The first frame that is shown with its face, prepared."""
    render, source = drawing.render, drawing.render.source
    model: Portrait
    if not isinstance(source, FilmedFace):
        model = render.engine.prepare(source.frame, source.face)
        return model
    with ExitStack() as stack:
        frames = stack.enter_context(source.open())
        for frame in at_rate(frames, source.info.rate, drawing.rate):
            face = faces.face(frame.index)
            if face is not None:
                model = render.engine.prepare(frame, face)
                return model
    source.require([], source.info.width, source.info.height)
    raise BadMotionFile(f"{source.name} shows its face between the frames that are shown only; change --fps.")


def _samples(drawing: Drawing, folder: Path) -> list[TrialFrame]:
    if isinstance(drawing.render.driving, StoredMotion):
        return sample_stored(drawing.motion, DENSITIES[drawing.render.calibration]).samples
    arrays = _load_arrays(folder / _SAMPLE)
    samples = []
    for index in range(len(arrays["scale"])):
        motion = MotionFrame(**{name: arrays[name][index] for name in MOTION_ARRAYS})
        pixels, landmarks = arrays.get(f"pixels{index}"), arrays.get(f"landmarks{index}")
        picture = None if pixels is None or landmarks is None else DrivingPicture(pixels, landmarks)
        samples.append(TrialFrame(motion, picture))
    return samples


def _sample_arrays(samples: Sequence[TrialFrame]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        name: np.stack([np.asarray(getattr(sample.motion, name)) for sample in samples])
        if samples
        else np.empty(0)
        for name in MOTION_ARRAYS
    }
    for index, sample in enumerate(samples):
        if sample.driving is not None:
            arrays[f"pixels{index}"] = sample.driving.pixels
            arrays[f"landmarks{index}"] = sample.driving.landmarks_frame
    return arrays


class _WatchedAnalyzer:
    """Counts the pictures that are tried, so that calibration shows progress and can be stopped."""

    def __init__(self, analyzer: FaceAnalyzer, step: Callable[[], None]) -> None:
        self._analyzer, self._step = analyzer, step
        self.scheme = analyzer.scheme

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        self._step()
        return self._analyzer.analyze(picture, time_ms)

    def close(self) -> None:
        self._analyzer.close()


def _watched(
    open_analyzer: Callable[[], FaceAnalyzer], listener: Listener | None, clock: Callable[[], float]
) -> Callable[[], FaceAnalyzer]:
    meter, lock = Meter("calibrate", None, listener, clock), threading.Lock()

    def step() -> None:
        with lock:  # trials run in threads of their own
            meter.step()

    return lambda: _WatchedAnalyzer(open_analyzer(), step)


def _facts(folder: Path) -> dict[str, Any] | None:
    path = folder / _FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadMotionFile(f"{path} is damaged ({error}); solve the shot again.") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise BadMotionFile(f"{path} is no solution; use another folder.")
    return facts


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(values))


def _save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError) as error:
        raise BadMotionFile(f"{path} is damaged ({error}); solve the shot again.") from error
