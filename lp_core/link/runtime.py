"""Where a running worker is: the runtime file. Standard library only, Python 3.7 syntax.

The worker writes its address and its token into a file that only its user can read; anyone who finds the file
may use the worker. ``LPSUITE_RUNTIME_DIR`` names another folder.
"""

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, Optional

from ..errors import MALFORMED, MediaError, WorkerError
from ..files import write_whole
from .ownership import read_own, refuse_foreign_folder

FOLDER_VARIABLE = "LPSUITE_RUNTIME_DIR"
LIVE_VARIABLE = "LPSUITE_LIVE_DIR"
TOKEN_VARIABLE = "LPSUITE_TOKEN"  # noqa: S105 - the name of a variable
FILE_NAME = "worker.json"
_LARGEST = 1 << 16  # bytes of the runtime file


@dataclass(frozen=True)
class Address:
    """How to reach a worker."""

    scheme: str
    """http, or https where it listens beyond this machine."""
    host: str
    """Name or number of the machine."""
    port: int
    """TCP port."""
    token: str
    """What every request must bear."""
    pid: int = 0
    """Number of its process; 0: not stated."""
    certificate: Optional[str] = None
    """PEM file that its certificate is checked against; None: the system's."""

    @property
    def url(self) -> str:
        """Address of its page, without the token."""
        host = "[" + self.host + "]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self.url!r}, pid={self.pid})"  # a token has no business in a log or a traceback


def without_token() -> Dict[str, str]:
    """The environment for programs that have no business with the worker."""
    return {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}


def runtime_folder() -> Path:
    """The user's own folder for things that last as long as a worker runs."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or str(home / "AppData" / "Local")) / "lpsuite" / "run"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "lpsuite" / "run"
    session = os.environ.get("XDG_RUNTIME_DIR")
    return Path(session) / "lpsuite" if session else home / ".cache" / "lpsuite" / "run"


def live_folder() -> Path:
    """Where live frames are shared: in memory where the system has a place for it. ``LPSUITE_LIVE_DIR`` names another.

    Hosts that speak no HTTP (OBS) also ask for live streams by files here: lp_core/worker/live_mailbox.py.
    """
    named = os.environ.get(LIVE_VARIABLE)
    if named:
        return Path(named)
    shares_memory = Path("/dev/shm").is_dir()  # noqa: S108 - Linux
    if shares_memory:
        session = os.environ.get("XDG_RUNTIME_DIR")
        return Path(session) / "lpsuite" / "live" if session else Path(f"/dev/shm/lpsuite-{os.getuid()}")  # noqa: S108
    return runtime_folder() / "live"


def make_live_folder() -> Path:
    """The same, made for this user alone.

    Raises:
        WorkerError: it cannot be made, or another user owns it.
    """
    path = live_folder()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WorkerError(
            f"{path} cannot be made ({error.strerror}); set {LIVE_VARIABLE} to your own folder."
        ) from error
    refuse_foreign_folder(path)
    return path


def runtime_file() -> Path:
    """The file that says where the worker is."""
    return runtime_folder() / FILE_NAME


def write_runtime(address: Address) -> Path:
    """Tells where the worker is; only this user can read it (mode 0600), and it appears whole.

    Raises:
        WorkerError: the folder cannot be written, or another user owns it.
    """
    path = runtime_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        refuse_foreign_folder(path.parent)
        write_whole(path, json.dumps(asdict(address)), durable=False, private=True)
    except (OSError, MediaError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        reason = getattr(cause, "strerror", None) or cause
        raise WorkerError(
            f"{path} cannot be written ({reason}); set {FOLDER_VARIABLE} to your own folder."
        ) from error
    return path


def read_runtime() -> Optional[Address]:
    """Where a worker says it is; None when none says so. It may have died since.

    Raises:
        WorkerError: the file is another user's, or can be read by others.
    """
    path = runtime_file()
    try:
        refuse_foreign_folder(path.parent)
        values = json.loads(read_own(path, _LARGEST, is_secret=True).decode("utf-8"))
        return Address(
            str(values["scheme"]),
            str(values["host"]),
            int(values["port"]),
            str(values["token"]),
            int(values.get("pid", 0)),
            values.get("certificate"),
        )
    except (OSError, *MALFORMED):
        return None


def remove_runtime(pid: int) -> None:
    """Takes the file away, when it speaks of the worker with that process number."""
    with contextlib.suppress(WorkerError, OSError):
        address = read_runtime()
        if address is not None and address.pid == pid:
            runtime_file().unlink()
