"""A moving driving camera is taken off a performance; a camera that stays changes nothing."""

from dataclasses import replace

import numpy as np
import pytest

from lp_core.engines.mesh.camera import without_camera
from lp_core.geometry.dense_field import DenseField
from lp_core.motion.landmarks.motion import landmarks_from_motion

SIZE, CELLS = (512, 512), 128


def field(sitter, to_reference, head_px=(0.0, 0.0)):
    """Dense motion under a (2, 3) camera matrix, the head moving by ``head_px`` besides."""
    cells = (np.arange(CELLS) + 0.5) * 4 - 0.5
    at = np.stack(np.meshgrid(cells, cells), axis=-1)
    flow = at @ to_reference[:, :2].T + to_reference[:, 2] - at
    points = sitter.face.landmarks_frame[:, :2]
    middle, radius = points.mean(axis=0), np.ptp(points, axis=0).max() * 0.6
    is_head = np.linalg.norm(at - middle, axis=-1) < radius
    flow[is_head] += head_px
    return DenseField(flow.astype(np.float32), np.ones((CELLS, CELLS), np.float32), SIZE)


def seen(sitter, to_reference):
    """The sitter's motion in the image of a camera, whose pixels ``to_reference`` leads back."""
    inverse = np.linalg.inv(np.vstack([to_reference, [0, 0, 1]]))
    scale = float(np.hypot(inverse[0, 0], inverse[1, 0]))
    turn = np.eye(3)
    turn[:2, :2] = inverse[:2, :2] / scale
    middle = np.full(2, 255.5)
    at = inverse[:2, :2] @ (sitter.neutral.translation * 512 + middle) + inverse[:2, 2]
    return replace(
        sitter.neutral,
        translation=((at - middle) / 512).astype(np.float32),
        scale=np.float32(sitter.neutral.scale * scale),
        rotation=(turn @ sitter.neutral.rotation).astype(np.float32),
    )


CAMERAS = {
    "pan": np.array([[1, 0, 14], [0, 1, -9.0]]),
    "roll": np.array([[np.cos(0.05), -np.sin(0.05), 20], [np.sin(0.05), np.cos(0.05), -4.0]]),
    "zoom": np.array([[1.06, 0, -15], [0, 1.06, -15.0]]),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_the_camera_is_taken_off_landmarks_and_dense_motion(sitter, name):
    camera = CAMERAS[name]
    motion, dense = without_camera(seen(sitter, camera), field(sitter, camera))
    still, found = (landmarks_from_motion(one, *SIZE)[:, :2] for one in (sitter.neutral, motion))
    np.testing.assert_allclose(found, still, atol=0.6)
    known = dense.trust > 0.99
    assert known.mean() > 0.75
    assert np.abs(dense.flow[known]).max() < 0.6


def test_a_head_that_moves_itself_keeps_its_motion(sitter):
    camera = CAMERAS["pan"]
    _, dense = without_camera(seen(sitter, camera), field(sitter, camera, head_px=(0, 12)))
    middle = ((sitter.face.landmarks_frame[:, :2].mean(axis=0)) / 4).astype(int)
    np.testing.assert_allclose(dense.flow[middle[1], middle[0]], (0, 12), atol=1)


def test_a_camera_that_stays_changes_nothing(sitter):
    dense = field(sitter, np.eye(2, 3), head_px=(5, 5))
    motion, same = without_camera(sitter.neutral, dense)
    assert motion is sitter.neutral
    assert same is dense


def test_a_background_without_one_motion_changes_nothing(sitter, rng):
    flow = rng.normal(0, 30, (CELLS, CELLS, 2)).astype(np.float32)
    dense = DenseField(flow, np.ones((CELLS, CELLS), np.float32), SIZE)
    assert without_camera(sitter.neutral, dense)[1] is dense
