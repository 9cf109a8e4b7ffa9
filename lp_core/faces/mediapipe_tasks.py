"""MediaPipe's tasks as values of this program: opened from the model's bundle, called with arrays, read as faces."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from operator import attrgetter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError, LpError, ModelDamaged
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.mediapipe_library import BaseOptions, mp, vision
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.faces.silence_native import native_stderr_to_log
from lp_core.geometry.rotation import angles_deg, nearest_rotation

MODEL = "face-landmarker"
"""Name of the model file in the catalog."""

_DETECTOR_MEMBER = "face_detector.tflite"
_AXES = np.diag([1.0, -1.0, -1.0])
_PLACE = attrgetter("x", "y", "z")


_IDLE_FRAMES = 8
"""Frames of a clip after which a part that was not asked for is closed: while it is open, it slows the others down."""
_LOW = 0.1
"""Confidence the landmarker asks for where another network has found the face already; its own default is 0.5."""


def _open_landmarker(mode: Any, bundle: bytes, max_faces: int, least: float = 0.5) -> Any:  # noqa: ANN401
    return vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=bundle),
            running_mode=mode,
            num_faces=max_faces,
            min_face_detection_confidence=least,
            min_face_presence_confidence=least,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
    )


def _open_video(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return _open_landmarker(vision.RunningMode.VIDEO, bundle, max_faces)


def _open_still(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return _open_landmarker(vision.RunningMode.IMAGE, bundle, max_faces)


def _open_crop(bundle: bytes, max_faces: int) -> Any:  # noqa: ANN401 - untyped library
    return _open_landmarker(vision.RunningMode.IMAGE, bundle, max_faces, _LOW)


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


OPENERS: dict[str, Callable[[bytes, int], Any]] = {
    "video": _open_video,
    "still": _open_still,
    "crop": _open_crop,
    "detector": _open_detector,
}


@contextmanager
def translated() -> Iterator[None]:
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


class OpenTasks:
    """The parts of a model that are open. Not thread-safe."""

    def __init__(self, bundle: bytes, max_faces: int) -> None:
        """Opens nothing yet.

        Args:
            bundle: the landmarker's ``.task`` file.
            max_faces: at most so many faces are found.
        """
        self._bundle, self._max_faces = bundle, max_faces
        self._open: dict[str, Any] = {}
        self._asked: dict[str, int] = {}
        self._frame = 0

    @property
    def names(self) -> frozenset[str]:
        """Keys of OPENERS."""
        return frozenset(self._open)

    def task(self, name: str) -> Any:  # noqa: ANN401 - an untyped library's object
        """A part of the model, a key of OPENERS, loaded when first needed."""
        self._asked[name] = self._frame
        if name not in self._open:
            with native_stderr_to_log(), translated():
                self._open[name] = OPENERS[name](self._bundle, self._max_faces)
                if name != "video":  # the first image makes it write more notes
                    self._open[name].detect(image_of(np.zeros((16, 16, 3), np.uint8)))
        return self._open[name]

    def next_frame(self) -> None:
        """Another frame of a clip begins; what no frame has asked for of late is closed."""
        self._frame += 1
        for name in self.names:
            if self._frame - self._asked[name] > _IDLE_FRAMES:
                self.drop(name)

    def drop(self, name: str) -> None:
        """Closes a part that is open."""
        with native_stderr_to_log():
            self._open.pop(name).close()

    def close(self) -> None:
        """Closes everything; may be called twice."""
        for name in self.names:
            self.drop(name)


def image_of(picture: NDArray[np.uint8]) -> Any:  # noqa: ANN401 - an untyped library's object
    """An image of the library, (H, W, 3) uint8 sRGB."""
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


def faces_of(result: Any, window: FaceBox) -> list[Face]:  # noqa: ANN401 - an untyped library's object
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


def _face(points: Any, shapes: Any, transform: NDArray[np.float64], window: FaceBox) -> Face:  # noqa: ANN401
    width, height = window.right - window.left, window.bottom - window.top
    places = np.array(list(map(_PLACE, points)), np.float64)
    landmarks = places * (width, height, width) + (window.left, window.top, 0.0)
    rotation = nearest_rotation(_AXES @ transform[:3, :3] @ _AXES)
    (left, top), (right, bottom) = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return Face(
        landmarks_frame=landmarks.astype(np.float32),
        scheme=MEDIAPIPE478.name,
        box=FaceBox(float(left), float(top), float(right), float(bottom)),
        score=1.0,
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
        blendshapes={str(shape.category_name): float(shape.score) for shape in shapes},
    )
