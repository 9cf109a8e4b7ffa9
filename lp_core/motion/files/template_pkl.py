"""Motion templates of the published pipeline (.pkl): read safely, written back, turned into a MotionSequence.

Three generations exist: 'legacy' (keys ``R_d``, ``c_d_eyes_lst``, ``c_d_lip_lst``), 'animal' (``R``, no
ratios) and 'current' (``R``, ``c_eyes_lst``, ``c_lip_lst``, ``kp`` and ``x_s`` in every frame). Angles are not stored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import BadMotionFile, MotionMismatch
from lp_core.motion.files.pickles import pickled, read_pickle
from lp_core.motion.implicit.motion import ImplicitMotion, implicit_motion
from lp_core.motion.implicit.regions import KEYPOINTS
from lp_core.motion.sequence import F32, MotionSequence
from lp_core.timing import FrameRate

RIG = "liveportrait21"
LEGACY, ANIMAL, CURRENT = "legacy", "animal", "current"
USUAL_FPS = 25
"""Frame rate of a template that states none."""
GENERATION_KEY = "liveportrait.template"
"""Metadata of a motion that came from a template: its generation."""
_RATE_KEY = "liveportrait.output_fps"
_RATIOS_KEY = "liveportrait.ratios"
"""Metadata of a template of a generation with ratios that lacks some: 'eyes', 'lips' or 'none' is there."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PklTemplate:
    """A template's content, nothing rounded, nothing left out."""

    generation: str
    """'legacy', 'animal' or 'current'."""
    fps: int | None
    """Frames per second as stated, None where it is not."""
    rotation: F32
    """(N, 3, 3), acting on rows from the right."""
    scale: F32
    """(N,)"""
    expression: F32
    """(N, 21, 3)"""
    translation: F32
    """(N, 3)"""
    eyes: F32 | None
    """(N, 2) eye ratios, where it carries ratios."""
    lips: F32 | None
    """(N,) lip ratios, where it carries ratios."""
    keypoints: F32 | None = None
    """(N, 21, 3) canonical points, where the current generation carries them."""
    points: F32 | None = None
    """(N, 21, 3) transformed points, where the current generation carries them."""

    def __len__(self) -> int:
        return len(self.scale)

    def motion(self, index: int) -> ImplicitMotion:
        """The motion at one frame."""
        return implicit_motion(
            self.rotation[index], self.expression[index], self.scale[index], self.translation[index]
        )


def read_pkl(path: Path) -> PklTemplate:
    """Reads a template without running anything of it.

    Raises:
        BadMotionFile: the file is unreadable, hostile, damaged or no template.
    """
    content = read_pickle(path)
    if not isinstance(content, dict) or not isinstance(content.get("motion"), list) or not content["motion"]:
        raise BadMotionFile(
            f"{path} is not a motion template: it holds no list 'motion' of frames; get another."
        )
    reader = _Reader(path, content)
    generation = reader.generation()
    names = _NAMES[generation]
    has_points = generation == CURRENT and "kp" in content["motion"][0]
    return PklTemplate(
        generation=generation,
        fps=reader.fps(),
        rotation=reader.frames(names["rotation"], (3, 3)),
        scale=reader.frames("scale", ()),
        expression=reader.frames("exp", (KEYPOINTS, 3)),
        translation=reader.frames("t", (3,)),
        eyes=reader.ratios(names.get("eyes"), (2,)),
        lips=reader.ratios(names.get("lips"), ()),
        keypoints=reader.frames("kp", (KEYPOINTS, 3)) if has_points else None,
        points=reader.frames("x_s", (KEYPOINTS, 3)) if has_points else None,
    )


_NAMES = {
    LEGACY: {"rotation": "R_d", "eyes": "c_d_eyes_lst", "lips": "c_d_lip_lst"},
    ANIMAL: {"rotation": "R"},
    CURRENT: {"rotation": "R", "eyes": "c_eyes_lst", "lips": "c_lip_lst"},
}
_FRAME_KEYS = {"scale", "R", "R_d", "exp", "t", "kp", "x_s"}
_TOP_KEYS = {"n_frames", "output_fps", "motion", "c_eyes_lst", "c_d_eyes_lst", "c_lip_lst", "c_d_lip_lst"}


