"""One frame alone: the frame that the viewer is at is rendered in about a second and shown in its place.

The same engine draws it from the same plates, without the layers stmap and forward. What needs the whole performance is
left out: smoothing and the choice of the neutral frame of an input (its first frame is taken), calibration, and what
comes after drawing: upscaling, signing. So it is never a result: it shows in the interface only, at its own frame, and
the status stays what it was. Main thread only, but for ``_run``.
"""

import os
import re
import shutil
import threading
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Set

import nuke

from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.files import ensure_folder, remove
from lp_core.link.client import Client
from lp_core.link.follow import follow, share, words
from lp_core.link.messages import JobProgress
from lp_core.performance_name import is_motion, is_speech
from lp_core.settings.table import Groups, changed_values, find
from lp_core.timing import FrameRange

from . import cache, node_state, plates
from .gizmo import SINGLE
from .job_submit import check_worker, submit
from .knob_settings import settings_of
from .knob_values import KnobState, asked_of

FOLDER = "frames"
KEPT = 32
"""Frames whose files are kept; older ones are removed."""
HELD = 6
"""How often the current frame follows the neutral one in a performance of an input: landmarkers have settled then."""
_THREAD = "lp-nuke-frame-"
_LEFT_OUT = ("upscale", "sign")
"""Settings of what comes after drawing."""
_HEAVY = ("stmap", "motion")
"""Passes in 32 bits, which would take longer to write than the frame to draw; motion needs the next frame anyway."""
_AGAIN: Set[str] = set()
"""Nodes that changed while a frame was being rendered for them."""


class FilmReading(NamedTuple):
    """A video whose motion is read once, so that later frames need not."""

    film: str
    """File of the performance."""
    output: str
    """Motion file that is made."""
    settings: Groups
    """What decides how it is read."""


class FrameWork(NamedTuple):
    """One frame that is asked for, ready to be rendered."""

    work: node_state.Work
    """The frame as a work of one frame."""
    reading: Optional[FilmReading]
    """What has to be read first; None: nothing."""


def render_frame(node: Any) -> Optional[threading.Thread]:  # noqa: ANN401 - a nuke.Group
    """Renders the frame that the viewer is at, alone, and shows it.

    Returns:
        The thread that renders; None where the frame was rendered before, or one is being rendered for this node: then
        this one follows it.

    Raises:
        LpError: the node asks for something that cannot be rendered.
    """
    name = node.fullName()
    if is_running(name):
        _AGAIN.add(name)
        return None
    check_worker()
    found = frame_work(node, int(nuke.frame()))
    if found.work.is_done:
        _show(found.work)
        return None
    found.work.write_inputs()
    thread = threading.Thread(target=_run, args=(found,), name=_THREAD + name, daemon=True)
    thread.start()
    return thread


def is_running(name: str) -> bool:
    """Whether a frame is being rendered for the node of that full name."""
    return any(thread.name == _THREAD + name for thread in threading.enumerate())


