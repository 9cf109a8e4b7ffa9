"""Doing one job, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lp_core.errors import Cancelled, defect_message, missing_extra
from lp_core.files import ensure_folder, known_failure
from lp_core.render.report import Progress
from lp_core.worker.job_context import Interrupted, JobContext, JobKind
from lp_core.worker.job_store import Row

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of a job; plain values, so that it can pass between processes."""

    state: str
    """done, failed, cancelled, interrupted (the worker stops), or died (the process that did it is gone)."""
    summary: Mapping[str, Any] | None = None
    """What a finished job reports."""
    code: str | None = None
    """Wire code of a failure."""
    sentence: str = ""
    """A failure or a death in a sentence."""

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values."""
        return asdict(self)


Do = Callable[[Row, JobContext], Outcome]
"""Does a job in this process or another; raises nothing."""


def carry_out(
    kinds: Mapping[str, JobKind], kind: str, parameters: dict[str, Any], context: JobContext
) -> Outcome:
    """Does a job in this process.

    Args:
        kinds: name -> who does such jobs.
        kind: the job's.
        parameters: what was asked for.
        context: its folder, and the ways to report.
    """
    who = kinds.get(kind)
    if who is None:
        if kind == "talk":
            sentence = (
                "This worker serves no talks now; start it with --compat, then ask for the video again."
            )
            return Outcome("failed", None, "not_allowed", sentence)
        return Outcome(
            "failed", None, "missing_dependency", str(missing_extra(f"A job of the kind '{kind}'", "otio"))
        )
    try:
        ensure_folder(context.folder)
        context.progress(Progress("prepare", 0, None, 0.0, None))
        return Outcome("done", who.run(parameters, context))
    except Interrupted:
        return Outcome("interrupted")
    except Cancelled:
        return Outcome("cancelled")
    except Exception as error:
        known = known_failure(error)
        if known is not None:
            return Outcome("failed", None, known.wire_code, str(known))
        logger.exception("job %s", context.id)
        return Outcome("failed", None, "defect", defect_message(error))
