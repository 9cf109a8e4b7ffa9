"""Networks of other sizes: the keys and shapes of their files, and what cannot be built."""

from dataclasses import replace

import pytest
import torch

from lp_core.engines.liveportrait.appearance_extractor import AppearanceExtractor, fold_appearance
from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, MotionConfig, WarpingConfig
from lp_core.engines.liveportrait.generator import Generator, fold_generator
from lp_core.engines.liveportrait.motion_extractor import MotionExtractor
from lp_core.engines.liveportrait.sizes import PUBLISHED, Sizes, shapes_of, sizes_from
from lp_core.engines.liveportrait.warping import WarpingModule, fold_warping
from lp_core.engines.liveportrait.weight_layout import load_shapes
from lp_core.errors import SettingError

TINY = Sizes(
    appearance=AppearanceConfig(4, 2, 8, 3, 4, 1),
    motion=MotionConfig((1, 1, 1), (4, 6, 8)),
    warping=WarpingConfig(3, 4, 21, 2, 4, 2, 16, out_channels=8),
    generator=GeneratorConfig(8, 12, 5, 1, (8, 6), 1),
    input_px=32,
)
OTHER = replace(
    TINY,
    appearance=AppearanceConfig(8, 1, 8, 2, 2, 2),
    warping=WarpingConfig(2, 2, 21, 3, 6, 3, 12, out_channels=8),
    generator=GeneratorConfig(8, 16, 4, 2, (12, 4), 2),
    motion=MotionConfig((1, 2), (4, 8)),
)


def test_the_default_sizes_have_the_published_keys_and_shapes():
    assert shapes_of(PUBLISHED) == load_shapes()


@pytest.mark.parametrize("sizes", [PUBLISHED, TINY, OTHER])
def test_folded_checkpoints_fit_the_networks(sizes):
    states = {
        network: {
            key: torch.empty(shape, device="meta", dtype=torch.int64 if key.endswith("tracked") else None)
            for key, shape in shapes.items()
        }
        for network, shapes in shapes_of(sizes).items()
    }
    with torch.device("meta"):
        pairs = (
            (AppearanceExtractor(sizes.appearance), fold_appearance(states["F"])),
            (MotionExtractor(sizes.motion), states["M"]),
            (WarpingModule(sizes.warping), fold_warping(states["W"])),
            (Generator(sizes.generator), fold_generator(states["G"])),
        )
    for network, state in pairs:
        network.load_state_dict(state, assign=True)


def test_sizes_survive_json():
    assert sizes_from(TINY.as_dict()) == TINY
    assert TINY.output_px == 32
    assert PUBLISHED.output_px == 512


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"generator": GeneratorConfig(8, 8, 5, 1, (8, 6), 1)}, "first up-block"),
        ({"generator": GeneratorConfig(8, 12, 5, 1, (8, 8), 1)}, "two up-blocks"),
        ({"generator": GeneratorConfig(9, 12, 5, 1, (8, 6), 1)}, "other channels than G reads"),
        ({"warping": WarpingConfig(3, 4, 21, 2, 4, 1, 16, out_channels=8)}, "at least 2 blocks"),
        ({"warping": WarpingConfig(3, 4, 20, 2, 4, 2, 16, out_channels=8)}, "key points"),
        ({"warping": WarpingConfig(3, 4, 21, 2, 4, 4, 16, out_channels=8)}, "multiple of 16"),
        ({"input_px": 8}, "at least 16 pixels"),
        ({"stitching": (126, 8, 64)}, "stitching network"),
    ],
)
def test_sizes_that_cannot_be_built_give_a_sentence(change, reason):
    with pytest.raises(SettingError, match=reason):
        replace(TINY, **change)


def test_unknown_sizes_are_named():
    with pytest.raises(SettingError, match="appearance.wings"):
        sizes_from({"appearance": {"wings": 2}})
    with pytest.raises(SettingError, match="'colour'"):
        sizes_from({"colour": 2})


def test_gradients_pass_the_folds_and_the_generator():
    torch.manual_seed(5)
    state = {
        key: torch.randn(shape, requires_grad=not key.endswith(("_u", "_v")))
        for key, shape in shapes_of(TINY)["G"].items()
    }
    with torch.device("meta"):
        network = Generator(TINY.generator)
    folded = fold_generator(state, torch.float32)
    drawn = torch.func.functional_call(network, folded, (torch.randn(1, 8, 8, 8),))
    drawn.square().mean().backward()
    assert drawn.shape == (1, 3, 32, 32)
    assert all(value.grad.any() for value in state.values() if value.requires_grad)
