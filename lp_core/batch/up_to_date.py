"""Whether a shot is up to date: hashes of everything that its images depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lp_core.batch.plan import WORK, BatchPlan, Shot
from lp_core.engines.registry import PLAIN_MODEL, RECAST_MODEL
from lp_core.errors import MALFORMED, UnreadableMedia
from lp_core.files import ensure_folder, sha256_of, write_whole
from lp_core.job import RenderJob
from lp_core.media.frame_pattern import files_of
from lp_core.models.store import default_store
from lp_core.performance_name import is_builtin, is_speech, speech_file
from lp_core.provenance.models import models_in_use
from lp_core.render.cast_members import cast_files, inlined
from lp_core.render.stored_arrays import read_json
from lp_core.settings import EngineSettings
from lp_core.settings.face_names import photos_by_name
from lp_core.settings.table import path_values
from lp_core.version import __version__

KEY_FILE, RECORD_FILE, HASHES = "key.json", "shot.json", "hashes.json"
CHOICE = "liveportrait-landmarks"
"""A model that an engine uses where it is installed, and does without where it is not."""
MACHINE_SETTINGS = ("device", "batch", "compile", "weights")
"""Settings of the machine that renders (the content of the weights counts, not their folder)."""


@dataclass
class Hashes:
    """SHA-256 of files; one that has kept its size and its times is not read again."""

    path: Path
    """Where they are kept."""
    _known: dict[str, list[Any]] = field(default_factory=dict)
    _is_changed: bool = False

    @classmethod
    def open(cls, plan: BatchPlan) -> Hashes:
        """Those of a batch."""
        path = plan.folder / WORK / HASHES
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, *MALFORMED):
            known = {}
        return cls(path, known if isinstance(known, dict) else {})

    def of(self, path: Path) -> str:
        """The hash of a file.

        Raises:
            UnreadableMedia: it cannot be read.
        """
        try:
            about = path.stat()
            known = self._known.get(str(path))
            stamp = [about.st_size, about.st_mtime_ns, about.st_ctime_ns]
            if isinstance(known, list) and known[:-1] == stamp:
                return str(known[-1])
            digest = sha256_of(path)
        except OSError as error:
            raise UnreadableMedia(f"{path} cannot be read: {error.strerror}.") from error
        self._known[str(path)] = [*stamp, digest]
        self._is_changed = True
        return digest

    def of_all(self, paths: Iterable[Path]) -> str:
        """One hash of several files in order, without the names."""
        return hashlib.sha256("".join(self.of(path) for path in paths).encode()).hexdigest()

    def keep(self) -> None:
        """Writes what was learnt; another process may do the same, and only costs a reading."""
        if self._is_changed:
            ensure_folder(self.path.parent)
            write_json(self.path, self._known)
            self._is_changed = False


def write_json(path: Path, values: Any) -> None:  # noqa: ANN401 - plain values
    """Writes a file completely or not at all; several machines may do so at once."""
    write_whole(path, json.dumps(values))


def key_of(plan: BatchPlan, shot: Shot, hashes: Hashes) -> str:
    """What a shot is made of, in one hash: inputs, settings, models and version.

    Raises:
        UnreadableMedia: an input cannot be read.
    """
    job = shot.render_job(plan.folder)
    settings = asdict(job.settings)
    for name in MACHINE_SETTINGS:
        settings["engine"].pop(name)
    for (group, name), value in path_values(
        job.settings
    ).items():  # another machine may have the file elsewhere
        if name in settings[group]:
            settings[group][name] = Path(value).name
    settings["face"]["face"] = inlined(job.settings.face, lambda path: Path(path).name).face
    engine = job.settings.engine
    driver = job.settings.speech.speech_driver if is_speech(job.driving) else ""
    parts = {
        "version": __version__,
        "shot": shot.id,
        "source": hashes.of_all(files_of(job.source)),
        "driving": job.driving
        if is_builtin(job.driving)
        else hashes.of_all(files_of(speech_file(job.driving))),
        "timing": [shot.frames, shot.fps, shot.driver_frames, shot.driver_start_s, shot.driver_speed],
        "beside": [shot.beside_start_s, shot.beside_speed],
        "numbering": [shot.clock_start, shot.clock_rate],
        "settings": settings,
        "files": {name: hashes.of(path) for name, path in setting_files(job)},
        "models": [
            *_models(engine, driver),
            default_store().status(CHOICE).is_usable,
        ],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _models(engine: EngineSettings, speech: str) -> list[dict[str, str]]:
    """Every model file that a render may use; of a model that is chosen later, those of all it may be."""
    models = (PLAIN_MODEL, RECAST_MODEL) if engine.model == "auto" else (engine.model,)
    found = [item for model in models for item in models_in_use(engine.engine, engine.weights, speech, model)]
    return [item for at, item in enumerate(found) if item not in found[:at]]


def inputs_of(plan: BatchPlan, shot: Shot, hashes: Hashes) -> str:
    """What the files are that a shot is made of, in one hash.

    Raises:
        UnreadableMedia: an input cannot be read.
    """
    job = shot.render_job(plan.folder)
    names = [job.source] if is_builtin(job.driving) else [job.source, speech_file(job.driving)]
    files = [*(path for name in names for path in files_of(name)), *(path for _, path in setting_files(job))]
    return hashes.of_all(files)


def read_inputs(plan: BatchPlan, shot: Shot) -> str | None:
    """What the files were when the work was begun; None where nobody noted it."""
    values = read_json(plan.work(shot) / KEY_FILE)
    return None if values is None or "inputs" not in values else str(values["inputs"])


def setting_files(job: RenderJob) -> list[tuple[str, Path]]:
    """(setting and name, file) of the files and sequences that settings name; names of built-in things are none."""
    found: list[tuple[str, Path]] = []
    for (_, name), value in path_values(job.settings).items():
        if name != "weights":
            found.extend((f"{name} {path.name}", path) for path in files_of(value))
    face = job.settings.face
    for value in [*photos_by_name(face), *cast_files(face)]:
        if not is_builtin(value):
            found.extend((f"face {path.name}", path) for path in files_of(speech_file(value)))
    return found


def read_key(plan: BatchPlan, shot: Shot) -> str | None:
    """Key of the work that was begun; None where none was."""
    values = read_json(plan.work(shot) / KEY_FILE)
    return None if values is None else str(values.get("key"))


def read_record(plan: BatchPlan, shot: Shot) -> dict[str, Any] | None:
    """What is known of a finished shot."""
    return read_json(plan.work(shot) / RECORD_FILE)


def finished_record(plan: BatchPlan, shot: Shot, hashes: Hashes) -> dict[str, Any] | None:
    """The record of a shot that need not be rendered again; None otherwise.

    Raises:
        UnreadableMedia: an input cannot be read.
    """
    record = read_record(plan, shot)
    if record is None:
        return None
    files = [Path(plan.folder / name) for name in record["files"]]
    if not all(path.is_file() for path in files) or hashes.of_all(files) != record["content"]:
        return None
    return record if record["key"] == key_of(plan, shot, hashes) else None
