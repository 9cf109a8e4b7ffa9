"""The last resort of a thread: a defect ends it, is logged and reported, and is not swallowed."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


def reporting_defects(work: Callable[[], None], what: str, say: Callable[[str], object]) -> None:
    """Does the work of a thread; where it ends by a defect, says so in a sentence for the user."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - reported and logged
        _log.exception("%s ended by a defect", what)
        say(f"{what} ended by a defect of LP Suite: {error}.")
