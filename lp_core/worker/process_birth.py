"""When a process began: a number alone may be another process by now, for systems give numbers again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def birth_of(process: int) -> str:
    """When a process began, as the system writes it; empty where it is gone, or where the system cannot say.

    Linux counts ticks since the machine began (proc(5), field 22 of ``stat``); other POSIX systems have ``ps``.
    """
    system: str = sys.platform
    if system == "linux":
        try:
            text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
            return text.rpartition(")")[2].split()[19]
        except (OSError, IndexError):
            return ""
    if system == "win32":
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(process)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603, S607 - nothing from outside
    except OSError:
        return ""
    return "-".join(done.stdout.split())
