"""The color of a face, and what is borrowed from another one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.tone import LUMA, FaceTone, face_tone, toned

DRIVER = FaceTone(np.array([205.0, 160.0, 140.0]), np.array([0.22, -0.05, -0.16]), 0.1)
MOUTH = np.array([[220.0, 215.0, 200.0], [150.0, 70.0, 70.0], [40.0, 12.0, 14.0]])


@pytest.mark.parametrize("kind,white", [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_skin_is_in_8_bit_codes_whatever_the_depth(engine, sitter, as_frame, kind, white):
    pixels = (sitter.picture / 255 * white).astype(kind)
    tone = engine.prepare(as_frame(pixels), sitter.face).tone
    wanted = face_tone(as_frame(sitter.picture), sitter.face.landmarks_frame)
    assert np.allclose(tone.skin, wanted.skin, atol=1)
    assert tone.spread == pytest.approx(wanted.spread, abs=0.02)
    assert (tone.skin > 100).all()


def test_a_face_outside_the_picture_has_the_color_of_its_edge(sitter, as_frame):
    tone = face_tone(as_frame(sitter.picture), sitter.face.landmarks_frame + np.float32(9000))
    assert np.allclose(tone.skin, sitter.picture[-1, -1], atol=1e-4)
    assert tone.spread == pytest.approx(0, abs=1e-6)


def test_a_face_of_the_same_tone_gets_it_as_it_is():
    assert np.allclose(toned(MOUTH, DRIVER, DRIVER), MOUTH, atol=1)


def test_in_a_monochrome_image_everything_has_its_one_hue():
    sepia = FaceTone(np.array([180.0, 150.0, 110.0]), np.array([0.18, -0.02, -0.28]), 0.0)
    found = toned(MOUTH[:2], sepia, DRIVER)
    hue = found / found[:, :1]
    assert np.allclose(hue[0], hue[1], atol=0.02)
    assert found[0, 0] > found[0, 2] * 1.2


@pytest.mark.parametrize("fill", ["driving", "drawn"])
def test_a_gray_portrait_stays_colorless_with_its_mouth_open(engine, sitter, as_frame, fill):
    settings = engine._settings
    gray = cv2.cvtColor(cv2.cvtColor(sitter.picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    portrait = engine.prepare(as_frame(gray), sitter.face)
    wide = replace(sitter.neutral, lips=np.float32(0.5))
    driving = DrivingPicture(sitter.picture, sitter.face.landmarks_frame)
    other = engine.with_settings(replace(settings, mesh=replace(settings.mesh, mouth=fill)))
    shown = other.animate(portrait, wide, sitter.neutral, driving).pixels
    closed = other.animate(portrait, sitter.neutral, sitter.neutral, driving).pixels
    assert (shown != closed).any()
    assert np.ptp(shown.astype(int), axis=2).max() <= 2


def test_the_dark_of_a_mouth_is_no_darker_than_that_of_a_faded_photo():
    faded = replace(DRIVER, skin=np.full(3, 160.0), cast=np.zeros(3), black=70.0)
    dark, light = toned(np.array([[10.0, 10, 10], [200, 200, 200]]), faded, replace(DRIVER, black=10.0))
    assert dark @ LUMA == pytest.approx(70, abs=1)
    assert light @ LUMA > 150


def test_black_level_is_read_from_the_face(sitter, as_frame):
    faded = (70 + sitter.picture * (185 / 255)).astype(np.uint8)
    own, lifted = (
        face_tone(as_frame(image), sitter.face.landmarks_frame) for image in (sitter.picture, faded)
    )
    assert own.black < 40
    assert lifted.black == pytest.approx(70 + own.black * 185 / 255, abs=2)
