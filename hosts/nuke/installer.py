"""Puts the LivePortrait node where Nuke finds it: a folder of its own, named in the ``init.py`` of Nuke's folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from hosts.install import Finding, InstallOptions
from lp_core.files import ensure_folder, write_whole
from lp_core.link.start import PROGRAM_VARIABLE, host_settings, settings_file

HERE = Path(__file__).resolve().parent
CORE = HERE.parent.parent / "lp_core"
FOLDER = "lpsuite"
FILES = ("init.py", "menu.py", "LivePortrait.gizmo", "example.nk", "icons/LivePortrait.png")
FLOOR_0 = (
    "errors.py",
    "files.py",
    "performance_name.py",
    "timing.py",
    "job.py",
    "version.py",
    "__init__.py",
)
FLOOR_0_PACKAGES = ("settings", "link")
"""Files and packages of lp_core that the node needs."""
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

    def install(self, wishes: InstallOptions) -> list[str]:
        """Copies gizmo, package and floor 0 of lp_core, and names the folder in Nuke's ``init.py``."""
        home = config_folder(wishes)
        target = home / FOLDER
        for source, name in _files():
            path = target / name
            ensure_folder(path.parent)
            write_whole(path, source.read_bytes())
        said = [f"The node LivePortrait is installed: {target}."]
        if _name_folder(home / "init.py"):
            said.append(f"{home / 'init.py'} names that folder; what stood there before is kept.")
        said.append(_tell_program(wishes))
        said.append("Start Nuke anew; the node is under LP Suite in the toolbar, and in the Tab menu.")
        return said

    def status(self, wishes: InstallOptions) -> list[Finding]:
        """What stands between the user and the node."""
        home = config_folder(wishes)
        target = home / FOLDER
        missing = [name for _, name in _files() if not (target / name).is_file()]
        if missing:
            words = f"{missing[0]} is missing in {target}; run: lpsuite host install nuke."
            return [Finding(False, words)]
        stale = [name for source, name in _files() if (target / name).read_bytes() != source.read_bytes()]
        is_named = BEGIN in _text(home / "init.py")
        return [
            Finding(
                not stale,
                f"{stale[0]} is of another version; run: lpsuite host install nuke."
                if stale
                else f"The node is there and of this version: {target}.",
            ),
            Finding(
                is_named,
                f"{home / 'init.py'} names the folder."
                if is_named
                else f"{home / 'init.py'} does not name {target}; run: lpsuite host install nuke.",
            ),
            _program_finding(),
        ]

    def uninstall(self, wishes: InstallOptions) -> list[str]:
        """Removes the folder's files and the lines in ``init.py``; scripts with nodes keep their pictures."""
        home = config_folder(wishes)
        target = home / FOLDER
        said = []
        for _, name in _files():
            (target / name).unlink(missing_ok=True)
        for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
            shutil.rmtree(folder) if folder.name == "__pycache__" else _remove_empty(folder)
        if target.is_dir() and _remove_empty(target):
            said.append(f"{target} was removed.")
        if _unname_folder(home / "init.py"):
            said.append(f"{home / 'init.py'} no longer names it.")
        return said or ["Nothing of LP Suite was installed in Nuke."]


def config_folder(wishes: InstallOptions) -> Path:
    """Nuke's own folder of this user, the same on every system."""
    return Path(wishes.folder) if wishes.folder is not None else Path.home() / ".nuke"


def _files() -> Iterator[tuple[Path, str]]:
    """(source, name below the installed folder) of everything that is copied."""
    for name in FILES:
        yield HERE / name, name
    for path in sorted((HERE / "lp_nuke").glob("*.py")):
        yield path, f"lp_nuke/{path.name}"
    for name in FLOOR_0:
        yield CORE / name, f"lp_core/{name}"
    for package in FLOOR_0_PACKAGES:
        for path in sorted((CORE / package).glob("*.py")):
            yield path, f"lp_core/{package}/{path.name}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _name_folder(path: Path) -> bool:
    text = _text(path)
    if BEGIN in text:
        return False
    before = text if not text or text.endswith("\n") else text + "\n"
    _replace(path, before + "\n".join(LINES) + "\n")
    return True


def _unname_folder(path: Path) -> bool:
    text = _text(path)
    if BEGIN not in text or END not in text:
        return False
    head, rest = text.split(BEGIN, 1)
    left = head + rest.split(END, 1)[1].lstrip("\n")
    if left.strip():
        _replace(path, left)
    else:
        path.unlink()
    return True


def _replace(path: Path, text: str) -> None:
    ensure_folder(path.parent)
    write_whole(path, text)


def _remove_empty(folder: Path) -> bool:
    if any(folder.iterdir()):
        return False
    folder.rmdir()
    return True


def _tell_program(wishes: InstallOptions) -> str:
    """Writes what starts LP Suite into the hosts' settings file, where nothing says it yet."""
    path, values = settings_file(), host_settings()
    if not values.get("lpsuite"):
        values["lpsuite"] = list(wishes.command)
    serve = [word for folder in wishes.allow for word in ("--allow", folder)]
    if serve:
        values["serve"] = serve
    _replace(path, json.dumps(values, indent=1))
    return f"Nuke will start the worker by {' '.join(map(str, _words(values['lpsuite'])))} ({path})."


def _words(program: object) -> list[str]:
    return [program] if isinstance(program, str) else [str(word) for word in program]  # type: ignore[attr-defined]


def _program_finding() -> Finding:
    named = os.environ.get(PROGRAM_VARIABLE) or host_settings().get("lpsuite") or "lpsuite"
    program = _words(named)[0]
    is_there = shutil.which(program) is not None
    return Finding(
        is_there,
        f"Nuke will start the worker with {program}."
        if is_there
        else f"{program} is no program that can be started; run: lpsuite host install nuke.",
    )
