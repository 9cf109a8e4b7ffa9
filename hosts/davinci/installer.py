"""Puts the scripts and the Fusion macro where Resolve finds them, with what they import beside them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from hosts.install import Finding, InstallOptions
from lp_core.files import ensure_folder, write_whole
from lp_core.link.start import settings_file
from lp_core.version import __version__

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIBRARY = "LivePortrait"
"""Folder beside ``Scripts`` that holds what the scripts import; under ``Scripts`` it would show in the menu."""
STAMP = "lpsuite.txt"
MACRO = "LivePortrait.setting"
PLACEHOLDER = 'LIBRARY = ""'
LUA_PLACEHOLDER = 'local library = ""'
FLOOR_0 = (
    "__init__",
    "version",
    "errors",
    "files",
    "performance_name",
    "timing",
    "job",
)
FLOOR_0_PACKAGES = ("settings", "link")
"""Modules and packages of lp_core that host scripts load."""


class DavinciInstaller:
    """DaVinci Resolve's row of ``hosts.install.HOSTS``."""

    def install(self, wishes: InstallOptions) -> list[str]:
        """Copies scripts, library and macro; tells the scripts which program is the worker's."""
        fusion = fusion_folder(wishes)
        library = fusion / LIBRARY
        if library.exists():
            shutil.rmtree(library)
        for source, target in _library_files():
            place = library / target
            ensure_folder(place.parent)
            write_whole(place, source.read_bytes())
        stamp = f"LP Suite {__version__}\nlibrary: {library}\ncommand: {json.dumps(list(wishes.command))}\n"
        write_whole(library / STAMP, stamp)
        for source, target in _scripts():
            place = fusion / "Scripts" / target
            ensure_folder(place.parent)
            write_whole(place, _with_library(source, library))
        macro = _macro(fusion)
        ensure_folder(macro.parent)
        write_whole(macro, (HERE / MACRO).read_bytes())
        _remember(wishes)
        return [
            f"The scripts are in {fusion / 'Scripts'}: in Resolve by Workspace, Scripts, on the Edit and Fusion pages.",
            f"The macro LivePortrait is in {macro.parent}; on the Fusion page it is among the macros.",
            "They need Python 3.7 or newer (3.10 to 3.12 is safest); LivePortrait - Check in the menu tells.",
        ]

    def status(self, wishes: InstallOptions) -> list[Finding]:
        """What stands between the user and a render."""
        fusion = fusion_folder(wishes)
        library = fusion / LIBRARY
        if not (library / STAMP).is_file():
            return [Finding(False, f"Nothing is installed in {fusion}; run: lpsuite host install davinci.")]
        found = [_version_finding(library), _files_finding(fusion, library)]
        command = json.loads((library / STAMP).read_text(encoding="utf-8").splitlines()[2].partition(": ")[2])
        starts = bool(command) and shutil.which(command[0]) is not None
        found.append(
            Finding(starts, f"The worker is started with {' '.join(command)}." if starts else
                    f"{(command or ['The program'])[0]} is gone; run: lpsuite host install davinci.")
        )  # fmt: skip
        found.append(_python_finding())
        return found

    def uninstall(self, wishes: InstallOptions) -> list[str]:
        """Removes what ``install`` placed; nothing else in Resolve's folders is touched."""
        fusion = fusion_folder(wishes)
        library = fusion / LIBRARY
        said = []
        for place in [*(fusion / "Scripts" / target for _, target in _scripts()), _macro(fusion)]:
            if place.exists():
                place.unlink()
                said.append(f"{place.name} was removed.")
        if (library / STAMP).exists():
            shutil.rmtree(library)
            said.append(f"{library} was removed.")
        return said or ["Nothing of LP Suite was installed in Resolve."]


def fusion_folder(wishes: InstallOptions) -> Path:
    """The user's folder ``Fusion`` of Resolve."""
    if wishes.folder is not None:
        return Path(wishes.folder)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
        return base / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support" / "Blackmagic Design"
        return base / "DaVinci Resolve" / "Fusion"
    return Path.home() / ".local" / "share" / "DaVinciResolve" / "Fusion"


def _library_files() -> list[tuple[Path, str]]:
    """(file, its place under the library)."""
    core = ROOT / "lp_core"
    found = [core / f"{name}.py" for name in FLOOR_0]
    found += [path for package in FLOOR_0_PACKAGES for path in sorted((core / package).glob("*.py"))]
    found += [ROOT / "hosts" / "__init__.py", ROOT / "hosts" / "client.py", HERE / "__init__.py"]
    found += sorted((HERE / "lp_resolve").glob("*.py"))
    return [(path, str(path.relative_to(ROOT))) for path in found]


def _scripts() -> list[tuple[Path, str]]:
    """(file, its place under Scripts)."""
    folder = HERE / "scripts"
    return [(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*.*")) if path.is_file()
            and path.suffix in (".py", ".lua")]  # fmt: skip


def _with_library(source: Path, library: Path) -> str:
    """A script that knows where its library is: Resolve does not tell a script its own place."""
    text, place = (
        source.read_text(encoding="utf-8"),
        json.dumps(str(library), ensure_ascii=source.suffix == ".py"),
    )
    text = text.replace(PLACEHOLDER, f"LIBRARY = {place}")
    return text.replace(LUA_PLACEHOLDER, f"local library = {place}")


def _macro(fusion: Path) -> Path:
    return fusion / "Templates" / "Fusion" / "LP Suite" / MACRO


def _remember(wishes: InstallOptions) -> None:
    """Writes the command into the hosts' settings file, where the client looks for it; other settings stay."""
    path = settings_file()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        values = {}
    values["lpsuite"] = list(wishes.command)
    if wishes.allow:
        values["serve"] = [word for folder in wishes.allow for word in ("--allow", folder)]
    ensure_folder(path.parent)
    write_whole(path, json.dumps(values, indent=1))


def _version_finding(library: Path) -> Finding:
    first = (library / STAMP).read_text(encoding="utf-8").splitlines()[0]
    is_good = first == f"LP Suite {__version__}"
    words = f"The scripts are those of {first}."
    return Finding(
        is_good, words if is_good else f"{words} This is {__version__}; run: lpsuite host install davinci."
    )


def _files_finding(fusion: Path, library: Path) -> Finding:
    wanted = [(library / target, source.read_bytes()) for source, target in _library_files()]
    wanted += [
        (fusion / "Scripts" / target, _with_library(source, library).encode())
        for source, target in _scripts()
    ]
    wanted.append((_macro(fusion), (HERE / MACRO).read_bytes()))
    bad = [place.name for place, content in wanted if not place.is_file() or place.read_bytes() != content]
    if bad:
        return Finding(False, f"{', '.join(bad)} is missing or altered; run: lpsuite host install davinci.")
    return Finding(True, f"All {len(wanted)} files are in their place in {fusion}.")


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
