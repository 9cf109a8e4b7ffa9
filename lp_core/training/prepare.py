"""Videos and images to a training set: shots, tracks, crops, filters, people, splits, a report.

A source that was read before is not read again: what came of it is noted next to its shots, with the hash of the file
and of the settings. The set's own file is written last.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lp_core.errors import MALFORMED, ConsentMissing, LicenseNotAccepted, LpError, SettingError
from lp_core.faces.sface import FaceDescriber
from lp_core.files import ensure_folder, make_folder, remove, remove_folders, sha256_of, write_whole
from lp_core.provenance.consent import read_consent
from lp_core.training.candidates import Candidate, Cropping, Filters, read_candidates
from lp_core.training.config import FREE_LICENSES
from lp_core.training.people import LOOKS, describe, group_people, split_of
from lp_core.training.report import write_report
from lp_core.training.store import (
    SET_NAME,
    SPLITS,
    StoredShot,
    TrainingSet,
    TrainingShot,
    open_set,
    write_frames,
    write_set,
)

SAME_LOOK = 3
"""Bits in which the hashes of two shots' first frames differ at most for one to count as a copy."""
PEOPLE = ("faces", "sources")
LEAST_PEOPLE = 5
"""Sets of fewer people are trained on whole, unless the user names people to keep."""
VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mxf", ".mpg", ".ts")
IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")

