"""The astronaut, analysed once, and a mesh engine."""

from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from fakes.mesh import blank

from lp_core.engines.mesh.engine import MeshEngine
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.settings import RenderSettings

WHITE = {"uint8": 255, "uint16": 65535, "float32": 1.0}


@dataclass(frozen=True)
class Sitter:
    """A face in an image of 512 x 512 and the engine's view of it."""

    picture: Any
    face: Any
    neutral: Any


@pytest.fixture(scope="session")
def still_analyzer():
    with closing(open_analyzer(is_video=False)) as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def engine():
    return MeshEngine(RenderSettings())


@pytest.fixture(scope="session")
def sitter(astronaut, still_analyzer, engine):
    (face,) = still_analyzer.analyze(np.ascontiguousarray(astronaut))
    return Sitter(astronaut, face, engine.read_motion(blank(512, 512), face))


@pytest.fixture(scope="session")
def as_frame():
    """A function that makes a frame of pixels."""
    return lambda pixels: Frame(pixels, 0, Fraction(0))


@pytest.fixture(scope="session")
def portrait(engine, sitter, as_frame):
    return engine.prepare(as_frame(sitter.picture), sitter.face)


@pytest.fixture(params=[(kind, channels) for kind in WHITE for channels in (3, 4)], ids=str)
def any_pixels(request, astronaut):
    """The astronaut in every depth, with and without alpha; noisy low bits, so that no code is left out."""
    kind, channels = request.param
    noise = np.random.default_rng(1).random((512, 512, channels))
    pixels = np.dstack([astronaut, np.full((512, 512), 120, np.uint8)])[..., :channels] / 256 + noise / 256
    return (pixels * WHITE[kind]).astype(kind)
