"""LivePortrait's own landmarks: 203 points of a face that something else has found.

The networks of the published pipeline were trained with crops and ratios of these points. The model looks at an
upright square of 224 pixels around the face, 1.5 times its points, and answers with fractions of that square.
The published pipeline cuts the square by the points of the frame before; here it is cut twice in each
frame, first by the points of whatever found the face, then by the model's own, so that a frame's points depend
on that frame alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import FaceError, ModelDamaged, missing_extra
from lp_core.faces.base import Face, FaceBox
from lp_core.faces.schemes import LIVEPORTRAIT203
from lp_core.geometry.crop import LANDMARK_CROP, frame_from_crop, oriented_square
from lp_core.geometry.paste import cut_square

try:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as failures
except ImportError as error:
    raise missing_extra("The 203-point landmarker", "landmarks203") from error

MODEL = "liveportrait-landmarks"
"""Name of the model set in the catalog."""
SIZE_PX = 224
_INPUT = "input"
_OUTPUT = 2
"""Position of the points among the model's outputs."""
_LOOKS = 2
_QUIET = 3
"""Errors alone are logged by the library."""

_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    *(kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


class Landmarker203:
    """A ``Landmarker`` over the published ONNX model; may be used by several threads at once."""

    scheme = LIVEPORTRAIT203.name

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """Loads the model.

        Args:
            path: of ``landmark.onnx``.
            device: cuda devices are used where the installed onnxruntime can; all else computes on the processor.

        Raises:
            ModelDamaged: the file is not such a model.
        """
        self._path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _QUIET
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=_providers(device, onnxruntime.get_available_providers())
            )
            names = [item.name for item in self._session.get_inputs()]
            self._outputs = [item.name for item in self._session.get_outputs()]
        except _FAILURES as error:
            raise self._damaged(_first_line(error)) from error
        if names != [_INPUT] or len(self._outputs) <= _OUTPUT:
            raise self._damaged(f"inputs {names}, outputs {self._outputs}")

    def refined(self, picture: NDArray[np.uint8], face: Face) -> Face:
        """The same face with the 203 points; see ``Landmarker.refined``.

        Raises:
            ModelDamaged: the model's answer is not 203 points.
            FaceError: it cannot be run.
        """
        points: NDArray[Any] = face.landmarks_frame[:, :2]
        for _ in range(_LOOKS):
            points = self._seen(picture, points)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return replace(
            face,
            landmarks_frame=np.column_stack([points, np.zeros(len(points))]).astype(np.float32),
            scheme=self.scheme,
            box=FaceBox(float(left), float(top), float(right), float(bottom)),
        )

    def _seen(self, picture: NDArray[np.uint8], points: NDArray[Any]) -> NDArray[np.float64]:
        """(203, 2) in frame pixels, found in the square around (P, 2) points."""
        square = oriented_square(points, LANDMARK_CROP)
        crop = cut_square(picture, square, SIZE_PX) / np.float32(255)
        batch = np.ascontiguousarray(crop.transpose(2, 0, 1)[None])
        try:
            answer = np.asarray(self._session.run([self._outputs[_OUTPUT]], {_INPUT: batch})[0], np.float64)
        except _FAILURES as error:
            raise FaceError(
                f"The landmark model '{self._path}' cannot be run ({_first_line(error)}); get it again with: "
                f"lpsuite models fetch {MODEL}."
            ) from error
        if answer.size != 2 * LIVEPORTRAIT203.count or not np.isfinite(answer).all():
            raise self._damaged(f"its answer has shape {answer.shape} or is not finite")
        matrix = frame_from_crop(square, SIZE_PX)
        found: NDArray[np.float64] = answer.reshape(-1, 2) * SIZE_PX @ matrix[:2, :2].T + matrix[:2, 2]
        return found

    def _damaged(self, why: str) -> ModelDamaged:
        return ModelDamaged(
            f"'{self._path}' is not the published 203-point landmark model ({why}); get it with: "
            f"lpsuite models fetch {MODEL}."
        )


def _providers(device: str, available: list[str]) -> list[str]:
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    return [name for name in (*wanted, "CPUExecutionProvider") if name in available]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