def drop(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows the node's result again, or the source, at every frame."""
    if node["lp_frame_ready"].value():
        _set(node, {"lp_frame_ready": 0})


def frame_work(node: Any, frame: int) -> FrameWork:  # noqa: ANN401 - a nuke.Group
    """What has to be done for one frame; plates of a performance are written.

    Raises:
        SettingError: the frame is outside the node's range, or something makes no sense.
        Cancelled, LpError: the performance at the input cannot be rendered.
    """
    asked = asked_of(node)
    if not asked.frames.first <= frame <= asked.frames.last:
        raise SettingError(f"Frame {frame} is outside the range {asked.frames}; go to a frame within it.")
    home = node_state.home_of(node)
    groups = _lean(asked.groups)
    index, offset, reading = frame - asked.frames.first, 0, None
    ahead = int(groups.get("input", {}).get("driving_offset", 0))
    driver = asked.driver
    if not driver:
        driver = _performance(node, asked, frame + ahead, home)
        index, ahead = HELD, 0
        _put(groups, "smoothing", 0.0)
        if groups.get("motion", {}).get("reference") != "neutral":
            _put(groups, "reference", "0")
    elif not (is_motion(driver) or is_speech(driver)):
        reading = _reading(driver, groups, home)
        driver = reading.output
        _put(groups, "mouth", "drawn")
    if asked.still is None:
        _put(groups, "driving_offset", index + ahead)
    else:
        _put(groups, "frames", str(FrameRange(index, index)))
        _put(groups, "driving_offset", ahead)
        offset = frame - index
    curves = {name: _at(value, frame - asked.frames.first) for name, value in asked.curves.items()}
    alone = replace(asked, frames=FrameRange(frame, frame), driver=driver, groups=groups, curves=curves)
    work = node_state.work_of(node, alone)
    folder = home / FOLDER / work.folder.name
    is_read = reading is None or Path(reading.output).exists()
    return FrameWork(replace(work, offset=offset, folder=folder), None if is_read else reading)


def _lean(groups: Groups) -> Groups:
    """Settings without what needs the whole performance or comes after drawing."""
    found = {
        name: {key: value for key, value in values.items() if key not in _LEFT_OUT}
        for name, values in groups.items()
    }
    _put(found, "calibration", "off")
    _put(found, "exr_compression", "none")  # the file is read once, and compressing takes longer than drawing
    passes = str(found.get("output", {}).get("passes", "beauty")).split(",")
    _put(found, "passes", ",".join(name for name in passes if name not in _HEAVY))
    return found


def _put(groups: Groups, name: str, value: Any) -> None:  # noqa: ANN401 - any setting's value
    groups.setdefault(find(name).group, {})[name] = value


def _at(curve: Any, index: int) -> float:  # noqa: ANN401 - a number, or (index, value) rows
    if isinstance(curve, list):
        return float(curve[index][1])
    return float(curve)


def _performance(node: Any, asked: KnobState, frame: int, home: Path) -> str:  # noqa: ANN401 - a nuke.Group
    """A short performance of the input driving: its neutral frame, then the one that is asked for, held."""
    reference = str(asked.groups.get("motion", {}).get("reference", ""))
    neutral = asked.frames.first + (int(reference) if reference.isdigit() else 0)
    current = min(max(frame, asked.frames.first), asked.frames.last)
    found = [_driving_plate(node, asked, number) for number in (neutral, current)]
    marks = [[plate.mark or uuid.uuid4().hex, plate.direct, str(plate.frames)] for plate in found]
    folder = home / FOLDER / f"driving-{cache.digest(marks)}"
    views = node_state.views_of(node)
    for view in views or ("",):
        target = cache.Sequence(folder / view, "driving")
        if not target.has(range(HELD + 1)):
            _lay(node, [plate.of_view(view) if view else plate for plate in found], home, view, target)
    return f"{cache.Sequence(folder / ('%V' if views else ''), 'driving').pattern} 0-{HELD}"


def _driving_plate(node: Any, asked: KnobState, number: int) -> plates.Plate:  # noqa: ANN401 - a nuke.Group
    made = plates.plate_of(node, plates.DRIVING, FrameRange(number, number), False, asked.is_float)
    if made is None:
        raise SettingError(
            "Nothing is connected to the input driving; connect the performance, or set the driver to file or demo."
        )
    return made


def _lay(
    node: Any,  # noqa: ANN401 - a nuke.Group
    found: List[plates.Plate],
    home: Path,
    view: str,
    target: cache.Sequence,
) -> None:
    ensure_folder(target.folder)
    for plate, numbers in zip(found, ([0], range(1, HELD + 1))):
        folder = plate.folder(home) / view
        plates.write(node, plate, folder)
        for number in numbers:
            shutil.copyfile(plate.first_file(folder), str(target.path_of(number)))


def _reading(driver: str, groups: Groups, home: Path) -> FilmReading:
    settings: Groups = {name: dict(values) for name, values in groups.items() if name in ("face", "engine")}
    settings.get("face", {}).pop("source_face", None)
    digits = cache.digest([driver, cache.sequence_stamp(driver), settings])
    return FilmReading(driver, (home / FOLDER / f"motion-{digits}.lpmotion").as_posix(), settings)


def _run(found: FrameWork) -> None:
    """The background thread: speaks to the worker only."""
    work = found.work
    try:
        client = Client.connect()
        if found.reading is not None:
            _read(client, work.node, found.reading)
        for part in work.parts():
            follow(client, submit(client, part.job()).id, lambda _: None)
    except Cancelled:
        nuke.executeInMainThread(_ended, (work, ""))
    except LpError as error:
        nuke.executeInMainThread(_ended, (work, str(error)))
    except Exception as error:  # noqa: BLE001 - a thread's last resort: the user hears of it
        nuke.executeInMainThread(_ended, (work, f"{type(error).__name__}: {error}"))
    else:
        nuke.executeInMainThread(_finish, (work,))


def _read(client: Client, node: str, reading: FilmReading) -> None:
    task = [nuke.ProgressTask("LivePortrait: " + node)]  # one reference: deleting it closes the dialog

    def listen(progress: JobProgress) -> None:
        task[0].setMessage(words(progress))
        task[0].setProgress(int(100 * share(progress)))

    values = {
        "driving": reading.film,
        "output": reading.output,
        "settings": changed_values(settings_of(reading.settings)),
    }
    try:
        ensure_folder(Path(reading.output).parent)
        job = client.submit("extract", values)
        follow(client, job.id, listen, lambda: bool(task[0].isCancelled()))
    finally:
        del task[0]


def _finish(work: node_state.Work) -> None:
    if not node_state.settle(work):
        _ended(work, f"{work.folder.as_posix()} lacks the image; look whether the disk is full.")
        return
    node_state.mark_done(work)
    _tidy(work.folder.parent)
    _show(work)
    _go_on(work.node)


def _ended(work: node_state.Work, sentence: str) -> None:
    if sentence:
        _AGAIN.discard(work.node)
        nuke.message(sentence)
    _go_on(work.node)


def _go_on(name: str) -> None:
    """Renders again where the node has changed meanwhile."""
    node = nuke.toNode(name)
    if name not in _AGAIN:
        return
    _AGAIN.discard(name)
    if node is None:
        return
    try:
        render_frame(node)
    except LpError as error:
        nuke.message(str(error))


def _show(work: node_state.Work) -> None:
    node = nuke.toNode(work.node)
    if node is None:  # deleted meanwhile
        return
    first = work.frames.first
    read: Dict[str, Any] = {"file": work.pattern, "first": first, "last": first}
    read.update(origfirst=first, origlast=first, origset=True)
    _set(node, {"lp_frame": first, "lp_frame_ready": 1}, read)


def _set(node: Any, own: Dict[str, Any], read: Optional[Dict[str, Any]] = None) -> None:  # noqa: ANN401
    """Sets knobs of the node and of its inner Read, not recorded for undo."""
    undo = nuke.Undo()
    undo.disable()
    try:
        for name, value in (read or {}).items():
            node.node(SINGLE)[name].setValue(value)
        for name, value in own.items():
            node[name].setValue(value)
        if read:
            node.node(SINGLE)["reload"].execute()
    finally:
        undo.enable()


def _tidy(folder: Path) -> None:
    """Removes the oldest frames and short performances; motion that was read stays."""
    ours = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{8})?|driving-[0-9a-f]{12}")
    with os.scandir(str(folder)) as entries:
        found = [(entry.stat().st_mtime, Path(entry.path)) for entry in entries if ours.fullmatch(entry.name)]
    for _, path in sorted(found)[:-KEPT]:
        remove(path)
