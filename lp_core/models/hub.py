"""The Hugging Face hub through its own library, which brings resuming and faster transfer."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from lp_core.errors import ModelError, missing_extra
from lp_core.models.download import DISK_FULL, NOT_PERMITTED, Report

try:
    _library: Any = import_module("huggingface_hub")
    _Bar: Any = import_module("huggingface_hub.utils").tqdm
except ImportError as error:
    raise missing_extra("The Hugging Face hub", "neural") from error


def hub_download(repo: str, revision: str, path: str, folder: Path, report: Report) -> Path:
    """Fetches one file of a hub repository.

    Args:
        repo: owner/name.
        revision: commit, branch or tag; empty for the newest.
        path: of the file in the repository.
        folder: the file is written below it under the same path, with the hub's own book-keeping next to it.
        report: called with the number of bytes that have arrived, where this version of the library can say.

    Returns:
        The file, not yet checked.

    Raises:
        ModelError: the hub does not answer or does not have the file.
        OSError: the disk is full or the folder may not be written.
    """
    extra: dict[str, Any] = {}
    if "tqdm_class" in inspect.signature(_library.hf_hub_download).parameters:
        extra["tqdm_class"] = _reporting(report)
    try:
        found = _library.hf_hub_download(repo, path, revision=revision or None, local_dir=folder, **extra)
    except Exception as error:  # noqa: BLE001 - the library raises its HTTP client's own types, which change by version
        if isinstance(error, OSError) and error.errno in (*DISK_FULL, *NOT_PERMITTED):
            raise  # the caller knows where it was writing
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"'{path}' of the hub repository '{repo}' could not be fetched ({first_line}); check the network "
            "and run the same command again to go on."
        ) from error
    return Path(found)


def _reporting(report: Report) -> type:
    """A progress bar of the kind the library wants, which draws nothing and reports."""

    class Bar(_Bar):  # type: ignore[misc] # known at run time only
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's own arguments
            self._arrived = int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self._arrived += int(n or 0)
            report(self._arrived)

    return Bar
