"""The performer's dense motion on a portrait: exact for a twin, and nothing where nothing moved."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.carry import BORDER, Performer, agreement, carry
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.geometry.dense_field import DenseField, DenseReference
from lp_core.settings import MeshSettings, MotionSettings, RenderSettings

SHIFT = np.array([7.0, -4.0])


def moved(sitter, by):
    """The sitter's image and motion, shifted as a whole."""
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], float)
    picture = cv2.warpAffine(sitter.picture, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    motion = replace(
        sitter.neutral, translation=sitter.neutral.translation + np.float32(by) / np.float32(512)
    )
    landmarks = sitter.face.landmarks_frame.copy()
    landmarks[:, :2] += np.float32(by)
    return picture, motion, landmarks


def shown(engine, sitter, as_frame, by=SHIFT, picture=None):
    pixels, motion, landmarks = moved(sitter, by)
    dense = DenseReference.of(sitter.picture, sitter.face.landmarks_frame).motion(pixels, landmarks)
    portrait = engine.prepare(as_frame(sitter.picture if picture is None else picture), sitter.face)
    return engine.animate(portrait, motion, sitter.neutral, DrivingPicture(pixels, landmarks, dense))


def test_the_shifted_image_of_oneself_is_met(engine, sitter, as_frame):
    truth = moved(sitter, SHIFT)[0].astype(float)
    found = shown(engine, sitter, as_frame).pixels
    low, high = (
        getattr(sitter.face.landmarks_frame[:, :2], name)(axis=0).astype(int) for name in ("min", "max")
    )
    part = slice(low[1] - 30, high[1] + 30), slice(low[0] - 30, high[0] + 30)
    error, still = (np.square(one[part] - truth[part]).mean() for one in (found, sitter.picture))
    assert error < 0.05 * still
    pixels, motion, landmarks = moved(sitter, SHIFT)
    rigid = engine.animate(
        engine.prepare(as_frame(sitter.picture), sitter.face),
        motion,
        sitter.neutral,
        DrivingPicture(pixels, landmarks),
    )
    assert error < 0.5 * np.square(rigid.pixels[part] - truth[part]).mean()


def test_where_the_performer_rests_every_bit_stays(engine, sitter, as_frame):
    portrait = engine.prepare(as_frame(sitter.picture), sitter.face)
    still = DenseField(np.zeros((128, 128, 2), np.float32), np.ones((128, 128), np.float32), (512, 512))
    driving = DrivingPicture(sitter.picture, sitter.face.landmarks_frame, still)
    result = engine.animate(portrait, sitter.neutral, sitter.neutral, driving)
    np.testing.assert_array_equal(result.pixels, sitter.picture)


def test_outside_the_matte_every_bit_stays(engine, sitter, as_frame, any_pixels):
    pixels = any_pixels
    portrait = engine.prepare(as_frame(pixels), sitter.face)
    picture, motion, landmarks = moved(sitter, SHIFT)
    dense = DenseReference.of(sitter.picture, sitter.face.landmarks_frame).motion(picture, landmarks)
    result = engine.animate(portrait, motion, sitter.neutral, DrivingPicture(picture, landmarks, dense))
    outside = result.matte == 0
    np.testing.assert_array_equal(result.pixels[outside], pixels[outside])
    assert result.matte.max() == 1


@pytest.mark.parametrize(
    "settings",
    [
        RenderSettings(mesh=MeshSettings(dense_motion=False)),
        RenderSettings(motion=MotionSettings(motion="absolute")),
        RenderSettings(motion=MotionSettings(region="expression"), mesh=MeshSettings(shading=0.0)),
        RenderSettings(motion=MotionSettings(pose_strength=0.0), mesh=MeshSettings(shading=0.0)),
    ],
)
def test_it_is_left_out_where_the_head_does_not_follow_a_reference(sitter, as_frame, settings):
    engine = MeshEngine(settings)
    assert not engine.info.uses_dense_motion
    pixels, motion, landmarks = moved(sitter, SHIFT)
    dense = DenseReference.of(sitter.picture, sitter.face.landmarks_frame).motion(pixels, landmarks)
    portrait = engine.prepare(as_frame(sitter.picture), sitter.face)
    with_it, without = (
        engine.animate(portrait, motion, sitter.neutral, DrivingPicture(pixels, landmarks, one))
        for one in (dense, None)
    )
    np.testing.assert_array_equal(with_it.pixels, without.pixels)


def test_half_the_strength_is_half_the_way(portrait, sitter):
    flow = np.zeros((128, 128, 2), np.float32) + np.float32(-SHIFT)
    dense = DenseField(flow, np.ones((128, 128), np.float32), (512, 512))
    performer = Performer.of(moved(sitter, SHIFT)[1], sitter.neutral, (512, 512))
    rigid = portrait.points + (*SHIFT, 0)
    x, y = np.arange(200, 300, dtype=np.float32)[None], np.arange(100, 160, dtype=np.float32)[:, None]
    whole, half = (carry(portrait, dense, rigid, performer, share).at(x, y) for share in (1.0, 0.5))
    for axis, shift in enumerate(SHIFT):
        assert np.allclose(whole[0][axis], -shift, atol=0.05)
        assert np.allclose(half[0][axis], whole[0][axis] / 2, atol=1e-4)
    assert (whole[1] == 1).all()


def steepest(flow):
    """Largest change of flow, (h, w) along x and along y, in pixels from one pixel to the next."""
    return max(np.abs(np.diff(plane, axis=axis)).max() for plane in flow for axis in (0, 1))


@pytest.mark.parametrize(("widened", "is_softened"), [(1.0, False), (1.15, True)])
def test_a_step_in_the_motion_folds_no_other_person(portrait, sitter, widened, is_softened):
    flow = np.zeros((128, 128, 2), np.float32)
    flow[60:, :, 1] = -30  # a collar that slides before the neck
    dense = DenseField(flow, np.ones((128, 128), np.float32), (512, 512))
    middle = portrait.points.mean(axis=0)
    other = replace(portrait, points=middle + (portrait.points - middle) * (widened, 1, 1))
    performer = Performer.of(sitter.neutral, sitter.neutral, (512, 512))
    carried = carry(other, dense, other.points, performer, 1.0)
    x, y = np.arange(100, 400, dtype=np.float32)[None], np.arange(100, 400, dtype=np.float32)[:, None]
    found, _ = carried.at(x, y)
    assert (steepest(found) < 1.0) == is_softened
    assert found[1][-1, 150] == pytest.approx(-30, rel=0.15)
    assert (carried.border[1] > 0.1) == is_softened  # along the motion alone
    assert carried.border[0] == pytest.approx(BORDER)


@pytest.mark.parametrize(("widened", "is_corrected"), [(1.0, True), (1.02, True), (1.15, False)])
def test_landmarks_are_corrected_by_the_field_for_the_same_person_alone(
    portrait, sitter, widened, is_corrected
):
    flow = np.zeros((128, 128, 2), np.float32) + np.float32(3)
    dense = DenseField(flow, np.ones((128, 128), np.float32), (512, 512))
    middle = portrait.points.mean(axis=0)
    other = replace(portrait, points=middle + (portrait.points - middle) * (widened, 1, 1))
    performer = Performer.of(sitter.neutral, sitter.neutral, (512, 512))
    nudged = carry(other, dense, other.points, performer, 1.0).nudged
    assert (np.abs(nudged).max() > 2) == is_corrected
    assert is_corrected or not nudged.any()


def test_a_field_that_lost_the_face_leaves_the_surroundings_to_the_head(engine, sitter, as_frame, rng):
    """A search that finds other places than the landmarks tears hair, neck and chin."""
    pixels, motion, landmarks = moved(sitter, (40.0, -60.0))
    lost = cv2.GaussianBlur(rng.normal(0, 1500, (128, 128, 2)).astype(np.float32), (0, 0), 6)
    dense = DenseField(lost, np.ones((128, 128), np.float32), (512, 512))
    performer = Performer.of(motion, sitter.neutral, (512, 512))
    assert agreement(dense, performer) == 0
    portrait = engine.prepare(as_frame(sitter.picture), sitter.face)
    torn, rigid = (
        engine.animate(portrait, motion, sitter.neutral, DrivingPicture(pixels, landmarks, one)).region_flow
        for one in (dense, None)
    )
    assert np.abs(torn).max() < 1.3 * np.abs(rigid).max()
    assert steepest(torn) < 1.5 * steepest(rigid)


def test_a_field_lost_in_a_part_of_the_face_is_noticed(sitter):
    flow = np.zeros((128, 128, 2), np.float32) + np.float32(-SHIFT)
    chin = (sitter.face.landmarks_frame[152, :2] + SHIFT) / 4
    whole = DenseField(flow.copy(), np.ones((128, 128), np.float32), (512, 512))
    flow[int(chin[1]) - 14 :, :, 1] += 70
    half = DenseField(flow, whole.trust, (512, 512))
    performer = Performer.of(moved(sitter, SHIFT)[1], sitter.neutral, (512, 512))
    assert agreement(whole, performer) == 1
    assert agreement(half, performer) == 0


@pytest.mark.parametrize("trust", [1.0, 0.0])
@pytest.mark.parametrize("down", [-20.0, 20.0])
def test_hair_at_the_edge_leaves_the_image_or_follows_the_head_to_the_side(
    engine, sitter, as_frame, down, trust
):
    """Where the performer's image is not trusted the head's own motion takes over, under the same rule."""
    by = (20.0, down)
    _, motion, landmarks = moved(sitter, by)
    flow = np.zeros((128, 128, 2), np.float32) - np.float32(by)
    dense = DenseField(flow, np.full((128, 128), trust, np.float32), (512, 512))
    cut = int(landmarks[:, 1].min()) - 25  # the moved forehead is so far from the edge
    points = sitter.face.landmarks_frame - np.float32((0, cut, 0))
    portrait = engine.prepare(
        as_frame(sitter.picture[cut:].copy()), replace(sitter.face, landmarks_frame=points)
    )
    driving = DrivingPicture(sitter.picture, landmarks, dense)
    found = engine.animate(portrait, motion, sitter.neutral, driving).flow
    edge = found[0, int(landmarks[:, 0].mean())]
    np.testing.assert_allclose(edge[0], -20, atol=2)
    np.testing.assert_allclose(edge[1], 20 if down < 0 else 0, atol=2)


def test_what_is_next_to_the_lower_edge_is_not_seen_twice_when_the_head_rises_far(engine, sitter, as_frame):
    rise = -80.0
    by = (0.0, rise)
    _, motion, landmarks = moved(sitter, by)
    flow = np.zeros((128, 128, 2), np.float32) - np.float32(by)
    dense = DenseField(flow, np.ones((128, 128), np.float32), (512, 512))
    chin = float(sitter.face.landmarks_frame[152, 1])
    cut = int(chin + 45)  # the image ends so far below the chin
    portrait = engine.prepare(as_frame(sitter.picture[:cut].copy()), sitter.face)
    found = engine.animate(
        portrait, motion, sitter.neutral, DrivingPicture(sitter.picture, landmarks, dense)
    ).flow
    column = found[int(chin + rise) + 20 :, int(landmarks[:, 0].mean()), 1]
    assert column.max() > 40
    assert (np.diff(column) > -1.01).all()  # places that are taken follow each other in order
