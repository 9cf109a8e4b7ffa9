"""The drawn crop enlarged before it goes into a frame that is finer than it is."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fakes.faces import make_face

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.liveportrait.compose import finer
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.errors import SettingError
from lp_core.frame import Frame
from lp_core.geometry.paste import PastePlace, feather_mask, paste_at, place_of
from lp_core.motion.builtin import builtin_motion, neutral_face
from lp_core.settings import LivePortraitSettings, RenderSettings


class Checked:
    """Enlarges by repetition and draws a pattern of single pixels that a crop could not hold."""

    def __init__(self):
        self.sizes = []

    def __call__(self, crop):
        self.sizes.append(crop.shape)
        large = np.repeat(np.repeat(crop, 4, axis=0), 4, axis=1)
        large[::8] += np.float32(0.2)
        return large


def frame_and_face(height):
    pixels = np.full((1600, 1600, 3), 100, np.uint8)
    points = neutral_face()
    points = (points * height / np.ptp(points[:, 1])).astype(np.float32)
    points[:, :2] += 800
    face = replace(make_face(50), landmarks_frame=points, scheme="mediapipe478", score=0.9)
    return Frame(pixels, 0, Fraction(0)), face


def drawn(engine, height):
    acts = builtin_motion("expressive", rig="liveportrait21")
    portrait = engine.prepare(*frame_and_face(height))
    return portrait, engine.animate(portrait, acts.frame(30), acts.frame(0))


def test_a_large_face_gets_the_enlarged_crop_and_a_small_one_its_own():
    plain = LivePortraitEngine(RenderSettings(), FakeNetworks())
    enlarge = Checked()
    fine = plain.with_enlarger(enlarge)
    portrait, large = drawn(fine, 600)
    assert enlarge.sizes == [(512, 512, 3)]
    _, without = drawn(plain, 600)
    np.testing.assert_array_equal(large.crop.pixels, without.crop.pixels)
    rows, columns = portrait.place.region.slices
    inside = large.pixels[rows, columns][portrait.place.weight == 1].astype(float)
    assert inside.std() > 4  # the pattern is there
    assert without.pixels[rows, columns][portrait.place.weight == 1].std(axis=0).max() < 1
    outside = portrait.place.weight == 0
    np.testing.assert_array_equal(large.pixels[rows, columns][outside], 100)
    _, small = drawn(fine, 60)
    _, small_plain = drawn(plain, 60)
    assert len(enlarge.sizes) == 1
    np.testing.assert_array_equal(small.pixels, small_plain.pixels)


@pytest.mark.parametrize("scale", [1.3, 2.0, 2.9, 3.9, 6.0])
def test_an_enlarged_crop_lies_where_the_crop_lay(scale):
    """A ramp over the crop, enlarged exactly, gives the frame's ramp again to half a pixel of the crop."""
    frame_from_crop = np.array([[scale, 0.1, 40.0], [-0.1, scale, 60.0], [0, 0, 1.0]])
    size = int(520 * scale) + 120
    place: PastePlace = place_of(frame_from_crop, feather_mask(512), size, size)
    ramp = np.arange(512, dtype=np.float32)
    crop = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None], ramp[None, :] * 0), axis=2)
    at = (np.arange(2048, dtype=np.float32) + 0.5) / 4 - 0.5
    large = np.stack(np.broadcast_arrays(at[None, :], at[:, None], at[None, :] * 0), axis=2)
    canvas = np.zeros((size, size, 3), np.float32)
    shown, moved = finer(np.ascontiguousarray(large), place, scale)
    assert len(shown) == (1024 if scale <= 2 else 2048)
    wanted, got = paste_at(canvas, np.ascontiguousarray(crop), place), paste_at(canvas, shown, moved)
    full = np.zeros((size, size), bool)
    full[place.region.slices] = place.weight == 1
    assert np.abs(wanted - got)[full].max() < 0.01


def test_who_cannot_says_so():
    with pytest.raises(SettingError, match="--upscale-region frame"):
        MeshEngine(RenderSettings()).with_enlarger(Checked())
    official = RenderSettings(liveportrait=LivePortraitSettings(official_compat=True))
    with pytest.raises(SettingError, match="official"):
        LivePortraitEngine(official, FakeNetworks()).with_enlarger(Checked())
