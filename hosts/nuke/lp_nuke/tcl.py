"""Nuke scripts as text: words, lists and nodes in the Tcl that Nuke itself writes. Pure."""

import re
from typing import Any, Sequence, Tuple

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BARE = re.compile(r"[A-Za-z0-9_./%+:@,-]+")
_ESCAPES = (
    ("\\", "\\\\"),
    ('"', '\\"'),
    ("[", "\\["),
    ("{", "\\{"),
    ("}", "\\}"),
    ("$", "\\$"),
    ("\n", "\\n"),
)

Pair = Tuple[str, str]
"""Name and value of a knob, the value already a Tcl word."""


def word(value: Any) -> str:  # noqa: ANN401 - whatever a knob holds
    """A value as one Tcl word, quoted where it must be.

    Braces are escaped within quotes too: Tcl counts those of the enclosing body without regard to quotes, and
    one too many would swallow the rest of the file.

    Raises:
        ValueError: the text holds a control character that Nuke's files cannot keep.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if _BARE.fullmatch(text):
        return text
    if _CONTROL.search(text):
        raise ValueError(f"{text!r} holds a control character, which a Nuke script cannot keep; take it out.")
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return '"' + text + '"'


def words(values: Sequence[Any]) -> str:
    """Values as a braced list."""
    return "{" + " ".join(word(value) for value in values) + "}"


def expression(text: str) -> str:
    """A numeric knob's expression as a Tcl word."""
    quoted = word(text)
    return "{{" + quoted + "}}"


def node(kind: str, pairs: Sequence[Pair], depth: int = 0) -> str:
    """One node: its class and its knobs, a knob a line."""
    indent = " " * depth
    lines = [indent + " " + name + " " + value for name, value in pairs]
    return "\n".join([indent + kind + " {", *lines, indent + "}"])


def script(parts: Sequence[str]) -> str:
    """Commands one below the other, with a final line end."""
    return "\n".join(parts) + "\n"
