"""Puts the scripts and the Fusion macro where Resolve finds them, with what they import next to them."""

from __future__ import annotations

import json
import os
import shutil
import sys
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
from lp_core.version import __version__

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = "LivePortrait"
"""Folder next to it ``Scripts`` that holds what the scripts import; under ``Scripts`` it would show in the menu."""
STAMP = "lpsuite.txt"
MACRO = "LivePortrait.setting"
PLACEHOLDER = 'LIBRARY = ""'
LUA_PLACEHOLDER = 'local library = ""'


class DavinciInstaller:
    """DaVinci Resolve's row of ``hosts.install.HOSTS``."""

    def install(self, options: InstallOptions) -> list[str]:
        """Copies scripts, library and macro; sets which program the scripts start."""
        fusion = fusion_folder(options)
        library = fusion / LIBRARY
        if library.exists():
            shutil.rmtree(library)
        place(_files(fusion))
        stamp = f"LP Suite {__version__}\nlibrary: {library}\ncommand: {json.dumps(list(options.command))}\n"
        place([(library / STAMP, stamp.encode())])
        remember_command(options)
        return [
            f"The scripts are in {fusion / 'Scripts'}: in Resolve by Workspace, Scripts, on the Edit and Fusion pages.",
            f"The macro LivePortrait is in {_macro(fusion).parent}; on the Fusion page it is among the macros.",
            "They need Python 3.7 or newer (3.10 to 3.12 is safest); LivePortrait - Check in the menu shows which.",
        ]

    def status(self, options: InstallOptions) -> list[Finding]:
        """What is between the user and a render."""
        fusion = fusion_folder(options)
        library = fusion / LIBRARY
        if not (library / STAMP).is_file():
            return [Finding(False, f"Nothing is installed in {fusion}; run: lpsuite host install davinci.")]
        found = [_version_finding(library), _files_finding(fusion)]
        command = json.loads((library / STAMP).read_text(encoding="utf-8").splitlines()[2].partition(": ")[2])
        starts = bool(command) and shutil.which(command[0]) is not None
        found.append(
            finding(
                starts,
                f"The worker is started with {' '.join(command)}.",
                f"{(command or ['The program'])[0]} is gone; run: lpsuite host install davinci.",
            )
        )
        found.append(_python_finding())
        return [*found, *_sandbox_finding()]

    def uninstall(self, options: InstallOptions) -> list[str]:
        """Removes what ``install`` placed; nothing else in Resolve's folders is touched."""
        fusion = fusion_folder(options)
        library = fusion / LIBRARY
        said = []
        for path in [*(path for path, _ in _scripts(fusion)), _macro(fusion)]:
            if path.exists():
                path.unlink()
                said.append(f"{path.name} was removed.")
        if (library / STAMP).exists():
            shutil.rmtree(library)
            said.append(f"{library} was removed.")
        return said or ["Nothing of LP Suite was installed in Resolve."]


def fusion_folder(options: InstallOptions) -> Path:
    """The user's folder ``Fusion`` of Resolve."""
    if options.folder is not None:
        return Path(options.folder)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
        return base / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support" / "Blackmagic Design"
        return base / "DaVinci Resolve" / "Fusion"
    return Path.home() / ".local" / "share" / "DaVinciResolve" / "Fusion"


def _files(fusion: Path) -> Iterator[PlacedFile]:
    """Everything that is copied, but for the stamp."""
    library = fusion / LIBRARY
    yield from core_files(library)
    shared = ("__init__.py", "client.py", "kit/__init__.py", "kit/lua_text.py")
    for path in (*(ROOT / "hosts" / name for name in shared), HERE / "__init__.py"):
        yield library / path.relative_to(ROOT), path.read_bytes()
    yield from package_files(library / "hosts" / "davinci", HERE / "lp_resolve")
    yield from _scripts(fusion)
    yield _macro(fusion), (HERE / MACRO).read_bytes()


def _scripts(fusion: Path) -> Iterator[PlacedFile]:
    """The scripts of Resolve's menus."""
    folder = HERE / "scripts"
    for path in sorted(folder.rglob("*.*")):
        if path.is_file() and path.suffix in (".py", ".lua"):
            text = _with_library(path, fusion / LIBRARY)
            yield fusion / "Scripts" / path.relative_to(folder), text.encode()


def _with_library(source: Path, library: Path) -> str:
    """A script that knows where its library is: Resolve does not give a script its own path."""
    text, place = (
        source.read_text(encoding="utf-8"),
        json.dumps(str(library), ensure_ascii=source.suffix == ".py"),
    )
    text = text.replace(PLACEHOLDER, f"LIBRARY = {place}")
    return text.replace(LUA_PLACEHOLDER, f"local library = {place}")


def _macro(fusion: Path) -> Path:
    return fusion / "Templates" / "Fusion" / "LP Suite" / MACRO


def _version_finding(library: Path) -> Finding:
    first = (library / STAMP).read_text(encoding="utf-8").splitlines()[0]
    is_good = first == f"LP Suite {__version__}"
    words = f"The scripts are those of {first}."
    return Finding(
        is_good, words if is_good else f"{words} This is {__version__}; run: lpsuite host install davinci."
    )


def _files_finding(fusion: Path) -> Finding:
    files = list(_files(fusion))
    bad = ", ".join(path.name for path in altered(files))
    return finding(
        not bad,
        f"All {len(files)} files are in their place in {fusion}.",
        f"{bad} is missing or altered; run: lpsuite host install davinci.",
    )


APP_STORE = Path("/Applications/DaVinci Resolve.app/Contents/_MASReceipt/receipt")
"""The App Store puts a receipt into what it installs; Blackmagic's own download is in a separate folder."""


def _sandbox_finding() -> Iterator[Finding]:
    """On macOS the App Store's edition runs in a sandbox, where scripts find neither the worker nor its settings."""
    if sys.platform == "darwin" and APP_STORE.exists():
        yield Finding(
            False,
            "This Resolve comes from the App Store and is sandboxed: its scripts have another home folder and do "
            "not find the worker. Install DaVinci Resolve from blackmagicdesign.com instead.",
        )


def _python_finding() -> Finding:
    """Whether Resolve can find a Python; each system has its own rule."""
    if sys.platform == "darwin":
        home = os.environ.get("PYTHON3HOME")
        place = Path(home) / "bin" / "python3" if home else Path("/usr/local/bin/python3")
    elif sys.platform == "win32":
        return Finding(True, "On Windows Resolve takes the registered Python of python.org.")
    else:
        place = Path(shutil.which("python3") or "/usr/bin/python3")
    words = f"Resolve finds Python at {place}."
    bad = f"Resolve looks for Python at {place}, where there is none; install Python 3.10 to 3.12."
    return Finding(place.exists(), words if place.exists() else bad)
