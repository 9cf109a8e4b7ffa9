"""The folder of a resumable render: whose it is, and of which inputs, so that two are never mixed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from lp_core.files import ensure_folder, write_whole
from lp_core.render.inputs import InputWatch
from lp_core.render.stored_arrays import read_json

SOLUTION, PARTS = "solution", "parts"
"""Folders of a work folder: the solved shot, and the finished parts."""
INPUTS = "inputs.json"
"""File in it that names the inputs."""

Discard = Callable[[Path], None]


def claim(folder: Path, inputs: InputWatch, discard: Discard) -> tuple[str, ...]:
    """Takes a folder for work with these inputs; what was made of other ones is removed.

    Args:
        folder: of the work; made if need be.
        inputs: what the work is made of.
        discard: removes the parts that a folder has, images under their final names included.

    Returns:
        A sentence where the work starts over.

    Raises:
        InputChanged, UnreadableMedia: an input changes just now, or cannot be read.
        DiskFull, NoWritePermission, MediaError: the folder cannot be written.
    """
    ensure_folder(folder)
    now = inputs.identities()
    before = read_json(folder / INPUTS)
    if before == now:
        return ()
    has_work = (folder / SOLUTION).exists() or (folder / PARTS).exists()
    if has_work:
        wipe(folder, discard)
    write_whole(folder / INPUTS, json.dumps(now))
    if not has_work:
        return ()
    if before is None:
        return ("Another version of the program began the work, so it was started over.",)
    names = sorted(name for name in {*now, *before} if before.get(name) != now.get(name))
    what = names[0]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return (f"{what}{more} changed since the work began, so it was started over.",)


def wipe(folder: Path, discard: Discard) -> None:
    """Removes everything that was made of the inputs; see ``claim``."""
    discard(folder / PARTS)
    shutil.rmtree(folder / SOLUTION, ignore_errors=True)
