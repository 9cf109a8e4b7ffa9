"""The flow: where it is zero, how far it reaches, and that it does not fold."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.mesh import moved_face, turned

from lp_core.engines.mesh.deform import HeadMesh, head_flow
from lp_core.engines.mesh.eyes import taken_points
from lp_core.geometry.facemesh import EYES, LIPS_INNER_LOWER, LIPS_INNER_UPPER, OVAL
from lp_core.motion.landmark_transfer import transfer
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
    """(h - 1, w - 1) determinant of the slope of (x, y) + flow, by forward differences; 1 where nothing moves."""
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
FLAT = [name for name in performances(turned.__globals__["performer"]()) if name not in OCCLUDING]


def test_x(portrait, sitter):
    for name, motion in performances(sitter.neutral).items():
        head, points = flow_of(portrait, motion, sitter.neutral)
        det = jacobian(head)
        det = np.where(near_openings(head, points), 1, det)
        print(name, det.min(), (det<=0).sum(), det.size, np.abs(head.flow).max())
