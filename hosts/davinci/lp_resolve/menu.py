"""What the menu's scripts call: opens Resolve and the worker, does one thing, and tells how it ended."""

from __future__ import annotations

import sys
import webbrowser
from typing import Any, Callable

from hosts.client import Client
from lp_core.errors import Cancelled, LpError

from .animate import Desk, animate, update
from .answers import given
from .batch import batch
from .color import working_space
from .comp import Bench, render_macro
from .facade import Session
from .windows import Windows

ACTIONS: dict[str, Callable[[Desk], Any]] = {"animate": animate, "update": update, "batch": batch}
TITLE = "LivePortrait"


def main(action: str, found: dict[str, Any]) -> bool:
    """Runs an action of the menu; True where it worked.

    Args:
        action: one of ACTIONS.
        found: the script's globals, where Resolve has put ``resolve``, ``fusion`` and ``bmd``.
    """
    windows = None
    try:
        session = Session.open(found.get("resolve"))
        if session.has_windows:
            windows = Windows(found.get("fusion") or found.get("fu"), given(found.get("bmd"), "module bmd"))
        ACTIONS[action](Desk(session, Client.connect(), windows, say, webbrowser.open))
    except Cancelled as error:
        say(str(error))
        return False
    except LpError as error:
        say(str(error))
        if windows is not None:
            windows.tell(TITLE, str(error))
        return False
    return True


def render(found: dict[str, Any]) -> bool:
    """Runs the macro's button; True where it worked.

    Args:
        found: the script's globals, with ``comp`` and ``fusion``; ``resolve`` and ``bmd`` where they are.
    """
    windows: Windows | None = None
    color: dict[str, str] = {}
    try:
        fusion, bmd = found.get("fusion") or found.get("fu"), found.get("bmd")
        session = Session.open(found.get("resolve")) if found.get("resolve") else None
        if bmd is not None and (session is None or session.has_windows):
            windows = Windows(fusion, bmd)
        if session is not None:
            color, note = working_space(session)
            if note:
                say(note)
        comp = given(found.get("comp"), "composition", "press Render in the macro's inspector")
        render_macro(Bench(comp, Client.connect(), windows, say, dict(color)))
    except Cancelled as error:
        say(str(error))
        return False
    except LpError as error:
        say(str(error))
        if windows is not None:
            windows.tell(TITLE, str(error))
        return False
    return True


def say(sentence: str) -> None:
    """Writes a sentence to Resolve's console."""
    sys.stdout.write(f"{TITLE}: {sentence}\n")
    sys.stdout.flush()