@dataclass(frozen=True)
class _Reader:
    """Takes a template's parts out of the plain containers, naming what does not fit."""

    path: Path
    content: Mapping[str, Any]

    def bad(self, what: str) -> BadMotionFile:
        return BadMotionFile(f"{self.path} is not a motion template: {what}; get it again.")

    def generation(self) -> str:
        first = self.content["motion"][0]
        if not all(isinstance(frame, dict) for frame in self.content["motion"]):
            raise self.bad("a frame is not a table of arrays")
        unknown = sorted({str(k) for k in self.content} - _TOP_KEYS | {str(k) for k in first} - _FRAME_KEYS)
        if unknown:
            _log.warning("%s: left out, as the format does not know it: %s", self.path, ", ".join(unknown))
        if "R_d" in first:
            return LEGACY
        return CURRENT if "kp" in first or "c_eyes_lst" in self.content else ANIMAL

    def fps(self) -> int | None:
        fps = self.content.get("output_fps")
        if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int) or fps < 1):
            raise self.bad(f"its frame rate is {fps!r}")
        count = self.content.get("n_frames", len(self.content["motion"]))
        if count != len(self.content["motion"]):
            raise self.bad(f"it announces {count} frames and holds {len(self.content['motion'])}")
        return fps

    def frames(self, key: str, shape: tuple[int, ...]) -> F32:
        if any(key not in frame for frame in self.content["motion"]):
            raise self.bad(f"a frame lacks '{key}'")
        return self._stacked(key, [frame[key] for frame in self.content["motion"]], shape)

    def ratios(self, key: str | None, shape: tuple[int, ...]) -> F32 | None:
        if key is None or key not in self.content:
            return None
        rows = self.content[key]
        if not isinstance(rows, list) or len(rows) != len(self.content["motion"]):
            raise self.bad(f"'{key}' is not one entry a frame")
        return self._stacked(key, rows, shape)

    def _stacked(self, key: str, rows: list[object], shape: tuple[int, ...]) -> F32:
        for row in rows:
            if not isinstance(row, np.ndarray) or row.size != int(np.prod(shape)) or row.dtype.kind != "f":
                raise self.bad(f"'{key}' holds something other than {shape or 'single'} floating numbers")
        stacked: F32 = np.stack([np.asarray(row, np.float32).reshape(shape) for row in rows])
        if not np.isfinite(stacked).all():
            raise self.bad(f"'{key}' holds numbers that are not finite")
        return stacked


def pkl_bytes(template: PklTemplate) -> bytes:
    """The file of a template, in its own generation's keys."""
    names = _NAMES[template.generation]
    frames = []
    for i in range(len(template)):
        frame: dict[str, NDArray[Any]] = {
            "scale": template.scale[i].reshape(1, 1),
            names["rotation"]: template.rotation[i][None],
            "exp": template.expression[i][None],
            "t": template.translation[i][None],
        }
        if template.keypoints is not None and template.points is not None:
            frame |= {"kp": template.keypoints[i][None], "x_s": template.points[i][None]}
        frames.append(frame)
    content: dict[str, Any] = {"n_frames": len(template)}
    if template.fps is not None:
        content["output_fps"] = template.fps
    content["motion"] = frames
    if template.eyes is not None:
        content[names.get("eyes", "c_eyes_lst")] = [row[None] for row in template.eyes]
    if template.lips is not None:
        content[names.get("lips", "c_lip_lst")] = [row.reshape(1, 1) for row in template.lips]
    return pickled(content)


