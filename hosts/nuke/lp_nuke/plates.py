"""Inputs of the node as image files: those of a plain Read as they are, anything else through an inner Write.

Images are scene-linear EXR in the project's working space, unconverted; upstream keyframes, expressions and
time warps are in them because Nuke renders them. Main thread only.
"""

import re
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import nuke

from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.files import ensure_folder
from lp_core.timing import FrameRange

from .cache import Sequence, missing_runs
from .gizmo import INPUTS
from .upstream import direct_file, fingerprint, for_view

SOURCE, DRIVING, MATTE = range(3)
"""Numbers of the node's inputs."""


@dataclass(frozen=True)
class Plate:
    """An input as files."""

    role: str
    """source, driving or matte."""
    number: int
    """Of the input."""
    frames: FrameRange
    """Frames that are needed; one for a still."""
    is_still: bool
    """Whether one file is meant, not a sequence."""
    mark: Optional[str]
    """Digits of what is upstream; None: unknown."""
    direct: Optional[str]
    """Pattern of files that are there already; None: they must be written."""
    is_float: bool = False
    """Whether it is written in 32 bits."""
    view: str = ""
    """View that is rendered; empty: the first."""

    def of_view(self, view: str) -> "Plate":
        """The same of one view."""
        direct = None if self.direct is None else for_view(self.direct, view)
        return replace(self, view=view, direct=direct)

    def folder(self, home: Path) -> Path:
        """Where it is written; a new folder where it is unknown what is upstream."""
        return home / f"{self.role}-{self.mark or uuid.uuid4().hex[:12]}"

    def first_file(self, folder: Path) -> str:
        """Path of its first image."""
        if self.direct is None:
            return str(Sequence(folder, self.role).path_of(self.frames.first))
        place = re.search(r"%0?(\d*)d|#+", self.direct)
        if place is None:
            return self.direct
        digits = len(place.group()) if place.group(1) is None else int(place.group(1) or 1)
        return self.direct[: place.start()] + f"{self.frames.first:0{digits}d}" + self.direct[place.end() :]

    def path(self, folder: Path) -> str:
        """What the engine is given: a file, or a pattern with its range."""
        if self.direct is not None:
            return f"{self.direct} {self.frames}"
        sequence = Sequence(folder, self.role)
        if self.is_still:
            return sequence.path_of(self.frames.first).as_posix()
        return f"{sequence.pattern} {self.frames}"


def plate_of(
    group: Any,  # noqa: ANN401 - a nuke.Group
    number: int,
    frames: FrameRange,
    is_still: bool,
    is_float: bool,
) -> Optional[Plate]:
    """An input of the node as it is now; None where nothing is connected."""
    upstream = group.input(number)
    if upstream is None:
        return None
    role = INPUTS[number].lower()
    direct = None
    if number != MATTE and not is_still:  # of a matte only some channels count
        direct = direct_file(upstream, frames.first, frames.last)
    mark = fingerprint(upstream, group.fullName())
    if mark is not None and is_float:
        mark += "-float"
    return Plate(role, number, frames, is_still, mark, direct, is_float)


def write(group: Any, plate: Plate, folder: Path) -> None:  # noqa: ANN401 - a nuke.Group
    """Writes the images of a plate that are not there yet.

    Raises:
        Cancelled: the user stopped it.
        LpError: Nuke could not render or write them.
    """
    sequence = Sequence(folder, plate.role)
    missing = [] if plate.direct is not None else missing_runs(plate.frames, sequence.written())
    if not missing:
        return
    ensure_folder(folder)
    undo, proxy = nuke.Undo(), nuke.root()["proxy"]
    was_proxy = proxy.value()
    undo.disable()
    try:
        proxy.setValue(False)
        made = _write_node(group, plate, sequence.pattern)
        try:
            for run in missing:
                nuke.execute(made, run.first, run.last, 1, [plate.view or str(nuke.views()[0])])
                sequence.tell_written(run)
        finally:
            nuke.delete(made)
    except RuntimeError as error:
        if "cancel" in str(error).lower():
            raise Cancelled("The plates were cancelled; render again to go on.") from error
        raise LpError(
            f"Nuke cannot render the input {plate.role}: {error}; correct what is upstream."
        ) from error
    finally:
        proxy.setValue(was_proxy)
        undo.enable()
    if not sequence.has(plate.frames):
        raise LpError(f"Nuke wrote no images into {folder.as_posix()}; look whether the disk is full.")


def _write_node(group: Any, plate: Plate, pattern: str) -> Any:  # noqa: ANN401 - nuke.Group, nuke.Node
    inner = group.node(INPUTS[plate.number])
    if inner is None:
        raise SettingError(
            f"The inner node {INPUTS[plate.number]} of {group.name()} is gone; create the node again."
        )
    with group:
        return nuke.nodes.Write(
            inputs=[inner],
            file=pattern,
            file_type="exr",
            channels="rgba",
            raw=True,
            datatype="32 bit float" if plate.is_float else "16 bit half",
            compression="Zip (1 scanline)",
            name="LivePortraitPlate",
        )
