"""Every shortcut equals the plain form: tiny networks, float64 against float64 wherever the code allows."""

# ruff: noqa: E402 - the imports follow the check for the library

import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional

from lp_core.engines.liveportrait import blocks, folding
from lp_core.engines.liveportrait.appearance_extractor import AppearanceExtractor, fold_appearance
from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, WarpingConfig
from lp_core.engines.liveportrait.dense_motion import gaussians, identity_grid, sample_translated
from lp_core.engines.liveportrait.generator import Generator, fold_generator, normalise
from lp_core.engines.liveportrait.warping import WarpingModule, fold_warping

APPEARANCE = AppearanceConfig(base_channels=4, max_channels=16, volume_channels=3, depth=4, resblocks=2)
WARPING = WarpingConfig(
    volume_channels=3,
    depth=4,
    keypoints=5,
    compressed_channels=2,
    hourglass_channels=4,
    hourglass_blocks=3,
    max_channels=16,
    out_channels=8,
)
GENERATOR = GeneratorConfig(
    label_channels=6, channels=16, shared_channels=5, middle_blocks=2, up_channels=(8, 4)
)


def apart(a, b):
    assert a.shape == b.shape
    return float((a.double() - b.double()).abs().max())


def folded(network, state, dtype=torch.float64):
    """The network with a folded state, strictly loaded."""
    network.load_state_dict(state, strict=True)
    return network.to(dtype).eval().requires_grad_(False)


def points(batch, spread=0.4):
    return (torch.rand(batch, WARPING.keypoints, 3) * 2 - 1) * spread


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("is_volume", [False, True])
def test_upsampling_and_convolution_are_one_transposed_convolution(factor, is_volume):
    kernel, size, scale = (
        ((3, 3, 3), (4, 3, 5), (1, factor, factor)) if is_volume else ((3, 3), (3, 5), factor)
    )
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    weight = torch.randn(4, 3, *kernel, dtype=torch.float64)
    conv, transposed = (
        (functional.conv3d, functional.conv_transpose3d)
        if is_volume
        else (functional.conv2d, functional.conv_transpose2d)
    )
    wanted = conv(functional.interpolate(x, scale_factor=scale, mode="nearest"), weight, padding=1)
    got = transposed(x, folding.upsampling_kernel(weight, factor), stride=scale, padding=1)
    assert apart(got, wanted) < 1e-12


