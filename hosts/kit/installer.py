"""Copying files next to a host program, finding what is missing or altered, remembering the worker's command.

Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from hosts.install import Finding, InstallOptions
from lp_core.files import ensure_folder, write_whole
from lp_core.link.start import host_settings, settings_file

CORE = Path(__file__).resolve().parents[2] / "lp_core"
FLOOR_0 = (
    *(
        "__init__.py",
        "version.py",
        "errors.py",
        "system_failures.py",
        "files.py",
        "performance_name.py",
        "timing.py",
        "job.py",
    ),
    *("settings/*.py", "link/*.py"),
)
"""What host scripts load of lp_core: modules, and whole packages."""

PlacedFile = tuple[Path, bytes]
"""Where a file goes, and its content."""


def core_files(folder: Path) -> Iterator[PlacedFile]:
    """Floor 0 of lp_core, placed in a folder that host scripts import from."""
    for pattern in FLOOR_0:
        for path in sorted(CORE.glob(pattern)):
            yield folder / "lp_core" / path.relative_to(CORE), path.read_bytes()


def package_files(folder: Path, package: Path) -> Iterator[PlacedFile]:
    """The modules of a host's own package, placed in a folder that host scripts import from."""
    for path in sorted(package.glob("*.py")):
        yield folder / package.name / path.name, path.read_bytes()


def place(files: Iterable[PlacedFile]) -> None:
    """Writes files, with their folders; each one is complete or absent.

    Raises:
        MediaError: a file cannot be written.
    """
    for path, content in files:
        ensure_folder(path.parent)
        write_whole(path, content)


def altered(files: Iterable[PlacedFile]) -> list[Path]:
    """Files that are missing or have another content than this version's."""
    return [path for path, content in files if not path.is_file() or path.read_bytes() != content]


def finding(is_good: bool, good: str, bad: str) -> Finding:
    """A check with a sentence for either outcome."""
    return Finding(is_good, good if is_good else bad)


def remember_command(options: InstallOptions, keeps_command: bool = False) -> Path:
    """Writes what starts the worker to the hosts' settings file, where the client looks for it.

    Args:
        options: command and allowed folders.
        keeps_command: True: a command that the file names already stays.

    Returns:
        The settings file. Its other settings are kept.

    Raises:
        MediaError: the file cannot be written.
    """
    path, values = settings_file(), host_settings()
    if not (keeps_command and values.get("lpsuite")):
        values["lpsuite"] = list(options.command)
    if options.allow:
        values["serve"] = allowed(options)
    place([(path, json.dumps(values, indent=1).encode())])
    return path


def allowed(options: InstallOptions) -> list[str]:
    """Words for ``lpsuite serve`` that allow the folders."""
    return [word for folder in options.allow for word in ("--allow", folder)]
