"""Opens the worker's page in a browser. Standard library only, Python 3.7 syntax.

Every user of a machine can read the command lines of all processes, so a login link is handed to the browser in a file
that only its user can read.
"""

import contextlib
import html
import secrets
import time
import webbrowser
from typing import Any, Callable

from ..errors import MediaError, WorkerError
from ..files import write_whole
from .ownership import refuse_foreign_folder
from .runtime import runtime_folder

PREFIX = "open-"
KEPT_S = 600.0
"""A file is removed after so many seconds, when its link is spent or too old."""
_PAGE = (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>LP Suite</title>'
    '<meta http-equiv="refresh" content="0;url={0}"><p><a href="{0}">Open LP Suite</a>\n'
)


def open_page(link: str, opens: Callable[[str], Any] = webbrowser.open) -> bool:
    """Opens an address that holds a login; True where a browser was found.

    Args:
        link: the address.
        opens: opens an address that may be seen by everyone.

    Raises:
        WorkerError: the file cannot be written.
    """
    folder = runtime_folder()
    path = folder / (PREFIX + secrets.token_hex(8) + ".html")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        refuse_foreign_folder(folder)
        remove_pages(KEPT_S)
        write_whole(path, _PAGE.format(html.escape(link)), durable=False, private=True)
    except (OSError, MediaError) as error:
        raise WorkerError(f"{path} cannot be written: {error}; open this address by hand: {link}") from error
    return bool(opens(path.absolute().as_uri()))


def remove_pages(older_than_s: float) -> None:
    """Removes files of links that are spent.

    Args:
        older_than_s: seconds since they were written.
    """
    for path in runtime_folder().glob(PREFIX + "*.html"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > older_than_s:
                path.unlink()
