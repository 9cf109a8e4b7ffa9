"""SFace: a descriptor of a face, by which people are distinguished; read as data from a carrier package or the cache.

Descriptors are biometric data. They are held in memory while a clip is read and are written nowhere: neither to results
and stored motion nor to logs.

Over eight clips, four photographs of one person and six paintings, descriptors of the same person have a likeness of
0.42 to 1 (median 0.88) and those of others at most 0.42 (median 0.08).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged, ModelMissing
from lp_core.faces.base import Face
from lp_core.faces.hand_points import points_of
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.geometry.affine import fit_similarity
from lp_core.models.store import locate

F32 = NDArray[np.float32]

MODEL = "sface"
"""Name of the model file in the catalog."""
SAME = 0.5
"""From this likeness on two faces are one person's."""
CHOSEN = 0.42
"""Least likeness of a face that a reference photo may choose."""
OTHER = 0.35
"""Below this likeness they are two people's; between the two, the place decides."""
_SIZE_PX = 112
_POINTS = np.array([(38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20)])
"""Where the eyes, the nose and the mouth corners are in the network's input."""
_EYES_AND_MOUTH = np.array([33, 133, 362, 263, 61, 291])
"""Landmarks: the corners of both eyes, then those of the mouth."""
_SIDE = np.linspace(-1.0, 1.0, 8)
_GRID = (1.1 * _SIDE[None, :] + 1j * (0.5 + _SIDE[:, None])).ravel() * -1j
"""(64,) places on a face, as factors of the way from its eyes to its mouth."""
_MOST = 6


@dataclass(frozen=True, repr=False)
class Gallery:
    """What one person looks like: descriptors from several moments."""

    rows: F32
    """(N, 128) of length 1."""

    def likeness(self, descriptor: F32) -> float:
        """Cosine to the nearest descriptor, -1 to 1; -1 where nothing is known."""
        return float((self.rows @ descriptor).max()) if len(self.rows) else -1.0

    def with_also(self, descriptor: F32) -> Gallery:
        """With one more descriptor; the first one always stays, the oldest of the others goes."""
        rows = np.concatenate([self.rows, descriptor[None]])
        return Gallery(rows if len(rows) <= _MOST else np.delete(rows, 1, axis=0))


NOBODY = Gallery(np.zeros((0, 128), np.float32))


class FaceDescriber:
    """Describes faces in RGB images; not thread-safe."""

    def __init__(self) -> None:
        """Loads the network.

        Raises:
            ModelMissing, ModelDamaged: the model file is absent or not the published one.
        """
        data = np.frombuffer(locate(MODEL).read_bytes(), np.uint8)
        try:
            with native_stderr_to_log():
                self._net: Any = cv2.dnn.readNetFromONNX(data)
        except cv2.error as error:
            raise ModelDamaged(
                f"OpenCV cannot load the model '{MODEL}' ({str(error).splitlines()[0]}); update "
                f"opencv-contrib-python, or get the model again with: lpsuite models fetch {MODEL}."
            ) from error

    def descriptor(self, aligned: NDArray[np.uint8]) -> F32:
        """(128,) of length 1; about 15 ms.

        Args:
            aligned: (112, 112, 3) uint8 RGB as ``aligned_face`` gives it.
        """
        self._net.setInput(aligned.astype(np.float32).transpose(2, 0, 1)[None], "data")
        found = np.asarray(self._net.forward(), np.float32).ravel()
        return np.asarray(found / max(float(np.linalg.norm(found)), 1e-12), np.float32)


def aligned_face(picture: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """(112, 112, 3) a face upright, eyes, nose and mouth where the network expects them.

    Args:
        picture: (H, W, 3) uint8 RGB.
        face: in its pixels, with 478 landmarks.
    """
    return _aligned(picture, face, _SIZE_PX)


def look_of(picture: NDArray[np.uint8], face: Face) -> F32:
    """(64, 3) some pixels of the face: they change suddenly where another face takes its place.

    Args:
        picture: (H, W, 3) uint8 RGB.
        face: in its pixels, with 478 landmarks.
    """
    ends = face.landmarks_frame[_EYES_AND_MOUTH, :2].tolist()
    eyes, mouth = (sum(complex(x, y) for x, y in part) / len(part) for part in (ends[:4], ends[4:]))
    places = _GRID * (mouth - eyes) + eyes
    x = (places.real + 0.5).astype(np.intp).clip(0, picture.shape[1] - 1)
    y = (places.imag + 0.5).astype(np.intp).clip(0, picture.shape[0] - 1)
    return np.asarray(picture[y, x], np.float32)


def open_describer() -> FaceDescriber | None:
    """The network, or None where its model is not installed; a damaged model is an error.

    Raises:
        ModelDamaged: the model file is not the published one.
    """
    try:
        return FaceDescriber()
    except ModelMissing:
        return None


def _aligned(picture: NDArray[np.uint8], face: Face, size: int) -> NDArray[np.uint8]:
    """The face upright in a square; shrunk by area first where it is large."""
    aligned_from_frame = fit_similarity(points_of(face), _POINTS * (size / _SIZE_PX))
    shrink = max(int(1 / max(float(np.hypot(*aligned_from_frame[:, 0])), 1e-6)), 1)
    if shrink > 1:
        picture, aligned_from_frame = _shrunk(picture, face, aligned_from_frame, shrink)
    drawn = cv2.warpAffine(picture, aligned_from_frame, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(drawn, np.uint8)


def _shrunk(
    picture: NDArray[np.uint8], face: Face, aligned_from_frame: NDArray[np.float64], shrink: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of an image around a face at 1 / shrink of its size, and the matrix for it."""
    height, width = picture.shape[:2]
    box, room = face.box, 0.5 * max(face.box.right - face.box.left, face.box.bottom - face.box.top)
    left, top = (
        int(np.clip(value - room, 0, end - 1)) for value, end in ((box.left, width), (box.top, height))
    )
    right = int(np.clip(box.right + room, left + 1, width))
    bottom = int(np.clip(box.bottom + room, top + 1, height))
    size = max((right - left) // shrink, 1), max((bottom - top) // shrink, 1)
    small = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    scale = np.array([(right - left) / size[0], (bottom - top) / size[1]])
    linear = aligned_from_frame[:, :2] * scale
    offset = aligned_from_frame[:, :2] @ ((scale - 1) / 2 + (left, top)) + aligned_from_frame[:, 2]
    return np.asarray(small, np.uint8), np.column_stack([linear, offset])
