"""The node as Nuke has it: what its knobs and inputs ask for, and how its result is shown. Main thread only."""

import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import nuke

from lp_core.errors import SettingError
from lp_core.files import ensure_folder, write_whole
from lp_core.job import RenderJob
from lp_core.performance_name import is_builtin, speech_file
from lp_core.timing import FrameRange

from . import cache, colors, knob_settings, plates, upstream
from .gizmo import INPUTS, RESULT
from .knob_values import KnobState, asked_of
from .knobs import VIEWS

NOT_RENDERED, UP_TO_DATE, STALE = "not rendered", "up to date", "stale: changed since the render"
GONE = "the result's files are gone"
UNKNOWN = "it is unknown whether the inputs changed (too many nodes upstream, or a file that is not found)"
SAME_HERE = "unchanged at this frame, as Nuke's own hash says; the other frames are unknown"

_HASHES: Dict[str, Tuple[int, str, List[List[int]]]] = {}
"""Of this session: node -> frame, digits of the result, Nuke's hashes of the inputs when it was shown."""


@dataclass(frozen=True)
class Work:
    """What one node asks for, ready to be rendered."""

    node: str
    """Full name of the node: nodes themselves may be deleted while a thread works."""
    asked: KnobState
    """What its knobs say."""
    folder: Path
    """Folder of the result."""
    mark: str
    """Digits of everything that the result depends on."""
    plates: Tuple[Tuple[plates.Plate, Path], ...]
    """Inputs and the folders of their files."""
    offset: int
    """What is added to the numbers of the engine's images to get the timeline's."""
    is_certain: bool
    """Whether the digits tell all; else the same digits may stand for another input."""
    config: Optional[Tuple[str, Path]]
    """Color configuration and the copy of it that the worker reads; None: it reads it where it is, or none."""
    views: Tuple[str, ...] = ()
    """Views that are rendered, each for itself; empty: the script has one, and no folder bears its name."""

    def parts(self) -> List["Work"]:
        """The work of each view; the work itself where there is one view."""
        return [self._of_view(view) for view in self.views] or [self]

    def _of_view(self, view: str) -> "Work":
        made = tuple((plate.of_view(view), folder / view) for plate, folder in self.plates)
        asked = replace(self.asked, driver=upstream.for_view(self.asked.driver, view))
        return replace(self, asked=asked, folder=self.folder / view, plates=made, views=())

    @property
    def pattern(self) -> str:
        """What the inner Read is given."""
        if not self.views:
            return self.result.pattern
        return cache.Sequence(self.folder / "%V", "result").pattern

    @property
    def frames(self) -> FrameRange:
        """Frames of the result."""
        return self.asked.frames

    @property
    def result(self) -> cache.Sequence:
        """The result's images."""
        return cache.Sequence(self.folder, "result")

    @property
    def is_done(self) -> bool:
        """Whether the result is there."""
        return self.is_certain and all(cache.is_done(part.folder, self.frames) for part in self.parts())

    def job(self) -> RenderJob:
        """The job for the engine, checked as the worker checks it.

        Raises:
            SettingError: a setting is out of range.
        """
        groups = {name: dict(found) for name, found in self.asked.groups.items()}
        paths = {plate.role: plate.path(folder) for plate, folder in self.plates}
        if "matte" in paths:
            groups.setdefault("input", {})["holdout"] = paths["matte"]
        if self.asked.curves:
            groups.setdefault("sliders", {})["edit_file"] = (self.folder / "edit.json").as_posix()
        if self.config is not None:
            groups.setdefault("color", {})["ocio"] = self.config[1].as_posix()
        if any(self.folder.glob("result.*.exr")):  # of a run that was cut off
            groups.setdefault("output", {})["overwrite"] = True
        driving = self.asked.driver or paths["driving"]
        return RenderJob(paths["source"], driving, self.result.pattern, knob_settings.settings_of(groups))

    def write_inputs(self) -> None:
        """Writes the plates that are missing, the sliders and the job of each view; Nuke renders here."""
        for part in self.parts():
            part._write_view()

    def _write_view(self) -> None:
        node = find(self.node)
        for plate, folder in self.plates:
            plates.write(node, plate, folder)
        if self.config is not None:
            ensure_folder(self.config[1].parent)
            write_whole(self.config[1], Path(self.config[0]).read_bytes())
        if self.asked.curves:
            cache.write_json(self.folder / "edit.json", self.asked.curves)
        job = self.job()
        ensure_folder(self.folder)
        write_whole(self.folder / "job.json", job.to_json())


