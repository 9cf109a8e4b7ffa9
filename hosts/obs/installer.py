"""Puts the LivePortrait source where OBS finds it, and a scene that shows it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from hosts.install import Finding, InstallOptions
from hosts.kit.installer import PlacedFile, allowed, altered, finding, place
from hosts.obs.options import options_text
from lp_core.errors import MALFORMED
from lp_core.files import ensure_folder, write_whole

HERE = Path(__file__).resolve().parent
SCRIPTS = ("liveportrait.lua", "lp_memory.lua")
OPTIONS = "lp_options.lua"
FOLDER = "lpsuite"
SOURCE_ID = "lpsuite_liveportrait"
COLLECTION = "LP Suite"


class ObsInstaller:
    """OBS Studio's row of ``hosts.install.HOSTS``."""

    def install(self, options: InstallOptions) -> list[str]:
        """Copies the script, makes the helper scene collection and adds the script to every collection there is."""
        home = config_folder(options)
        target = home / FOLDER
        ensure_folder(target)
        place(_scripts_of(target))
        place([(target / OPTIONS, options_text(list(options.command), allowed(options)).encode())])
        script = target / SCRIPTS[0]
        said = [f"The source LivePortrait is installed: {script}."]
        scenes = home / "basic" / "scenes"
        ensure_folder(scenes)
        changed = [path.stem for path in collections(scenes) if _add_script(path, script)]
        if changed:
            said.append(f"The script was added to the scene collections: {', '.join(changed)}.")
        helper = scenes / f"{COLLECTION.replace(' ', '_')}.json"
        if not helper.exists():
            write_whole(helper, json.dumps(helper_collection(script), indent=1))
            said.append(f'A scene collection "{COLLECTION}" with a LivePortrait source was made.')
        said.append(
            "Start OBS again; in collections made later, add the script by Tools, Scripts. Then add the source "
            "LivePortrait to a scene."
        )
        return said

    def status(self, options: InstallOptions) -> list[Finding]:
        """What is between the user and an image."""
        home = config_folder(options)
        script = home / FOLDER / SCRIPTS[0]
        found = [
            finding(
                shutil.which("obs") is not None or os.name == "nt" or sys.platform == "darwin",
                "OBS Studio is installed.",
                "OBS Studio was not found on PATH; install it.",
            )
        ]
        missing = [name for name in (*SCRIPTS, OPTIONS) if not (home / FOLDER / name).is_file()]
        if missing:
            words = f"{', '.join(missing)} is missing in {home / FOLDER}; run: lpsuite host install obs."
            return [*found, Finding(False, words)]
        stale = [path.name for path in altered(_scripts_of(home / FOLDER))]
        found.append(
            finding(
                not stale,
                f"The script is there and of this version: {script}.",
                f"{', '.join(stale)} is of another version; run: lpsuite host install obs.",
            )
        )
        found.append(_command_finding((home / FOLDER / OPTIONS).read_text(encoding="utf-8")))
        there = collections(home / "basic" / "scenes")
        without = [path.stem for path in there if not _has_script(path, script)]
        found.append(
            finding(
                not without,
                "Every scene collection loads the script.",
                f"The scene collections {', '.join(without)} do not load the script; add it in OBS by "
                "Tools, Scripts, or close OBS and run: lpsuite host install obs.",
            )
        )
        return found

    def uninstall(self, options: InstallOptions) -> list[str]:
        """Removes the script and takes it out of the scene collections; sources in scenes stay, empty."""
        home = config_folder(options)
        target = home / FOLDER
        said = [
            f"The scene collection {path.stem} no longer loads the script."
            for path in collections(home / "basic" / "scenes")
            if _remove_script(path, target / SCRIPTS[0])
        ]
        for name in (*SCRIPTS, OPTIONS):
            (target / name).unlink(missing_ok=True)
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
            said.append(f"{target} was removed.")
        return said or ["Nothing of LP Suite was installed in OBS."]


def config_folder(options: InstallOptions) -> Path:
    """Where OBS keeps its settings."""
    if options.folder is not None:
        return Path(options.folder)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "obs-studio"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "obs-studio"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "obs-studio"


def collections(scenes: Path) -> list[Path]:
    """The scene collections' files."""
    return sorted(scenes.glob("*.json"))


def helper_collection(script: Path, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """A scene collection with one scene that shows the source.

    Args:
        script: the installed script.
        settings: of the source, by the names of its properties.
    """
    source = {"name": "LivePortrait", "id": SOURCE_ID, "versioned_id": SOURCE_ID, "settings": settings or {}}
    place = {"pos": {"x": 0.0, "y": 0.0}, "scale": {"x": 1.0, "y": 1.0}}
    item = {"name": "LivePortrait", "id": 1, "visible": True, **place}
    scene = {"name": "Live portrait", "id": "scene", "settings": {"id_counter": 1, "items": [item]}}
    return {
        "name": COLLECTION,
        "current_scene": scene["name"],
        "current_program_scene": scene["name"],
        "scene_order": [{"name": scene["name"]}],
        "sources": [source, scene],
        "modules": {"scripts-tool": [{"path": str(script), "settings": {}}]},
    }


def _scripts_of(target: Path) -> list[PlacedFile]:
    return [(target / name, (HERE / name).read_bytes()) for name in SCRIPTS]


def _command_finding(options: str) -> Finding:
    line = next((row for row in options.splitlines() if row.startswith("  command")), "")
    program = line.partition('"')[2].partition('"')[0]
    return finding(
        shutil.which(program) is not None,
        f"OBS will start the worker with {program}.",
        f"{program} is gone; run: lpsuite host install obs.",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, *MALFORMED):
        return {}
    return values if isinstance(values, dict) else {}


def _script_rows(values: dict[str, Any]) -> list[Any]:
    modules = values.setdefault("modules", {})
    found = modules.setdefault("scripts-tool", []) if isinstance(modules, dict) else []
    return found if isinstance(found, list) else []


def _has_script(path: Path, script: Path) -> bool:
    return any(isinstance(row, dict) and row.get("path") == str(script) for row in _script_rows(_read(path)))


def _add_script(path: Path, script: Path) -> bool:
    values = _read(path)
    if not values or _has_script(path, script):
        return False
    _script_rows(values).append({"path": str(script), "settings": {}})
    _replace(path, values)
    return True


def _remove_script(path: Path, script: Path) -> bool:
    values = _read(path)
    rows = _script_rows(values)
    kept = [row for row in rows if not (isinstance(row, dict) and row.get("path") == str(script))]
    if len(kept) == len(rows):
        return False
    values["modules"]["scripts-tool"] = kept
    _replace(path, values)
    return True


def _replace(path: Path, values: dict[str, Any]) -> None:
    """Replaces a collection; the old one is kept as .before-lpsuite."""
    write_whole(path.with_name(path.name + ".before-lpsuite"), path.read_bytes())
    write_whole(path, json.dumps(values, indent=4))
