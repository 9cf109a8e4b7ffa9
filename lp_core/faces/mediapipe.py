"""MediaPipe Face Landmarker: 478 points, 52 blendshapes and the head's rotation of every face.

What the model gives and how it is read here:

* Landmarks are fractions of the picture; times width and height they are pixel-centre coordinates, z times
  width.
* Its 4x4 transform stands in axes x right, y up, z towards the camera. With C = diag(1, -1, -1) the rotation
  in picture axes is C R C. The model assumes one pinhole camera for every picture and part of the angle under
  which that camera would see the head goes into the rotation: the same face moved from the middle of a
  picture to its upper edge reads about 8 degrees more pitch, to a side about 5 degrees of yaw. Compare poses
  within one clip, or between faces at similar places.
* It tells no score per face. For lone pictures the detector inside the bundle gives one: each face is cut out
  upright at three sizes and mirrored, and ``score`` is the detector's mean confidence over these looks. In
  video mode this is not measured and ``score`` is 1: the landmarker hands over only faces that it holds more
  likely there than not.
* In video mode with one face to find, the landmarks are filtered in time and trail the picture (``Face.lag_s``,
  LAG_S); blendshapes and transform come from the filtered landmarks. With several faces to find, nothing is filtered.
* The detector is made for faces near the camera and misses those below about a tenth of the picture. Where
  nothing is found in a lone picture, overlapping tiles are searched from coarse to fine, and the landmarker
  looks at a window around what turns up. In video mode the same search runs where nothing is found, at most
  once a second; a face found so is followed by looking at a window around where it was last.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError, LpError, MissingDependency, ModelDamaged
from lp_core.faces.base import Box, Face, Pose
from lp_core.faces.choose import HUMAN_SCORE
from lp_core.faces.quiet import native_stderr_to_log
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.faces.search import Detection, distinct, overlap, tile_levels, window_around
from lp_core.geometry.rotation import angles_deg, nearest_rotation
from lp_core.models.store import locate

try:
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision
except ImportError as error:
    raise MissingDependency(
        "The face landmarker needs the package 'mediapipe', which cannot be loaded; reinstall it with: "
        "pip install --force-reinstall lp-suite."
    ) from error

MODEL = "face-landmarker"
"""Name of the model file in the catalog."""

LAG_S = 0.015
"""Delay of the filtered readings of a face that moves slowly, in seconds. benchmarks/landmarker_lag.py prints, over
six clips, 11 to 47 ms for landmarks, 6 to 15 ms for the smile."""

_DETECTOR_MEMBER = "face_detector.tflite"
_LEAST_DETECTION = 0.5
_LOOK_SIZE_PX = 256
_LOOK_FACTORS = (1.5, 2.0, 2.5)
_WINDOW_FACTOR = 3.0
"""Side of the window around a small face, in detector boxes; the landmarker's own detector wants some
room."""
_FOLLOW_FACTOR = 2.5
"""Side of the window around a face followed from the frame before, in landmark boxes."""
_SEARCH_EVERY_MS = 1000
_AXES = np.diag([1.0, -1.0, -1.0])

_log = logging.getLogger(__name__)


class MediaPipeAnalyzer:
    """The default ``FaceAnalyzer``; see the module for what its numbers mean."""

    scheme = MEDIAPIPE478.name

    def __init__(self, *, is_video: bool, max_faces: int = 1) -> None:
        """Loads the model.

        Args:
            is_video: True for the frames of one clip in order (tracks, 13 ms a frame), False for lone
                pictures.
            max_faces: at most so many faces are found; in a clip more than are there cost time on each frame.

        Raises:
            ModelMissing, ModelDamaged: the model file is not there or not whole.
        """
        self._is_video = is_video
        self._max_faces = max_faces
        self._bundle = locate(MODEL).read_bytes()
        self._tasks: dict[str, Any] = {}
        self._last_time_ms = -1
        self._next_search_ms = 0
        self._followed: list[Box] = []
        self._is_filtering = False
        self._is_closed = False
        self._task("video" if is_video else "still")

    def analyze(self, picture: NDArray[np.uint8], time_ms: int | None = None) -> list[Face]:
        """Finds the faces of a picture; see ``FaceAnalyzer.analyze``.

        Raises:
            FaceError: the picture is not (H, W, 3) uint8 with at least one pixel, the time does not grow, the
                analyzer is closed, or the landmarker fails.
        """
        self._check(picture, time_ms)
        with _translated():
            if self._is_video:
                return self._analyze_frame(picture, self._last_time_ms)
            found = self._landmarks(picture, _whole(picture)) or self._search(picture)
            return [replace(face, score=self._score(picture, face)) for face in found]

    def close(self) -> None:
        """Releases the model; may be called twice."""
        self._is_closed = True
        with native_stderr_to_log(), _translated():
            while self._tasks:
                self._tasks.popitem()[1].close()

    def _check(self, picture: NDArray[np.uint8], time_ms: int | None) -> None:
        if self._is_closed:
            raise FaceError("The face landmarker is closed; open a new one for further pictures.")
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
            raise FaceError(
                f"A picture of shape {picture.shape} and type {picture.dtype} cannot be analysed; hand over "
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

    def _analyze_frame(self, picture: NDArray[np.uint8], time_ms: int) -> list[Face]:
        result = self._task("video").detect_for_video(_image(picture), time_ms)
        found = _faces(result, _whole(picture))
        lag_s = LAG_S if self._is_filtering else 0.0  # the filter leaves the first face as it is
        self._is_filtering = bool(found) and self._max_faces == 1
        if found:
            self._followed = []
            return [replace(face, lag_s=lag_s) for face in found]
        height, width = picture.shape[:2]
        for box in self._followed:
            near = self._landmarks(picture, window_around(box, _FOLLOW_FACTOR, width, height))
            found += [face for face in near if not any(overlap(face.box, other.box) > 0 for other in found)]
        if not found and time_ms >= self._next_search_ms:
            self._next_search_ms = time_ms + _SEARCH_EVERY_MS
            found = self._search(picture)
        if found:
            self._followed = [face.box for face in found]
        return found

    def _landmarks(self, picture: NDArray[np.uint8], window: Box) -> list[Face]:
        """Faces the landmarker sees in a window of the picture, in frame pixels."""
        return _faces(self._task("still").detect(_image(_cut(picture, window))), window)

    def _search(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Looks for small faces, tile by tile; only those certain to be human are taken."""
        height, width = picture.shape[:2]
        for level in tile_levels(width, height):
            seen = distinct([found for tile in level for found in self._detections(picture, tile)])
            faces: list[Face] = []
            for found in seen:
                near = self._landmarks(picture, window_around(found.box, _WINDOW_FACTOR, width, height))
                faces += [
                    face
                    for face in near
                    if not any(overlap(face.box, other.box) > 0 for other in faces)
                    and self._score(picture, face) >= HUMAN_SCORE
                ]
                if len(faces) >= self._max_faces:
                    break
            if faces:
                _log.debug("found %d small face(s) in tiles of %.0f px", len(faces), level[0].right)
                return faces[: self._max_faces]
        return []

    def _detections(self, picture: NDArray[np.uint8], window: Box) -> list[Detection]:
        result = self._task("detector").detect(_image(_cut(picture, window)))
        boxes = [(item.bounding_box, float(item.categories[0].score)) for item in result.detections]
        return [
            Detection(
                Box(
                    window.left + box.origin_x,
                    window.top + box.origin_y,
                    window.left + box.origin_x + box.width,
                    window.top + box.origin_y + box.height,
                ),
                score,
            )
            for box, score in boxes
            if score >= _LEAST_DETECTION
        ]

    def _score(self, picture: NDArray[np.uint8], face: Face) -> float:
        """Mean confidence of the detector over several upright looks at a face, 0..1."""
        detector = self._task("detector")
        looks = [look for factor in _LOOK_FACTORS for look in _looks(picture, face, factor)]
        best = [
            max((item.categories[0].score for item in detector.detect(_image(look)).detections), default=0.0)
            for look in looks
        ]
        return min(max(float(np.mean(best)), 0.0), 1.0)

    def _task(self, name: str) -> Any:  # noqa: ANN401 - an untyped library's object
        """A part of the model, loaded when first needed."""
        if name not in self._tasks:
            with native_stderr_to_log(), _translated():
                self._tasks[name] = _OPENERS[name](self._bundle, self._max_faces)
                if name != "video":  # the first picture makes it write more notes
                    self._tasks[name].detect(_image(np.zeros((16, 16, 3), np.uint8)))
        return self._tasks[name]


