"""One worker for each state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lp_core.errors import WorkerError
from lp_core.link.ownership import refuse_foreign_folder
from lp_core.render.folder_lock import locked


@contextmanager
def locked_state(state: Path) -> Iterator[None]:
    """Keeps a second worker off a state folder; the lock goes with the process, however that ends.

    Raises:
        WorkerError: another worker has it, or the folder cannot be written.
    """
    in_use = WorkerError(
        f"Another worker uses {state}; reach that one, or name another --state folder.", "running"
    )
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(state, in_use))
        except OSError as error:
            raise WorkerError(
                f"{state} cannot be written ({error.strerror}); name another --state folder."
            ) from error
        refuse_foreign_folder(state)
        yield
