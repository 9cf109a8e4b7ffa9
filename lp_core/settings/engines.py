"""Settings of the engines: which one draws, on what device, and how each of them works.

Standard library only, Python 3.7 syntax.
"""

import re
from dataclasses import dataclass
from typing import Optional

from ..errors import SettingError
from .schema import check, setting

CALIBRATIONS = ("off", "quick", "fine")
FILTERS = ("linear", "cubic", "lanczos")
CAMERAS = ("follow", "steady")
MOUTH_FILLS = ("auto", "driving", "drawn")
ENGINES = ("auto", "mesh", "liveportrait")
MODELS = ("auto", "liveportrait", "liveportrait-animals", "performrecast")
RECAST_MODES = ("replacement", "enhancement")
PASTES = ("auto", "square", "face")
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8")
DETAILS = ("neural", "source")
LANDMARKERS = ("auto", "mediapipe", "face-alignment", "203")
DRIVING_OPTIONS = ("pose-friendly", "expression-friendly")


@dataclass(frozen=True)
class EngineSettings:
    """Which engine draws, and on what device."""

    engine: str = setting("auto", "engine that draws the image", choices=ENGINES)
    model: str = setting(
        "auto",
        "published model that draws: liveportrait, liveportrait-animals or performrecast; auto: performrecast for the "
        "expression or lips of a filmed source where it is installed, else liveportrait (liveportrait)",
        choices=MODELS,
    )
    weights: Optional[str] = setting(
        None,
        "folder of the model's weights; default: the model cache (`lpsuite models fetch liveportrait`)",
        path="folder",
    )
    device: str = setting(
        "auto",
        "where the networks run: auto (cuda, else mps, else cpu), cpu, cuda, cuda:N or mps (liveportrait)",
    )
    precision: str = setting(
        "auto",
        "numbers the networks compute with: auto (fp16 on cuda, bf16 where the processor has it, else fp32), "
        "fp32, bf16, fp16, or int8 (processors only: 8-bit products where they lose little) (liveportrait)",
        choices=PRECISIONS,
    )
    batch: int = setting(
        0,
        "frames read and drawn at a time; 0: as many as suit the device; halved where memory runs out (liveportrait)",
        minimum=0,
        maximum=256,
    )
    compile: bool = setting(False, "compile the networks first: slow to start, for long clips (liveportrait)")
    graphs: bool = setting(
        False, "record the drawing once and replay it, on a CUDA card: CUDA graphs (liveportrait)"
    )
    landmarker: str = setting(
        "auto",
        "landmarks that crops follow: mediapipe, 203, face-alignment; auto: 203 if installed (liveportrait)",
        choices=LANDMARKERS,
    )

    def __post_init__(self) -> None:
        check(self)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", self.device):
            raise SettingError(
                f"device = {self.device!r} is not known; choose one of: auto, cpu, cuda, cuda:N, mps."
            )


@dataclass(frozen=True)
class MeshSettings:
    """How the mesh engine draws."""

    calibration: str = setting(
        "quick",
        "trial images before a render, so that the portrait reads as the performance does (mesh engine): "
        "quick tries about 50 moments, fine up to 300 and takes some seconds longer",
        choices=CALIBRATIONS,
    )
    mouth: str = setting(
        "auto",
        "inside of the mouth where the photo does not show it: from the driving image, drawn, or auto "
        "(driving where there is a driving image)",
        choices=MOUTH_FILLS,
    )
    filter: str = setting(
        "cubic",
        "sampling of the source where it moves: linear (fast, softer), cubic, or lanczos (sharpest, slow); without "
        "halos (mesh engine)",
        choices=FILTERS,
    )
    dense_motion: bool = setting(
        True,
        "hair, ears, neck and shoulders follow the driving video's own motion (optical flow) and not the head alone; "
        "relative motion from video (mesh engine)",
    )
    camera: str = setting(
        "follow",
        "a driving camera that moves: follow it with the head, or steady (its motion, seen in the background, is taken "
        "off); relative motion from video (mesh engine)",
        choices=CAMERAS,
    )
    shading: float = setting(
        0.0,
        "wrinkles, dimples and the light of a turning head, from the driving video; 0: none (mesh engine)",
        minimum=0.0,
        maximum=2.0,
    )
    max_turn: float = setting(
        40.0,
        "furthest turn of the head from the photo; exact up to three quarters of it (mesh engine)",
        minimum=1.0,
        maximum=90.0,
        unit="deg",
    )
    max_shift: float = setting(
        1.0,
        "furthest shift of the head from its place in the photo, in face heights; exact up to three quarters of it "
        "(mesh engine)",
        minimum=0.01,
        maximum=4.0,
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class LivePortraitSettings:
    """How the liveportrait engine transfers motion and draws."""

    driving_option: str = setting(
        "pose-friendly",
        "what keeps its full reach where portrait and performer look apart: the turn of the head, or the "
        "expression (liveportrait, relative motion)",
        choices=DRIVING_OPTIONS,
    )
    detail: str = setting(
        "neural",
        "fine detail of the face: the network's own, or the source's carried along the ST map (liveportrait)",
        choices=DETAILS,
    )
    recast: str = setting(
        "replacement",
        "performrecast: the performance's expression in place of the filmed one, or enhancement: its change from the "
        "reference added (liveportrait)",
        choices=RECAST_MODES,
    )
    crop_scale: float = setting(
        0.0,
        "side of the square that the networks look at, in face sizes; 0: the model's own, 2.3 or 1.5 (liveportrait)",
        minimum=0.0,
        maximum=4.0,
    )
    paste: str = setting(
        "auto",
        "what is pasted back: the whole square, or the face alone, by a matte; auto: the model's own (liveportrait)",
        choices=PASTES,
    )
    stitching: bool = setting(True, "let shoulders and neck stay where they are (liveportrait)")
    eye_retargeting: bool = setting(
        False, "open the eyes by the performer's measured lid ratio instead of by motion (liveportrait)"
    )
    lip_retargeting: bool = setting(
        False, "open the lips by the performer's measured lip ratio instead of by motion (liveportrait)"
    )
    normalize_lip: bool = setting(False, "close a portrait's open lips, for relative motion (liveportrait)")
    steady_eyes: bool = setting(
        False, "keep the eyes of a filmed source as open as in its first frame (liveportrait)"
    )
    official_compat: bool = setting(False, "reproduce the published pipeline, quirks included (liveportrait)")

    def __post_init__(self) -> None:
        check(self)
        if 0 < self.crop_scale < 1:
            raise SettingError(
                f"crop_scale = {self.crop_scale} cuts the face off; give 0 for the model's own, or 1 to 4."
            )
