"""Laying a performance onto a source: what each setting promises by default."""

from dataclasses import replace

import numpy as np
import pytest

from lp_core.errors import SettingError
from lp_core.motion.implicit.motion import ImplicitMotion, degrees_from_rotation, rotation_from_degrees
from lp_core.motion.implicit.regions import EXPRESSION_MASK, EYE_MASK, LIP_MASK
from lp_core.motion.implicit.transfer import TransferOptions, picture_reference, transfer, transfer_filmed
from lp_core.settings import REGIONS


def motion(rng, **changes):
    made = ImplicitMotion(
        rotation=rotation_from_degrees(*rng.uniform(-20, 20, 3)),
        expression=rng.normal(0, 0.02, (21, 3)),
        scale=float(rng.uniform(1.1, 1.7)),
        translation=rng.normal(0, 0.1, 3),
    )
    return replace(made, **changes)


@pytest.fixture
def faces(rng):
    return [motion(rng) for _ in range(3)]  # source, driving, reference


def same(a, b):
    """Whether two faces of one rig have the same numbers."""
    numbers = [name for name in vars(a) if name != "rig"]
    return a.rig is b.rig and all(
        np.allclose(getattr(a, name), getattr(b, name), atol=1e-12) for name in numbers
    )


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("is_compat", [False, True])
def test_a_performance_at_its_reference_leaves_the_source_as_it_is(faces, region, is_compat):
    source, driving, _ = faces
    assert same(transfer(source, driving, driving, TransferOptions(True, region, is_compat)), source)


def test_nothing_given_is_written_into(faces):
    before = [[np.copy(value) for value in vars(face).values()] for face in faces]
    for region in REGIONS:
        transfer(*faces, TransferOptions(True, region))
        transfer(*faces, TransferOptions(False, region))
    for face, old in zip(faces, before, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(vars(face).values(), old, strict=True))


@pytest.mark.parametrize(
    ("region", "mask"), [("lips", LIP_MASK), ("eyes", EYE_MASK), ("pose", np.zeros((21, 3), bool))]
)
def test_a_region_moves_nothing_but_itself(faces, region, mask):
    source, driving, reference = faces
    for is_relative in (True, False):
        moved = transfer(source, driving, reference, TransferOptions(is_relative, region))
        assert np.array_equal((moved.expression != source.expression), mask)
        assert np.array_equal(moved.rotation, source.rotation) == (region != "pose")


def test_absolute_motion_takes_the_drivers_place_and_pose(faces):
    source, driving, reference = faces
    moved = transfer(source, driving, reference, TransferOptions(is_relative=False))
    assert np.array_equal(moved.rotation, driving.rotation)
    assert np.array_equal(moved.translation, driving.translation)
    assert np.array_equal(moved.expression[EXPRESSION_MASK], driving.expression[EXPRESSION_MASK])
    assert np.array_equal(moved.expression[~EXPRESSION_MASK], source.expression[~EXPRESSION_MASK])


def test_region_pose_takes_the_change_of_size_unless_compatible(faces):
    source, driving, reference = faces
    ours = transfer(source, driving, reference, TransferOptions(region="pose"))
    official = transfer(source, driving, reference, TransferOptions(region="pose", official_compat=True))
    assert ours.scale == pytest.approx(source.scale * driving.scale / reference.scale)
    assert official.scale == source.scale


def test_any_frame_can_be_the_reference(faces):
    source, driving, reference = faces
    there = transfer(source, driving, reference, TransferOptions())
    back = transfer(there, reference, driving, TransferOptions())
    assert np.allclose(back.expression, source.expression)
    assert back.scale == pytest.approx(source.scale)
    assert np.allclose(back.rotation, source.rotation)


def test_one_picture_turns_the_head_unless_compatible(faces):
    source, driving, _ = faces
    source = replace(source, rotation=np.eye(3))
    for is_compat, wanted in ((False, driving.rotation), (True, source.rotation)):
        options = TransferOptions(official_compat=is_compat)
        moved = transfer(source, driving, picture_reference(driving, options), options)
        assert np.allclose(moved.rotation, wanted)
        assert np.allclose(moved.translation, source.translation)


def test_a_filmed_source_follows_the_drivers_size_and_place(faces):
    source, driving, reference = faces
    moved = transfer_filmed([source] * 3, [driving] * 3, reference, TransferOptions())
    alone = transfer(source, driving, reference, TransferOptions())
    for one in moved:
        assert one.scale == pytest.approx(alone.scale)
        assert np.allclose(one.translation, alone.translation)
        assert np.allclose(one.expression, alone.expression)


@pytest.mark.parametrize("is_compat", [False, True])
def test_smoothed_rotations_are_rotations_unless_compatible(rng, is_compat):
    source = motion(rng)
    clip = [motion(rng, rotation=rotation_from_degrees(0, 60 * (-1) ** i, 0)) for i in range(6)]
    options = TransferOptions(official_compat=is_compat, observation_variance=1e-3)
    moved = transfer_filmed([source] * 6, clip, clip[0], options)
    off = max(np.abs(m.rotation @ m.rotation.T - np.eye(3)).max() for m in moved)
    assert (off > 1e-3) == is_compat


def test_smoothing_makes_a_jittery_clip_calmer(rng):
    source = motion(rng)
    clip = [motion(rng) for _ in range(12)]

    def jitter(variance):
        moved = transfer_filmed(
            [source] * 12, clip, clip[0], TransferOptions(observation_variance=variance, region="expression")
        )
        return np.abs(np.diff([m.expression for m in moved], axis=0)).mean()

    assert jitter(1e-3) < 0.5 * jitter(1e-9)


def test_one_picture_serves_every_frame_of_a_filmed_source(rng):
    sources = [motion(rng) for _ in range(4)]
    picture = motion(rng)
    options = TransferOptions()
    reference = picture_reference(picture, options, is_filmed=True)
    moved = transfer_filmed(sources, [picture], reference, options)
    assert len(moved) == 4
    assert same(moved[2], transfer(sources[2], picture, reference, options))


def test_clips_of_different_length_are_refused(rng):
    faces = [motion(rng) for _ in range(5)]
    with pytest.raises(SettingError, match="2 frames and the performance 3"):
        transfer_filmed(faces[:2], faces[2:], faces[0], TransferOptions())


def test_an_unknown_region_is_refused():
    with pytest.raises(SettingError, match="nose"):
        TransferOptions(region="nose")


def test_turns_add_up_about_one_axis(rng):
    source, driving, reference = (
        motion(rng, rotation=rotation_from_degrees(0, yaw, 0)) for yaw in (5.0, 20.0, 8.0)
    )
    moved = transfer(source, driving, reference, TransferOptions())
    assert degrees_from_rotation(moved.rotation)[1] == pytest.approx(17.0)
