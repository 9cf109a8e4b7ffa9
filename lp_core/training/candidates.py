"""From a video or image to shots of one face each: what is taken, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import EmptyVideo
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.track import FaceTrack
from lp_core.frame import Frame
from lp_core.geometry.crop import DRIVING_CROP, SOURCE_CROP, Square, crop_from_frame, oriented_square
from lp_core.geometry.paste import cut_square
from lp_core.media.open import open_source
from lp_core.training.shots import CutFinder, spans

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
MOST_FACES, LOOK_EVERY_S = 3, 5.0
"""Faces that are looked for, and how often."""
FAR_APART_MS = 10_000
SHARP_PX = 128
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)


@dataclass(frozen=True)
class Filters:
    """What a shot and its frames must be like."""

    face_px: float = 200.0
    """Least side of the face in the source, pixels."""
    least_s: float = 1.0
    """Shortest shot, seconds."""
    most_s: float = 30.0
    """Longest shot, seconds; longer ones are split."""
    other_face: float = 0.4
    """Largest size of a second face, relative to the first one's."""
    found: float = 0.95
    """Least share of frames in which the face is found."""
    sharpness: float = 0.15
    """Least sharpness of a frame, relative to the shot's sharpest tenth."""
    darkest: float = 0.1
    """Least mean brightness of the crop, 0..1."""
    brightest: float = 0.9
    """Largest mean brightness."""
    yaw_deg: float = 60.0
    """Largest turn of the head, degrees."""
    turn_deg: float = 3.0
    """A shot in which no angle of the head changes by this much and no blendshape by ``shape`` teaches nothing."""
    shape: float = 0.2
    """See ``turn_deg``."""


@dataclass
class Candidate:
    """A shot before it is stored."""

    first: int
    """Its first frame in the source."""
    images: list[bytes] = field(default_factory=list)
    """Coded crops of the frames that are taken."""
    look: int = 0
    """``look_hash`` of the first of them."""
    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Labels of these frames."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason -> frames left out."""
    refused: str = ""
    """Why the whole shot is left out; empty where it is taken."""


@dataclass(frozen=True)
class _Seen:
    """One frame of a shot: its face, and the size of the second largest over the largest; None where not looked at."""

    index: int
    face: Face
    other: float | None


@dataclass(frozen=True)
class Cropping:
    """How crops are made."""

    size: int
    """Side, pixels."""
    filters: Filters
    """What is taken."""
    is_lossless: bool
    """PNG in place of JPEG of quality 95 without reduced colors."""

    @property
    def suffix(self) -> str:
        """Of the coded images."""
        return ".png" if self.is_lossless else ".jpg"

    def coded(self, image: U8) -> bytes:
        """An RGB image as a file."""
        options = [] if self.is_lossless else [*JPEG]
        return bytes(cv2.imencode(self.suffix, np.ascontiguousarray(image[..., ::-1]), options)[1])


def read_candidates(path: Path, cropping: Cropping) -> tuple[list[Candidate], float]:
    """The shots of a video or image, and its rate (0 for a still).

    Args:
        path: of the source.
        cropping: how crops are made, and what is taken.

    Raises:
        LpError: the source cannot be read.
    """
    filters = cropping.filters
    with open_source(str(path)) as source:
        info = source.info
        rate = 0.0 if info.is_still else float(info.rate.fps)
        seen_all = _read_faces(source, rate)
    faces, others = seen_all.faces, seen_all.others
    if not faces:
        raise EmptyVideo(f"{path} has no frame that could be decoded; make it again.")
    most = max(1, int(filters.most_s * rate))
    parts = [range(1)] if info.is_still else spans(seen_all.cuts, len(faces), most)
    tracked = [_tracked(faces, part, (info.width, info.height), others) for part in parts]
    found = [
        Candidate(part.start, refused=_refusal(part, seen, filters, rate))
        for part, seen in zip(parts, tracked, strict=True)
    ]
    for candidate, part, seen in zip(found, parts, tracked, strict=True):
        if candidate.refused:
            candidate.left_out[candidate.refused] += len(part)
        elif len(seen) < len(part):
            candidate.left_out["no face"] += len(part) - len(seen)
    _fill(path, found, tracked, cropping, info.is_still)
    return found, rate


@dataclass
class _Faces:
    """Faces of all frames of a source."""

    faces: list[list[Face]] = field(default_factory=list)
    """Of each frame; of a video the one that is followed."""
    others: dict[int, list[Face]] = field(default_factory=dict)
    """All faces of some frames."""
    cuts: list[int] = field(default_factory=list)
    """Frames that begin a new shot."""


def _read_faces(source: Iterable[Frame], rate: float) -> _Faces:
    """Reads a still (rate 0) or a video.

    The frames are given times far apart, because then MediaPipe does not smooth its readings over time.
    """
    found, finder, next_look = _Faces(), CutFinder(), 0
    with (
        closing(open_analyzer(is_video=rate > 0, max_faces=1 if rate else MOST_FACES)) as follower,
        closing(open_analyzer(is_video=False, max_faces=MOST_FACES)) as looker,
    ):
        for index, frame in enumerate(source):
            picture = frame.as_rgb8()
            if rate == 0:
                found.faces.append(follower.analyze(picture))
                break
            found.faces.append(follower.analyze(picture, index * FAR_APART_MS))
            if finder.begins(picture):
                found.cuts.append(index)
                next_look = index
            if index >= next_look:
                found.others[index] = looker.analyze(picture)
                next_look = index + max(1, round(LOOK_EVERY_S * rate))
    return found


