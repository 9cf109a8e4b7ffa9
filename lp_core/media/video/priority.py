"""Encoders must not change how the system schedules the program.

SVT-AV1 gives the thread that opens it real-time priority where it may (as root). A render would then starve everything
else on the machine, and so would the programs it starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Restores the calling thread's scheduling policy and priority at the end of the block."""
    if not sys.platform.startswith("linux"):
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, priority)
