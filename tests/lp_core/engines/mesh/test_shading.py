"""Shading: folds of the performer's skin darken the portrait's, at the same place and nowhere else."""

import cv2
import numpy as np
import pytest

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.engines.mesh.shading import MOST, face_shading
from lp_core.frame import ClipInfo, Frame
from lp_core.geometry.dense_field import DenseField, DenseReference
from lp_core.geometry.facemesh import OVAL
from lp_core.render.passes import DrawnFrame, with_passes
from lp_core.settings import MeshSettings, MotionSettings, RenderSettings
from lp_core.timing import FrameRate

CHEEK = 205
"""A landmark on skin, far from eyes and mouth."""


def fold(sitter, depth=0.25, width=9.0):
    """(h, w) a dark fold at the cheek in the cells of the sitter's image, and the place in pixels."""
    at = sitter.face.landmarks_frame[CHEEK, :2]
    y, x = np.mgrid[:128, :128] * 4 + 1.5
    square = (x - at[0]) ** 2 + (y - at[1]) ** 2
    return (-depth * np.exp(-square / (2 * width**2))).astype(np.float32), at


def dense_of(shade):
    return DenseField(np.zeros((128, 128, 2), np.float32), np.ones((128, 128), np.float32), (512, 512), shade)


def drawn(sitter, as_frame, shade, settings=None, pixels=None):
    engine = MeshEngine(settings or RenderSettings(mesh=MeshSettings(shading=1.0)))
    portrait = engine.prepare(as_frame(sitter.picture if pixels is None else pixels), sitter.face)
    driving = DrivingPicture(sitter.picture, sitter.face.landmarks_frame, dense_of(shade))
    return engine.animate(portrait, sitter.neutral, sitter.neutral, driving)


def test_a_fold_comes_where_the_performer_has_it(sitter, as_frame):
    shade, at = fold(sitter)
    shown = drawn(sitter, as_frame, shade)
    ratio = cv2.GaussianBlur(shown.pixels.astype(np.float32), (0, 0), 2) / (
        cv2.GaussianBlur(sitter.picture.astype(np.float32), (0, 0), 2) + 1e-3
    )
    x, y = np.rint(at).astype(int)
    assert 0.72 < ratio[y, x].mean() < 0.92
    left, top, _, _ = shown.shading.region
    darkest = np.unravel_index(shown.shading.factor.argmin(), shown.shading.factor.shape)
    assert np.hypot(darkest[1] + left - x, darkest[0] + top - y) < 4


def test_outside_the_face_every_bit_stays(sitter, as_frame):
    shown = drawn(
        sitter, as_frame, np.full((128, 128), -0.3, np.float32) * (np.indices((128, 128)).sum(0) % 32 < 16)
    )
    face = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(face, [np.rint(sitter.face.landmarks_frame[OVAL, :2]).astype(np.int32)], 1)
    changed = (shown.pixels != sitter.picture).any(axis=2)
    assert changed[face > 0].mean() > 0.3
    assert not changed[face == 0].any()
    assert (shown.matte[changed] > 0).all()


@pytest.mark.parametrize(
    "settings",
    [
        RenderSettings(mesh=MeshSettings(shading=0.0)),
        RenderSettings(motion=MotionSettings(region="pose")),
        RenderSettings(motion=MotionSettings(motion="absolute")),
        RenderSettings(motion=MotionSettings(expression_strength=0.0)),
    ],
)
def test_it_is_off(sitter, as_frame, settings):
    shown = drawn(sitter, as_frame, fold(sitter)[0], settings)
    assert shown.shading is None
    assert not MeshEngine(settings).info.uses_shading


def test_gray_stays_gray(sitter, as_frame):
    gray = cv2.cvtColor(cv2.cvtColor(sitter.picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.ptp(drawn(sitter, as_frame, fold(sitter)[0], pixels=gray).pixels.astype(int), axis=2).max() == 0


def test_noise_and_exposure_count_for_nothing(sitter, rng):
    engine_portrait = MeshEngine(RenderSettings()).prepare
    portrait = engine_portrait(Frame(sitter.picture, 0, 0), sitter.face)
    seen = sitter.face.landmarks_frame[:, :2].astype(float)
    noise = rng.uniform(-0.02, 0.02, (128, 128)).astype(np.float32)
    assert face_shading(portrait, portrait.points, seen, dense_of(noise), 1.0) is None
    brighter = np.full((128, 128), 0.3, np.float32)
    assert face_shading(portrait, portrait.points, seen, dense_of(brighter), 1.0) is None


def test_it_is_limited(sitter):
    portrait = MeshEngine(RenderSettings()).prepare(Frame(sitter.picture, 0, 0), sitter.face)
    seen = sitter.face.landmarks_frame[:, :2].astype(float)
    found = face_shading(portrait, portrait.points, seen, dense_of(fold(sitter, depth=9)[0]), 2.0)
    assert np.exp(-MOST) * 0.999 <= found.factor.min() < 0.7


def test_a_darker_fold_in_the_video_is_found(sitter):
    at = np.rint(sitter.face.landmarks_frame[CHEEK, :2]).astype(int)
    lit = sitter.picture.astype(np.float32)
    y, x = np.mgrid[:512, :512]
    lit *= (1 - 0.25 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 162))[..., None]
    reference = DenseReference.of(sitter.picture, sitter.face.landmarks_frame)
    found = reference.motion(lit.astype(np.uint8), sitter.face.landmarks_frame, True)
    assert found.shade[at[1] // 4, at[0] // 4] < -0.1
    assert reference.motion(sitter.picture, sitter.face.landmarks_frame).shade is None
    assert np.abs(reference.motion(sitter.picture, sitter.face.landmarks_frame, True).shade).max() < 0.01


def test_the_pass_holds_the_factors_and_one_elsewhere(sitter, as_frame):
    shown = drawn(sitter, as_frame, fold(sitter)[0])
    info = ClipInfo(512, 512, FrameRate.parse("25"), 1)
    frames = with_passes(
        [DrawnFrame(as_frame(shown.pixels), one, 1.0) for one in (shown, None)], frozenset({"shading"}), info
    )
    first, second = (frame.layers["shading"] for frame in frames)
    left, top, right, bottom = shown.shading.region
    np.testing.assert_array_equal(first[top:bottom, left:right, 0], shown.shading.factor)
    assert first.min() < 0.9
    assert (second == 1).all()
