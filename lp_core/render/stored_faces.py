"""The source's face in every frame of a video, on disk: written once, read at any place in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import MALFORMED, BadMotionFile
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.files import replacing, write_whole

FACES_FILE, _FACTS = "faces.bin", "faces.json"


@dataclass(frozen=True)
class StoredFaces:
    """Faces by frame; a folder holds them."""

    rows: NDArray[Any]
    """(N,) records, mapped from the file: nothing is read before it is asked for."""
    scheme: str
    """Layout of the landmarks."""
    blendshapes: tuple[str, ...]
    """Names of the coefficients."""
    notes: tuple[str, ...]
    """What the video's reader reported."""
    person: str = ""
    """Whose faces they are, in the user's words or as an id."""

    def __len__(self) -> int:
        return len(self.rows)

    def face(self, index: int) -> Face | None:
        """The face in a frame, exactly as it was found; None where it was lost."""
        row = self.rows[index]
        if not row["found"]:
            return None
        return Face(
            landmarks_frame=np.array(row["landmarks"]),
            scheme=self.scheme,
            box=FaceBox(*(float(value) for value in row["box"])),
            score=float(row["score"]),
            head_rotation=np.array(row["rotation"]),
            pose=Pose(*(float(value) for value in row["pose"])),
            blendshapes=dict(zip(self.blendshapes, (float(v) for v in row["shapes"]), strict=True)),
        )


def write_faces(folder: Path, faces: Iterable[Face | None], notes: list[str], person: str = "") -> None:
    """Stores faces in order; they count once their facts, which are written last, are there.

    Args:
        folder: where; it must be there.
        faces: of every frame; at least one is found.
        notes: is read when the faces have ended.
        person: whose faces they are, in the user's words or as an id.
    """
    first: Face | None = None
    before, count = 0, 0
    with replacing(folder / FACES_FILE) as temporary, temporary.open("wb") as file:
        for face in faces:
            if first is None and face is None:
                before += 1
                continue
            if first is None and face is not None:
                first = face
                file.write(
                    np.zeros(before, _layout(len(face.landmarks_frame), len(face.blendshapes))).tobytes()
                )
                count = before
            if first is not None:
                file.write(_record(face, first).tobytes())
                count += 1
    if first is None:
        raise BadMotionFile(f"{folder} cannot keep faces, because none was found.")
    facts = {
        "count": count,
        "points": len(first.landmarks_frame),
        "scheme": first.scheme,
        "blendshapes": list(first.blendshapes),
        "notes": notes,
        "person": person,
    }
    write_whole(folder / _FACTS, json.dumps(facts))


def read_faces(folder: Path) -> StoredFaces | None:
    """What was stored; None when nothing was, or not to the end.

    Raises:
        BadMotionFile: the files do not fit each other.
    """
    if not (folder / _FACTS).exists():
        return None
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        names = tuple(str(name) for name in facts["blendshapes"])
        layout = _layout(int(facts["points"]), len(names))
        rows = np.memmap(folder / FACES_FILE, layout, "r")
        if len(rows) != int(facts["count"]):
            raise ValueError(f"{len(rows)} records instead of {facts['count']}")
        notes = tuple(str(note) for note in facts["notes"])
        return StoredFaces(rows, str(facts["scheme"]), names, notes, str(facts.get("person", "")))
    except (OSError, *MALFORMED) as error:
        raise BadMotionFile(f"The faces in {folder} are damaged ({error}); solve the shot again.") from error


def _layout(points: int, shapes: int) -> np.dtype[Any]:
    return np.dtype(
        [
            ("found", "?"),
            ("landmarks", "<f4", (points, 3)),
            ("box", "<f8", (4,)),
            ("score", "<f8"),
            ("rotation", "<f4", (3, 3)),
            ("pose", "<f8", (3,)),
            ("shapes", "<f8", (shapes,)),
        ]
    )


def _record(face: Face | None, like: Face) -> NDArray[Any]:
    row = np.zeros(1, _layout(len(like.landmarks_frame), len(like.blendshapes)))
    if face is not None:
        row["found"] = True
        row["landmarks"] = face.landmarks_frame
        row["box"] = [face.box.left, face.box.top, face.box.right, face.box.bottom]
        row["score"], row["rotation"] = face.score, face.head_rotation
        row["pose"] = [face.pose.pitch_deg, face.pose.yaw_deg, face.pose.roll_deg]
        row["shapes"] = list(face.blendshapes.values())
    return row
