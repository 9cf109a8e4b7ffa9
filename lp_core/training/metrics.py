"""Figures that compare drawn images with true ones.

AED-mp, APD-mp and MAE-eye are names of our own, for the estimators of papers have licenses that exclude commercial use.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.errors import ModelDamaged, ModelMissing, SettingError
from lp_core.faces.base import Face
from lp_core.faces.open import open_analyzer
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.sface import FaceDescriber, aligned_face
from lp_core.geometry.facemesh import EYES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
SSIM_PX, SSIM_K1, SSIM_K2 = 7, 0.01, 0.03
READ_PX = 256
"""Images are enlarged to at least this before faces are looked for."""
EYE_CORNERS = (33, 263)
FRAME_MS = 10_000
"""Time between frames as passed to MediaPipe; it does not smooth over so long a time."""
RESAMPLES = 1000


def ssim(a: F32, b: F32) -> float:
    """Structural similarity (Wang et al. 2004) with a 7 x 7 box, as scikit-image has it; (3, S, S), 0..1."""
    total = 0.0
    for x, y in zip(a.astype(np.float64), b.astype(np.float64), strict=True):
        total += _ssim_plane(x, y)
    return total / len(a)


def _ssim_plane(x: F64, y: F64) -> float:
    def mean(values: F64) -> F64:
        edge = SSIM_PX // 2
        filtered = cv2.boxFilter(values, cv2.CV_64F, (SSIM_PX, SSIM_PX))
        return np.asarray(filtered[edge:-edge, edge:-edge], np.float64)

    unbiased = SSIM_PX**2 / (SSIM_PX**2 - 1)
    ux, uy = mean(x), mean(y)
    vx, vy = unbiased * (mean(x * x) - ux * ux), unbiased * (mean(y * y) - uy * uy)
    vxy = unbiased * (mean(x * y) - ux * uy)
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    value = ((2 * ux * uy + c1) * (2 * vxy + c2)) / ((ux * ux + uy * uy + c1) * (vx + vy + c2))
    return float(value.mean())


@dataclass(frozen=True)
class FaceReading:
    """What is read of a face."""

    points: F32
    """(478, 3) in pixels of the enlarged image."""
    shapes: F32
    """(52,) blendshapes."""
    degrees: F64
    """(3,) pitch, yaw, roll."""
    openness: F64
    """(3,) both eyes, lips."""
    gaze: F64
    """(2, 2) horizontal and vertical angle of each eye, degrees."""
    identity: F32 | None
    """(128,) descriptor; None where it was not asked for."""


def read_faces(images: Sequence[U8], describer: FaceDescriber | None) -> list[FaceReading | None]:
    """The face in each image of one clip, (H, W, 3) uint8; None where none is found.

    Readings are not smoothed over time.
    """
    found: list[FaceReading | None] = []
    with closing(open_analyzer(is_video=True, max_faces=1)) as analyzer:
        for index, image in enumerate(images):
            large = enlarged_for_reading(image)
            faces = analyzer.analyze(large, index * FRAME_MS)
            if not faces:
                found.append(None)
                continue
            found.append(_reading(large, max(faces, key=lambda face: face.box.area), describer))
    return found


def enlarged_for_reading(image: U8) -> U8:
    """The image, at least 256 pixels wide."""
    if len(image) >= READ_PX:
        return np.ascontiguousarray(image)
    large = cv2.resize(image, (READ_PX, READ_PX), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large, np.uint8)


def _reading(image: U8, face: Face, describer: FaceDescriber | None) -> FaceReading:
    points = np.asarray(face.landmarks_frame, np.float32)
    pose = face.pose
    return FaceReading(
        points=points,
        shapes=face.coefficients,
        degrees=np.array([pose.pitch_deg, pose.yaw_deg, pose.roll_deg]),
        openness=np.array([*eye_openness(points), lip_openness(points)], np.float64),
        gaze=np.stack([gaze_degrees(points, eye.upper[0], eye.upper[-1], eye.iris[0]) for eye in EYES]),
        identity=None if describer is None else describer.descriptor(aligned_face(image, face)),
    )


def gaze_degrees(points: F32, first: int, last: int, iris: int) -> F64:
    """(2,) angles of an eyeball whose radius is half the eye's width: the iris against the middle of the corners."""
    a, b, center = (points[index, :2].astype(np.float64) for index in (first, last, iris))
    across, middle = b - a, (a + b) / 2
    radius = max(float(np.hypot(*across)) / 2, 1e-6)
    right = across / (2 * radius)
    down = np.array([-right[1], right[0]])
    offset = center - middle
    sines = np.clip([offset @ right / radius, offset @ down / radius], -1, 1)
    return np.asarray(np.degrees(np.arcsin(sines)), np.float64)


