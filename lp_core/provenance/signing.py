"""The last step of a render: the finished result is signed, or the report says why it is not.

Nothing here stops a delivery: a key that cannot be used leaves the result as it is, unsigned.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from lp_core.errors import ConsentMissing, KeyUnusable, LpError, ProvenanceError
from lp_core.files import sha256_of
from lp_core.job import RenderJob
from lp_core.performance_name import is_speech, speech_file
from lp_core.provenance.claim import Claim, Ingredient, ingredient_of
from lp_core.provenance.config import KeyConfig, config_folder, read_config
from lp_core.provenance.consent import read_consent
from lp_core.provenance.models import PLAIN_MODEL, models_in_use
from lp_core.settings import ProvenanceSettings

EMBEDDED = (".mp4", ".m4v", ".mov", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
"""File types that carry their manifest inside; all others, and sequences, get a sidecar."""
SIDECAR_SUFFIX = ".provenance.json"
_PLACE = re.compile(r"[._-]*(?:%0?\d*d|#+)")
NUMBERED = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".jfif",
        ".jpe",
        ".jif",
        ".tif",
        ".tiff",
        ".webp",
        ".bmp",
        ".gif",
        ".apng",
        ".exr",
        ".dpx",
    ]
)
"""File types in whose names ``%04d`` and ``####`` mean a frame number, unless a file has exactly that name."""
FindFiles = Callable[[str], Sequence[Path]]
"""File name or frame pattern -> the files that are there; empty for a built-in motion."""


@dataclass(frozen=True)
class Verdict:
    """What became of the signing."""

    state: str
    """'signed'; 'off' (not asked for); 'no_key' (nothing is set up); 'failed' (what is set up cannot be used)."""
    notes: tuple[str, ...] = ()
    """Sentences for the report."""


@dataclass(frozen=True)
class OtherFace:
    """A further face of a cast."""

    driving: str
    """Its performance."""
    engine: str
    """Name of the engine that draws it."""
    model: str = PLAIN_MODEL
    """The published model that it draws with, where it has networks."""


@dataclass(frozen=True)
class Signer:
    """Signs the result of one job."""

    job: RenderJob
    """What was asked for."""
    engine: str
    """Name of the engine that draws."""
    label: str
    """What the engine says of its weights."""
    is_plate: bool
    """True: the source is a video."""
    consent: Mapping[str, Any] | None
    """The consent file's content."""
    find_files: FindFiles
    """Finds the files of a name."""
    passes: tuple[str, ...] = ()
    """Files and patterns next to the result that share its manifest."""
    others: tuple[OtherFace, ...] = ()
    """Further faces of a cast."""
    voice: Mapping[str, str] | None = None
    """id, license and model of the synthetic voice that is heard; None: no synthetic voice."""
    scenes: tuple[Mapping[str, str], ...] = ()
    """Portrait and voice of every scene, where the result has several."""
    model: str = PLAIN_MODEL
    """The published model that draws, where the engine has networks."""

    def __call__(self, output: str, frames: int, rate: str) -> Verdict:
        """Signs; never raises what a key or a full disk has to say.

        Args:
            output: the result.
            frames: its length.
            rate: frames a second, exact.
        """
        verdict = self._verdict(Path(output), frames, rate)
        if verdict.state != "signed":  # a sidecar of an earlier result would call this one tampered
            with suppress(OSError):
                sidecar_path(output).unlink(missing_ok=True)
        return verdict

    def _verdict(self, output: Path, frames: int, rate: str) -> Verdict:
        if not self.job.settings.provenance.sign:
            return Verdict("off", ("The result is unsigned, because signing is switched off (--no-sign).",))
        folder = config_folder()
        try:
            config = read_config(folder)
            if config is None:
                return _nothing_set_up()
            if not _has_libraries():
                return Verdict("failed", (_lacking(),))
            notes = self._sign(output, self._claim(frames, rate), folder, config)
        except (LpError, OSError) as error:
            return Verdict("failed", (f"The result is unsigned: {error}",))
        return Verdict("signed", notes)

    def _sign(self, output: Path, claim: Claim, folder: Path, config: KeyConfig) -> tuple[str, ...]:
        from lp_core.provenance.keys import open_identity
        from lp_core.provenance.sidecar import write_sidecar
        from lp_core.provenance.sign import embed

        identity = open_identity(folder, config)
        files = list(self.find_files(str(output)))
        beside = [path for name in self.passes for path in self.find_files(name)]
        if not files:
            raise ProvenanceError(f"{output} is not there any more.")
        if not is_embedded(output):
            write_sidecar(sidecar_path(output), claim, {}, [*files, *beside], identity)
            return ()
        extra: dict[str, Any] = {"passes": {path.name: sha256_of(path) for path in beside}} if beside else {}
        if self.scenes:
            extra["scenes"] = [dict(scene) for scene in self.scenes]
        if not self._is_signed(output, {**claim.record(), **extra}):
            return embed(output, claim, extra, identity)
        return ()

    def _is_signed(self, output: Path, record: Mapping[str, Any]) -> bool:
        """Whether an earlier run, cut off right after signing, has done it already."""
        from lp_core.provenance.sign import read

        try:
            found = read(output, ())
        except ProvenanceError:
            return False
        return found is not None and found.state != "tampered" and found.record == record

    def _claim(self, frames: int, rate: str) -> Claim:
        job, settings = self.job, self.job.settings
        performances = [job.driving, *(other.driving for other in self.others)]
        has_voice = any(is_speech(name) for name in performances)
        driver = settings.speech.speech_driver if has_voice else ""
        heard_by = "" if driver == "map" and self.voice is not None else driver
        others = ((other.engine, other.model) for other in self.others)
        draws = dict.fromkeys([(self.engine, self.model), *others])
        folder = settings.engine.weights
        models = [item for name, model in draws for item in models_in_use(name, folder, heard_by, model)]
        driving, *further = (
            self._performance(name, at) for at, name in enumerate(dict.fromkeys(performances), 1)
        )
        return Claim(
            title=Path(job.output).name,
            source=ingredient_of("source", job.source, tuple(self.find_files(job.source))),
            driving=driving,
            others=tuple(further),
            is_speech=has_voice,
            voice=self.voice,
            is_plate=self.is_plate,
            is_generated=settings.provenance.generated_source,
            engine=", ".join(dict.fromkeys(name for name, _ in draws)),
            label=self.label,
            models=tuple(model for at, model in enumerate(models) if model not in models[:at]),
            settings=_without_folders(asdict(settings)),
            frames=frames,
            rate=rate,
            consent=self.consent,
        )

    def _performance(self, name: str, number: int) -> Ingredient:
        file = speech_file(name)
        role = "driving" if number == 1 else f"driving{number}"
        return ingredient_of(role, file, tuple(self.find_files(file)))


