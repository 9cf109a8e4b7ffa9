"""*Batch Timeline*: the timeline goes out as OTIO, the worker animates what is marked, a timeline comes back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lp_core.files import ensure_folder

from . import job
from .animate import EditContext
from .api_results import ResolveRefused
from .dialogs import batch_dialog, settings_of
from .facade import Timeline
from .in_place import free_timeline_name
from .plan import CODEC

SUFFIX = " LivePortrait"


def batch(desk: EditContext, folder: str | None = None) -> Timeline | None:
    """Exports, renders and imports; None where the user changed their mind.

    Args:
        desk: what a script works with.
        folder: where results go; None: asks where windows may be opened, else a folder of the user's home.
    """
    timeline = desk.session.timeline()
    values: dict[str, Any] = {"folder": folder or str(Path.home() / "LivePortrait" / _safe(timeline.name))}
    if desk.windows is not None:
        asked = desk.windows.ask(batch_dialog(timeline.name, values["folder"]))
        if asked is None:
            return None
        values = asked
    target = Path(values["folder"])
    ensure_folder(target)
    exported = target / "exported" / f"{_safe(timeline.name)}.otio"
    ensure_folder(exported.parent)
    if exported.exists():
        exported.unlink()
    desk.session.export_otio(timeline, str(exported))
    if not exported.exists():
        raise ResolveRefused(
            f"Resolve said that it wrote {exported}, but there is nothing; choose another folder."
        )
    settings = settings_of(values)
    settings.setdefault("output", {}).setdefault("codec", CODEC)
    parameters = {"timeline": str(exported), "output": str(target), "settings": settings}
    status = job.run(desk.client, "batch", parameters, desk.windows, desk.say)
    summary = status.summary or {}
    made = Path(str(summary.get("output") or target))
    for problem in summary.get("problems", ()):
        desk.say(f"{problem['clip']}: {problem['message']}")
    if not made.is_file():
        raise ResolveRefused(f"The batch left no timeline {made}; look into its job on the worker's page.")
    back = desk.session.pool().bring_in_timeline(
        str(made), free_timeline_name(desk.session, timeline.name + SUFFIX)
    )
    desk.say(f"The timeline {back.name} has the results; the originals are kept next to them in {made}.")
    return back


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "timeline"