def _open_landmarker(mode: Any, bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=bundle),
            running_mode=mode,
            num_faces=max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
    )


def _open_video(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return _open_landmarker(vision.RunningMode.VIDEO, bundle, max_faces)


def _open_still(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return _open_landmarker(vision.RunningMode.IMAGE, bundle, max_faces)


def _open_detector(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401, ARG001 - untyped library; one signature
    try:
        member = zipfile.ZipFile(BytesIO(bundle)).read(_DETECTOR_MEMBER)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelDamaged(
            f"The model '{MODEL}' does not hold '{_DETECTOR_MEMBER}'; get it again with: "
            f"lpsuite models fetch {MODEL}."
        ) from error
    return vision.FaceDetector.create_from_options(
        vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=member), min_detection_confidence=0.1
        )
    )


_OPENERS: dict[str, Callable[[bytes, int], Any]] = {
    "video": _open_video,
    "still": _open_still,
    "detector": _open_detector,
}


@contextmanager
def _translated() -> Iterator[None]:
    """MediaPipe's errors as ours."""
    try:
        yield
    except LpError:
        raise
    except (RuntimeError, ValueError, OSError, cv2.error) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FaceError(
            f"The face landmarker failed ({first_line}); run `lpsuite doctor` to see whether its model is "
            "whole."
        ) from error


def _image(picture: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - an untyped library's object
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


def _whole(picture: NDArray[np.uint8]) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


def _cut(picture: NDArray[np.uint8], window: Box) -> NDArray[np.uint8]:
    return picture[int(window.top) : int(window.bottom), int(window.left) : int(window.right)]


def _looks(picture: NDArray[np.uint8], face: Face, factor: float) -> list[NDArray[np.uint8]]:
    """A face upright in the middle of a small square, ``factor`` times its box, and the same mirrored."""
    height, width = picture.shape[:2]
    part = window_around(face.box, factor * 2**0.5, width, height)
    side = max(face.box.right - face.box.left, face.box.bottom - face.box.top) * factor
    shrink = min(_LOOK_SIZE_PX / side, 1.0)
    # Shrunk by area first, so that a large face is not made of single pixels.
    size = (
        max(round((part.right - part.left) * shrink), 1),
        max(round((part.bottom - part.top) * shrink), 1),
    )
    small = cv2.resize(np.ascontiguousarray(_cut(picture, part)), size, interpolation=cv2.INTER_AREA)
    middle = ((face.box.center[0] - part.left) * shrink, (face.box.center[1] - part.top) * shrink)
    look_from_small = cv2.getRotationMatrix2D(middle, face.pose.roll_deg, _LOOK_SIZE_PX / (side * shrink))
    look_from_small[:, 2] += _LOOK_SIZE_PX / 2 - np.array(middle)
    look = cv2.warpAffine(small, look_from_small, (_LOOK_SIZE_PX, _LOOK_SIZE_PX), flags=cv2.INTER_LINEAR)
    return [look, look[:, ::-1]]


def _faces(result: Any, window: Box) -> list[Face]:  # noqa: ANN401 - an untyped library's object
    """Faces of a result in frame pixels; one without a usable transform is left out."""
    parts = zip(
        result.face_landmarks,
        result.face_blendshapes,
        result.facial_transformation_matrixes,
        strict=True,
    )
    return [
        _face(points, shapes, np.asarray(transform, np.float64), window)
        for points, shapes, transform in parts
        if np.isfinite(transform).all()
    ]


def _face(points: Any, shapes: Any, transform: NDArray[np.float64], window: Box) -> Face:  # noqa: ANN401
    width, height = window.right - window.left, window.bottom - window.top
    flat = np.fromiter((value for p in points for value in (p.x, p.y, p.z)), np.float64, 3 * len(points))
    landmarks = flat.reshape(-1, 3) * (width, height, width) + (window.left, window.top, 0.0)
    rotation = nearest_rotation(_AXES @ transform[:3, :3] @ _AXES)
    (left, top), (right, bottom) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return Face(
        landmarks_frame=landmarks.astype(np.float32),
        scheme=MEDIAPIPE478.name,
        box=Box(float(left), float(top), float(right), float(bottom)),
        score=1.0,
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
        blendshapes={str(shape.category_name): float(shape.score) for shape in shapes},
    )
