"""Finds the program ``lpsuite`` and starts a worker. Standard library only, Python 3.7 syntax."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional

from ..errors import WorkerError
from .ownership import refuse_writable_by_all
from .runtime import runtime_folder

PROGRAM_VARIABLE = "LPSUITE"
SETTINGS_VARIABLE = "LPSUITE_SETTINGS"
SETTINGS_FILE = "host.json"
LOG_FILE = "worker.log"
_SHOWN = 600  # characters of the log that a message quotes

Started = Any
"""A ``subprocess.Popen``; its type arguments differ between Pythons."""


def settings_file() -> Path:
    """The hosts' settings file: JSON such as ``{"lpsuite": "/opt/lp/bin/lpsuite", "serve": ["--allow", "/mnt"]}``."""
    named = os.environ.get(SETTINGS_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or str(Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config"))
    return base / "lpsuite" / SETTINGS_FILE


def host_settings() -> Dict[str, Any]:
    """What the settings file says; empty when there is none.

    Raises:
        WorkerError: it is not a JSON object.
    """
    path = settings_file()
    try:
        refuse_writable_by_all(path)
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:
        raise WorkerError(f"{path} is not valid JSON ({error}); correct or remove it.") from error
    if not isinstance(values, dict):
        raise WorkerError(f'{path} must hold an object such as {{"lpsuite": "/path/of/lpsuite"}}.')
    return values


def find_program() -> List[str]:
    """The command that starts LP Suite: environment variable, then settings file, then PATH.

    Raises:
        WorkerError: it is nowhere; the message names the three places.
    """
    named = os.environ.get(PROGRAM_VARIABLE) or host_settings().get("lpsuite")
    if named:
        words = [str(named)] if isinstance(named, str) else [str(word) for word in named]
        found = shutil.which(words[0])
        if found is None:
            raise WorkerError(f"{words[0]} is not a program that can be started; correct {PROGRAM_VARIABLE}.")
        return [found, *words[1:]]
    found = shutil.which("lpsuite")
    if found is None:
        raise WorkerError(
            f"LP Suite was not found; set the environment variable {PROGRAM_VARIABLE} to its program, or write "
            f'{{"lpsuite": "/path/of/lpsuite"}} into {settings_file()}, or put it on PATH.'
        )
    return [found]


def start_worker() -> Started:
    """Starts a worker that outlives this process; its words go to a log file next to the runtime file.

    Raises:
        WorkerError: it cannot be started.
    """
    serve = [str(word) for word in host_settings().get("serve", [])]
    command = [*find_program(), "serve", *serve]
    try:
        runtime_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        with log_file().open("wb") as log:
            started = subprocess.Popen(  # noqa: S603 - the user's own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                **_detached(),
            )
    except OSError as error:
        raise WorkerError(f"{command[0]} cannot be started: {error.strerror}.") from error
    # Anyone who starts a process has to take note of its end, else it stays in the table of processes.
    threading.Thread(target=started.wait, name="lpsuite-worker", daemon=True).start()
    return started


def log_file() -> Path:
    """What a worker that a host started has to say."""
    return runtime_folder() / LOG_FILE


def check_alive(started: Optional[Started]) -> None:
    """Raises WorkerError with the log's last words when a worker that was started has ended."""
    if started is None or started.poll() is None:
        return
    words = ""
    try:
        words = log_file().read_text(encoding="utf-8", errors="replace")[-_SHOWN:].strip()
    except OSError:
        words = "it left no log"
    raise WorkerError(f"The worker ended with code {started.returncode} as it started: {words}")


def clean_environment() -> Dict[str, str]:
    """The environment without what a host's own Python puts there, which would confuse another Python."""
    mixed = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in mixed}


def _detached() -> Dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": 0x00000008 | 0x00000200 | 0x08000000}  # detached, own group, no window
    return {"start_new_session": True}
