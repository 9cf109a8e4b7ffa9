import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lp_core.speech.joyvasa.denoiser import JoyvasaNetwork, JoyvasaSizes, sinusoids  # noqa: E402
from lp_core.speech.joyvasa.hubert import Hubert, HubertSizes  # noqa: E402
from lp_core.speech.joyvasa.sampling import DiffusionSteps, padded, sample_motion, windows  # noqa: E402
from lp_core.speech.sound import sound_of  # noqa: E402

TINY = HubertSizes(channels=16, width=32, layers=2, heads=4, inner=48, position_taps=16, position_groups=4)
SIZES = JoyvasaSizes(frames=10, before=4, width=32, motion=70, steps=6)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return JoyvasaNetwork(SIZES, TINY).eval()


def test_a_window_of_four_seconds_gives_two_hundred_rows():
    whole = padded(torch.zeros(1, 64000))
    assert whole.shape == (1, 64080)
    rows = 64080
    for kernel, stride in zip(HubertSizes().kernels, HubertSizes().strides, strict=True):
        rows = (rows - kernel) // stride + 1
    assert rows == 200
    assert padded(torch.arange(6400.0)[None]).shape[1] == 6480


def test_the_published_sizes_add_up():
    with torch.device("meta"):
        encoder = Hubert()
        whole = JoyvasaNetwork(JoyvasaSizes())
    count = sum(value.numel() for value in encoder.parameters())
    assert round(count / 1e6, 2) == 94.37
    rest = sum(value.numel() for value in whole.parameters()) - count
    assert round(rest / 1e6, 2) == 8.82
    names = set(whole.state_dict())
    assert {
        "audio_encoder.encoder.layers.11.attention.k_proj.weight", "start_motion_feat", "null_audio_feat",
        "audio_feature_map.weight", "denoising_net.TE.pe", "denoising_net.PE.pe", "denoising_net.alignment_mask",
        "denoising_net.diff_step_map.2.bias", "denoising_net.transformer.layers.7.multihead_attn.in_proj_weight",
        "denoising_net.motion_dec.2.weight", "audio_encoder.feature_extractor.conv_layers.0.layer_norm.bias",
    } <= names  # fmt: skip
    assert whole.denoising_net.alignment_mask.shape == (110, 110)


def test_the_schedule_is_the_cosine_one():
    schedule = DiffusionSteps.cosine(50)
    at = np.arange(51) / 50
    wanted = np.cos((at + 0.008) / 1.008 * np.pi / 2) ** 2
    assert schedule.beta[0] == 0
    np.testing.assert_allclose(schedule.alpha_bar[:45], (wanted / wanted[0])[:45], rtol=1e-9)
    clean = torch.full((1, 2, 3), 0.7)
    assert torch.allclose(schedule.back(1, clean * 5, clean, torch.ones_like(clean)), clean)
    noisy, noise, step = torch.full_like(clean, 1.3), torch.full_like(clean, 0.5), 20
    a, bar, before, beta = (
        1 - schedule.beta[step], schedule.alpha_bar[step], schedule.alpha_bar[step - 1], schedule.beta[step],
    )  # fmt: skip
    mean = (1 - before) * math.sqrt(a) / (1 - bar) * 1.3 + (1 - a) * math.sqrt(before) / (1 - bar) * 0.7
    sigma = math.sqrt((1 - before) / (1 - bar) * beta)
    assert torch.allclose(
        schedule.back(step, noisy, clean, noise), torch.full_like(clean, mean + 0.5 * sigma)
    )


def test_each_frame_hears_its_own_sound_only(network):
    torch.manual_seed(1)
    sound = torch.randn(1, 10, 32)
    other = sound.clone()
    other[0, 7] += 3
    with torch.no_grad():
        heard = [
            network.denoising_net.transformer.layers[0].multihead_attn(
                sinusoids(14, 32), *[torch.cat([network.start_audio_feat, each], 1)] * 2,
                attn_mask=network.denoising_net.alignment_mask,
            )[0]
            for each in (sound, other)
        ]  # fmt: skip
    changed = (heard[0] != heard[1]).any(dim=2)[0]
    assert changed.nonzero().flatten().tolist() == [4 + 7]


def test_windows_cover_the_sound_and_equal_seeds_give_equal_motion(network):
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    samples = sound_of([samples])
    parts = list(windows(samples, SIZES))
    assert [counted for _, counted in parts] == [10, 10, 5]
    assert all(len(part) == 6400 for part, _ in parts)
    one, again, other = (sample_motion(network, samples, seed) for seed in (1, 1, 2))
    assert one.shape == (25, 70)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.isfinite(one).all()
