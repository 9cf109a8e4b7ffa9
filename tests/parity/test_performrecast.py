"""PerformRecast against the recording of the published modules: F, M, modes, W, and the chain to the image."""

# ruff: noqa: E402 - imports follow the check for the library

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from parity_arrays import recast
from parity_arrays.filled import filled, read
from parity_arrays.rules import compared
from parity_arrays.tolerances import PERFORMRECAST as TOLERANCES

from lp_core.engines.liveportrait.appearance_vit import (
    TransformerAppearance,
    fold_transformer,
    resampled_positions,
)
from lp_core.engines.liveportrait.config import TransformerConfig
from lp_core.engines.liveportrait.table import PERFORMRECAST
from lp_core.motion.implicit.kalman import kalman_smooth

SEED = 20240703


@pytest.fixture(scope="module")
def recorded(full_recordings):
    path = full_recordings / "recast_seedA.npz"
    if not path.is_file():
        pytest.skip("the recording of PerformRecast is not here")
    return read(path)


@pytest.fixture(scope="module")
def networks():
    """All of PerformRecast's networks with the recorded weights, made in memory."""
    return filled(PERFORMRECAST, SEED)


def check(recorded, found):
    outside = [line for line in compared(recorded, found, TOLERANCES) if not line.holds]
    assert not outside


@pytest.mark.slow
def test_every_array_of_the_recording(networks, recorded):
    wanted, found = recast.all_arrays(networks, SEED, recorded)
    check(wanted, found)
    inputs = re.compile(r"^in\.|^meta$|^smooth\.in$|\.lmk$")
    assert set(found) == {key for key in recorded if not inputs.search(key)}


def test_crops_and_smoother(recorded):
    wanted, found = recast.crops(recorded)
    check(wanted, found)
    check(recorded, {"smooth.out": kalman_smooth(recorded["smooth.in"])})


def test_inputs_follow_their_rules(recorded):
    large, small = recast.plate(SEED, 0)
    np.testing.assert_array_equal(large[::32, ::32], recorded["in.source512.check"][0])
    np.testing.assert_array_equal(small[::16, ::16], recorded["in.source256.check"][0])


def test_positions_are_resampled_as_pytorch_does_with_antialiasing():
    stored = torch.randn(1, 14 * 14, 5, generator=torch.Generator().manual_seed(1))
    grid = stored.reshape(1, 14, 14, 5).permute(0, 3, 1, 2)
    wanted = torch.nn.functional.interpolate(
        grid, size=(32, 32), mode="bicubic", antialias=True, align_corners=False
    )
    found = resampled_positions(stored, 32).reshape(32, 32, 5).permute(2, 0, 1)[None]
    assert (found - wanted).abs().max() < 1e-6


def test_a_tiny_transformer_equals_the_unfolded_rules():
    """The folds of mean, spread and transposed convolution, against the published order of operations."""
    config = TransformerConfig(4, 8, 1, 2, 16, 3, 2, 4, 4, 1)
    draw = torch.Generator().manual_seed(2)
    state = {
        "dinov2_img_encoder.model.cls_token": torch.randn(1, 1, 8, generator=draw),
        "dinov2_img_encoder.model.pos_embed": torch.randn(1, 5, 8, generator=draw),
        "dinov2_img_encoder.model.patch_embed.proj.weight": torch.randn(8, 3, 4, 4, generator=draw),
        "dinov2_img_encoder.model.patch_embed.proj.bias": torch.randn(8, generator=draw),
        "t_conv.weight": torch.randn(8, 8, 2, 2, generator=draw),
        "t_conv.bias": torch.randn(8, generator=draw),
    }
    folded = fold_transformer(state, config)
    with torch.device("meta"):
        network = TransformerAppearance(config)
    picture = torch.rand(1, 3, 12, 12, generator=draw)
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    plain = torch.nn.functional.conv2d(
        (picture - mean) / std,
        state["dinov2_img_encoder.model.patch_embed.proj.weight"],
        state["dinov2_img_encoder.model.patch_embed.proj.bias"],
        stride=4,
    )
    network.load_state_dict(folded, assign=True, strict=False)
    ours = network.patches((picture - network.mean) / network.spread)
    assert (ours - plain).abs().max() < 1e-5
    wide = torch.nn.functional.conv_transpose2d(plain, state["t_conv.weight"], state["t_conv.bias"], stride=2)
    spread = network.t_conv(plain.permute(0, 2, 3, 1))
    assert (spread - wide).abs().max() < 1e-4