def find(name: str) -> Any:  # noqa: ANN401 - a nuke.Group
    """The node of that full name.

    Raises:
        SettingError: it is gone.
    """
    node = nuke.toNode(name)
    if node is None:
        raise SettingError(f"There is no node {name} any more; nothing was changed.")
    return node


def work_of(node: Any, asked: Optional[KnobState] = None) -> Work:  # noqa: ANN401 - a nuke.Group
    """What a node asks for now; looks at knobs and at what is upstream, renders nothing.

    Args:
        node: the node.
        asked: takes the place of what its knobs say; None: looks.

    Raises:
        SettingError: something is missing or makes no sense.
    """
    asked = asked or asked_of(node)
    frames, is_still = asked.frames, asked.still is not None
    portrait = frames if asked.still is None else FrameRange(asked.still, asked.still)
    wanted = [(plates.SOURCE, portrait, is_still)]
    wanted += [] if asked.driver else [(plates.DRIVING, frames, False)]
    wanted += [(plates.MATTE, portrait, is_still)]
    made = [plates.plate_of(node, number, of, single, asked.is_float) for number, of, single in wanted]
    _refuse_open_inputs(made, bool(asked.driver))
    found = [plate for plate in made if plate is not None]
    inputs = [[plate.role, plate.mark, plate.direct, str(plate.frames)] for plate in found]
    has_file = bool(asked.driver) and not is_builtin(asked.driver)
    views = views_of(node)
    stamps = _stamps(speech_file(asked.driver), views) if has_file else []
    mark = cache.digest([inputs, stamps, asked.mark, *([list(views)] if views else [])])
    is_certain = all(plate.mark is not None for plate in found)
    home = home_of(node)
    ocio = asked.groups.get("color", {}).get("ocio")
    copy = colors.own_copy(ocio, home)
    return Work(
        node=node.fullName(),
        asked=asked,
        folder=home / (mark if is_certain else f"{mark}-{uuid.uuid4().hex[:8]}"),
        mark=mark,
        plates=tuple((plate, plate.folder(home)) for plate in found),
        offset=frames.first if is_still and asked.driver else 0,
        is_certain=is_certain,
        config=None if copy is None else (str(ocio), copy),
        views=views,
    )


def _stamps(file: str, views: Tuple[str, ...]) -> List[Any]:
    """What distinguishes a performance's file from an older one of its name; one for each view where it names views."""
    if upstream.for_view(file, "") == file:
        return cache.sequence_stamp(file)
    return [cache.sequence_stamp(upstream.for_view(file, view)) for view in views]


def views_of(node: Any) -> Tuple[str, ...]:  # noqa: ANN401 - a nuke.Group
    """The views that are rendered, each for itself; empty where there is one, or the first is for all."""
    views = tuple(str(view) for view in nuke.views())
    knob = node.knob("views")
    return views if len(views) > 1 and (knob is None or knob.value() == VIEWS[0]) else ()


def home_of(node: Any) -> Path:  # noqa: ANN401 - a nuke.Group
    """The folder of a node's files; the knob may hold an expression such as ``[file dirname [value root.name]]``."""
    chosen = node["cache"].getEvaluatedValue()
    return cache.node_folder(str(chosen or ""), str(nuke.root()["name"].value() or ""), node.fullName())


def state_of(node: Any, work: Optional[Work] = None) -> str:  # noqa: ANN401 - a nuke.Group
    """In words: whether what the node shows fits its knobs and inputs.

    Args:
        node: the node.
        work: what it asks for now; None: looks.
    """
    quick = quick_state(node)
    if quick is not None:
        return quick  # sliders stay quick
    shown = FrameRange(int(node["lp_first"].value()), int(node["lp_last"].value()))
    pattern = str(node.node(RESULT)["file"].value())
    views = [str(view) for view in nuke.views()]
    folders = {Path(upstream.for_view(pattern, view)).parent for view in views}
    if not all(cache.Sequence(folder, "result").has(shown) for folder in folders):
        return GONE
    work = work or work_of(node)
    if not work.is_certain:
        return _by_hashes(node)
    return UP_TO_DATE if work.mark == node["lp_hash"].value() else STALE


