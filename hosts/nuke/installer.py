"""Puts the LivePortrait node where Nuke finds it: a separate folder, named in the ``init.py`` of Nuke's folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hosts.install import Finding, InstallOptions
from hosts.kit.installer import (
    PlacedFile,
    altered,
    core_files,
    finding,
    package_files,
    place,
    remember_command,
)
from lp_core.link.start import PROGRAM_VARIABLE, host_settings

HERE = Path(__file__).resolve().parent
FOLDER = "lpsuite"
FILES = ("init.py", "menu.py", "LivePortrait.gizmo", "example.nk", "icons/LivePortrait.png")
BEGIN, END = "# LP Suite: begin", "# LP Suite: end"
LINES = (
    BEGIN,
    "import os as _os, nuke as _nuke",
    f'_nuke.pluginAddPath(_os.path.join(_os.path.dirname(_os.path.abspath(__file__)), "{FOLDER}"))',
    END,
)
"""What is added to the ``init.py`` of Nuke's own folder."""


class NukeInstaller:
    """Nuke's row of ``hosts.install.HOSTS``."""

    def install(self, options: InstallOptions) -> list[str]:
        """Copies gizmo, package and floor 0 of lp_core, and names the folder in Nuke's ``init.py``."""
        home = config_folder(options)
        target = home / FOLDER
        place(_files(target))
        said = [f"The node LivePortrait is installed: {target}."]
        if _name_folder(home / "init.py"):
            said.append(f"{home / 'init.py'} names that folder; what was there before is kept.")
        said.append(_tell_program(options))
        said.append("Restart Nuke; the node is under LP Suite in the toolbar, and in the Tab menu.")
        return said

    def status(self, options: InstallOptions) -> list[Finding]:
        """What is between the user and the node."""
        home = config_folder(options)
        target = home / FOLDER
        bad = altered(_files(target))
        if bad and not bad[0].is_file():
            words = f"{bad[0].relative_to(target)} is missing in {target}; run: lpsuite host install nuke."
            return [Finding(False, words)]
        return [
            finding(
                not bad,
                f"The node is there and of this version: {target}.",
                f"{bad[0].relative_to(target) if bad else ''} is of another version; run: lpsuite host install nuke.",
            ),
            finding(
                BEGIN in _text(home / "init.py"),
                f"{home / 'init.py'} names the folder.",
                f"{home / 'init.py'} does not name {target}; run: lpsuite host install nuke.",
            ),
            _program_finding(),
        ]

    def uninstall(self, options: InstallOptions) -> list[str]:
        """Removes the folder's files and the lines in ``init.py``; scripts with nodes keep their images."""
        home = config_folder(options)
        target = home / FOLDER
        said = []
        for path, _ in _files(target):
            path.unlink(missing_ok=True)
        for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
            shutil.rmtree(folder) if folder.name == "__pycache__" else _remove_empty(folder)
        if target.is_dir() and _remove_empty(target):
            said.append(f"{target} was removed.")
        if _unname_folder(home / "init.py"):
            said.append(f"{home / 'init.py'} no longer names it.")
        return said or ["Nothing of LP Suite was installed in Nuke."]


def config_folder(options: InstallOptions) -> Path:
    """Nuke's own folder of this user, the same on every system."""
    return Path(options.folder) if options.folder is not None else Path.home() / ".nuke"


def _files(target: Path) -> Iterator[PlacedFile]:
    """Everything that is copied."""
    for name in FILES:
        yield target / name, (HERE / name).read_bytes()
    yield from package_files(target, HERE / "lp_nuke")
    yield from core_files(target)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _name_folder(path: Path) -> bool:
    text = _text(path)
    if BEGIN in text:
        return False
    before = text if not text or text.endswith("\n") else text + "\n"
    place([(path, (before + "\n".join(LINES) + "\n").encode())])
    return True


def _unname_folder(path: Path) -> bool:
    text = _text(path)
    if BEGIN not in text or END not in text:
        return False
    head, rest = text.split(BEGIN, 1)
    left = head + rest.split(END, 1)[1].lstrip("\n")
    if left.strip():
        place([(path, left.encode())])
    else:
        path.unlink()
    return True


def _remove_empty(folder: Path) -> bool:
    if any(folder.iterdir()):
        return False
    folder.rmdir()
    return True


def _tell_program(options: InstallOptions) -> str:
    """Writes what starts LP Suite to the hosts' settings file, unless a command is named there already."""
    path = remember_command(options, keeps_command=True)
    return f"Nuke will start the worker by {' '.join(_words(host_settings()['lpsuite']))} ({path})."


def _words(program: object) -> list[str]:
    return [program] if isinstance(program, str) else [str(word) for word in program]  # type: ignore[attr-defined]


def _program_finding() -> Finding:
    named = os.environ.get(PROGRAM_VARIABLE) or host_settings().get("lpsuite") or "lpsuite"
    program = _words(named)[0]
    is_there = shutil.which(program) is not None
    return finding(
        is_there,
        f"Nuke will start the worker with {program}.",
        f"{program} cannot be started, because it is not installed; run: lpsuite host install nuke.",
    )
