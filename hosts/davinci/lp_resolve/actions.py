"""What the menu's scripts call: opens Resolve and the worker, does one thing, and reports how it ended."""

from __future__ import annotations

import sys
from typing import Any, Callable

from hosts.client import Client
from lp_core.errors import Cancelled, LpError, one_line
from lp_core.link.browser import open_page

from .animate import EditContext, animate, update
from .api_results import given
from .batch import batch
from .color import working_space
from .comp import FusionContext, render_macro
from .facade import ResolveSession
from .windows import ScriptWindows

ACTIONS: dict[str, Callable[[EditContext], Any]] = {"animate": animate, "update": update, "batch": batch}
TITLE = "LivePortrait"


def main(action: str, found: dict[str, Any]) -> bool:
    """Runs an action of the menu; True where it worked.

    Args:
        action: one of ACTIONS.
        found: the script's globals, where Resolve has put ``resolve``, ``fusion`` and ``bmd``.
    """

    def act(opened: list[ScriptWindows]) -> None:
        session = ResolveSession.open(found.get("resolve"))
        windows = _windows(found) if session.has_windows else None
        opened.extend([windows] if windows else [])
        ACTIONS[action](EditContext(session, Client.connect(), windows, say, open_page))

    return _told(act)


def render(found: dict[str, Any]) -> bool:
    """Runs the macro's button; True where it worked.

    Args:
        found: the script's globals, with ``comp`` and ``fusion``; ``resolve`` and ``bmd`` where they are.
    """

    def act(opened: list[ScriptWindows]) -> None:
        session = ResolveSession.open(found.get("resolve")) if found.get("resolve") else None
        windows = _windows(found) if session is None or session.has_windows else None
        opened.extend([windows] if windows else [])
        color, note = working_space(session) if session else ({}, None)
        if note:
            say(note)
        comp = given(found.get("comp"), "composition", "press Render in the macro's inspector")
        render_macro(FusionContext(comp, Client.connect(), windows, say, dict(color)))

    return _told(act)


def _windows(found: dict[str, Any]) -> ScriptWindows | None:
    """What opens windows; None where the script was given nothing for it."""
    fusion, bmd = found.get("fusion") or found.get("fu"), found.get("bmd")
    return None if fusion is None or bmd is None else ScriptWindows(fusion, bmd)


def _told(act: Callable[[list[ScriptWindows]], None]) -> bool:
    """Does something; says what went wrong in the console, and in a window where one may be opened."""
    opened: list[ScriptWindows] = []
    try:
        act(opened)
    except Cancelled as error:
        say(str(error))
        return False
    except (LpError, OSError) as error:
        words = str(error)
        if isinstance(error, OSError) and not isinstance(error, LpError):
            words = f"{error.filename} cannot be used ({error.strerror}); choose another folder."
        say(words)
        for windows in opened:
            windows.tell(TITLE, words)
        return False
    return True


def say(sentence: str) -> None:
    """Writes a sentence to Resolve's console."""
    sys.stdout.write(f"{TITLE}: {one_line(sentence)}\n")
    sys.stdout.flush()
