"""Renders a node: plates in the main thread, the engine's work followed in the background. Nothing blocks Nuke.

In ``nuke -t`` the same steps run one after the other, in the only thread.
"""

import sys
import threading
from typing import Any, Callable, Optional

import nuke

from lp_core.errors import Cancelled, LpError, SettingError
from lp_core.link.client import Client
from lp_core.link.follow import follow, share, words
from lp_core.link.messages import JobProgress
from lp_core.link.program import run_program

from . import node_state, single_frame
from .arriving import Shown, Watch, show_again, shown_by, tidy
from .before_render import check_upstream
from .farm import arguments
from .gizmo import INPUTS
from .job_submit import check_worker, submit

_THREAD = "lp-nuke-render-"


def render(node: Any) -> Optional[threading.Thread]:  # noqa: ANN401 - a nuke.Group
    """Renders what is not up to date.

    Returns:
        The thread that follows the job; None where nothing had to be done, or in ``nuke -t``, where all is done.

    Raises:
        LpError: the node asks for something that cannot be rendered, or (in ``nuke -t``) the render failed.
    """
    work = node_state.work_of(node)
    if is_running(work.node):
        raise SettingError(f"{work.node} is being rendered; cancel that first.")
    is_fresh = (
        node_state.state_of(node, work) == node_state.UP_TO_DATE
    )  # a pasted node's files are in another's folder
    if is_fresh:
        node_state.tell(node, node_state.UP_TO_DATE)
        return None
    if work.is_done:
        node_state.show(node, work)
        return None
    check_worker()
    _check_upstream(node)
    node_state.tell(node, "writing plates")
    try:
        work.write_inputs()
    except LpError:
        node_state.tell(node, node_state.state_of(node))
        raise
    if not nuke.GUI:
        _run_here(node, work)
        return None
    node_state.tell(node, "waiting for the worker")
    watch = Watch(work, shown_by(node))
    thread = threading.Thread(target=_run_behind, args=(work, watch), name=_THREAD + work.node, daemon=True)
    thread.start()
    return thread


def is_running(name: str) -> bool:
    """Whether a thread of this session renders the node of that full name."""
    return any(thread.name == _THREAD + name for thread in threading.enumerate())


def _check_upstream(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Nuke would say the same of the plates' Write, in its own words."""
    for number in range(len(INPUTS)):
        if node.input(number) is not None:
            check_upstream(node.input(number))


def _run_here(node: Any, work: node_state.Work) -> None:  # noqa: ANN401 - a nuke.Group
    """By a worker that runs already, else by a separate program that ends with this one: farms stay clean."""

    def listen(progress: JobProgress) -> None:
        sys.stdout.write(f"{work.node}: {words(progress)} ({int(100 * share(progress))} %)\n")

    if Client.running() is None:
        node_state.tell(node, "rendering")
        for part in work.parts():
            run_program(arguments(part.job()), listen)
    else:
        _drive(work, lambda job: node_state.tell(node, "rendering", job), listen, lambda: False)
    _finish(work)


def _run_behind(work: node_state.Work, watch: Watch) -> None:
    """The background thread: speaks to the worker alone; all that touches Nuke's nodes goes to the main thread."""
    task = [nuke.ProgressTask("LivePortrait: " + work.node)]  # one reference: deleting it closes the dialog

    def begin(job: str) -> None:
        nuke.executeInMainThread(_tell, (work.node, "rendering", job))

    def listen(progress: JobProgress) -> None:
        task[0].setMessage(words(progress))
        task[0].setProgress(int(100 * share(progress)))
        watch.heard(progress)

    try:
        _drive(work, begin, listen, lambda: bool(task[0].isCancelled()))
    except Cancelled:
        nuke.executeInMainThread(_stopped, (work, "", watch.before))
    except LpError as error:
        nuke.executeInMainThread(_stopped, (work, str(error), watch.before))
    except Exception as error:  # noqa: BLE001 - else the node would say "rendering" for ever
        nuke.executeInMainThread(_stopped, (work, f"{type(error).__name__}: {error}", watch.before))
    else:
        nuke.executeInMainThread(_finish, (work,))
    finally:
        del task[0]


def _drive(
    work: node_state.Work,
    begin: Callable[[str], None],
    listen: Callable[[JobProgress], None],
    is_cancelled: Callable[[], bool],
) -> None:
    client = Client.connect()
    for part in work.parts():
        status = submit(client, part.job())
        begin(status.id)
        follow(client, status.id, listen, is_cancelled)


def _tell(name: str, what: str, job: Optional[str] = None) -> None:
    node = nuke.toNode(name)
    if node is not None:  # it may have been deleted meanwhile
        node_state.tell(node, what, job)


def _stopped(work: node_state.Work, sentence: str, before: Optional[Shown] = None) -> None:
    node = nuke.toNode(work.node)
    if node is not None:
        if before is not None:
            show_again(node, before)
        node_state.tell(node, sentence or node_state.state_of(node), "")
    tidy(work)
    if sentence:
        nuke.message(sentence)


def _finish(work: node_state.Work) -> None:
    """Numbers the images, notes that they are whole, and shows them where the node is still there."""
    if not node_state.settle(work):
        _stopped(work, f"{work.folder.as_posix()} lacks images; look whether the disk is full.")
        return
    node_state.mark_done(work)
    node = nuke.toNode(work.node)
    if node is not None:
        node_state.show(node, work)
        single_frame.drop(node)
    tidy(work)


def load(node: Any) -> None:  # noqa: ANN401 - a nuke.Group
    """Shows what was rendered elsewhere for the node's present state.

    Raises:
        SettingError: it is not there.
    """
    work = node_state.work_of(node)
    if not node_state.settle(work):
        raise SettingError(f"{work.pattern} is not there or lacks frames of {work.frames}; render it first.")
    node_state.mark_done(work)
    node_state.show(node, work)


def cancel(node: Any) -> bool:  # noqa: ANN401 - a nuke.Group
    """Stops the node's job; whether there was one."""
    job, client = str(node["lp_job"].value() or ""), Client.running()
    if not job or client is None:
        return False
    client.cancel(job)
    return True
