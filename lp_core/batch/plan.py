"""A plan: which shots are rendered from what, in which chunks; versioned JSON, so that any machine can take part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lp_core.errors import MALFORMED, SettingError, UnreadableMedia
from lp_core.files import ensure_folder, write_whole
from lp_core.job import SCHEMA as JOB_SCHEMA
from lp_core.job import VERSION as JOB_VERSION
from lp_core.job import RenderJob
from lp_core.media.frame_pattern import SequencePattern
from lp_core.media.resumable import FilmParts, SequenceParts
from lp_core.timing import exact_number

SCHEMA, VERSION = "lpsuite.batch", 2
CHUNK_FRAMES = 240
"""Frames of a chunk where nothing else is asked for: some ten seconds of video."""
PLAN_FILE = "plan.json"
WORK = "work"
"""Folder, next to the results, of what is not finished and of what is known of finished shots."""
BUNDLE = "bundle"
"""Folder in there for the media of an .otioz timeline."""


@dataclass(frozen=True)
class Shot:
    """One render; several clips of the timeline may show it."""

    id: str
    """What it is made of, in ten characters; stays when the timeline changes around it."""
    name: str
    """Name of its first clip."""
    words: str
    """Its first clip in words, for messages."""
    clips: tuple[int, ...]
    """Numbers of its clips in the walk of the timeline."""
    job: RenderJob
    """The render; its output is relative to the batch's folder."""
    is_still: bool
    """True: the source is a single image."""
    frames: int
    """Frames of the result, handles included."""
    fps: str
    """Rate of the result, an exact fraction."""
    clock_start: float
    """Time of the first frame by the media's clock, in frames of ``clock_rate``."""
    clock_rate: float
    """Rate in the timeline's own words."""
    driver_frames: tuple[int, int] | None
    """First and last frame read of a filmed performance, by its own numbers; None: all of it."""
    driver_fps: str | None
    """Rate of a performance that is an image sequence; None: its own."""
    driver_start_s: str
    """Time within the performance at the first frame of the result, an exact fraction."""
    driver_speed: str
    """Performance seconds a second of the result; negative: backwards."""
    driver_missing: str = ""
    """What a performance that is a sequence shows for a missing image; empty: as the settings say."""
    beside_start_s: str = "0"
    """Time since the clip's head at the first frame of the result, an exact fraction: where a face's own performance
    is."""
    beside_speed: str = "1"
    """Timeline seconds a second of the result."""
    size: tuple[int, int] = (0, 0)
    """Width and height in pixels."""
    estimate_s: float = 0.0
    """Seconds it is guessed to take."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    is_job: bool = False
    """True: a separate job, no clip of a timeline; range and timing are the job's."""

    def render_job(self, folder: Path, device: str | None = None) -> RenderJob:
        """The render with the full path of its output.

        Args:
            folder: of the batch.
            device: where the networks run; None: as the settings say.
        """
        settings = self.job.settings
        if device is not None:
            settings = replace(settings, engine=replace(settings.engine, device=device))
        return replace(self.job, output=str(folder / self.output), settings=settings)

    @property
    def output(self) -> str:
        """The result, relative to the batch's folder."""
        return self.job.output

    @property
    def part_length(self) -> int:
        """Frames of the smallest part that is kept through a crash."""
        is_film = SequencePattern.parse(self.output) is None
        return FilmParts.part_length if is_film else SequenceParts.part_length


@dataclass(frozen=True)
class Chunk:
    """Frames of a shot that are rendered in one go."""

    shot: int
    """Number of the shot in the plan."""
    first: int
    stop: int


@dataclass(frozen=True)
class ShotProblem:
    """A marked clip that is left as it is."""

    clip: int
    words: str
    kind: str
    """missing (media that is not there), mark, media, or range."""
    message: str


