"""Whether the files that settings name may be touched by the worker."""

from __future__ import annotations

from lp_core.performance_name import with_file
from lp_core.render.cast_members import cast_files
from lp_core.settings import RenderSettings
from lp_core.settings.face_names import photos_by_name
from lp_core.worker.allowed_folders import Folders
from lp_core.worker.schema import named_files


def check_files(settings: RenderSettings, folders: Folders) -> None:
    """Refuses settings that name a file elsewhere; called again when the work begins.

    The performances of a cast, the files that settings of its faces name and reference photos count too.

    Raises:
        NotAllowed: a file is elsewhere.
    """
    for path in (*named_files(settings).values(), *photos_by_name(settings.face)):
        folders.readable(path)
    for name in cast_files(settings.face):
        with_file(name, folders.readable)
