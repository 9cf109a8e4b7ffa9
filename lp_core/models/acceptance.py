"""License notes that a user has read and accepted, kept next to the models; a changed note asks again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lp_core.errors import MALFORMED, LicenseNotAccepted
from lp_core.files import write_whole
from lp_core.models.download import translated_write_errors

ACCEPTED = "accepted.json"
"""Name of the list in the model folder: model -> SHA-256 of the notes that were accepted."""


def _digest(notes: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(notes).encode()).hexdigest()


def _list(root: Path) -> dict[str, str]:
    """What was accepted; an unreadable list counts as an empty one, so the notes are shown again."""
    try:
        content = json.loads((root / ACCEPTED).read_text("utf-8"))
    except (OSError, *MALFORMED):
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}


def is_accepted(root: Path, name: str, notes: Sequence[str]) -> bool:
    """Whether these very notes were accepted; True where there are none."""
    return not notes or _list(root).get(name) == _digest(notes)


def accept(root: Path, name: str, notes: Sequence[str]) -> None:
    """Records that the notes were read and accepted.

    Raises:
        DiskFull, NoWritePermission: the model folder cannot be written.
    """
    path = root / ACCEPTED
    with translated_write_errors(path):
        root.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({**_list(root), name: _digest(notes)}, indent=1, sort_keys=True) + "\n")


def demand_accepted(root: Path, name: str, notes: Sequence[str]) -> None:
    """Refuses a model whose notes have not been accepted.

    Raises:
        LicenseNotAccepted: the message says how to read them.
    """
    if not is_accepted(root, name, notes):
        raise LicenseNotAccepted(
            f"The model '{name}' comes with license notes that have not been accepted; read them with: lpsuite models "
            f"accept {name}."
        )
