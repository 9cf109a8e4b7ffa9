"""OpenTimelineIO, imported in one place: without it, one sentence names the extra that installs it."""

from __future__ import annotations

from typing import Any

from lp_core.errors import missing_extra

try:
    import opentimelineio
except ImportError as error:
    raise missing_extra("A timeline", "otio") from error

otio: Any = opentimelineio
