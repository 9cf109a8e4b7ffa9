"""Takes out the lag of faces that were read through a filter in time that only looks back.

The landmarker's video mode smooths the landmarks of a lone face with a One-Euro filter (Casiez, Roussel, Vogel: CHI
2012), and the blendshapes come from the smoothed landmarks. So a moving face is read where it was a moment ago
(``Face.lag_s``), but never far from where it is: at speed v the filter's cut-off is ``least + beta v``, its time
constant ``1 / (2 pi cut-off)``, and what it trails by, speed times time constant, stays below ``1 / (2 pi beta)``
however fast the face moves (REACH).

Where the frame after is known too, every coordinate is carried on by its own speed, up to that limit:

    ``reading + clip(lag * (after - before) / (time between before and after), -REACH * size, REACH * size)``

and rotation and blendshapes by that part of the lag which the landmarks took on the whole. A symmetric difference is
0 at the highest frequency, so what flickers from frame to frame is not made stronger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.frame import Frame
from lp_core.geometry.rotation import angles_deg, nearest_rotation

_MOST = 0.5
"""Largest part of the change between the neighbors that is added: at high frame rates it is mostly noise."""
REACH = 0.003
"""Furthest that a filtered landmark trails, in face sizes: what the formula gives for MediaPipe's beta of 80 per region
size a second, a region of 1.5 faces. With it landmarks of a swaying face come nearer at every speed that
benchmarks/landmarker_lag.py tries; without it those of a quick one would overshoot."""

Sighting = tuple[Frame, Face | None]


def without_lag(sightings: Iterable[Sighting]) -> Iterator[Sighting]:
    """The frames of a clip in order, each with its face; one frame behind what it takes.

    Args:
        sightings: every frame with its face, None where there is none.

    Yields:
        The same frames; a face that lags, between two neighbors that lag alike, is carried on and lags no longer.
    """
    before: Sighting | None = None
    now: Sighting | None = None
    for after in sightings:
        if now is not None:
            yield now if before is None else _settled(before, now, after)
        before, now = now, after
    if now is not None:
        yield now


def _settled(before: Sighting, now: Sighting, after: Sighting) -> Sighting:
    frame, face = now
    one, other = before[1], after[1]
    if face is None or face.lag_s == 0 or one is None or other is None:
        return now
    if not one.lag_s == face.lag_s == other.lag_s:
        return now
    share = min(face.lag_s / float(after[0].time_s - before[0].time_s), _MOST)
    return frame, _carried_on(face, one, other, share)


def _carried_on(face: Face, before: Face, after: Face, share: float) -> Face:
    """The face, moved on by a share of the change from ``before`` to ``after``, as far as the filter trails."""
    step = share * (after.landmarks_frame.astype(np.float64) - before.landmarks_frame)
    most = REACH * (face.box.right - face.box.left + face.box.bottom - face.box.top) / 2
    taken = np.clip(step, -most, most)
    share *= float(np.abs(taken).sum() / max(np.abs(step).sum(), 1e-9))
    landmarks = face.landmarks_frame + taken
    rotation = nearest_rotation(
        face.head_rotation + share * (after.head_rotation.astype(np.float64) - before.head_rotation)
    )
    shapes = {
        name: min(max(value + share * (after.blendshapes[name] - before.blendshapes[name]), 0.0), 1.0)
        for name, value in face.blendshapes.items()
    }
    corners = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return replace(
        face,
        landmarks_frame=landmarks.astype(np.float32),
        box=FaceBox(*(float(value) for value in np.concatenate(corners))),
        head_rotation=rotation.astype(np.float32),
        pose=Pose(*angles_deg(rotation)),
        blendshapes=shapes,
        lag_s=0.0,
    )
