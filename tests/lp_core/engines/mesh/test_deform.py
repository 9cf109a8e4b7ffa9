"""The flow: where it is zero, how far it reaches, and that it does not fold."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.mesh import blank, moved_face, turned

from lp_core.engines.mesh import deform
from lp_core.engines.mesh.deform import HeadMesh, head_flow
from lp_core.engines.mesh.lids import taken_points
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, OVAL
from lp_core.motion.landmarks.transfer import transfer
from lp_core.settings import MotionSettings

MESH = HeadMesh()
OPENINGS = [(eye.upper, eye.lower) for eye in EYES] + [(LIPS_INNER_UPPER, LIPS_INNER_LOWER)]


def placed(portrait, motion, reference):
    """(points, rigid points, lids) of a performance, in pixels of the portrait."""
    target = transfer(portrait.face, motion, reference, MotionSettings())
    pixels = [portrait.unit_px * points for points in (target.points, target.rigid_points)]
    for points in pixels:
        points[:, :2] += portrait.origin
    return *pixels, target.lids


def flow_of(portrait, motion, reference):
    points, rigid, lids = placed(portrait, motion, reference)
    return head_flow(MESH, portrait, taken_points(portrait, lids), points, rigid), points


def jacobian(head):
    """(h - 1, w - 1) determinant of the slope of (x, y) + flow, forward differences; 1 where all is still."""
    flow = head.flow.astype(np.float64)
    height, width = flow.shape[:2]
    taken = flow + np.dstack(np.meshgrid(np.arange(width), np.arange(height)))
    along_x, along_y = taken[:-1, 1:] - taken[:-1, :-1], taken[1:, :-1] - taken[:-1, :-1]
    return along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]


def near_openings(head, points):
    """(h - 1, w - 1) bool: within two pixels of the openings of eyes and mouth."""
    left, top, right, bottom = head.region
    mask = np.zeros((bottom, right), np.uint8)
    for upper, lower in OPENINGS:
        line = np.concatenate([points[upper, :2], points[lower[::-1], :2]])
        cv2.fillPoly(mask, [np.rint(line).astype(np.int32)], 1)
    return cv2.dilate(mask, np.ones((5, 5), np.uint8))[top:, left:][:-1, :-1] > 0


def performances(neutral):
    shift = np.array([0.03, 0.02], np.float32)
    return {
        "still": neutral,
        "roll 10": turned(neutral, roll=10),
        "roll -10": turned(neutral, roll=-10),
        "shift": replace(neutral, translation=neutral.translation + shift),
        "closer": replace(neutral, scale=np.float32(neutral.scale * 1.12)),
        "away": replace(neutral, scale=np.float32(neutral.scale * 0.9)),
        "blink": replace(neutral, eyes=neutral.eyes * 0),
        "half blink": replace(neutral, eyes=neutral.eyes * np.float32(0.5)),
        "wide eyes": replace(neutral, eyes=neutral.eyes * np.float32(1.3)),
        "lips closed": replace(neutral, lips=np.float32(0)),
        "lips open": replace(neutral, lips=np.float32(neutral.lips + 0.15)),
        "yaw 10": turned(neutral, yaw=10),
        "yaw -10": turned(neutral, yaw=-10),
        "yaw 20": turned(neutral, yaw=20),
        "pitch 10": turned(neutral, pitch=10),
        "pitch -10": turned(neutral, pitch=-10),
        "lips wide open": replace(neutral, lips=np.float32(neutral.lips + 0.4)),
    }


OCCLUDING = ("yaw 10", "yaw -10", "yaw 20", "pitch 10", "pitch -10", "lips wide open")
"""Performances in which one part of the face comes to lie before another, so that the flow must jump."""


def outside_face(head, points, margin_px):
    """(h - 1, w - 1) bool: farther than a margin from the drawn face."""
    left, top, right, bottom = head.region
    mask = np.zeros((bottom, right), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points[:468, :2]).astype(np.int32)), 1)
    size = 2 * margin_px + 1
    return cv2.dilate(mask, np.ones((size, size), np.uint8))[top:, left:][:-1, :-1] == 0


@pytest.fixture(scope="module")
def heads(portrait, sitter):
    """Name -> (flow, target points) of every performance."""
    neutral = sitter.neutral
    return {name: flow_of(portrait, motion, neutral) for name, motion in performances(neutral).items()}


def test_hair_and_neck_never_fold_and_hardly_stretch(heads):
    for name, (head, points) in heads.items():
        det = jacobian(head)[outside_face(head, points, 3)]
        assert det.min() > 0.03, name
        assert det.max() < 2.2, name


def test_the_face_folds_nowhere_but_where_it_covers_itself(heads):
    """Stated bound: where nothing comes before anything else, at most 3 single pixels are not in order."""
    for name, (head, points) in heads.items():
        det = np.where(near_openings(head, points), 1, jacobian(head))
        if name in OCCLUDING:
            assert (det <= 0).mean() < 0.003, name
            assert det.min() > -3, name
        else:
            assert (det <= 0).sum() <= 3, name
            assert det.min() > -0.4, name


def test_no_pixel_is_taken_from_afar(heads):
    """No triangle throws a pixel across the image: the largest motion here is 21 pixels."""
    for name, (head, _) in heads.items():
        assert np.abs(head.flow).max() < 24, name


def test_flow_and_matte_end_together_inside_the_region(heads):
    for name, (head, _) in heads.items():
        assert (head.flow[head.matte == 0] == 0).all(), name
        for edge in (head.matte[0], head.matte[-1], head.matte[:, 0], head.matte[:, -1]):
            assert edge.max() < 0.05, name
        assert head.flow.dtype == head.matte.dtype == np.float32
        assert head.matte.max() == 1


def test_landmarks_land_where_they_were_sent(portrait, sitter, heads):
    motion = performances(sitter.neutral)["roll 10"]
    head, points = heads["roll 10"]
    taken = taken_points(portrait, placed(portrait, motion, sitter.neutral)[2])
    left, top = head.region[:2]
    for index in (1, 4, 6, 10, 50, 61, 152, 280, 291):
        x, y = points[index, :2]
        shown = cv2.remap(head.flow, np.float32([[x - left]]), np.float32([[y - top]]), cv2.INTER_LINEAR)[
            0, 0
        ]
        assert np.allclose(points[index, :2] + shown, taken[index], atol=0.5), index


def test_the_outline_is_continuous_under_expression_alone(portrait, sitter, heads):
    head, points = heads["lips open"]
    left, top = head.region[:2]
    center = points[OVAL, :2].mean(axis=0)
    inside, outside = (
        np.rint(center + (points[OVAL, :2] - center) * factor - (left, top)).astype(int)
        for factor in (0.98, 1.02)
    )
    step = head.flow[inside[:, 1], inside[:, 0]] - head.flow[outside[:, 1], outside[:, 0]]
    assert np.abs(step).max() < 1.5


def test_the_background_far_from_the_head_is_not_in_the_region(heads):
    for name in ("still", "blink", "lips open"):
        left, top, right, bottom = heads[name][0].region
        assert (right - left) * (bottom - top) < 0.2 * 512 * 512


@pytest.mark.parametrize("scale", [2.0, 6.0])
def test_a_larger_picture_gets_the_same_flow_in_larger_steps(engine, sitter, as_frame, scale):
    size = int(512 * scale)
    pixels = np.zeros((size, size, 3), np.uint8)
    face = moved_face(sitter.face, scale)
    neutral = engine.read_motion(blank(size, size), face)
    large, points = flow_of(engine.prepare(as_frame(pixels), face), turned(neutral, roll=6), neutral)
    small_portrait = engine.prepare(as_frame(pixels[:512, :512]), sitter.face)
    small, small_points = flow_of(small_portrait, turned(sitter.neutral, roll=6), sitter.neutral)
    for index in (1, 10, 50, 152, 280):
        places = []
        for head, at in ((large, points), (small, small_points)):
            x, y = np.rint(at[index, :2]).astype(int) - head.region[:2]
            places.append(head.flow[y, x])
        assert np.allclose(places[0] / scale, places[1], atol=0.4), index
    assert large.flow.shape[:2] == large.matte.shape


@pytest.mark.parametrize("yaw", [12, -12])
def test_what_is_behind_the_face_moves_against_it_when_the_head_turns(portrait, sitter, yaw, monkeypatch):
    points, rigid, _ = placed(portrait, turned(sitter.neutral, yaw=yaw), sitter.neutral)
    head = head_flow(MESH, portrait, points[:, :2].copy(), points, rigid)
    monkeypatch.setattr(deform, "DEPTH", 0.0)
    flat = head_flow(MESH, portrait, points[:, :2].copy(), points, rigid)
    assert head.region == flat.region
    moved = (rigid - portrait.points)[:, 0]
    nose = moved[4] - moved[OVAL].mean()
    left, top, _, _ = head.region
    row = round(points[[234, 454], 1].mean()) - top
    for side, out in ((234, -1), (454, 1)):
        column = round(points[side, 0] + 0.25 * out * portrait.radius_px) - left
        more = head.flow[row, column, 0] - flat.flow[row, column, 0]
        assert np.sign(more) == np.sign(
            nose
        )  # taken from further where the nose goes: so it goes the other way
        assert abs(more) > 1