class EngineFacts(Protocol):
    """What is claimed of an engine."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def model(self) -> str:
        """The published model that draws; empty for engines without networks."""
        ...

    @property
    def label(self) -> str:
        """What it says of its weights."""
        ...


def open_sealer(
    job: RenderJob,
    engine: EngineFacts,
    is_plate: bool,
    find_files: FindFiles,
    passes: tuple[str, ...],
    others: Sequence[OtherFace] = (),
) -> Signer:
    """What signs the result of a job, see ``Signer``; consent is checked now.

    Raises:
        ConsentMissing: it is demanded and none is given, or the file does not allow a render today.
    """
    consent = open_consent(job.settings.provenance)
    facts = engine.name, engine.label, is_plate, consent
    return Signer(job, *facts, find_files, passes, tuple(others), model=engine.model or PLAIN_MODEL)


def is_embedded(output: Path) -> bool:
    """Whether a result carries its manifest inside."""
    return not _is_pattern(output) and output.suffix.lower() in EMBEDDED


def sidecar_path(output: str | Path) -> Path:
    """Where the sidecar of a result is: shot.%04d.exr -> shot.exr.provenance.json, next to it."""
    path = Path(output)
    name = _PLACE.sub("", path.name) if _is_pattern(path) else path.name
    return path.with_name(name + SIDECAR_SUFFIX)


def _is_pattern(path: Path) -> bool:
    is_image = path.suffix.lower() in NUMBERED and _PLACE.search(path.name) is not None
    return is_image and not os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for long names


def open_consent(settings: ProvenanceSettings) -> dict[str, Any] | None:
    """The consent of a job or a live stream, checked before anything is rendered.

    Raises:
        ConsentMissing: it is demanded and none is given, or the file does not allow a render today.
    """
    if settings.consent is not None:
        return read_consent(Path(settings.consent))
    try:
        config = read_config(config_folder())
    except KeyUnusable as error:
        raise ConsentMissing(f"Whether consent is demanded cannot be known: {error}") from error
    if settings.require_consent or (config is not None and config.require_consent):
        raise ConsentMissing(
            "Consent is demanded here and none is given; name the consent file with --consent."
        )
    return None


def _nothing_set_up() -> Verdict:
    if not _has_libraries():
        return Verdict("no_key", (_lacking(),))
    return Verdict(
        "no_key",
        (
            "The result is unsigned, because no signing key is set up; make one with lpsuite provenance init, "
            "or switch signing off with --no-sign.",
        ),
    )


def _has_libraries() -> bool:
    return find_spec("c2pa") is not None and find_spec("cryptography") is not None


def _lacking() -> str:
    return "The result is unsigned, because the C2PA library is absent; pip install 'lp-suite[provenance]'."


def _own_settings(text: str) -> Any:  # noqa: ANN401 - plain values
    """The settings of a face that has its own; None where the text is a name, which may begin with a bracket too."""
    try:
        return json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None


def _without_folders(values: Any) -> Any:  # noqa: ANN401 - plain values
    """Settings without the folders of file names: what is signed is public, the machine's folders are not."""
    if isinstance(values, dict):
        return {name: _without_folders(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_without_folders(value) for value in values]
    if isinstance(values, str) and "://" not in values and ("/" in values or "\\" in values):
        whole = values.replace("\\", "/")
        own = _own_settings(values)
        if own is not None:
            return json.dumps(_without_folders(own), sort_keys=True)
        face, equals, path = whole.partition("=")
        last = (path or whole).rstrip("/").rsplit("/", 1)[-1]
        kept = face.rsplit("/", 1)[-1] + equals if path else ""
        return values if _is_ratio(whole) else kept + last
    return values


def _is_ratio(text: str) -> bool:
    above, _, below = text.partition("/")
    return above.isdigit() and below.isdigit()
