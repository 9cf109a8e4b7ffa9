"""What is prepared once: points, and the small copy for trials."""

import numpy as np
import pytest
from fakes.mesh import moved_face

from lp_core.engines.mesh.portrait import TRIAL_FACE_PX, reduced_portrait
from lp_core.geometry.facemesh import OVAL, RIGID


def test_points_are_the_landmarks(portrait, sitter):
    assert np.allclose(portrait.points[:, :2], sitter.face.landmarks_frame[:, :2], atol=1e-3)
    assert np.allclose(portrait.origin, sitter.face.landmarks_frame[RIGID, :2].mean(axis=0), atol=1e-3)
    assert portrait.size == (512, 512)
    assert portrait.tuning is None


def test_the_trial_copy_is_small_and_in_8_bits(engine, sitter, as_frame):
    pixels = np.kron(sitter.picture.astype(np.uint16) * 257, np.ones((4, 4, 1), np.uint16))
    portrait = engine.prepare(as_frame(pixels), moved_face(sitter.face, 4))
    small = reduced_portrait(portrait)
    assert small.source.pixels.dtype == np.uint8
    assert np.ptp(small.points[OVAL, 1]) == pytest.approx(TRIAL_FACE_PX, rel=0.01)
    assert small.source.encoding is None
    assert small.grid_scale == 1
    assert (small.source.index, small.source.time_s) == (portrait.source.index, portrait.source.time_s)
    assert np.allclose(small.points[RIGID, :2].mean(axis=0), small.origin, atol=0.01)
    nose = np.rint(small.points[4, :2]).astype(int)
    wanted = sitter.picture[tuple(np.rint(sitter.face.landmarks_frame[4, 1::-1]).astype(int))]
    assert np.abs(small.source.pixels[nose[1], nose[0]].astype(int) - wanted).max() < 40


def test_a_small_source_is_not_enlarged_for_trials(portrait):
    assert reduced_portrait(portrait).size == portrait.size


def test_rest_on_the_trial_copy_is_rest(engine, portrait, sitter):
    small = reduced_portrait(portrait)
    shown = engine.animate(small, sitter.neutral, sitter.neutral)
    np.testing.assert_array_equal(shown.pixels, small.source.pixels)
