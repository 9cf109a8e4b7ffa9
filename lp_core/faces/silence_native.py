"""Keeps native libraries from writing to the terminal while they start."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_LOCK = threading.RLock()
"""Held while the descriptor is elsewhere: a second thread would keep the wrong one."""
_log = logging.getLogger(__name__)


@contextmanager
def native_stderr_to_log() -> Iterator[None]:
    """Sends what is written to the process's standard error meanwhile to this module's log, at level DEBUG.

    Libraries in C++ write to file descriptor 2 and know nothing of ``sys.stderr``; MediaPipe has no switch
    for its start-up notes. The descriptor belongs to the whole process, so keep the block short: other
    threads' standard error goes to the log as well, and a second thread that comes here waits. Without a standard
    error (a window program) nothing is done.
    """
    with _LOCK:
        try:
            kept = os.dup(_STDERR)
        except OSError:
            yield
            return
        with tempfile.TemporaryFile() as temporary:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(temporary.fileno(), _STDERR)
            try:
                yield
            finally:
                os.dup2(kept, _STDERR)
                os.close(kept)
                temporary.seek(0)
                for line in temporary.read().decode(errors="replace").splitlines():
                    _log.debug("%s", line)
