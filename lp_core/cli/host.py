"""``lpsuite host``: install, status and uninstall of the adapters for host programs."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from lp_core.cli.main import Command, debug_option
from lp_core.cli.output import say
from lp_core.errors import DiskFull, MediaError, NoWritePermission, SettingError

if TYPE_CHECKING:
    from hosts.install import Installer, InstallOptions

_MISSING = 1


@click.group(short_help="Install LP Suite into host programs, and see what is wrong.")
def host() -> None:
    """Installs LP Suite's files into a host program, checks them, and removes them again."""


def _folder_option(command: Command) -> Command:
    return click.option(
        "--folder",
        "--dir",
        metavar="DIR",
        help="The host's settings folder. Default: its usual one for this user.",
    )(command)


@host.command(short_help="Put the host's files where it finds them.")
@click.argument("name", metavar="HOST")
@_folder_option
@click.option("--allow", multiple=True, metavar="DIR", help="Folder the host's worker may touch; repeatable.")
@debug_option
def install(name: str, folder: str | None, allow: tuple[str, ...]) -> None:
    """Installs into HOST; existing settings of the host are kept."""
    from hosts.install import InstallOptions

    _say(_told(name, "install", InstallOptions(folder, program(), allow)))


@host.command(short_help="Tell what is between the host and an image.")
@click.argument("name", metavar="HOST")
@_folder_option
@debug_option
def status(name: str, folder: str | None) -> int:
    """Checks HOST; exit status 1 when something is not as it should be."""
    from hosts.install import InstallOptions

    findings = _installer(name).status(InstallOptions(folder, program()))
    for finding in findings:
        say(f"{'ok  ' if finding.is_good else 'BAD '} {finding.sentence}")
    return 0 if all(finding.is_good for finding in findings) else _MISSING


@host.command(short_help="Remove what was installed.")
@click.argument("name", metavar="HOST")
@_folder_option
@debug_option
def uninstall(name: str, folder: str | None) -> None:
    """Removes LP Suite's files from HOST."""
    from hosts.install import InstallOptions

    _say(_told(name, "uninstall", InstallOptions(folder, program())))


def program() -> tuple[str, ...]:
    """What starts this very LP Suite, from any folder."""
    found = shutil.which(sys.argv[0]) if sys.argv[0].endswith(("lpsuite", "lpsuite.exe")) else None
    return (os.path.abspath(found),) if found is not None else (sys.executable, "-m", "lp_core")  # noqa: PTH100


def _installer(name: str) -> Installer:
    from hosts.install import HOSTS, open_installer

    if name not in HOSTS:
        raise SettingError(f"The host '{name}' is not known; choose one of: {', '.join(HOSTS)}.")
    return open_installer(name)


def _told(name: str, action: str, options: InstallOptions) -> list[str]:
    try:
        said: list[str] = getattr(_installer(name), action)(options)
    except DiskFull:
        raise
    except MediaError as error:
        raise NoWritePermission(f"{str(error).removesuffix('.')} (--folder).") from error
    except OSError as error:
        raise NoWritePermission(
            f"{error.filename or options.folder} cannot be written ({error.strerror}); name another --folder."
        ) from error
    return said


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        say(sentence)