def compare_readings(
    truth: Sequence[FaceReading | None], drawn: Sequence[FaceReading | None]
) -> dict[str, float]:
    """Figures of a clip over the frames in which both faces are found; NaN where there are none.

    Returns:
        AKD: mean distance of landmarks over the distance of the eyes; AED-mp: mean absolute difference of
        blendshapes; APD-mp: of pitch, yaw and roll, degrees; MAE-eye: of the gaze, degrees; r_eyes, r_lips:
        correlation of the openness; found: share of drawings in which a face is found, of those whose truth has one.
    """
    pairs = [(a, b) for a, b in zip(truth, drawn, strict=True) if a is not None and b is not None]
    seen = sum(a is not None for a in truth)
    values = {"found": len(pairs) / seen if seen else float("nan")}
    if not pairs:
        return values | dict.fromkeys(
            ("AKD", "AED-mp", "APD-mp", "MAE-eye", "r_eyes", "r_lips"), float("nan")
        )
    values["AKD"] = float(np.mean([_point_distance(a.points, b.points) for a, b in pairs]))
    values["AED-mp"] = float(np.mean([np.abs(a.shapes - b.shapes).mean() for a, b in pairs]))
    values["APD-mp"] = float(np.mean([np.abs(a.degrees - b.degrees).mean() for a, b in pairs]))
    values["MAE-eye"] = float(np.mean([np.abs(a.gaze - b.gaze).mean() for a, b in pairs]))
    own, theirs = (np.array([item.openness for item in side]) for side in zip(*pairs, strict=True))
    values["r_eyes"] = correlation(own[:, :2].mean(axis=1), theirs[:, :2].mean(axis=1))
    values["r_lips"] = correlation(own[:, 2], theirs[:, 2])
    return values


def _point_distance(a: F32, b: F32) -> float:
    eyes = max(float(np.linalg.norm(a[EYE_CORNERS[0], :2] - a[EYE_CORNERS[1], :2])), 1e-6)
    return float(np.linalg.norm(a[:, :2] - b[:, :2], axis=1).mean()) / eyes


def correlation(a: F64, b: F64) -> float:
    """Pearson's r; NaN where either does not vary."""
    if len(a) < 3 or a.std() < 1e-9 or b.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def identity_kept(source: FaceReading | None, drawn: Sequence[FaceReading | None]) -> float:
    """Mean cosine of the drawings' descriptors to the source's; NaN where none can be compared."""
    if source is None or source.identity is None:
        return float("nan")
    found = [
        float(source.identity @ item.identity)
        for item in drawn
        if item is not None and item.identity is not None
    ]
    return float(np.mean(found)) if found else float("nan")


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and the ends of a 95 % interval by resampling; values that are not numbers are left out."""
    finite = np.array([value for value in values if np.isfinite(value)])
    if len(finite) == 0:
        return (float("nan"),) * 3
    rows = np.random.default_rng(0).integers(len(finite), size=(RESAMPLES, len(finite)))
    means = finite[rows].mean(axis=1)
    return float(finite.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def frechet(a: F64, b: F64) -> float:
    """Fréchet distance of two sets of features (N, D), taken for Gaussians (Heusel et al. 2017)."""
    mean, other = a.mean(axis=0), b.mean(axis=0)
    spread, spread_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    spread, spread_b = np.atleast_2d(spread), np.atleast_2d(spread_b)
    roots = np.sqrt(np.clip(np.linalg.eigvals(spread @ spread_b).real, 0, None)).sum()
    return float(np.square(mean - other).sum() + np.trace(spread) + np.trace(spread_b) - 2 * roots)


class InceptionFeatures:
    """The network of the FID, from the TorchScript file that the user names."""

    def __init__(self, path: Path) -> None:
        import torch

        if not path.is_file():
            raise ModelMissing(
                f"--inception {path} is not there; download the Inception network of the FID as TorchScript."
            )
        try:
            load: Any = torch.jit.load
            self._network = load(str(path), map_location="cpu").eval()
        except RuntimeError as error:
            raise ModelDamaged(
                f"{path} cannot be read as a TorchScript network; download it again."
            ) from error

    def __call__(self, images: Sequence[U8]) -> F64:
        """(N, D) features of (H, W, 3) images, enlarged or reduced to 299 pixels linearly."""
        import torch

        rows = []
        for image in images:
            side = cv2.resize(image, (299, 299), interpolation=cv2.INTER_LINEAR)
            with torch.no_grad():
                rows.append(
                    self._network(torch.from_numpy(side.transpose(2, 0, 1)[None].copy())).flatten().numpy()
                )
        return np.stack(rows).astype(np.float64)


class LpipsDistance:
    """LPIPS with AlexNet, where the package and the backbone's weights are there; nothing is downloaded."""

    BACKBONE = "alexnet-owt-7be5be79.pth"

    def __init__(self) -> None:
        """Loads it.

        Raises:
            ModelMissing: the backbone's file is not in PyTorch's hub folder.
            SettingError: the package is not installed.
        """
        import torch

        try:
            lpips = import_module("lpips")
        except ModuleNotFoundError as error:
            raise SettingError("LPIPS is not available: the package lpips is not installed.") from error
        path = Path(torch.hub.get_dir()) / "checkpoints" / self.BACKBONE
        if not path.is_file():
            raise ModelMissing(
                f"LPIPS is not available: {path} is missing; download torchvision's AlexNet there."
            )
        self._network = lpips.LPIPS(net="alex", verbose=False)

    def __call__(self, truth: F32, drawn: F32) -> float:
        """The distance of (3, S, S) images, 0..1."""
        import torch

        with torch.no_grad():
            a, b = (torch.from_numpy(image[None] * 2 - 1) for image in (truth, drawn))
            return float(self._network(a, b))
