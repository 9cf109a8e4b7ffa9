"""Calibration: does the portrait read as the performance does?

Faces differ. The same opening of the mouth reads as 0.9 on one portrait and as 0.2 on another, and a painted
eye that is as good as closed may still read as open. So a few frames that span the performance are drawn and
read back with the landmarker that read the performer, and head angles, lip gap, smile and lids are nudged
until both agree; of a voice, how far the mouth narrows. The nudges are kept within limits and interpolated over
all other frames (lp_core.motion.tuning).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import TrialFrame
from lp_core.faces.base import Face
from lp_core.geometry.facemesh import (
    JAW_OPEN,
    LEFT_EYE,
    MESH_POINTS,
    RIGHT_EYE,
    RIGID,
    ROUNDING,
    SMILE_LEFT,
    SMILE_RIGHT,
)
from lp_core.geometry.rotation import angles_deg
from lp_core.motion.landmarks.lips import CORNERS, eye_distance, spoken_share
from lp_core.motion.landmarks.motion import best_rotation
from lp_core.motion.landmarks.spoken_lips import narrowing
from lp_core.motion.landmarks.transfer import Nudge, wanted_turn
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.tuning import CONTROLS, LandmarkTuning, fit, make_nudge

ROUNDS, SURE, ROUNDS_LATER = 5, 12, 4
"""Trials of a key frame; after SURE of them the others give a good first guess, and fewer trials do."""
TOGETHER = 4
"""Key frames that are tried at the same time; each begins with what all before them have found."""
LIMITS = np.array([6.0, 8.0, 6.0, 0.45, 2.0, 0.9, 0.9, 0.08])
"""Largest nudges: degrees, degrees, degrees, head units, strong smiles, lid openings, outer eye distances."""
AVERTED_DEG = 28.0, 40.0
"""Angle between a portrait's face and the camera: up to the first its readings count in full, from the second on they
count for nothing, and nothing is nudged. A landmarker reads mouths from the side badly: to read as much of a smile,
the lips would go up to the nose."""
FIRST_STEP = np.array([0.8, 0.8, 0.8, 0.35, 1.0, -1.6, -1.6, 0.12])
"""How much of a control an error of 1 asks for at first (degrees for degrees, else per blendshape unit)."""
STEEPEST = np.array([1.5, 1.5, 1.5, 1.2, 3.0, 3.0, 3.0, 0.25])
CLOSE = np.array([0.4, 0.4, 0.4, 0.04, 0.04, 0.05, 0.05, 0.05])
"""Agreement that is good enough to stop: degrees, then blendshape units."""
EFFORT = np.array([0.05, 0.05, 0.05, 0.06, 0.02, 0.05, 0.05, 0.3])
"""Agreement that a unit of a control must bring to be worth it, lest what answers to nothing drifts."""
SAME_FACE = 0.025
"""Mean distance of two faces' points in head units below which they are one: 0.006 to 0.021 in images of one face that
are turned and scaled, 0.03 and more between people."""
LEAST_REST = 0.1
"""A rest reading below this counts as none: proportions of less would be proportions of noise."""
SPOKEN = 0.9
"""From this on a voice speaks, and how round its lips read counts."""
OPEN_LIPS = 0.18
"""Lip gap over mouth width from which lips count as open."""
WIDTH_COUNTS = 6.0
"""A mouth that is narrower by the distance of the temples counts as so much rounder: it should read as round and as
narrow as it is asked to be."""
TEMPLES = (127, 356)
"""Landmarks whose distance does not depend on the lids, as that of the eyes' corners does."""

F64 = NDArray[np.float64]
_Search = Generator[Nudge, Face | None, F64 | None]
"""Says what to try next, takes the face that was read, and returns the best controls; None where no face was read."""
Trial = Callable[[Sequence[tuple[TrialFrame, Nudge]]], list[Face | None]]
"""Draws the portrait at frames of the performance, each with a nudge, and reads the face off each image."""


def calibrate(
    source: MotionFrame,
    samples: Sequence[TrialFrame],
    reference: MotionFrame,
    mode: str,
    trial: Trial,
) -> LandmarkTuning | None:
    """Finds the tuning of a portrait for a performance.

    Args:
        source: the source face as motion.
        samples: frames that span the performance, the telling ones first.
        reference: the performance's neutral frame.
        mode: relative or absolute.
        trial: draws and reads trial images.

    Returns:
        None when nothing could be read off the portrait, when it is turned too far to be read well, when the
        performance has no blendshapes, and when the portrait shows the performer, as a frame of the driving video does:
        then plain geometry is exact.
    """
    if mode == "relative" and _is_same_face(source, reference):
        return None
    limits = LIMITS * _readable_share(source)
    if not limits.any():
        return None
    (rest,) = trial([(TrialFrame(reference, None), Nudge())])
    if rest is None or not any(sample.motion.blendshapes.any() for sample in samples):
        return None
    start = np.array(angles_deg(source.rotation.astype(np.float64)))
    found: list[F64] = [np.zeros(CONTROLS)]
    kept: list[MotionFrame] = [reference]
    for first in range(0, len(samples), TOGETHER):
        so_far = fit(kept, np.stack(found), reference, limits)
        batch = samples[first : first + TOGETHER]
        searches = []
        for sample in batch:
            turn = start + wanted_turn(source, sample.motion, reference, mode)
            wanted = np.concatenate([turn, _wanted_readings(source, sample.motion, reference, rest)])
            rounds = ROUNDS if first < SURE else ROUNDS_LATER
            searches.append(_search(wanted, so_far.controls(sample.motion), rounds, limits))
        for sample, controls in zip(batch, _settled(batch, searches, trial), strict=True):
            if controls is not None:
                found.append(controls)
                kept.append(sample.motion)
    return fit(kept, np.stack(found), reference, limits) if len(kept) > 1 else None


