"""What worker and client say to each other, as values. Standard library only, Python 3.7 syntax.

Everything travels as JSON over HTTP; the version of this language is in the first answer (``/health``).
"""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

PROTOCOL = 1
"""Version of the language; raised when an older client would misunderstand a newer worker."""

KINDS = ("animate", "extract", "upscale", "say", "batch")
"""Kinds of jobs; a worker takes those whose code is installed."""

STATES = ("queued", "running", "done", "failed", "cancelled")
ENDED = ("done", "failed", "cancelled")
"""States that a job never leaves."""


@dataclass(frozen=True)
class PhaseInfo:
    """What a reporter needs to know about one phase of a job."""

    label: str
    """What the user reads, such as 'Rendering'."""
    gain: int
    """Rises from phase to phase by more than any frame count, so that (gain + frame) measures progress."""
    share: Tuple[float, float]
    """Part of a batch shot's whole work, 0 to 1, in which the phase begins and ends."""


_STEP = 10**9

PHASES: Dict[str, PhaseInfo] = {
    "prepare": PhaseInfo("Preparing", 0, (0.0, 0.0)),
    "speak": PhaseInfo("Speaking", 0, (0.0, 0.0)),
    "analyse": PhaseInfo("Reading the performance", 0, (0.0, 0.3)),
    "calibrate": PhaseInfo("Calibrating", _STEP, (0.3, 0.3)),
    "render": PhaseInfo("Rendering", 2 * _STEP, (0.3, 1.0)),
    "upscale": PhaseInfo("Upscaling", 2 * _STEP, (0.3, 1.0)),
    "join": PhaseInfo("Joining the video", 3 * _STEP, (1.0, 1.0)),
}
"""Every phase that a job reports, in order. All reporters read this table."""


def phase_label(phase: str) -> str:
    """The label of a phase; a phase that only a newer worker knows is shown by its name."""
    found = PHASES.get(phase)
    return phase if found is None else found.label


@dataclass(frozen=True)
class JobProgress:
    """How far a job has come."""

    phase: str
    """What it is doing; a key of PHASES."""
    frame: int
    """Frames done in this phase."""
    total: Optional[int]
    """Frames of this phase; None when nobody knows."""
    fps: float
    """Frames a second."""
    eta_s: Optional[float]
    """Seconds left in this phase; None when nobody knows."""

    @classmethod
    def from_json(cls, values: Dict[str, Any]) -> "JobProgress":
        """Reads the worker's words; words of newer workers are left out."""
        return cls(
            str(values.get("phase", "")),
            int(values.get("frame", 0)),
            values.get("total"),
            float(values.get("fps", 0.0)),
            values.get("eta_s"),
        )


@dataclass(frozen=True)
class JobError:
    """Why a job failed."""

    code: str
    """Wire code, as in lp_core.errors."""
    message: str
    """One sentence that says what to do."""


@dataclass(frozen=True)
class JobStatus:
    """A job as the worker knows it."""

    id: str
    """Name of the job."""
    kind: str
    """One of KINDS."""
    state: str
    """One of STATES."""
    priority: int
    """Higher goes first."""
    output: str
    """File or frame pattern that it makes."""
    created_s: float
    """When it was submitted, seconds since 1970."""
    started_s: Optional[float]
    """When it was last taken up; None: not yet."""
    ended_s: Optional[float]
    """When it ended; None: it has not."""
    progress: Optional[JobProgress]
    """How far it has come; None before it began."""
    error: Optional[JobError]
    """Why it failed."""
    summary: Optional[Dict[str, Any]]
    """What came of it: output, frames, rate, engine, seconds, notes and more."""
    parameters: Dict[str, Any]
    """What was asked for: source, driving, output, settings."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ENDED

    @classmethod
    def from_json(cls, values: Dict[str, Any]) -> "JobStatus":
        """Reads the worker's words; words of newer workers are left out."""
        progress, error = values.get("progress"), values.get("error")
        return cls(
            str(values["id"]),
            str(values["kind"]),
            str(values["state"]),
            int(values.get("priority", 0)),
            str(values.get("output", "")),
            float(values.get("created_s", 0.0)),
            values.get("started_s"),
            values.get("ended_s"),
            None if progress is None else JobProgress.from_json(progress),
            None if error is None else JobError(str(error["code"]), str(error["message"])),
            values.get("summary"),
            values.get("parameters") or {},
        )


@dataclass(frozen=True)
class JobEvent:
    """One thing that happened to a job: exactly one of the three is reported."""

    job: str
    """Name of the job."""
    status: Optional[JobStatus] = None
    """The job, when its state changed; the first event of every subscription."""
    progress: Optional[JobProgress] = None
    """How far it has come."""
    log: Optional[str] = None
    """A sentence for the user."""

    @classmethod
    def from_json(cls, kind: str, values: Dict[str, Any]) -> "JobEvent":
        """Reads an event of a kind ('state', 'progress' or 'log')."""
        if kind == "state":
            return cls(str(values["id"]), status=JobStatus.from_json(values))
        if kind == "progress":
            return cls(str(values["job"]), progress=JobProgress.from_json(values))
        return cls(str(values["job"]), log=str(values.get("text", "")))
