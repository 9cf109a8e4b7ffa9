"""The prepared set on disk: JPEGs in one tar a shot, labels and offsets next to them, a list of shots.

DATA/set.json       what the set is: sizes, sources with licenses, consent, splits
DATA/shots.jsonl    one row a shot
DATA/shots/ID.tar   the frames; any program reads it
DATA/shots/ID.npz   labels of each frame, and where its bytes are in the tar
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MALFORMED, SettingError
from lp_core.files import replacing, write_whole

SCHEMA = "lp-suite/training-set/1"
SET_NAME, SHOTS_NAME = "set.json", "shots.jsonl"
LABELS = ("landmarks", "rotation", "blendshapes", "openness", "sharpness", "frame")
HELD_OUT = 0.2
"""Share at the end of each shot of a training person that is never trained on."""
SPLITS = ("train", "validation", "test")

Labels = dict[str, NDArray[Any]]
U8 = NDArray[np.uint8]


@dataclass(frozen=True)
class TrainingShot:
    """One face through one shot, or a still."""

    id: str
    """Name of its files."""
    source: str
    """File name of the video or image."""
    sha256: str
    """Of that file."""
    frames: int
    """Number of frames."""
    rate: float
    """Frames per second; 0 for a still."""
    person: str
    """Who it shows: the name of the first source of that person."""
    split: str
    """'train', 'validation' or 'test'."""
    license: str
    """License of the source."""
    truth: int = -1
    """The only frame that is driven to; -1: any."""


class StoredShot:
    """A shot of a prepared set."""

    def __init__(self, folder: Path, shot: TrainingShot) -> None:
        self.shot = shot
        self._folder = folder
        self._kept: dict[int, U8] = {}

    @cached_property
    def labels(self) -> Labels:
        """Name -> array, one row a frame.

        landmarks (N, 478, 3) in grid units, rotation (N, 3, 3) head to camera, blendshapes (N, 52), openness (N, 3) of
        both eyes and the lips, sharpness (N,), frame (N,) of the source; offset and length (N,) in the tar.
        """
        path = self._folder / "shots" / f"{self.shot.id}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, zipfile.BadZipFile, *MALFORMED) as error:
            raise SettingError(f"{path} cannot be read ({error}); prepare the set again.") from error

    def image(self, index: int, keeps: bool = False) -> U8:
        """(S, S, 3) RGB of a frame.

        Args:
            index: of the frame in the shot.
            keeps: keep the decoded image in memory.
        """
        found = self._kept.get(index)
        if found is None:
            found = self._read(index)
            if keeps:
                self._kept[index] = found
        return found

    def _read(self, index: int) -> U8:
        path = self._folder / "shots" / f"{self.shot.id}.tar"
        offset, length = (int(self.labels[name][index]) for name in ("offset", "length"))
        try:
            with path.open("rb") as file:
                file.seek(offset)
                coded = np.frombuffer(file.read(length), np.uint8)
            decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB) if len(coded) == length else None
        except (OSError, cv2.error) as error:
            raise SettingError(f"{path} cannot be read ({error}); prepare the set again.") from error
        if decoded is None:
            raise SettingError(f"{path} is damaged at frame {index}; prepare the set again.")
        return np.asarray(decoded, np.uint8)

    @property
    def trained(self) -> int:
        """Number of frames, from the start, that may be trained on."""
        if self.shot.split != "train":
            return 0
        if self.shot.frames == 1 or self.shot.truth >= 0:
            return self.shot.frames
        return max(1, int(self.shot.frames * (1 - HELD_OUT)))


@dataclass(frozen=True)
class TrainingSet:
    """A prepared set."""

    folder: Path
    """Where it is."""
    size: int
    """Side of its images, pixels."""
    shots: tuple[StoredShot, ...]
    """Its shots."""
    about: Mapping[str, Any]
    """What ``set.json`` says."""

    def of(self, split: str) -> tuple[StoredShot, ...]:
        """The shots of a split."""
        return tuple(stored for stored in self.shots if stored.shot.split == split)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the list of shots and of their labels' and frames' hashes."""
        text = (self.folder / SHOTS_NAME).read_bytes() + str(self.about.get("files")).encode()
        return hashlib.sha256(text).hexdigest()


def open_set(folder: Path) -> TrainingSet:
    """Opens a prepared set.

    Raises:
        SettingError: the folder does not hold one.
    """
    try:
        about = json.loads((folder / SET_NAME).read_text(encoding="utf-8"))
        if about["schema"] != SCHEMA:
            raise ValueError(f"its schema is {about['schema']!r}")
        rows = (folder / SHOTS_NAME).read_text(encoding="utf-8").splitlines()
        names = {item.name for item in fields(TrainingShot)}
        shots = [TrainingShot(**{k: v for k, v in json.loads(row).items() if k in names}) for row in rows]
        size = int(about["size"])
    except (OSError, *MALFORMED) as error:
        raise SettingError(
            f"{folder} is not a prepared set ({error}); make one with: lpsuite train prepare CLIPS -o {folder}."
        ) from error
    return TrainingSet(folder, size, tuple(StoredShot(folder, shot) for shot in shots), about)


def write_frames(
    folder: Path, name: str, images: Sequence[bytes], labels: Labels, suffix: str
) -> dict[str, str]:
    """Writes the tar and the labels of a shot; the same input gives the same bytes.

    Args:
        folder: of the set.
        name: of the shot.
        images: coded frames.
        labels: one row a frame.
        suffix: of the frames in the tar, such as .jpg.

    Returns:
        File name -> SHA-256.
    """
    offsets = []
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for index, coded in enumerate(images):
            entry = tarfile.TarInfo(f"{index:06d}{suffix}")
            entry.size = len(coded)
            offsets.append(packed.tell() + tarfile.BLOCKSIZE)
            tar.addfile(entry, io.BytesIO(coded))
    table = io.BytesIO()
    lengths = np.array([len(coded) for coded in images], np.int64)
    np.savez(table, allow_pickle=False, offset=np.array(offsets, np.int64), length=lengths, **labels)
    found = {}
    for end, content in ((".tar", packed.getvalue()), (".npz", table.getvalue())):
        write_whole(folder / "shots" / f"{name}{end}", content)
        found[f"{name}{end}"] = hashlib.sha256(content).hexdigest()
    return found


def write_set(folder: Path, shots: Sequence[TrainingShot], about: Mapping[str, Any]) -> None:
    """Writes the list of shots, then what the set is; a set without the latter does not open."""
    rows = "".join(json.dumps(asdict(shot), ensure_ascii=False, sort_keys=True) + "\n" for shot in shots)
    write_whole(folder / SHOTS_NAME, rows)
    with replacing(folder / SET_NAME) as temporary:
        content = {"schema": SCHEMA, **about}
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
