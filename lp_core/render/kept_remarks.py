"""What an engine says of single frames while a shot is drawn in parts, kept next to the solution until it is joined.

Every process appends to a separate file, a line for each frame, before the frame is written. So what a killed process
said of a frame that is not drawn again is kept. A last line that a kill has cut off belongs to a frame that is drawn
again.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from lp_core.errors import MALFORMED
from lp_core.files import ensure_folder, translated
from lp_core.render.passes import DrawnFrame

FOLDER = "remarks"


def keeping_remarks(frames: Iterable[DrawnFrame], solution: Path) -> Iterator[DrawnFrame]:
    """The frames, after what the engine said of each is kept.

    Args:
        frames: as they are drawn.
        solution: folder of the solved shot.

    Raises:
        DiskFull, NoWritePermission, MediaError: the folder cannot be written.
    """
    for drawn in frames:
        if drawn.animation is not None and drawn.animation.note:
            path = solution / FOLDER / f"{socket.gethostname()}-{os.getpid()}.jsonl"
            ensure_folder(path.parent)
            line = json.dumps([drawn.frame.index, drawn.animation.note])
            with translated(path), path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        yield drawn


def kept_remarks(solution: Path) -> dict[str, dict[int, None]]:
    """What was said -> indices of the frames, in order; see ``Drawing.remarks``."""
    found: set[tuple[str, int]] = set()
    for path in (solution / FOLDER).glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(*MALFORMED):
                index, remark = json.loads(line)
                found.add((str(remark), int(index)))
    remarks: dict[str, dict[int, None]] = {}
    for remark, index in sorted(found):
        remarks.setdefault(remark, {})[index] = None
    return remarks
