"""The inside of the mouth: where it shows, borrowed and drawn."""

from dataclasses import replace

import numpy as np
import pytest

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.mouth import borrowed, drawn, mouth_opening
from lp_core.engines.mesh.tone import GAIN_RANGE, LUMA, MOST_GRAIN
from lp_core.faces.hand_points import face_from_points, points_of
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.motion.builtin import neutral_face


@pytest.fixture
def wide(portrait):
    """The astronaut's landmarks with the lower lip 25 pixels down."""
    points = portrait.points.copy()
    points[LIPS_INNER_LOWER[1:-1], 1] += 25
    return points


def test_an_unchanged_or_closing_mouth_shows_nothing_new(portrait):
    assert mouth_opening(portrait, portrait.points) is None
    closed = portrait.points.copy()
    closed[LIPS_INNER_LOWER] = closed[LIPS_INNER_UPPER]
    assert mouth_opening(portrait, closed) is None


def test_it_fades_in_as_the_mouth_opens(portrait):
    tops = []
    for more in np.linspace(0, 6, 13):
        points = portrait.points.copy()
        points[LIPS_INNER_LOWER[1:-1], 1] += more
        where = mouth_opening(portrait, points)
        tops.append(0.0 if where is None else float(where.alpha.max()))
    assert tops[0] == 0
    assert tops[-1] > 0.99
    assert (np.diff(tops) >= -1e-3).all()
    assert max(np.diff(tops)) < 0.6


@pytest.mark.parametrize("color", [(200, 30, 40), (0, 0, 0), (255, 255, 255)])
def test_borrowed_is_the_drivers_mouth_in_the_portraits_light(portrait, wide, color):
    picture = np.zeros((512, 512, 3), np.uint8)
    picture[:] = color
    where = mouth_opening(portrait, wide)
    driving = DrivingPicture(picture, portrait.points.astype(np.float32))
    before = where.alpha.copy()
    content, covered = borrowed(where, wide, driving, portrait.tone)
    np.testing.assert_array_equal(where.alpha, before)
    assert covered[where.alpha > 0.9].all()
    assert content.shape == (*where.alpha.shape, 3)
    assert content.dtype == np.float32
    assert 0 <= content.min() <= content.max() <= 255
    inside = where.alpha > 0.9
    low, high = GAIN_RANGE
    luma = float(np.array(color) @ LUMA)
    assert (content[inside] @ LUMA).min() >= min(low * luma, 255) * 0.7
    assert (content[inside] @ LUMA).max() <= 1.3 * high * luma + 5 * MOST_GRAIN


def test_a_driver_in_the_same_light_is_borrowed_as_he_is(portrait, sitter):
    where = mouth_opening(replace(portrait, points=portrait.points * (1, 1, 1)), portrait.points)
    assert where is None
    closed = portrait.points.copy()
    closed[LIPS_INNER_LOWER[1:-1], 1] = closed[LIPS_INNER_UPPER[1:-1], 1]
    where = mouth_opening(replace(portrait, points=closed), portrait.points)
    driving = DrivingPicture(sitter.picture, portrait.points.astype(np.float32))
    content, _ = borrowed(where, portrait.points, driving, portrait.tone)
    own = sitter.picture[where.rows, where.columns]
    assert np.abs(content - own)[where.alpha > 0.9].max() < 3


def test_drawn_has_teeth_above_and_dark_below(portrait, wide):
    where = mouth_opening(portrait, wide)
    content = drawn(where, wide, portrait.tone, portrait.points)
    assert content.dtype == np.float32
    assert 0 <= content.min() <= content.max() <= 255
    light = content.mean(axis=2)
    middle = where.alpha.shape[1] // 2
    rows = np.flatnonzero(where.alpha[:, middle] > 0.95)
    column = light[rows, middle]
    assert column[: len(rows) // 4].max() > 120
    assert column[len(rows) // 2] < 60
    plain = drawn(where, wide, portrait.tone, portrait.points, has_teeth=False).mean(axis=2)
    assert plain[rows, middle][: len(rows) // 4].max() < 60


def test_a_face_set_by_hand_has_no_human_teeth(portrait, sitter, engine, as_frame):
    face = face_from_points(points_of(sitter.face), neutral_face())
    assert portrait.has_teeth
    assert not engine.prepare(as_frame(sitter.picture), face).has_teeth


def test_drawn_has_no_stripes_across_the_dark(portrait, wide):
    where = mouth_opening(portrait, wide)
    content = drawn(where, wide, portrait.tone, portrait.points)
    row = int(wide[[13, 14], 1].mean()) - where.top
    inside = np.flatnonzero(where.alpha[row] > 0.95)
    assert len(inside) > 10
    assert np.abs(np.diff(content[row, inside], axis=0)).max() < 8


def test_drawn_follows_the_light_of_the_skin(portrait, wide):
    where = mouth_opening(portrait, wide)
    bright, dim = (
        drawn(where, wide, replace(portrait.tone, skin=np.full(3, level)), portrait.points)
        for level in (200.0, 60.0)
    )
    assert (dim <= bright).all()
    assert dim.mean() < 0.6 * bright.mean()


@pytest.mark.parametrize("scale", [0.5, 1.9])
def test_drawn_looks_the_same_at_any_size(portrait, wide, scale):
    face = neutral_face()[:, :2] * 60 + 130
    face[LIPS_INNER_LOWER[1:-1], 1] += 20
    still = np.column_stack([neutral_face()[:, :2] * 60 + 130, np.zeros(478)])
    means = []
    for factor in (1.0, scale):
        points = np.column_stack([face * factor, np.zeros(478)])
        where = mouth_opening(replace(portrait, points=still * factor), points)
        inside = where.alpha > 0.9
        means.append(drawn(where, points, portrait.tone, still * factor)[inside].mean(axis=0))
    assert np.allclose(means[0], means[1], rtol=0.15)


def teeth_rows(content, where, column):
    """Last bright row from above of an image's column, counted in the image."""
    light = content[:, column].mean(axis=1)
    rows = np.flatnonzero((where.alpha[:, column] > 0.5) & (light > 110))
    return where.top + rows[rows < np.median(np.flatnonzero(where.alpha[:, column] > 0.5))].max()


def test_upper_teeth_keep_to_the_skull_while_the_lip_rises_over_them(portrait, wide):
    """The lip is 3 pixels higher, the edge of the teeth stays where it was."""
    raised = wide.copy()
    raised[LIPS_INNER_UPPER[1:-1], 1] -= 3
    edges = []
    for points in (wide, raised):
        where = mouth_opening(portrait, points)
        content = drawn(where, points, portrait.tone, portrait.points)
        edges.append(teeth_rows(content, where, round(points[13, 0]) - where.left))
    assert abs(edges[1] - edges[0]) <= 1


def test_a_faded_portrait_has_no_black_in_its_mouth(portrait, wide):
    where = mouth_opening(portrait, wide)
    content = drawn(where, wide, replace(portrait.tone, black=70.0), portrait.points)
    assert (content @ LUMA).min() >= 65
