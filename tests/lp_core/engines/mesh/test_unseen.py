"""Skin that a turned portrait hides: what comes into view is skin, and what is around it is not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.mesh import turned

from lp_core.engines.mesh import topology
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.engines.mesh.unseen import unseen_skin
from lp_core.settings import MeshSettings, RenderSettings

SKIN, BACKGROUND = 200, 20
TRIANGLES = topology.skin_triangles()


def covered(points, size=512):
    """(size, size) bool: where a face is."""
    mask = np.zeros((size, size), np.uint8)
    for triangle in np.rint(points[TRIANGLES, :2]).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 1)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    return closed > 0


@pytest.fixture(scope="module", params=[45, -45])
def averted(request, portrait, sitter, as_frame):
    """A portrait that is turned by 45 degrees, of one color; the landmarks meet its edge by two pixels only."""
    face = turned(sitter.neutral, yaw=request.param)
    points = portrait.unit_px * face.expression.astype(float) @ face.rotation.T.astype(float)
    points[:, :2] += portrait.origin
    skin = cv2.erode(covered(points).astype(np.uint8), np.ones((5, 5), np.uint8))
    picture = np.repeat(np.where(skin, SKIN, BACKGROUND).astype(np.uint8)[..., None], 3, axis=2)
    return replace(portrait, source=as_frame(picture), face=face, points=points), request.param


def shown(portrait, neutral, yaw):
    """(gray image, target landmarks) when the head turns."""
    engine = MeshEngine(RenderSettings(mesh=MeshSettings(mouth="drawn", shading=0.0)))
    result = engine.animate(portrait, turned(neutral, yaw=yaw), neutral)
    return result.pixels[..., 0], result.landmarks_frame


def test_a_face_from_the_front_hides_nothing(portrait):
    front = portrait.points @ portrait.face.rotation.astype(float)
    assert unseen_skin(front, portrait.radius_px) is None


def test_at_rest_nothing_moves(averted, sitter):
    portrait, _ = averted
    picture, _ = shown(portrait, sitter.neutral, 0)
    np.testing.assert_array_equal(picture, portrait.source.pixels[..., 0])


def test_what_turns_into_view_is_skin_and_what_is_around_it_is_not(averted, sitter, monkeypatch):
    portrait, yaw = averted
    wrong = []
    for unseen in (portrait.unseen, None):
        monkeypatch.setattr(type(portrait), "unseen", unseen)
        picture, landmarks = shown(replace(portrait), sitter.neutral, -0.7 * yaw)
        face = covered(landmarks).astype(np.uint8)
        is_skin = picture > (SKIN + BACKGROUND) / 2
        inside, outside = cv2.erode(face, np.ones((7, 7))) > 0, cv2.dilate(face, np.ones((9, 9))) == 0
        wrong.append(((~is_skin & inside).sum() / inside.sum(), (is_skin & outside).sum() / inside.sum()))
    (dark, bright), (dark_before, bright_before) = wrong
    assert dark < 0.02 < 0.05 < dark_before
    assert bright < 0.01 < 0.05 < bright_before