def _tracked(
    faces: Sequence[Sequence[Face]], part: range, size: tuple[int, int], others: Mapping[int, Sequence[Face]]
) -> list[_Seen]:
    track, found = FaceTrack("largest"), []
    for index in part:
        face = track.follow(faces[index], *size)
        if face is None:
            continue
        areas = sorted((other.box.area for other in others.get(index, ())), reverse=True)
        second = float(np.sqrt(areas[1] / areas[0])) if len(areas) > 1 else 0.0
        found.append(_Seen(index, face, second if index in others else None))
    return found


def _refusal(part: range, seen: Sequence[_Seen], filters: Filters, rate: float) -> str:
    """Why a shot is left out before it is cropped; empty where it is not."""
    if not seen:
        return "no face"
    side = float(np.median([np.sqrt(item.face.box.area) for item in seen]))
    second = [item.other for item in seen if item.other is not None]
    rules = (
        (rate == 0 or len(part) >= filters.least_s * rate, "shorter than the shortest shot"),
        (len(seen) >= filters.found * len(part), "face lost too often"),
        (float(np.median(second or [0.0])) <= filters.other_face, "a second person"),
        (side >= filters.face_px, "face too small"),
        (rate == 0 or _moves(seen, filters), "no motion"),
    )
    return next((reason for holds, reason in rules if not holds), "")


def _moves(seen: Sequence[_Seen], filters: Filters) -> bool:
    poses = np.array([(i.face.pose.pitch_deg, i.face.pose.yaw_deg, i.face.pose.roll_deg) for i in seen])
    shapes = np.array([item.face.coefficients for item in seen])
    return bool(
        np.ptp(poses, axis=0).max() >= filters.turn_deg or np.ptp(shapes, axis=0).max() >= filters.shape
    )


def _square(seen: Sequence[_Seen], is_still: bool) -> Square:
    """One box for the shot: the mean of its frames' boxes, as M sees the driving video; a still's own."""
    if is_still:
        return oriented_square(seen[0].face.landmarks_frame, SOURCE_CROP)
    boxes = [oriented_square(item.face.landmarks_frame, DRIVING_CROP).upright() for item in seen]
    center = np.mean([box.center for box in boxes], axis=0)
    return Square(center, float(np.mean([box.side for box in boxes])), 0.0)


def _fill(
    path: Path,
    found: Sequence[Candidate],
    tracked: Sequence[Sequence[_Seen]],
    cropping: Cropping,
    is_still: bool,
) -> None:
    """Decodes the source once more and takes the crops."""
    places = {
        item.index: (candidate, item, square)
        for candidate, seen in zip(found, tracked, strict=True)
        if not candidate.refused
        for square in (_square(seen, is_still),)
        for item in seen
    }
    rows: dict[int, list[dict[str, Any]]] = {candidate.first: [] for candidate in found}
    with open_source(str(path)) as source:
        for index, frame in enumerate(source):
            if index in places:
                candidate, item, square = places[index]
                _take(candidate, rows[candidate.first], frame, item, square, cropping)
            if is_still:
                break
    for candidate in found:
        taken = rows[candidate.first]
        if not candidate.refused and taken:
            _drop_blurred(candidate, taken, cropping.filters)
            candidate.labels = {name: np.stack([row[name] for row in taken]) for name in taken[0]}
        elif not candidate.refused:
            candidate.refused = "no frame passes"


def _take(
    candidate: Candidate,
    rows: list[dict[str, Any]],
    frame: Frame,
    item: _Seen,
    square: Square,
    cropping: Cropping,
) -> None:
    size, filters = cropping.size, cropping.filters
    image = np.clip(np.rint(cut_square(frame.as_rgb8(), square, size)), 0, 255).astype(np.uint8)
    points = np.array(item.face.landmarks_frame, np.float64)
    matrix = crop_from_frame(square, size)
    points[:, :2] = points[:, :2] @ matrix[:2, :2].T + matrix[:2, 2]
    points[:, 2] *= size / square.side
    grid = points * (2 / size)
    grid[:, :2] += 1 / size - 1
    luma = float(image.mean()) / 255
    rules = (
        (bool((np.abs(grid[:, :2]) <= 1).all()), "leaves the crop"),
        (filters.darkest <= luma <= filters.brightest, "too dark or too bright"),
        (abs(item.face.pose.yaw_deg) < filters.yaw_deg, "turned away"),
    )
    reason = next((reason for holds, reason in rules if not holds), "")
    if reason:
        candidate.left_out[reason] += 1
        return
    flat = np.asarray(item.face.landmarks_frame, np.float32)
    candidate.look = candidate.look or look_hash(image)
    candidate.images.append(cropping.coded(image))
    rows.append(
        {
            "landmarks": grid.astype(np.float32),
            "rotation": np.asarray(item.face.head_rotation, np.float32),
            "blendshapes": item.face.coefficients,
            "openness": np.array([*eye_openness(flat), lip_openness(flat)], np.float32),
            "sharpness": np.float32(_sharpness(image)),
            "frame": np.int64(item.index),
        }
    )


def _sharpness(image: U8) -> float:
    gray = cv2.cvtColor(
        cv2.resize(image, (SHARP_PX, SHARP_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    inner = gray[SHARP_PX // 4 : -SHARP_PX // 4, SHARP_PX // 4 : -SHARP_PX // 4]
    return float(cv2.Laplacian(inner, cv2.CV_64F).var())


def _drop_blurred(candidate: Candidate, rows: list[dict[str, Any]], filters: Filters) -> None:
    values = np.array([row["sharpness"] for row in rows])
    keep = values >= filters.sharpness * np.quantile(values, 0.9)
    candidate.left_out["blurred"] += int((~keep).sum())
    candidate.images = [image for image, good in zip(candidate.images, keep, strict=True) if good]
    rows[:] = [row for row, good in zip(rows, keep, strict=True) if good]


def look_hash(image: U8) -> int:
    """A number of 64 bits that changes little where an image does (difference hash)."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)
