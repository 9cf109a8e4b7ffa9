"""Head angles and rotation matrices, in one order.

Convention:
    Axes of the image: x right, y down, z away from the camera, right-handed. A rotation maps head axes to
        camera
    axes as ``v_camera = R @ v_head``, and is the identity for a head that looks straight into the camera (its
    nose points along -z). The one order is::

        R = Rz(roll) @ Ry(-yaw) @ Rx(pitch)

    read from the right: first the nod, then the turn, then the tip. With the signs of ``faces.base.Pose``:
        positive
    pitch moves the chin to the chest, positive yaw turns the face to the image's right, positive roll tips
    the head clockwise in the image. The turn enters with a minus because a right-handed turn about the
    downward axis would carry the nose to the image's left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError

_GIMBAL_COS = 1e-6
"""Below this cosine of the yaw only the sum or difference of pitch and roll is defined."""


def from_angles_deg(pitch_deg: float, yaw_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Rotation matrix of head angles.

    Convention:
        See the module: ``Rz(roll) @ Ry(-yaw) @ Rx(pitch)``, degrees, head -> camera.

    Returns:
        (3, 3) float64, orthonormal, determinant 1.
    """
    pitch, yaw, roll = np.radians([pitch_deg, yaw_deg, roll_deg])
    (sp, cp), (sy, cy), (sr, cr) = ((np.sin(angle), np.cos(angle)) for angle in (pitch, -yaw, roll))
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
    about_y = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    about_z = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    product: NDArray[np.float64] = about_z @ about_y @ about_x
    return product


def angles_deg(rotation: NDArray[Any]) -> tuple[float, float, float]:
    """Head angles of a rotation matrix, the inverse of ``from_angles_deg``.

    Convention:
        See the module. Where the head is turned by exactly 90 degrees pitch and roll are not separate; then
        the roll is given as 0 and the pitch takes all of it.

    Args:
        rotation: (3, 3) orthonormal, head -> camera.

    Returns:
        (pitch, yaw, roll) in degrees: yaw in [-90, 90], the others in (-180, 180].
    """
    matrix = np.asarray(rotation, np.float64)
    cos_yaw = np.hypot(matrix[0, 0], matrix[1, 0])
    yaw = np.arctan2(matrix[2, 0], cos_yaw)
    if cos_yaw < _GIMBAL_COS:
        pitch, roll = np.arctan2(-matrix[1, 2], matrix[1, 1]), 0.0
    else:
        pitch = np.arctan2(matrix[2, 1], matrix[2, 2])
        roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    pitch_deg, yaw_deg, roll_deg = (float(angle) for angle in np.degrees([pitch, yaw, roll]))
    return pitch_deg, yaw_deg, roll_deg


def nearest_rotation(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """The rotation nearest to a matrix in the least-squares sense (polar decomposition by SVD).

    Args:
        matrix: (3, 3), a rotation up to scale, noise and rounding.

    Returns:
        (3, 3) float64, orthonormal, determinant 1.

    Raises:
        SettingError: the matrix is not finite or has rank below 2, so that no rotation is nearest.
    """
    square = np.asarray(matrix, np.float64)
    if square.shape != (3, 3) or not np.isfinite(square).all():
        raise SettingError("A head rotation must be a finite 3x3 matrix; analyse the image again.")
    left, stretch, right = np.linalg.svd(square)
    if stretch[1] <= 1e-9 * max(stretch[0], 1e-300):
        raise SettingError("A head rotation has no direction (its matrix is flat); analyse the image again.")
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    nearest: NDArray[np.float64] = (left * signs) @ right
    return nearest