@dataclass(frozen=True)
class BatchPlan:
    """Everything that a run needs to know."""

    timeline: str
    """Absolute path of the timeline."""
    output: str
    """Absolute path of the batch's folder."""
    shots: tuple[Shot, ...]
    chunk_frames: int = CHUNK_FRAMES
    problems: tuple[ShotProblem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """What was found in the timeline: clips, marked, and what was passed over."""
    notes: tuple[str, ...] = ()
    file_types: tuple[str, ...] = ()
    """Suffixes of further formats in which the timeline is written."""
    overwrite: bool = False
    """True: files of others may be replaced."""

    @property
    def folder(self) -> Path:
        """The batch's folder."""
        return Path(self.output)

    @property
    def is_job(self) -> bool:
        """True where one job is planned, not a timeline; ``timeline`` is the job's file then."""
        return bool(self.shots) and all(shot.is_job for shot in self.shots)

    @property
    def frames(self) -> int:
        """Frames of all shots."""
        return sum(shot.frames for shot in self.shots)

    def work(self, shot: Shot) -> Path:
        """Folder of a shot's unfinished work."""
        return self.folder / WORK / shot.id

    def chunks(self) -> list[Chunk]:
        """All chunks, shot by shot; every one begins at a multiple of the shot's part length."""
        return [chunk for number, shot in enumerate(self.shots) for chunk in self.chunks_of(number, shot)]

    def chunks_of(self, number: int, shot: Shot) -> Iterator[Chunk]:
        """The chunks of one shot."""
        length = -(-max(self.chunk_frames, 1) // shot.part_length) * shot.part_length
        for first in range(0, shot.frames, length):
            yield Chunk(number, first, min(first + length, shot.frames))

    def shot_of(self, id_: str) -> Shot:
        """The shot of a name.

        Raises:
            SettingError: there is none.
        """
        for shot in self.shots:
            if shot.id == id_:
                return shot
        raise SettingError(f"The plan has no shot {id_}; those of lpsuite batch --plan are in {PLAN_FILE}.")

    def to_json(self) -> str:
        """The plan as JSON text."""
        values = asdict(self)
        for shot in values["shots"]:
            shot["job"] = {"schema": JOB_SCHEMA, "version": JOB_VERSION, **shot["job"]}
        return json.dumps({"schema": SCHEMA, "version": VERSION, **values}, indent=1)

    def write(self) -> Path:
        """Writes the plan into the batch's folder."""
        ensure_folder(self.folder)
        path = self.folder / PLAN_FILE
        write_whole(path, self.to_json())
        return path


def read_plan(path: Path) -> BatchPlan:
    """Reads a plan.

    Raises:
        UnreadableMedia: it cannot be read.
        SettingError: it is not a plan, or of a newer version.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableMedia(
            f"{path} cannot be read ({error.strerror}); make it with lpsuite batch --plan."
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{path} is not a plan: {error}.") from error
    if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
        raise SettingError(f"{path} is not a plan; make one with lpsuite batch --plan.")
    if values.pop("version", None) != VERSION:
        raise SettingError(f"{path} is a plan of another version of LP Suite; make it again.")
    try:
        shots = tuple(_shot(shot) for shot in values.pop("shots"))
        problems = tuple(ShotProblem(**problem) for problem in values.pop("problems"))
        for name in ("notes", "file_types"):
            values[name] = tuple(values[name])
        return BatchPlan(shots=shots, problems=problems, **values)
    except MALFORMED as error:
        raise SettingError(f"{path} is not a whole plan ({error}); make it again.") from error


def _shot(values: dict[str, Any]) -> Shot:
    frames = values.pop("driver_frames")
    for name in ("clips", "size", "notes"):
        values[name] = tuple(values[name])
    for name in ("driver_start_s", "driver_speed", "beside_start_s", "beside_speed"):
        exact_number(values.get(name, "0"))
    job = RenderJob.from_json(json.dumps(values.pop("job")))
    return Shot(job=job, driver_frames=None if frames is None else (int(frames[0]), int(frames[1])), **values)
