"""Writes a performance as a template of the published pipeline (.pkl), frame by frame like MotionWriter."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, Any

import numpy as np

from lp_core.motion.files.lpmotion import MotionWriter
from lp_core.motion.files.template_pkl import GENERATION_KEY, from_sequence, pkl_bytes
from lp_core.motion.sequence import EXTRAS, F32, MOTION_ARRAYS, MotionSequence, frame_shapes

USUAL_SCALE = 1.5
"""Size of a head in the published pipeline's own driving crops; its example templates have 1.1 to 1.7."""


class PklWriter(MotionWriter):
    """As MotionWriter, but what appears on ``commit`` is a template; its frames pass through memory then.

    Raises:
        MotionMismatch: on ``commit``, where the rig is another than LivePortrait's.
    """

    def _join(self, target: IO[bytes]) -> None:
        arrays: dict[str, Any] = {}
        for name, shape in frame_shapes(self._rig).items():
            arrays[name] = self._spooled(name, shape)
        possible = EXTRAS.get(self._rig, {})
        extras = {name: self._spooled(name, possible[name]) for name in possible if name in self._spools}
        sequence = MotionSequence(
            self._rate, self._rig, origin=self._origin, metadata=self._metadata, extras=extras, **arrays
        )
        target.write(pkl_bytes(from_sequence(as_cropped(gapless(sequence)))))

    def _spooled(self, name: str, shape: tuple[int, ...]) -> F32:
        self._spools[name].seek(0)
        rows = np.frombuffer(self._spools[name].read(), "<f4")
        return rows.astype(np.float32).reshape(self._frames, *shape)


def gapless(sequence: MotionSequence) -> MotionSequence:
    """The motion with its lost start, of which nothing is known, replaced by the first measured frame.

    Later gaps hold the last measured frame already; a template has no place to say that a frame was lost.
    """
    first = int(np.argmax(sequence.confidence > 0))
    if first == 0:
        return sequence
    arrays: dict[str, Any] = {}
    for name in MOTION_ARRAYS:
        arrays[name] = _begun(getattr(sequence, name), first)
    extras = {name: _begun(column, first) for name, column in sequence.extras.items()}
    return replace(sequence, **arrays, extras=extras)


def _begun(column: F32, first: int) -> F32:
    begun = column.copy()
    begun[:first] = column[first]
    return begun


def as_cropped(sequence: MotionSequence) -> MotionSequence:
    """The motion as seen in one steady square around the performer, as the published pipeline crops a video.

    The square is the one in which the head's mean place is the middle and its mean size USUAL_SCALE. Motion
    that came from a template has its square already and stays as it is.
    """
    if GENERATION_KEY in sequence.metadata:
        return sequence
    zoom = USUAL_SCALE / float(sequence.scale.mean(dtype=np.float64))
    middle = sequence.translation.mean(axis=0, dtype=np.float64)
    return replace(
        sequence,
        scale=(sequence.scale * zoom).astype(np.float32),
        translation=((sequence.translation - middle) * zoom).astype(np.float32),
    )