def _readable_share(source: MotionFrame) -> float:
    """0..1: how far readings of a portrait count, by how far its face is turned from the camera."""
    turn_deg = np.degrees(np.arccos(np.clip(source.rotation[2, 2], -1, 1)))
    return float(np.clip((AVERTED_DEG[1] - turn_deg) / (AVERTED_DEG[1] - AVERTED_DEG[0]), 0, 1))


def _is_same_face(source: MotionFrame, reference: MotionFrame) -> bool:
    """Whether two faces have one shape, seen from the front."""
    own, other = source.expression.astype(np.float64), reference.expression.astype(np.float64)
    away = own @ best_rotation(own[RIGID], other[RIGID]).T - other
    return float(np.linalg.norm(away[:MESH_POINTS, :2], axis=1).mean()) < SAME_FACE


def _settled(samples: Sequence[TrialFrame], searches: Sequence[_Search], trial: Trial) -> list[F64 | None]:
    """What the search of each sample finds; those that go on are tried together, round by round."""
    results: list[F64 | None] = [None] * len(samples)
    asked = {number: next(search) for number, search in enumerate(searches)}
    while asked:
        faces = trial([(samples[number], nudge) for number, nudge in asked.items()])
        for number, face in zip(list(asked), faces, strict=True):
            try:
                asked[number] = searches[number].send(face)
            except StopIteration as end:
                results[number] = end.value
                del asked[number]
    return results


def _search(wanted: F64, guess: F64, rounds: int, limits: F64) -> _Search:
    """Secant search of all controls at once for the readings that are wanted: nudges to try, in return for faces.

    What is wanted of a reading is NaN where any will do; its control stays as it was guessed.
    """
    controls = guess
    step = FIRST_STEP.copy()
    best, best_error = None, np.full(CONTROLS, np.inf)
    last_controls, last_reading = None, None
    for _ in range(rounds):
        face = yield make_nudge(controls)
        if face is None:
            break
        reading = _readings(face)
        error = np.where(np.isnan(wanted), 0.0, wanted - reading)
        if best is None:
            best = controls.copy()
        if (np.abs(error) <= CLOSE).all():
            return controls
        missed = np.abs(error) + EFFORT * np.abs(controls)
        better = missed < best_error
        best[better], best_error[better] = controls[better], missed[better]
        if last_controls is not None and last_reading is not None:
            moved, answered = controls - last_controls, reading - last_reading
            clear = (np.abs(answered) > 0.02) & (moved * answered * FIRST_STEP > 0)
            secant = moved / np.where(clear, answered, 1.0)
            step = np.where(clear, np.sign(FIRST_STEP) * np.minimum(np.abs(secant), STEEPEST), step * 1.6)
        last_controls, last_reading = controls, reading
        controls = np.clip(controls + step * error, -limits, limits)
    return best


def _readings(face: Face) -> F64:
    values = np.array(list(face.blendshapes.values()), np.float64)
    readings = np.concatenate([angles_deg(face.head_rotation), _channels(values)])
    readings[-1] -= WIDTH_COUNTS * _width(face.landmarks_frame)
    return readings


def _channels(blendshapes: F64) -> F64:
    """(5,) jaw, smile, left and right blink, and rounding, of (52,) coefficients."""
    smile = (blendshapes[SMILE_LEFT] + blendshapes[SMILE_RIGHT]) / 2
    lids = blendshapes[LEFT_EYE.blink], blendshapes[RIGHT_EYE.blink]
    return np.array([blendshapes[JAW_OPEN], smile, *lids, blendshapes[ROUNDING].sum()])


def _wanted_readings(source: MotionFrame, frame: MotionFrame, reference: MotionFrame, rest: Face) -> F64:
    """(5,) what the portrait should read: its own rest where the performer is at rest, 0 at 0, 1 at 1.

    A filmed mouth is as wide as its geometry says: how round it reads is NaN.
    """
    now, then = (_channels(f.blendshapes.astype(np.float64)) for f in (frame, reference))
    own = _channels(np.array(list(rest.blendshapes.values()), np.float64))
    below = own * (1 - (then - now) / np.maximum(then, LEAST_REST))
    above = own + (now - then) * (1 - own) / np.maximum(1 - then, 1e-6)
    wanted = np.where(now <= then, below, above)
    is_spoken = spoken_share(frame, reference) >= SPOKEN
    wanted[-1] = _wanted_roundness(source, frame, reference, rest) if is_spoken else np.nan
    return wanted


def _wanted_roundness(source: MotionFrame, frame: MotionFrame, reference: MotionFrame, rest: Face) -> float:
    """How round and narrow the mouth of a voice should read: as asked for, of the way that the portrait's own leaves.

    A small mouth reads as somewhat round at rest, but not when it is open.
    """
    asked = float(frame.blendshapes[ROUNDING].sum())
    own = float(np.array(list(rest.blendshapes.values()))[ROUNDING].sum())
    own *= float(np.clip(1 - float(frame.lips) / OPEN_LIPS, 0, 1))
    shape = source.expression.astype(np.float64)
    narrowed = narrowing(shape, frame, reference) * eye_distance(shape) / _temples(shape)
    return own + asked * (1 - own) - WIDTH_COUNTS * (_width(rest.landmarks_frame) - narrowed)


def _width(points: NDArray[np.floating]) -> float:
    """Distance of the mouth's corners over that of the temples."""
    return float(np.linalg.norm(points[CORNERS[0]] - points[CORNERS[1]])) / _temples(points)


def _temples(points: NDArray[np.floating]) -> float:
    return max(float(np.linalg.norm(points[TEMPLES[0]] - points[TEMPLES[1]])), 1e-6)