@pytest.mark.parametrize(("kernel", "depth"), [(3, 5), (7, 16), (7, 2), (1, 3)])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last_3d])
def test_heads_by_slices_equal_the_convolutions_they_join(kernel, depth, memory):
    x = torch.randn(2, 4, depth, 6, 5, dtype=torch.float64).contiguous(memory_format=memory)
    volume = torch.randn(3, 4, *[kernel] * 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    flat = torch.randn(1, 4 * depth, kernel, kernel, dtype=torch.float64), torch.randn(1, dtype=torch.float64)
    net = blocks.VolumeHeads(4, 3, depth, kernel).double().requires_grad_(False)
    net.slices.weight.data, net.slices.bias.data = folding.join_heads(volume, flat, depth)
    logits, hidden = net(x)
    assert apart(logits, functional.conv3d(x, *volume, padding=kernel // 2)) < 1e-11
    assert apart(hidden, functional.conv2d(x.flatten(1, 2), *flat, padding=kernel // 2)) < 1e-11


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last_3d])
def test_halving_equals_the_3d_pooling(memory):
    x = torch.randn(2, 3, 4, 6, 8).contiguous(memory_format=memory)
    assert torch.equal(blocks.halve(x), functional.avg_pool3d(x, (1, 2, 2)))


def test_halving_works_in_bfloat16():
    x = torch.randn(1, 3, 4, 6, 8)
    assert apart(blocks.halve(x.bfloat16()), functional.avg_pool3d(x, (1, 2, 2))) < 0.02


def test_spectral_norm_folds_with_the_stored_vectors(plain, seeded):
    conv = torch.nn.Sequential(plain.SpectralConv(3, 4, 3))
    state = seeded(conv)
    x = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    new = folding.fold_spectral_norm(state)
    assert set(new) == {"0.weight", "0.bias"}
    assert apart(functional.conv2d(x, new["0.weight"], new["0.bias"], padding=1), conv(x)) < 1e-12


def test_folding_changes_no_tensor_it_was_given(plain, seeded):
    state = seeded(plain.PlainGenerator(GENERATOR))
    before = {key: value.clone() for key, value in state.items()}
    fold_generator(state)
    assert set(state) == set(before)
    assert all(torch.equal(state[key], before[key]) for key in before)


def test_appearance_extractor_equals_the_plain_one(plain, seeded):
    reference = plain.PlainAppearance(APPEARANCE)
    net = AppearanceExtractor(APPEARANCE).double()
    folded(net, fold_appearance(seeded(reference)))
    x = torch.rand(2, 3, 16, 24, dtype=torch.float64)
    assert apart(net(x), reference(x)) < 1e-12


def test_generator_equals_the_plain_one(plain, seeded):
    reference = plain.PlainGenerator(GENERATOR)
    net = Generator(GENERATOR).double()
    folded(net, fold_generator(seeded(reference)))
    x = torch.randn(2, 6, 5, 4, dtype=torch.float64)
    result = net(x)
    assert result.shape == (2, 3, 40, 32)
    assert apart(result, reference(x)) < 2e-6  # the instance norm and the image are float32 by design


@pytest.mark.parametrize("offset", [0.0, 30.0, 300.0])
def test_instance_norm_keeps_its_digits_where_the_mean_is_large(offset):
    x = (torch.randn(1, 3, 16, 16) + offset).contiguous(memory_format=torch.channels_last)
    assert apart(normalise(x), functional.instance_norm(x.double())) < 3e-6 + 1e-7 * offset


def test_instance_norm_of_half_precision_does_not_overflow():
    x = torch.randn(1, 3, 16, 16) * 1000
    assert apart(normalise(x.half()), functional.instance_norm(x.double())) < 5e-3


def test_translated_sampling_equals_grid_sample():
    volume = torch.randn(2, 3, 4, 6, 5, dtype=torch.float64)
    shift = torch.randn(2, 7, 3, dtype=torch.float64)
    grid = identity_grid((4, 6, 5), volume) + shift[:, :, None, None, None]
    for k in range(7):
        wanted = functional.grid_sample(volume, grid[:, k], align_corners=False)
        assert apart(sample_translated(volume, shift)[:, k].transpose(1, 2), wanted) < 1e-12


def test_identity_grid_is_not_the_identity():
    volume = torch.arange(8.0, dtype=torch.float64).reshape(1, 1, 1, 1, 8).expand(1, 1, 2, 2, 8) + 1
    sampled = sample_translated(volume, torch.zeros(1, 1, 3, dtype=torch.float64))[0, 0, 0, 0, 0]
    assert float(sampled[0]) < float(volume[0, 0, 0, 0, 0])


def test_gaussians_are_products_of_three():
    center = torch.rand(2, 3, 3, dtype=torch.float64) - 0.5
    grid = identity_grid((4, 6, 5), center)
    distance = (grid - center[:, :, None, None, None]).square().sum(dim=-1)
    assert apart(gaussians(center, (4, 6, 5), 0.01), torch.exp(-0.5 * distance / 0.01)) < 1e-14


@pytest.fixture
def warping_pair(plain, seeded):
    reference = plain.PlainWarping(WARPING)
    state = seeded(reference, torch.float32)
    return folded(WarpingModule(WARPING), fold_warping(state), torch.float32), reference


def test_warping_equals_the_plain_one(warping_pair):
    net, reference = warping_pair
    feature, kd, ks = torch.randn(2, 3, 4, 16, 16), points(2), points(2)
    result = net(net.prepare(feature, ks), kd)
    deformation, occlusion, out = reference(feature, kd, ks)
    assert apart(result.deformation, deformation) < 5e-6
    assert apart(result.occlusion, occlusion) < 1e-5
    assert apart(result.out, out) < 1e-4


def test_candidates_equal_the_plain_ones(warping_pair):
    net, reference = warping_pair
    feature, kd, ks = torch.randn(2, 3, 4, 16, 16), points(2), points(2)
    dense = net.dense_motion_network
    wanted, _ = reference.dense_motion_network.candidates(feature, kd, ks)
    assert apart(dense.candidates(dense.prepare(feature, ks), kd), wanted) < 1e-5
    assert float(wanted.abs().max()) > 0.5


def test_one_prepared_source_serves_a_batch_and_stays_as_it_was(warping_pair):
    net, _ = warping_pair
    feature, kd, ks = torch.randn(1, 3, 4, 16, 16), points(3), points(1)
    source = net.prepare(feature, ks)
    before = [t.clone() for t in (source.volume, *vars(source.dense).values())]
    together = net(source, kd)
    for i in range(3):
        alone = net(net.prepare(feature, ks), kd[i : i + 1])
        assert apart(together.out[i : i + 1], alone.out) < 1e-5
    after = [source.volume, *vars(source.dense).values()]
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
    assert apart(together.out[0], together.out[1]) > 1e-3


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_lower_precision_stays_near_the_float32_result(warping_pair, plain, seeded, dtype, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    net, reference = warping_pair
    feature, kd, ks = torch.randn(1, 3, 4, 16, 16), points(1), points(1)
    _, _, out = reference(feature, kd, ks)
    net.to(device, dtype)
    result = net(net.prepare(feature.to(device), ks.to(device)), kd.to(device))
    assert result.deformation.dtype == torch.float32
    assert result.out.dtype == dtype
    assert apart(result.out.cpu(), out) < 0.05 * float(out.abs().max())

    generator = plain.PlainGenerator(GENERATOR)
    fast = folded(Generator(GENERATOR), fold_generator(seeded(generator, torch.float32)), dtype).to(device)
    x = torch.randn(1, 6, 5, 4)
    picture = fast(x.to(device, dtype))
    assert picture.dtype == torch.float32
    assert float((picture.cpu() - generator(x)).abs().mean()) < 0.02
