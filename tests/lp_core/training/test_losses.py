"""Each loss by a planted answer."""

import math

import numpy as np
import pytest
import torch

from lp_core.motion.implicit import motion as implicit
from lp_core.training import losses
from lp_core.training.keypoints import bins_to_degrees, motion_batch, rotation_from_degrees, transformed
from lp_core.training.losses import GUIDED, Deformation


def test_wing_by_hand():
    found = losses.wing(torch.tensor([0.0, 0.05, -0.3]), 0.1, 0.02)
    at_width = 0.1 * math.log(1 + 0.1 / 0.02)
    assert found.tolist() == pytest.approx(
        [0.0, 0.1 * math.log(1 + 0.05 / 0.02), 0.3 - (0.1 - at_width)], abs=1e-6
    )


def test_the_guide_is_zero_where_points_meet_their_landmarks():
    marks = torch.randn(2, 478, 2)
    points = torch.randn(2, 21, 3)
    for own, theirs in GUIDED.items():
        points[:, own, :2] = marks[:, theirs]
    assert losses.guide([points, points], [marks, marks], 0.1, 0.02) == 0
    moved = points + torch.tensor([0.5, 0, 0])
    one = losses.wing(torch.tensor(0.5), 0.1, 0.02)
    assert losses.guide([moved, points], [marks, marks], 0.1, 0.02) == pytest.approx(float(one) / 2, rel=1e-5)


def deformation(spread=0.05, bend=0.005):
    torch.manual_seed(1)
    affine = torch.eye(2, 3)[None] + spread * torch.randn(2, 2, 3)
    return Deformation(affine, bend * torch.randn(2, 25))


def test_equivariance_knows_the_direction_of_the_map():
    made = deformation()
    found = torch.rand(2, 6, 3) - 0.5
    true = torch.cat([made.at(found[..., :2]), found[..., 2:]], dim=-1)
    assert losses.equivariance(true, found, made) == pytest.approx(0, abs=1e-7)
    assert losses.equivariance(found, true, made) > 0.02


def test_a_deformed_image_shows_at_p_what_the_image_shows_at_t_of_p():
    made = deformation()
    centers = (torch.arange(64) * 2 + 1) / 64 - 1  # the image holds at each pixel its own place
    seen = made.image(torch.stack(torch.meshgrid(centers, centers, indexing="xy"))[None].repeat(2, 1, 1, 1))
    at = torch.tensor([[[centers[20], centers[40]]]]).repeat(2, 1, 1)
    assert torch.allclose(seen[:, :, 40, 20], made.at(at)[:, 0], atol=2e-3)


def test_the_prior_leaves_guided_pairs_and_distant_points_alone():
    points = torch.zeros(1, 21, 3)
    points[..., 0] = torch.arange(21) / 5  # 0.2 apart, beyond sqrt(0.004)
    points[..., 2] = 0.33
    assert losses.prior(points, 0.004, 0.33) == pytest.approx(0, abs=1e-6)
    guided = points.clone()
    guided[:, 17] = guided[:, 19]
    assert losses.prior(guided, 0.004, 0.33) == pytest.approx(0, abs=1e-6)
    close = points.clone()
    close[:, 1] = close[:, 2]
    assert losses.prior(close, 0.004, 0.33) == pytest.approx(0.008, abs=1e-6)


def test_angles_and_points_equal_the_engines_algebra():
    torch.manual_seed(2)
    degrees = torch.randn(4, 3) * 30
    wanted = implicit.rotation_from_degrees(*degrees.double().numpy().T)
    assert np.abs(rotation_from_degrees(degrees).numpy() - wanted).max() < 1e-6
    logits = torch.randn(4, 66) * 3
    assert np.abs(bins_to_degrees(logits).numpy() - implicit.bins_to_degrees(logits.numpy())).max() < 1e-4
    assert losses.pose(degrees, degrees + 2) == pytest.approx(2, abs=1e-5)


def test_moved_points_equal_the_engines():
    from lp_core.engines.liveportrait.motion_extractor import RawMotion
    from lp_core.engines.liveportrait.performance import read_states

    torch.manual_seed(3)
    raw = RawMotion(
        *(torch.randn(2, n) for n in (66, 66, 66, 3, 63)), torch.rand(2, 1) + 0.5, torch.randn(2, 63)
    )

    class Fixed:
        def motion(self, _image):
            return raw

    batch = motion_batch(raw)
    found = transformed(batch.canonical, batch).numpy()
    for index, (state, keypoints) in enumerate(read_states(Fixed(), torch.zeros(2, 3, 4, 4))):
        assert np.abs(found[index] - implicit.transform_keypoints(keypoints, state)).max() < 2e-6


def test_image_losses_on_constants():
    a, b = torch.full((2, 3, 16, 16), 0.5), torch.full((2, 3, 16, 16), 0.25)
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 4:8, 4:8] = 1
    difference = (a - b).abs()
    difference[:, :, :4] = 9
    assert losses.area_loss(difference, mask) == pytest.approx(0.25)
    assert losses.area_loss(difference, mask * 0) == 0
    assert losses.means_loss(a, b) == pytest.approx(0.25)
    features = losses.RandomFeatures()
    texture = torch.rand(2, 3, 16, 16)
    assert features(texture, texture) == 0
    assert features(texture, 1 - texture) > 0.1


def test_hinge_and_matching_on_constants():
    high, low = [torch.full((2, 1, 4, 4), 3.0)], [torch.full((2, 1, 4, 4), -3.0)]
    assert losses.hinge_of_discriminator(high, low) == 0
    assert losses.hinge_of_discriminator(low, high) == 8
    assert losses.hinge_of_generator(low) == 3
    assert losses.matching([[high[0]]], [[low[0]]]) == 6
    assert losses.matching([[high[0]]], [[high[0]]]) == 0
