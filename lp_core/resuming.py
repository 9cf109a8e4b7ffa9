"""A render whose finished parts stay in a folder: the same job continues there after a crash, with the same bytes."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from pathlib import Path

from lp_core.assemble import assemble
from lp_core.errors import LpError, SettingError
from lp_core.files import read_failure, translated, write_whole
from lp_core.job import RenderJob
from lp_core.render.chunks import render_in_chunks
from lp_core.render.folder_lock import LOCK, locked
from lp_core.render.report import Listener, Summary
from lp_core.render.work_folder import INPUTS, PARTS, SOLUTION

_JOB = "job.json"


def render_resumably(job: RenderJob, folder: Path, listener: Listener | None = None) -> Summary:
    """Renders a job, or continues one that ended before it was done.

    The folder is removed when the result is complete, unless it holds other files.

    Args:
        job: what to render.
        folder: keeps the finished parts; made if it does not exist.
        listener: takes progress. An exception it raises stops the work; finished parts stay.

    Raises:
        SettingError: the folder belongs to another job or is in use, or the output cannot be written in parts.
        LpError: the render cannot start or cannot finish; finished parts stay.
    """
    text = job.to_json()
    in_use = SettingError(
        f"{folder} is in use by another render; wait for it, or name another --work folder."
    )
    with ExitStack() as stack:
        with translated(folder):
            stack.enter_context(locked(folder, in_use))
        is_begun = _claim(folder, text)
        try:
            render = assemble(job, resumes=is_begun)
            if render.target.open_parts is None:
                raise SettingError(f"{job.output} cannot be written in parts; leave out --work.")
        except LpError:
            if not is_begun:
                _clean(folder)
            raise
        write_whole(folder / _JOB, text)
        summary = render_in_chunks(render, folder, listener, text)
        _clean(folder)
    return summary


def _claim(folder: Path, text: str) -> bool:
    """Whether this job has begun in the folder.

    Raises:
        SettingError: another job has.
    """
    path = folder / _JOB
    if not path.exists():
        return False
    try:
        begun = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise read_failure(path, error) from error
    if begun != text:
        raise SettingError(
            f"{folder} holds the unfinished work of another render; name another --work folder."
        )
    return True


def _clean(folder: Path) -> None:
    for name in (SOLUTION, PARTS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (_JOB, INPUTS):
        (folder / name).unlink(missing_ok=True)
    with suppress(
        OSError
    ):  # Windows keeps the file of a lock that is held; the user's own files keep the folder
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()