def to_sequence(template: PklTemplate, origin: str = "") -> MotionSequence:
    """A template as a MotionSequence of the rig 'liveportrait21'.

    The arrays are the template's own numbers: rotation transposed to head -> camera, translation without z
    (the key-point transform drops it), ratios zero where there are none. Canonical and transformed points of
    the current generation, and a z that is not 0, are the sequence's extras.
    """
    count = len(template)
    zeros = np.zeros((count,), np.float32)
    metadata = {
        GENERATION_KEY: template.generation,
        _RATE_KEY: "unstated" if template.fps is None else str(template.fps),
    }
    ratios = [name for name in ("eyes", "lips") if getattr(template, name) is not None]
    if template.generation != ANIMAL and len(ratios) < 2:
        metadata[_RATIOS_KEY] = ratios[0] if ratios else "none"
    return MotionSequence(
        rate=FrameRate(Fraction(template.fps or USUAL_FPS)),
        rig=RIG,
        rotation=np.ascontiguousarray(template.rotation.transpose(0, 2, 1)),
        scale=template.scale,
        translation=np.ascontiguousarray(template.translation[:, :2]),
        expression=template.expression,
        eyes=template.eyes if template.eyes is not None else np.zeros((count, 2), np.float32),
        gaze=np.zeros((count, 2, 2), np.float32),
        lips=template.lips if template.lips is not None else zeros,
        blendshapes=np.zeros((count, 52), np.float32),
        confidence=np.ones((count,), np.float32),
        origin=origin,
        metadata=metadata,
        extras=_extras(template),
    )


def _extras(template: PklTemplate) -> dict[str, F32]:
    extras: dict[str, F32] = {}
    if template.keypoints is not None and template.points is not None:
        extras |= {"keypoints": template.keypoints, "points": template.points}
    if np.any(template.translation[:, 2]):
        extras["depth"] = np.ascontiguousarray(template.translation[:, 2])
    return extras


def from_sequence(sequence: MotionSequence) -> PklTemplate:
    """A MotionSequence as a template; undoes ``to_sequence``.

    The generation is the one it came from, for motion from elsewhere 'current'; its transformed points are then
    made from the canonical ones, and both are left out where the motion has none. The rate is rounded to whole
    frames a second, as the format has it; a rate that was not whole is logged.

    Raises:
        MotionMismatch: the motion is of another rig.
    """
    if sequence.rig != RIG:
        raise MotionMismatch(
            f"A motion of the rig {sequence.rig} cannot become a LivePortrait template; extract the driving "
            "clip with the liveportrait engine."
        )
    generation = sequence.metadata.get(GENERATION_KEY, CURRENT)
    if generation not in _NAMES:
        raise MotionMismatch(
            f"The motion names an unknown kind of template '{generation}'; extract it again."
        )
    fps = round(sequence.rate.fps)
    if fps != sequence.rate.fps:
        _log.warning("templates hold whole rates only: %s frames per second become %s", sequence.rate, fps)
    ratios = "none" if generation == ANIMAL else sequence.metadata.get(_RATIOS_KEY, "eyes and lips")
    depth = sequence.extras.get("depth", np.zeros(len(sequence), np.float32))
    keypoints = sequence.extras.get("keypoints")
    return PklTemplate(
        generation=generation,
        fps=None if sequence.metadata.get(_RATE_KEY) == "unstated" else fps,
        rotation=np.ascontiguousarray(sequence.rotation.transpose(0, 2, 1)),
        scale=sequence.scale,
        expression=sequence.expression,
        translation=np.column_stack([sequence.translation, depth]),
        eyes=sequence.eyes if "eyes" in ratios else None,
        lips=sequence.lips if "lips" in ratios else None,
        keypoints=keypoints,
        points=None if keypoints is None else _placed(sequence, keypoints),
    )


def _placed(sequence: MotionSequence, keypoints: F32) -> F32:
    """(N, 21, 3) the key points in their place: as the template stated them, else transformed."""
    if "points" in sequence.extras:
        return sequence.extras["points"]
    rotated = keypoints @ sequence.rotation.transpose(0, 2, 1)
    placed = sequence.scale[:, None, None] * (rotated + sequence.expression)
    placed[..., :2] += sequence.translation[:, None]
    return np.asarray(placed, np.float32)
