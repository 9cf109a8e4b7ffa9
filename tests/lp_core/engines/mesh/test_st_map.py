"""The ST map, judged by OpenImageIO's own st_warp: it gives the beauty, at any resolution."""

import cv2
import numpy as np
import pytest
from fakes.mesh import moved_face

from lp_core.engines.mesh.engine import MeshEngine
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.geometry.flow import st_map
from lp_core.motion.builtin import builtin_motion
from lp_core.settings import MeshSettings, RenderSettings

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")

SPEAKING = 28
"""Frame of the demonstration in which the head is turned and the mouth open."""
LEFT = 50
"""Of the plate in the 512 pixels of the astronaut."""


def buffer(pixels):
    height, width, channels = pixels.shape
    made = oiio.ImageBuf(oiio.ImageSpec(width, height, channels, "float"))
    made.set_pixels(oiio.ROI(), np.ascontiguousarray(pixels))
    return made


def warped(pixels, uv):
    """The plate through the map, as a compositor's node would do it; green counts from the bottom."""
    result = oiio.ImageBufAlgo.st_warp(buffer(pixels), buffer(uv), "triangle", 2.0, 0, 1, False, True)
    assert not result.has_error, result.geterror()
    return result.get_pixels("float")


@pytest.fixture(scope="module")
def render(sitter, as_frame):
    """A function of a scale: plate, its animation, its map, and where the mouth's inside is."""
    demo = builtin_motion("expressive")
    engine = MeshEngine(RenderSettings(mesh=MeshSettings(filter="linear")))  # as st_warp's triangle

    def at(scale):
        width, height = 426 * scale, 240 * scale
        large = cv2.resize(sitter.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        pixels = large[:height, LEFT * scale : LEFT * scale + width].astype(np.float32) / 255
        pixels = np.ascontiguousarray(pixels)
        face = moved_face(sitter.face, scale, by=(-LEFT * scale, 0))
        shown = engine.animate(engine.prepare(as_frame(pixels), face), demo.frame(SPEAKING), demo.frame(0))
        uv = st_map(shown.region_flow, shown.region, (width, height), (0, 0, width, height))
        lips = shown.landmarks_frame[np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER[::-1]]), :2]
        mouth = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mouth, [np.rint(lips).astype(np.int32)], 1)
        mouth = cv2.dilate(mouth, np.ones((4 * scale + 1,) * 2, np.uint8))
        return pixels, shown, uv, (shown.matte == 1) & (mouth == 0)

    return at


def agreement(got, shown, where):
    return (np.abs(got - shown.pixels).max(axis=2)[where] <= 1 / 255).mean()


@pytest.fixture(scope="module")
def small(render):
    return render(4)


def test_the_map_gives_the_beauty(small):
    pixels, shown, uv, where = small
    assert where.sum() > 100_000
    assert (shown.pixels != pixels).any(axis=2)[where].mean() > 0.9
    assert agreement(warped(pixels, uv), shown, where) > 0.999


def test_applied_to_a_plate_of_twice_the_size_it_gives_the_render_of_that_size(small, render):
    pixels, shown, _, where = render(8)
    height, width = pixels.shape[:2]
    assert (width, height) == (3408, 1920)
    uv = cv2.resize(small[2], (width, height), interpolation=cv2.INTER_LINEAR)
    assert agreement(warped(pixels, uv), shown, where) > 0.999
