"""Consent of anyone who is portrayed: a small JSON file, checked before a render and signed along with it.

The schema is described in docs/provenance.md.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lp_core.errors import ConsentMissing

SCHEMA = "lpsuite.consent"
VERSION = 1
USES = ("animate", "any")
"""What can be allowed: laying a performance onto the portrait, or anything."""
_TEXTS = ("person", "granted_by", "valid_until")
_OPTIONAL = ("valid_from", "scope", "reference", "allows")
_MOST_BYTES = 100_000


def read_consent(path: Path, today: date | None = None) -> dict[str, Any]:
    """The consent, when it is one and holds today.

    Raises:
        ConsentMissing: the file cannot be read, is not a consent, or does not allow a render today.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConsentMissing(
                f"The consent {path} is larger than {_MOST_BYTES} bytes; keep to its schema."
            )
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConsentMissing(
            f"The consent {path} cannot be read ({error.strerror}); check the name."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConsentMissing(f"The consent {path} is not JSON text ({error}); write it again.") from error
    try:
        return _checked(values, today or datetime.now(UTC).date())
    except (ValueError, TypeError) as error:
        raise ConsentMissing(f"The consent {path} does not allow this: {error}.") from error


def _checked(values: Any, today: date) -> dict[str, Any]:  # noqa: ANN401 - untrusted JSON
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or values.get("version") != VERSION:
        raise ValueError(f"its schema must be '{SCHEMA}' and its version {VERSION}")
    unknown = sorted(set(values) - {"schema", "version", *_TEXTS, *_OPTIONAL})
    if unknown:
        raise ValueError(f"it has no {', '.join(unknown)}")
    for name in _TEXTS:
        if not isinstance(values.get(name), str) or not values[name].strip():
            raise ValueError(f"it does not say its {name}")
    for name in ("scope", "reference"):
        if not isinstance(values.get(name, ""), str):
            raise TypeError(f"its {name} must be a text")
    _check_uses(values.get("allows", ["any"]))
    until, since = _date(values, "valid_until"), _date(values, "valid_from")
    if until is not None and today > until:
        raise ValueError(f"it ended on {until}")
    if since is not None and today < since:
        raise ValueError(f"it begins on {since}")
    return values


def _check_uses(allows: Any) -> None:  # noqa: ANN401 - untrusted JSON
    if not isinstance(allows, list) or not all(isinstance(use, str) for use in allows):
        raise TypeError("what it allows must be a list of texts")
    if not set(allows) & set(USES):
        raise ValueError(f"it allows only {', '.join(allows) or 'nothing'}")


def _date(values: dict[str, Any], name: str) -> date | None:
    if name not in values:
        return None
    try:
        return date.fromisoformat(values[name])
    except (ValueError, TypeError) as error:
        raise ValueError(f"its {name} must be a date such as 2027-12-31") from error
