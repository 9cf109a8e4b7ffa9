"""Real files made on the spot: a portrait, motions and videos of it, sound."""

import wave
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from lp_core.engines.mesh.engine import MeshEngine
from lp_core.faces.open import open_analyzer
from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_sink, open_source
from lp_core.motion.files.lpmotion import MotionWriter
from lp_core.settings import RenderSettings
from lp_core.timing import FrameRate

CROP = (slice(0, 256), slice(96, 352))
"""The part of the astronaut that shows her head."""


def write_portrait(path, astronaut):
    """A 256x256 image with one face."""
    write_image(path, np.ascontiguousarray(astronaut[CROP]))
    return path


def turned(motion, degrees):
    """The motion with the head turned to the image's right by an angle."""
    angle = np.deg2rad(degrees)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]], np.float32
    )
    return replace(motion, rotation=turn @ motion.rotation)


def write_turning(path, portrait, count, rate="25", is_lost=()):
    """A motion file in which the portrait's own face turns there and back."""
    with open_source(portrait) as source:
        frame = next(iter(source))
    engine = MeshEngine(RenderSettings())
    with closing(open_analyzer(is_video=False)) as analyzer:
        face = analyzer.analyze(frame.as_rgb8())[0]
    motion = engine.read_motion(frame, face)
    with MotionWriter(path, FrameRate.parse(rate), engine.info.rig, "turning") as writer:
        for index in range(count):
            moved = turned(motion, 8 * np.sin(2 * np.pi * index / count))
            if index in is_lost:
                moved = replace(moved, confidence=np.float32(0))
            writer.append(moved)
        writer.commit()
    return path


def write_film(path, pictures, rate="25", codec="h264"):
    """A video of the given images."""
    height, width = pictures[0].shape[:2]
    exact = FrameRate.parse(rate)
    spec = SinkSpec(
        width=width,
        height=height,
        rate=exact,
        bit_depth=8,
        has_alpha=pictures[0].shape[2] == 4,
        color=ColorTags(),
        codec=codec,
        quality=12,
        overwrite=True,
    )
    with open_sink(path, spec) as sink:
        for index, picture in enumerate(pictures):
            sink.write(Frame(picture, index, exact.time_s(index)))
        sink.commit()
    return Path(path)


def read_pictures(path):
    """All images of a video or sequence."""
    with open_source(path) as source:
        return [frame.pixels for frame in source]


def write_tone(path, seconds, rate=16000):
    """A mono sound file."""
    count = int(Fraction(seconds) * rate)
    samples = (np.sin(np.arange(count) * 2 * np.pi * 440 / rate) * 8000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
