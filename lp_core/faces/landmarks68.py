"""The 68 points of the package face-alignment.

Its two-dimensional networks are used. Its depth network would be loaded by unpickling freely, which this
project does not do, so z is 0 and the head's rotation is fitted to the points themselves. Faces have no
blendshapes; ``score`` is the detector's confidence.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError, ModelError, ModelMissing, SettingError, missing_extra
from lp_core.faces.base import Face, FaceBox, Pose, Sightings
from lp_core.faces.reduced import analyze_reduced
from lp_core.faces.schemes import IBUG68
from lp_core.faces.upright import turned_cut
from lp_core.geometry.rotation import angles_deg, nearest_rotation

try:
    import torch
    from face_alignment import FaceAlignment, LandmarksType
    from face_alignment.api import models_urls
except ImportError as error:
    raise missing_extra("The 68-point landmarker", "landmarks68") from error

_RIGID_HEAD: dict[int, tuple[float, float, float]] = {
    36: (-45.0, -34.0, 13.0),
    39: (-16.0, -33.0, 4.0),
    42: (16.0, -33.0, 4.0),
    45: (45.0, -34.0, 13.0),
    27: (0.0, -31.0, -8.0),
    30: (0.0, 4.0, -27.0),
    31: (-13.0, 12.0, -7.0),
    33: (0.0, 14.0, -14.0),
    35: (13.0, 12.0, -7.0),
    48: (-25.0, 36.0, 1.0),
    54: (25.0, 36.0, 1.0),
    8: (0.0, 78.0, 6.0),
}
"""Point -> (x, y, z) in millimetres on a head of ordinary measures: eye corners, nose, mouth corners, chin.

Convention: x right, y down, z away from the camera, seen from the front.
"""


_LOADS = "2DFAN-4"
"""The network of 2-D points by the package's own name."""
DETECTOR_URL = "https://www.adrianbulat.com/downloads/python-fan/s3fd-619a316812.pth"
"""Weights of the package's face detector; only ``FaceAlignmentAnalyzer`` needs it."""
LICENSE_NOTE = (
    "The package face-alignment is BSD-licensed, but its documentation states no license for the weights; its paper "
    "says they were trained on 300W-LP, a data set for research. Check that your use is allowed."
)


