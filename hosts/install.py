"""Installs the files of host programs: a table of hosts, each with its own way to place, check and remove them.

A host's row is made in ``hosts/<name>/installer.py``; adding a host means adding a line to ``HOSTS``. Standard
library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

HOSTS: Mapping[str, str] = {
    "davinci": "hosts.davinci.installer:DavinciInstaller",
    "nuke": "hosts.nuke.installer:NukeInstaller",
    "obs": "hosts.obs.installer:ObsInstaller",
}
"""Host -> "module:class", imported on use."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    is_good: bool
    """Whether it is as it should be."""
    sentence: str
    """What was found, and what to do where it is not."""


@dataclass(frozen=True)
class InstallOptions:
    """What the user asked for."""

    folder: str | None = None
    """The host's own settings folder; None: its usual one."""
    command: tuple[str, ...] = ()
    """What starts LP Suite."""
    allow: tuple[str, ...] = ()
    """Folders that a worker started by the host may touch; none: the user's home."""


class Installer(Protocol):
    """Places, checks and removes one host's files. ``uninstall`` leaves what it did not make."""

    def install(self, options: InstallOptions) -> list[str]:
        """Places the files; returns sentences that say what was done and what the user does next."""
        ...

    def status(self, options: InstallOptions) -> list[Finding]:
        """Looks whether everything is in its place."""
        ...

    def uninstall(self, options: InstallOptions) -> list[str]:
        """Removes what ``install`` placed; returns sentences that say what was removed."""
        ...


def open_installer(host: str) -> Installer:
    """The installer of a host; KeyError where there is none."""
    module, name = HOSTS[host].split(":")
    installer: Installer = getattr(import_module(module), name)()
    return installer
