"""An engine whose images tell exactly what it was handed."""

from dataclasses import dataclass, replace

import numpy as np

from lp_core.engines.base import NO_TUNING, Animation, EngineInfo
from lp_core.frame import Frame
from lp_core.motion.implicit.edit import NO_EDIT
from lp_core.motion.sequence import MotionFrame


def toy_motion(value, confidence=1.0):
    """A motion frame that carries a number in its lips."""
    return MotionFrame(
        rotation=np.eye(3, dtype=np.float32),
        scale=np.float32(0.2),
        translation=np.zeros(2, np.float32),
        expression=np.zeros((478, 3), np.float32),
        eyes=np.full(2, 0.3, np.float32),
        gaze=np.zeros((2, 2), np.float32),
        lips=np.float32(value),
        blendshapes=np.zeros(52, np.float32),
        confidence=np.float32(confidence),
    )


@dataclass(frozen=True)
class ToyPortrait:
    source: Frame
    value: float


class ToyEngine:
    """Fills the image with the motion's value; the second pixel holds the driving image's value."""

    def __init__(self, settings=None, uses_driving_picture=True, rig="mesh478", fail_at=None, batch=1):
        self.info = EngineInfo("toy", rig, uses_driving_picture, sliders=(), batch=batch)
        self.batches, self.drawn = [], []
        self.prepared = self.animated = 0
        self._fail_at = fail_at

    def read_motion(self, frame, face):
        return toy_motion(face.pose.roll_deg)

    def read_motions(self, seen):
        self.batches.append(len(seen))
        return [self.read_motion(frame, face) for frame, face in seen]

    def prepare(self, source, face, tuning=NO_TUNING):
        self.prepared += 1
        return ToyPortrait(source, face.pose.roll_deg)

    def tune(self, portrait, samples, reference, open_analyzer, draw):
        return NO_TUNING

    def slow_correction(self, portrait, motion):
        return None

    def survey(self, plate, performance):
        return NO_TUNING

    def animate_all(self, acts, reference):
        self.drawn.append(len(acts))
        return [self.animate(act.portrait, act.motion, reference, act.driving, act.edit) for act in acts]

    def animate(self, portrait, motion, reference, driving, edit=NO_EDIT):
        if self.animated == self._fail_at:
            raise KeyboardInterrupt
        self.animated += 1
        pixels = portrait.source.pixels.copy()
        pixels[:] = np.rint(motion.lips)
        pixels[0, 1] = 0 if driving is None else driving.pixels[0, 0]
        pixels[0, 2] = np.rint(reference.lips)
        height, width = pixels.shape[:2]
        whole = (0, 0, width, height)
        matte, flow = np.ones((height, width), np.float32), np.zeros((height, width, 2), np.float32)
        return Animation(pixels, whole, matte, flow)


def lost(motion):
    """The same frame as if the face had not been found."""
    return replace(motion, confidence=np.float32(0))