def _by_hashes(node: Any) -> str:  # noqa: ANN401 - a nuke.Group
    """What Nuke's own hashes say within a session, at the frame at which the result was shown first."""
    kept = _HASHES.get(node.fullName())
    if kept is None or kept[0] != nuke.frame() or kept[1] != node["lp_hash"].value():
        return UNKNOWN
    return SAME_HERE if kept[2] == _hashes(node) else STALE


def _hashes(node: Any) -> List[List[int]]:  # noqa: ANN401 - a nuke.Group
    return [upstream.own_hashes(node.input(number)) for number in range(len(INPUTS))]


def quick_state(node: Any) -> Optional[str]:  # noqa: ANN401 - a nuke.Group
    """The state as far as knobs show it, without a look upstream or at files; None: they say nothing new."""
    if not node["lp_ready"].value():
        return NOT_RENDERED
    return STALE if asked_of(node).mark != node["lp_asked"].value() else None


def all_nodes() -> List[Any]:
    """The LivePortrait nodes of the script, those in groups too; not those in LiveGroups, which are read-only."""
    found = [node for node in nuke.allNodes("Group", nuke.root(), True) if upstream.is_ours(node)]
    return [node for node in found if not _is_read_only(node)]


def _is_read_only(node: Any) -> bool:  # noqa: ANN401 - a nuke.Node
    parent = node.parent()
    while parent is not None and parent.Class() != "Root":
        if parent.Class() == "LiveGroup":
            return True
        parent = parent.parent()
    return False


def show(node: Any, work: Work) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows a finished result; not recorded for undo, so that no step back parts it from its digits."""
    read, first, last = node.node(RESULT), work.frames.first, work.frames.last
    undo = nuke.Undo()
    undo.disable()
    try:
        read["file"].setValue(work.pattern)
        for name, number in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
            read[name].setValue(number)
        read["origset"].setValue(True)
        read["reload"].execute()
        for name, value in (("lp_first", first), ("lp_last", last), ("lp_ready", 1)):
            node[name].setValue(value)
        node["lp_hash"].setValue(work.mark)
        node["lp_asked"].setValue(work.asked.mark)
        node["lp_job"].setValue("")
    finally:
        undo.enable()
    if not work.is_certain:
        _HASHES[node.fullName()] = (nuke.frame(), work.mark, _hashes(node))
    tell(node, UP_TO_DATE if work.is_certain else UNKNOWN)


def tell(node: Any, words: str, job: Optional[str] = None) -> None:  # noqa: ANN401 - a nuke.Group
    """Says on the node how things stand."""
    undo = nuke.Undo()
    undo.disable()
    try:
        if node["status"].value() != words:
            node["status"].setValue(words)
        if job is not None:
            node["lp_job"].setValue(job)
    finally:
        undo.enable()


def settle(work: Work) -> bool:
    """Numbers and names the engine's images as the timeline does; whether the result is whole, in all views."""
    for part in work.parts():
        part.result.renumber(part.offset, part.frames)
        part.result.name_as_nuke_does(part.frames)
    return all(part.result.has(part.frames) for part in work.parts())


def mark_done(work: Work) -> None:
    """Notes that the result is whole, and which state of the plates it was made from, by Nuke's hash."""
    for part in work.parts():
        first = {plate.role: cache.node_hash(Path(plate.first_file(folder))) for plate, folder in part.plates}
        cache.mark_done(part.folder, {"frames": str(work.frames), "mark": work.mark, "node_hashes": first})


def _refuse_open_inputs(made: List[Optional[plates.Plate]], has_driver: bool) -> None:
    if made[0] is None:
        raise SettingError("Nothing is connected to the input source; connect the plate or the portrait.")
    if not has_driver and made[1] is None:
        raise SettingError(
            "Nothing is connected to the input driving; connect the performance, or set the driver to file or demo."
        )