def check_weights(*addresses: str) -> None:
    """Refuses to go on without the weights: the package would download them by itself, without asking.

    Raises:
        ModelMissing: a file is not in the cache of PyTorch.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    missing = [url for url in addresses if not (folder / url.rpartition("/")[2]).is_file()]
    if missing:
        raise ModelMissing(
            f"The weights of face-alignment are not installed, and nothing is downloaded unasked; put "
            f"{' and '.join(missing)} into '{folder}', or use --landmarker auto. {LICENSE_NOTE}"
        )


def _network(device: str, **options: str) -> Any:  # noqa: ANN401 - an untyped library's object
    try:
        return FaceAlignment(LandmarksType.TWO_D, device=device, flip_input=False, compile=False, **options)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"The weights of face-alignment cannot be loaded ({_first_line(error)}); check the files, or use "
            "--landmarker auto."
        ) from error


class Landmarker68:
    """A ``Landmarker`` over face-alignment: the 68 points of a face that MediaPipe has found, read upright."""

    scheme = IBUG68.name

    def __init__(self, device: str) -> None:
        """Loads the network.

        Args:
            device: 'cpu', 'cuda' or 'cuda:N'.

        Raises:
            ModelMissing: its weights are not there; they are never downloaded.
            ModelError: they cannot be loaded.
        """
        check_weights(models_urls[_LOADS])
        self._network = _network(device, face_detector="folder")  # faces are given, so no detector is loaded
        self._lock = threading.Lock()

    def refined(self, picture: NDArray[np.uint8], face: Face) -> Face:
        """The face with 68 landmarks; see ``Landmarker.refined``.

        Raises:
            FaceError: the network fails.
        """
        cut, frame_from_cut = turned_cut(picture, face, face.pose.roll_deg)
        cut_from_frame = cv2.invertAffineTransform(frame_from_cut)
        seen = face.landmarks_frame[:, :2] @ cut_from_frame[:, :2].T + cut_from_frame[:, 2]
        box = [*seen.min(axis=0).tolist(), *seen.max(axis=0).tolist()]
        try:
            with self._lock:
                (points,) = self._network.get_landmarks_from_image(cut, detected_faces=[box])
        except RuntimeError as error:
            raise FaceError(
                f"The 68-point landmarker failed ({_first_line(error)}); use --landmarker auto."
            ) from error
        found = np.asarray(points, np.float64)[:, :2] @ frame_from_cut[:, :2].T + frame_from_cut[:, 2]
        (left, top), (right, bottom) = found.min(axis=0), found.max(axis=0)
        return replace(
            face,
            landmarks_frame=np.column_stack([found, np.zeros(len(found))]).astype(np.float32),
            scheme=self.scheme,
            box=FaceBox(float(left), float(top), float(right), float(bottom)),
        )


class FaceAlignmentAnalyzer:
    """A ``FaceAnalyzer`` over face-alignment; every image is looked at by itself, in a clip too."""

    scheme = IBUG68.name

    def __init__(self, *, is_video: bool, max_faces: int = 1) -> None:
        """Loads the networks.

        Args:
            is_video: taken for the contract's sake; nothing is carried from frame to frame.
            max_faces: the most certain faces are kept, so many at most.

        Raises:
            ModelMissing: the weights are not there; they are never downloaded.
            ModelError: they cannot be loaded.
        """
        self._max_faces = max_faces
        self._is_video = is_video
        self._last_time_ms = -1
        check_weights(models_urls[_LOADS], DETECTOR_URL)
        self._network: Any = _network("cuda" if torch.cuda.is_available() else "cpu")

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        """Finds the faces of an image; see ``FaceAnalyzer.analyze``.

        Raises:
            FaceError: the image is not (H, W, 3) uint8 with at least one pixel, the time of a clip does not
                grow, the analyzer is closed, or the networks fail.
        """
        self._check(picture, time_ms)
        return analyze_reduced(picture, self._read)

    def _read(self, picture: NDArray[np.uint8]) -> list[Face]:
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="No faces were detected")
                points, _, boxes = self._network.get_landmarks_from_image(picture, return_bboxes=True)
        except RuntimeError as error:
            raise FaceError(
                f"The 68-point landmarker failed ({_first_line(error)}); use a smaller image or the "
                "analyzer mediapipe."
            ) from error
        found = [
            _face(np.asarray(p, np.float64), float(box[4]))
            for p, box in zip(points or (), boxes or (), strict=True)
        ]
        return sorted(found, key=lambda face: face.score, reverse=True)[: self._max_faces]

    def survey(self, picture: NDArray[np.uint8]) -> Sightings:
        """The faces of a lone image; see ``FaceAnalyzer.survey``. Its detector reads whatever it finds."""
        return Sightings(tuple(self.analyze(picture)))

    def close(self) -> None:
        """Releases the networks; may be called twice."""
        self._network = None

    def _check(self, picture: NDArray[np.uint8], time_ms: int | None) -> None:
        if self._network is None:
            raise FaceError("The 68-point landmarker is closed; open a new one for further images.")
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
            raise FaceError(
                f"An image of shape {picture.shape} and type {picture.dtype} cannot be analysed; hand over "
                "(H, W, 3) uint8 with at least one pixel."
            )
        if not self._is_video:
            return
        if time_ms is None or time_ms <= self._last_time_ms:
            raise FaceError(
                f"The frame at {time_ms} ms does not follow the one at {self._last_time_ms} ms; hand over "
                "the frames of a clip in order, each with its time."
            )
        self._last_time_ms = time_ms


def head_rotation(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation of the head that carries the 68 points, under a far camera (scaled orthographic projection).

    Least squares for the first two rows of scale times rotation, completed by their cross product and made a
    rotation.

    Convention:
        Head -> camera, axes x right, y down, z away; identity when frontal.

    Args:
        points: (68, 2) x, y in pixels.

    Returns:
        (3, 3) float64, orthonormal; the identity where the points have collapsed and show no direction.
    """
    head = np.array(list(_RIGID_HEAD.values()))
    seen = points[list(_RIGID_HEAD)]
    rows, *_ = np.linalg.lstsq(head - head.mean(axis=0), seen - seen.mean(axis=0), rcond=None)
    across, down = rows.T
    scale = np.sqrt(np.linalg.norm(across) * np.linalg.norm(down))
    try:
        return nearest_rotation(np.stack([across, down, np.cross(across, down) / max(scale, 1e-12)]))
    except SettingError:
        return np.eye(3)


def _face(points: NDArray[np.float64], score: float) -> Face:
    rotation = head_rotation(points)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Face(
        landmarks_frame=np.column_stack([points, np.zeros(len(points))]).astype(np.float32),
        scheme=IBUG68.name,
        box=FaceBox(float(left), float(top), float(right), float(bottom)),
        score=min(max(score, 0.0), 1.0),
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
        blendshapes={},
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
