"""One file over HTTP: resumed, never larger than announced, every failure in one sentence."""

from __future__ import annotations

import errno
import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lp_core.errors import DiskFull, ModelDamaged, ModelError, NoWritePermission
from lp_core.version import __version__

Report = Callable[[int], None]
"""Called with the number of bytes of the file that have arrived so far."""

_TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 18
_TRIES = 4
_NOT_THERE = (404, 410)
_RANGE_REFUSED = 416
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk or quota."""
NOT_PERMITTED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Error numbers of a folder that may not be written."""

_log = logging.getLogger(__name__)


class _BrokenError(Exception):
    """The connection failed; another try may go on."""


def download(url: str, temporary: Path, size: int, report: Report) -> None:
    """Brings a file to ``aside``, going on where an earlier try stopped.

    A connection that breaks is taken up again a few times; what has arrived stays for the next call.

    Args:
        url: http or https address.
        temporary: where the bytes are collected; its folder is there.
        size: the exact size that is expected, bytes.
        report: called with the progress.

    Raises:
        ModelError: the address does not answer, refuses, or the connection keeps breaking.
        ModelDamaged: the file at the address is larger than expected.
        DiskFull, NoWritePermission: ``aside`` cannot be written.
    """
    reason = "the connection closed early"
    with translated_write_errors(temporary):
        for attempt in range(_TRIES):
            have = _have(temporary, size)
            report(have)
            if have == size:
                return
            try:
                _append(url, temporary, have, size, report)
            except urllib.error.HTTPError as error:
                _refused(url, error, temporary)
                reason = f"HTTP {error.code} {error.reason}"
            except _BrokenError as error:
                reason = str(error)
            _log.debug("try %d of %s: %s", attempt + 1, url, reason)
        have = _have(temporary, size)
    if have == size:
        return
    raise ModelError(
        f"'{url}' could not be fetched ({reason}; {have} of {size} bytes arrived and are kept); "
        "check the network and run the same command again to go on."
    )


def _have(temporary: Path, size: int) -> int:
    """Bytes already there; a leftover that cannot be the beginning of the file is removed."""
    have = temporary.stat().st_size if temporary.exists() else 0
    if have > size:
        temporary.unlink()
        return 0
    return have


def _append(url: str, temporary: Path, have: int, size: int, report: Report) -> None:
    headers = {"User-Agent": f"lp-suite/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    if not url.startswith(("https://", "http://")):
        raise ModelError(f"'{url}' is not a web address; fix the model catalog.")
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - scheme checked above
    with _network_errors():
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310 - scheme checked above
    with answer:
        starts_over = answer.status != http.HTTPStatus.PARTIAL_CONTENT
        with temporary.open("wb" if starts_over else "ab") as file:
            _copy(answer, file, 0 if starts_over else have, size, report)


def _copy(answer: IO[bytes], file: IO[bytes], have: int, size: int, report: Report) -> None:
    while chunk := _read(answer):
        have += len(chunk)
        if have > size:
            file.truncate(0)
            raise ModelDamaged(
                f"The file sent for '{Path(file.name).name}' is larger than the {size} bytes published; "
                "nothing was kept, try again later or report it."
            )
        file.write(chunk)
        report(have)


def _read(answer: IO[bytes]) -> bytes:
    with _network_errors():
        return answer.read(_CHUNK_BYTES)


@contextmanager
def _network_errors() -> Iterator[None]:
    """Tells a broken connection from a failing disk: both are OSErrors. An HTTP error passes through."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException) as error:
        inner = getattr(error, "reason", None) or error
        raise _BrokenError((str(inner).strip() or type(inner).__name__).splitlines()[0]) from error


def _refused(url: str, error: urllib.error.HTTPError, temporary: Path) -> None:
    """Decides about an answer that is not the file: returns to try again, raises where that is of no use."""
    error.close()
    if error.code == _RANGE_REFUSED:
        temporary.unlink(missing_ok=True)
    elif error.code in _NOT_THERE:
        raise ModelError(
            f"'{url}' is not there any more (HTTP {error.code}); update lp-suite, or put the file into the "
            "model folder yourself (lpsuite models path shows where)."
        ) from error
    elif error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ModelError(
            f"'{url}' refused to send the file (HTTP {error.code} {error.reason}); check proxy and access "
            "rights."
        ) from error


@contextmanager
def translated_write_errors(path: Path) -> Iterator[None]:
    """Errors of writing at a path as ours; a half-written file is removed when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            path.unlink(missing_ok=True)
            raise DiskFull(
                f"The disk is full while '{path}' is written; free some space, or name a folder on another "
                "disk with the environment variable LPSUITE_MODELS."
            ) from error
        if error.errno in NOT_PERMITTED:
            raise NoWritePermission(
                f"'{path}' cannot be written ({error.strerror}); name your own folder with the "
                "environment variable LPSUITE_MODELS."
            ) from error
        raise ModelError(
            f"'{path}' cannot be written ({error}); name another folder with the environment variable "
            "LPSUITE_MODELS."
        ) from error
