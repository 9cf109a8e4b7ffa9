"""What timelines of text formats cannot carry: control characters, and line ends in names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lp_core.batch.otio.library import otio
from lp_core.errors import SettingError, one_line

_NO_TEXT = (".otio", ".otioz", ".otiod", ".aaf")
"""File types that keep every character, or have no text."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_IN_NAMES = {
    ".edl": re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]"),  # would begin a line
    ".fcpxml": re.compile("[\t\n\r]"),  # names are attributes, in which these become spaces
}
"""File type -> what its names cannot carry although its text can."""
_NAMES = ("name", "comment", "target_url")
_EDL = "cmx_3600"
"""Metadata that goes into an EDL as it is."""


def check_names(timeline: Any, path: Path) -> None:  # noqa: ANN401 - a timeline
    """Refuses names that would add lines, and so events, to an EDL, or come back changed.

    Raises:
        SettingError: one holds a line end or a tab.
    """
    forbidden = _IN_NAMES.get(path.suffix.lower())
    if forbidden is None:
        return
    for text in _texts(json.loads(otio.adapters.write_to_string(timeline, "otio_json")), False):
        if forbidden.search(text):
            raise SettingError(
                f"'{one_line(text)}' holds a line end or a tab, which names in {path.suffix} files cannot carry; "
                "rename it, or take the .otio."
            )


def check_written(written: Path) -> None:
    """Refuses a file of a text format in which control characters were written.

    Raises:
        SettingError: there are some.
        OSError: it cannot be read.
    """
    if written.suffix.lower() in _NO_TEXT:
        return
    found = _CONTROL.search(written.read_bytes().decode("utf-8", "replace"))
    if found is not None:
        raise SettingError(
            f"A name or note holds the control character {one_line(found[0])}, which {written.suffix} files cannot "
            "carry; take it out, or take the .otio."
        )


def _texts(value: Any, is_whole: bool) -> Iterator[str]:  # noqa: ANN401 - plain values
    """Names, comments and addresses; all texts where ``is_whole``."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, is_whole)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                if is_whole or name in _NAMES:
                    yield item
            else:
                yield from _texts(item, is_whole or name == _EDL)
    elif isinstance(value, str) and is_whole:
        yield value
