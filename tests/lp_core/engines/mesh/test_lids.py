"""Lids that close, on the astronaut."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lp_core.engines.mesh import lids as module
from lp_core.engines.mesh.lids import eye_axes, eye_width, lid_edge, taken_points
from lp_core.geometry.facemesh import EYES
from lp_core.geometry.warp import sample


def shut_points(portrait, eye):
    """The eye's lids met half-way."""
    points = portrait.points.copy()
    points[eye.upper] = points[eye.lower] = (points[eye.upper] + points[eye.lower]) / 2
    return points


def closed(engine, portrait, sitter, share=0.0):
    """The sitter with eyes closed to a share of their opening."""
    motion = replace(sitter.neutral, eyes=sitter.neutral.eyes * np.float32(share))
    return engine.animate(portrait, motion, sitter.neutral)


def test_open_eyes_take_their_skin_from_where_it_is(portrait):
    np.testing.assert_array_equal(taken_points(portrait, (1.0, 1.2)), portrait.points[:, :2])


@pytest.mark.parametrize("side", [0, 1])
def test_a_closing_lid_takes_its_skin_from_beyond_the_lashes(portrait, side):
    lids = [1.0, 1.0]
    lids[side] = 0.0
    pushed = taken_points(portrait, tuple(lids)) - portrait.points[:, :2]
    eye, other = EYES[side], EYES[1 - side]
    assert (pushed[eye.upper[2:-2], 1] < -0.3).all()
    assert (pushed[eye.lower[2:-2], 1] > 0.3).all()
    assert np.abs(pushed[[eye.upper[0], eye.upper[-1]]]).max() == 0
    assert np.abs(pushed[other.upper]).max() == 0
    assert np.linalg.norm(pushed, axis=1).max() <= max(module.PUSH_UP, module.PUSH_DOWN) * eye_width(
        portrait.points, eye
    )


@pytest.mark.parametrize("eye", EYES)
def test_a_lid_that_is_up_or_out_of_sight_has_no_edge(portrait, eye):
    assert lid_edge(portrait, eye, portrait.points, 1.0) is None
    assert lid_edge(portrait, eye, portrait.points, 1.3) is None
    assert lid_edge(portrait, eye, portrait.points + np.array([4000, 0, 0]), 0.0) is None


@pytest.mark.parametrize("eye", EYES)
def test_the_edge_comes_as_the_lid_falls(portrait, eye):
    strengths = [
        lid_edge(portrait, eye, portrait.points, lid).where.alpha.max() for lid in (0.9, 0.8, 0.7, 0.2)
    ]
    assert 0 < strengths[0] < strengths[1] < strengths[2] < strengths[3] <= 1


@pytest.mark.parametrize("eye", EYES)
def test_closed_lids_take_nothing_from_the_eyeball(portrait, eye):
    edge = lid_edge(portrait, eye, shut_points(portrait, eye), 0.0)
    _, across = eye_axes(portrait.points, eye)
    middle = slice(2, -2)
    upper = (portrait.points[eye.upper[middle], :2] @ across).max()
    lower = (portrait.points[eye.lower[middle], :2] @ across).min()
    for maps in (edge.maps, edge.others):
        down = np.tensordot(across, maps, 1)
        place = np.abs(maps[0] - portrait.points[eye.upper[4], 0]) < 0.2 * eye_width(portrait.points, eye)
        shown = down[(edge.where.alpha > 0.5) & place]
        assert len(shown) > 5
        assert ((shown <= upper + 0.1) | (shown >= lower - 0.1)).all()


@pytest.mark.parametrize("eye", EYES)
def test_the_line_is_as_dark_as_the_lashes_of_the_source(engine, portrait, sitter, eye):
    shown = closed(engine, portrait, sitter)
    line = shown.landmarks_frame[eye.upper[3:6], :2].mean(axis=0)
    _, across = eye_axes(portrait.points, eye)
    away = np.linspace(-0.25, 0.25, 41)[:, None] * eye_width(portrait.points, eye) * across + line
    column = sample(shown.pixels, *away.astype(np.float32).T[..., None])[:, 0].astype(float).sum(axis=1)
    darkest = column.argmin()
    assert 15 <= darkest <= 26, "within 0.06 eye widths of where the lids meet"
    assert column[darkest] < 0.8 * column[-6:].mean(), "darker than the skin of the lower lid"


def test_the_flow_tells_the_truth_about_closed_eyes_but_for_their_seams(engine, portrait, sitter):
    shown = closed(engine, portrait, sitter)
    left, top, right, bottom = shown.region
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    told = portrait.sampler.at(x + shown.region_flow[..., 0], y + shown.region_flow[..., 1], "cubic")
    differs = np.abs(told.astype(int) - shown.pixels[top:bottom, left:right]).max(axis=2) > 1
    for eye in EYES:
        line = shown.landmarks_frame[np.concatenate([eye.upper, eye.lower]), :2] - (left, top)
        low, high = np.floor(line.min(axis=0)).astype(int) - 6, np.ceil(line.max(axis=0)).astype(int) + 7
        around = differs[low[1] : high[1], low[0] : high[0]]
        assert around.sum(axis=0).max() <= 2, "no more than the seam, one pixel high"
    assert differs.any()


def test_an_alpha_channel_and_values_that_are_no_number_pass_a_closing_lid(engine, portrait, sitter):
    pixels = np.dstack([portrait.source.pixels.astype(np.float32) / 255, np.ones((512, 512), np.float32)])
    line = np.rint(portrait.points[EYES[0].upper[4], :2]).astype(int)
    pixels[line[1] - 3, line[0]] = (np.nan, np.inf, -1, 1)
    source = replace(portrait.source, pixels=pixels)
    shown = closed(engine, replace(portrait, source=source), sitter).pixels
    assert 0 < (~np.isfinite(shown)).any(axis=2).sum() < 12
    assert (shown[..., 3] == 1).all()


@pytest.mark.parametrize("eye", EYES)
def test_a_closing_lid_does_not_tear(engine, portrait, sitter, eye):
    """Half-way down nothing is darker or brighter than what stood around the eye."""
    motion = replace(sitter.neutral, eyes=sitter.neutral.eyes * np.float32(0.4))
    shown = engine.animate(portrait, motion, sitter.neutral).pixels
    line = portrait.points[np.concatenate([eye.upper, eye.lower[::-1]]), :2]
    mask = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(mask, [np.rint(line).astype(np.int32)], 1)
    around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 0
    assert shown[around].min() >= int(sitter.picture[around].min()) - 4
    assert shown[around].max() <= int(sitter.picture[around].max()) + 4
