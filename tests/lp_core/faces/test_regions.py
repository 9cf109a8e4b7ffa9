"""Skin, eyes and mouth as coverage, and contours that a flow carries along."""

import numpy as np
import pytest

from lp_core.errors import FaceError
from lp_core.faces.regions import contours_of
from lp_core.faces.schemes import SCHEMES
from lp_core.geometry.face_regions import FaceContours, carried, region_coverage
from lp_core.geometry.warp import sample

SIZE = 200, 240


def ellipse(center, radii, count=16, first=180.0):
    """Closed, from the image's left along the lower side, as the layouts' contours go."""
    angles = np.radians(first - np.arange(count) * 360 / count)
    return np.stack([center[0] + radii[0] * np.cos(angles), center[1] + radii[1] * np.sin(angles)], axis=1)


def face(lips=12.0, lids=5.0):
    eyes = ellipse((75, 95), (14, lids)), ellipse((125, 95), (14, lids))
    return FaceContours(ellipse((100, 120), (60, 80), 36), eyes, ellipse((100, 165), (22, lips), 20))


def test_each_region_has_the_area_of_its_shape():
    found = region_coverage(face(), SIZE)
    assert found.shape == (240, 200, 3)
    skin, eyes, mouth = found.reshape(-1, 3).sum(axis=0)
    assert eyes == pytest.approx(2 * np.pi * 14 * 5, rel=0.08)
    assert mouth == pytest.approx(np.pi * 22 * 12, rel=0.08)
    assert skin + eyes + mouth == pytest.approx(np.pi * 60 * 80, rel=0.02)
    assert found.sum(axis=2).max() <= 1 + 1e-6
    assert found.min() >= 0
    assert found[95, 75].tolist() == [0, 1, 0]
    assert found[165, 100].tolist() == [0, 0, 1]
    assert found[120, 100].tolist() == [1, 0, 0]
    assert found[2, 2].tolist() == [0, 0, 0]


def test_a_face_beyond_the_frame_is_cut_off():
    moved = FaceContours(*(face().skin - 90, tuple(eye - 90 for eye in face().eyes), face().mouth - 90))
    assert region_coverage(moved, SIZE)[0, 0].sum() == 1
    gone = FaceContours(face().skin + 500, face().eyes, face().mouth)
    assert not region_coverage(gone, SIZE).any()


@pytest.mark.parametrize("scheme", ["mediapipe478", "ibug68"])
def test_contours_are_the_layouts_and_the_right_way_round(scheme):
    layout = SCHEMES[scheme]
    points = np.zeros((layout.count, 3), np.float32)
    points[list(layout.face_oval), :2] = ellipse((100, 120), (60, 80), len(layout.face_oval))
    points[list(layout.lips_inner), :2] = ellipse((100, 165), (22, 12), len(layout.lips_inner))
    found = contours_of(points, scheme)
    half = len(found.mouth) // 2
    assert found.mouth[0][0] == found.mouth[:, 0].min()
    assert found.mouth[half][0] == found.mouth[:, 0].max()
    assert (found.mouth[1:half, 1] > 165).all()  # down the image: the lower lip
    assert [len(found.eyes[0]), len(found.eyes[1])] == [len(layout.eye_left), len(layout.eye_right)]


def test_a_layout_without_an_outline_is_refused():
    with pytest.raises(FaceError, match="no outline of the face; leave regions out"):
        contours_of(np.zeros((203, 3)), "liveportrait203")


def test_contours_go_where_a_smooth_flow_shows_them():
    height, width = SIZE[1], SIZE[0]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    # Output (x, y) shows the source at (x, y) + flow: a shift by (6, -4) with a slow swell.
    flow = np.stack([-6 + 2 * np.sin(y / 40), 4 + 2 * np.cos(x / 40)], axis=2).astype(np.float32)
    found = carried(face(), flow, (0, 0, width, height))
    for got, wanted in zip(
        (found.skin, *found.eyes, found.mouth), (face().skin, *face().eyes, face().mouth), strict=True
    ):
        shown = got + sample(flow, *(got.T[:, None].astype(np.float32)))[0]
        np.testing.assert_allclose(shown, wanted, atol=0.05)


def test_a_closed_mouth_that_opens_gives_two_lips():
    """Between the lips the flow shows the line where they met: the contour must stop at their edges."""
    closed = face(lips=0.0)
    height, width = SIZE[1], SIZE[0]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    gap = 15 * np.sqrt(np.clip(1 - ((x - 100) / 22) ** 2, 0, 1))  # the lower lip goes down by this
    reach = np.clip((230 - y) / 65, 0, 1)
    below = np.where(y > 165 + gap, -gap * reach, np.minimum(165 - y, 0))
    flow = np.stack([np.zeros_like(x), np.where(y <= 165, 0, below)], axis=2).astype(np.float32)
    found = carried(closed, flow, (0, 0, width, height)).mouth
    lower, upper = found[1:10], found[11:]
    np.testing.assert_allclose(upper[:, 1], 165, atol=1.0)
    wanted = 165 + 15 * np.sqrt(np.clip(1 - ((lower[:, 0] - 100) / 22) ** 2, 0, 1))
    np.testing.assert_allclose(lower[2:-2, 1], wanted[2:-2], atol=2.0)
    area = region_coverage(FaceContours(closed.skin, closed.eyes, found), SIZE)[..., 2].sum()
    assert area == pytest.approx(np.pi / 2 * 22 * 15, rel=0.15)


def test_without_a_flow_nothing_moves():
    still = carried(face(), np.zeros((0, 0, 2), np.float32), (0, 0, 0, 0))
    np.testing.assert_allclose(still.mouth, face().mouth)