Hear = Callable[[str], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How a set is made."""

    license: str
    """License of the sources, an SPDX identifier, or 'own'."""
    allow_restricted: bool = False
    """Take sources whose license is not known to allow commercial use."""
    consent: Path | None = None
    """The consent of the people who are shown."""
    size: int = 512
    """Side of the crops, pixels."""
    filters: Filters = field(default_factory=Filters)
    """What is taken."""
    is_lossless: bool = False
    """Store PNG in place of JPEG."""
    people: str = "faces"
    """'faces': people are distinguished by SFace; 'sources': each source shows a different person."""
    test: tuple[str, ...] = ()
    """Sources, without suffix, whose people are kept for tests."""
    validation: tuple[str, ...] = ()
    """The same for validation. With neither, people are drawn by a hash of their names."""

    def __post_init__(self) -> None:
        if self.people not in PEOPLE:
            raise SettingError(f"people = {self.people} is not known; choose one of: {', '.join(PEOPLE)}.")
        if not 32 <= self.size <= 2048:
            raise SettingError(f"size = {self.size} is out of range; crops have 32 to 2048 pixels.")
        if not self.license.strip():
            raise SettingError("The license of the sources is missing; name it with --license, such as own.")
        if self.license not in FREE_LICENSES and not self.allow_restricted:
            raise LicenseNotAccepted(
                f"The license '{self.license}' is not known to allow commercial use "
                f"({', '.join(FREE_LICENSES)} are); add --allow-restricted if you may train on these sources."
            )


@dataclass(frozen=True)
class _Read:
    """What came of a source."""

    source: str
    sha256: str
    shots: list[dict[str, Any]]
    left_out: dict[str, int]
    refused: list[dict[str, Any]]
    files: dict[str, str]


def prepare(
    sources: Sequence[Path], output: Path, options: PrepareOptions, hear: Hear | None = None
) -> TrainingSet:
    """Makes a set, or continues one.

    Args:
        sources: videos, images, and folders of them.
        output: folder of the set.
        options: how it is made.
        hear: called with what is being read.

    Raises:
        SettingError: nothing can be taken, or a name in the options fits no source.
        LicenseNotAccepted: see ``PrepareOptions``.
        ConsentMissing: the consent cannot be read or does not hold.
        ModelMissing: people are distinguished by SFace, and its model is absent.
    """
    consent = None if options.consent is None else read_consent(options.consent)
    paths = _sources(sources)
    _require_names(paths, options)
    describer = FaceDescriber() if options.people == "faces" else None
    made = make_folder(output / SET_NAME)
    ensure_folder(output / "shots")
    ensure_folder(output / "sources")
    read, unreadable = [], []
    for path in paths:
        if hear is not None:
            hear(path.name)
        try:
            read.append(_read_once(path, output, options))
        except LpError as error:
            unreadable.append({"source": path.name, "reason": str(error)})
    rows = _without_copies(read)
    if not rows:
        _clear(output, made)
        raise SettingError(_nothing(read, unreadable))
    shots = _with_people(rows, output, options, describer)
    about = {
        "size": options.size,
        "settings": _settings(options),
        "licenses": {item.source: options.license for item in read},
        "consent": consent,
        "sources": [{"source": item.source, "sha256": item.sha256} for item in read],
        "left_out": {item.source: item.left_out for item in read if item.left_out},
        "refused": [row for item in read for row in item.refused],
        "unreadable": unreadable,
        "files": {name: value for item in read for name, value in item.files.items()},
    }
    write_set(output, shots, about)
    found = open_set(output)
    write_report(found)
    return found


def _sources(given: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += [each for each in sorted(path.rglob("*")) if each.suffix.lower() in (*VIDEOS, *IMAGES)]
        else:
            found.append(path)
    if not found:
        names = ", ".join(str(path) for path in given) or "nothing"
        raise SettingError(
            f"There is no video and no image in {names}; name videos, images or folders of them."
        )
    return found


def _require_names(paths: Sequence[Path], options: PrepareOptions) -> None:
    known = {path.stem for path in paths}
    for name in (*options.test, *options.validation):
        if name not in known:
            raise SettingError(f"No source is called '{name}'; choose from: {', '.join(sorted(known))}.")


def _settings(options: PrepareOptions) -> dict[str, Any]:
    values = asdict(options)
    values["consent"] = None
    return values


def _noted(note: Path) -> _Read | None:
    """What a note says; None where there is none, or it was cut off: then the source is read again."""
    try:
        return _Read(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, *MALFORMED):
        return None


def _read_once(path: Path, output: Path, options: PrepareOptions) -> _Read:
    """What came of a source; noted, so that a second run does not read it again."""
    try:
        digest = sha256_of(path)
    except OSError:
        digest = ""  # the reader says why
    made_by = json.dumps([options.size, asdict(options.filters), options.is_lossless], sort_keys=True)
    mark = hashlib.sha256(f"{digest}|{made_by}".encode()).hexdigest()[:12]
    note = output / "sources" / f"{mark}.json"
    kept = _noted(note)
    if kept is not None and all((output / "shots" / name).is_file() for name in kept.files):
        return replace(kept, source=path.name)
    cropping = Cropping(options.size, options.filters, options.is_lossless)
    candidates, rate = read_candidates(path, cropping)
    stem = re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_")[:40] or "source"
    shots, refused = [], []
    files: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for candidate in candidates:
        left_out += candidate.left_out
        if candidate.refused:
            refused.append({"source": path.name, "first": candidate.first, "reason": candidate.refused})
            continue
        name = f"{stem}-{mark}-{candidate.first:06d}"
        files |= write_frames(output, name, candidate.images, candidate.labels, cropping.suffix)
        shots.append(_row(name, candidate, rate))
    found = _Read(path.name, digest, shots, dict(left_out), refused, files)
    write_whole(note, json.dumps(asdict(found), ensure_ascii=False))
    return found


def _row(name: str, candidate: Candidate, rate: float) -> dict[str, Any]:
    return {"id": name, "frames": len(candidate.images), "rate": rate, "look": candidate.look}


def _without_copies(read: Sequence[_Read]) -> list[tuple[_Read, dict[str, Any]]]:
    kept: list[tuple[_Read, dict[str, Any]]] = []
    for item in read:
        for row in item.shots:
            copy = next(
                (
                    other
                    for other, each in kept
                    if each["frames"] == row["frames"]
                    and (each["look"] ^ row["look"]).bit_count() <= SAME_LOOK
                ),
                None,
            )
            if copy is None:
                kept.append((item, row))
            else:
                item.refused.append({"source": item.source, "first": 0, "reason": f"a copy of {copy.source}"})
    return kept


def _with_people(
    rows: Sequence[tuple[_Read, dict[str, Any]]],
    output: Path,
    options: PrepareOptions,
    describer: FaceDescriber | None,
) -> list[TrainingShot]:
    shots = [
        TrainingShot(
            id=row["id"],
            source=item.source,
            sha256=item.sha256,
            frames=row["frames"],
            rate=row["rate"],
            person=Path(item.source).stem,
            split=SPLITS[0],
            license=options.license,
        )
        for item, row in rows
    ]
    if describer is not None:
        vectors = [_descriptor(StoredShot(output, shot), describer, options.size) for shot in shots]
        people = group_people([shot.person for shot in shots], vectors)
        shots = [replace(shot, person=person) for shot, person in zip(shots, people, strict=True)]
    return [replace(shot, split=split) for shot, split in zip(shots, _splits(shots, options), strict=True)]


def _splits(shots: Sequence[TrainingShot], options: PrepareOptions) -> list[str]:
    if not options.test and not options.validation:
        is_small = len({shot.person for shot in shots}) < LEAST_PEOPLE
        return [SPLITS[0] if is_small else split_of(shot.person) for shot in shots]
    chosen = {
        shot.person: split
        for split, names in (("validation", options.validation), ("test", options.test))
        for shot in shots
        if Path(shot.source).stem in names
    }
    return [chosen.get(shot.person, SPLITS[0]) for shot in shots]


def _descriptor(
    stored: StoredShot, describer: FaceDescriber, size: int
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Mean descriptor of some frames; it is biometric data and is not kept."""
    total = np.zeros(128, np.float32)
    for index in np.unique(np.linspace(0, stored.shot.frames - 1, LOOKS).astype(int)):
        points = np.asarray(((stored.labels["landmarks"][index] + 1) * size - 1) / 2, np.float32)
        total += describe(describer, stored.image(int(index)), points)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)


def _nothing(read: Sequence[_Read], unreadable: Sequence[Mapping[str, str]]) -> str:
    reasons = [f"{row['source']}: {row['reason']}" for item in read for row in item.refused]
    reasons += [row["reason"] for row in unreadable]
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f"No shot can be taken ({'; '.join(reasons[:3])}{more}); give other videos or looser filters."


def _clear(output: Path, made: list[Path]) -> None:
    """Removes what a fruitless run has made."""
    for name in ("shots", "sources"):
        folder = output / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        elif made:
            remove(folder)
    remove_folders(made)


def require_consent(found: TrainingSet, is_stated: bool) -> str:
    """The reference of the set's consent.

    Args:
        found: the set.
        is_stated: the user says that consent is given though none is recorded.

    Raises:
        ConsentMissing: none is recorded, and the user does not say otherwise.
    """
    consent = found.about.get("consent")
    if isinstance(consent, dict):
        return str(
            consent.get("reference") or f"{consent.get('person')}, granted by {consent.get('granted_by')}"
        )
    if not is_stated:
        raise ConsentMissing(
            f"{found.folder} holds no consent of the person it shows; prepare it with --consent FILE, or state with "
            "--i-have-consent that you have it."
        )
    return "stated by the user, not recorded"
