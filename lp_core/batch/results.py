"""What became of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lp_core.batch.plan import BatchPlan, Shot
from lp_core.errors import MediaMissing, ShotsFailed

State = Literal["rendered", "up to date", "failed"]
UNEXPECTED = "unexpected"
"""Code of a failure that the program did not foresee."""


def unexpected(error: Exception) -> str:
    """A sentence about an error that the program did not foresee."""
    if isinstance(error, MemoryError):
        return "The memory did not suffice; close other programs, or render it at a smaller size."
    return (
        f"This is an unexpected error, please report it with the log: {type(error).__name__}: {error} The other "
        "clips are not affected."
    )


@dataclass(frozen=True)
class ShotResult:
    """What became of a shot."""

    shot: Shot
    state: State
    record: Mapping[str, Any] | None
    """What is known of it when it is finished."""
    message: str = ""
    """Why it failed."""
    code: str = ""
    """Wire code of the error."""
    seconds: float = 0.0
    """Time it took in this run."""

    @property
    def figures(self) -> dict[str, Any]:
        """Frames, lost faces, jitter and time of the render."""
        if self.record is None:
            return {}
        summary = self.record["summary"]
        return {
            "frames": summary["frames"],
            "rate": summary["rate"],
            "engine": summary["engine"],
            "lost_driving_frames": _length(summary["lost_driving_frames"]),
            "lost_source_frames": _length(summary["lost_source_frames"]),
            "jitter_deg": self.record["jitter_deg"],
            "seconds": summary["seconds"],
            "signature": summary["signature"],
        }


def _length(runs: Any) -> int:  # noqa: ANN401 - plain values
    return sum(last - first + 1 for first, last in runs)


@dataclass(frozen=True)
class BatchSummary:
    """The whole of it."""

    plan: BatchPlan
    results: tuple[ShotResult, ...]
    timelines: tuple[str, ...]
    """Timelines written."""
    notes: tuple[str, ...]

    def count(self, state: State) -> int:
        """Number of shots that ended this way."""
        return sum(result.state == state for result in self.results)

    @property
    def exit_code(self) -> int:
        """0; else that of ShotsFailed, or of MediaMissing where nothing but media was lacking."""
        kinds = {problem.kind for problem in self.plan.problems}
        if self.count("failed") or kinds - {"missing"}:
            return ShotsFailed.exit_code
        return MediaMissing.exit_code if kinds else 0

    def as_json(self) -> dict[str, Any]:
        """The summary as plain values, with its type."""
        return {
            "type": "summary",
            "output": self.timelines[0],
            "timelines": list(self.timelines),
            "frames": sum(result.figures.get("frames", 0) for result in self.results),
            "rendered": self.count("rendered"),
            "up_to_date": self.count("up to date"),
            "failed": self.count("failed"),
            "problems": [
                {"clip": item.words, "kind": item.kind, "message": item.message}
                for item in self.plan.problems
            ],
            "shots": [
                {
                    "id": result.shot.id,
                    "name": result.shot.name,
                    "state": result.state,
                    "output": str(self.plan.folder / result.shot.output),
                    "message": result.message,
                    **result.figures,
                }
                for result in self.results
            ],
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """What a user should read, the sum last."""
        lines = [*self.notes]
        for result in self.results:
            lines.extend(result.shot.notes)
        lines.extend(item.message for item in self.plan.problems)
        lines.extend(f"{item.shot.words}: {item.message}" for item in self.results if item.state == "failed")
        text = f"{self.timelines[0]}: {self.count('rendered')} shots rendered, {self.count('up to date')} up to date"
        if self.count("failed") or self.plan.problems:
            text += f", {self.count('failed')} failed, {len(self.plan.problems)} clips left as they are"
        return [*dict.fromkeys(lines), text + "."]
