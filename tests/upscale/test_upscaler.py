"""Tiling is invisible, values beyond white survive, full memory halves the tile."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lp_core.errors import OutOfMemory
from upscale.upscaler import Upscaler, torch_run


def picture(width, height):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 5)], axis=2)
    return (wave * 0.4 + 0.5).astype(np.float32)


def untiled(network, shown):
    with torch.inference_mode():
        return (
            network.module(torch.from_numpy(shown.transpose(2, 0, 1)[None].copy()))[0]
            .permute(1, 2, 0)
            .numpy()
        )


@pytest.mark.parametrize("size", [(160, 90), (31, 17), (5, 1)])
@given(tile=st.integers(8, 200))
@settings(max_examples=12)
def test_tiled_equals_untiled(small, size, tile):
    shown = picture(*size)
    upscaler = Upscaler(small, torch_run(small, "cpu", torch.float32), "cpu", tile)
    np.testing.assert_allclose(upscaler.enlarge(shown), untiled(small, shown), atol=1e-3)


def test_a_network_of_real_weights_is_tiled_without_a_seam(real, astronaut):
    network = real("animevideov3")
    shown = astronaut[60:180, 160:320].astype(np.float32) / 255
    upscaler = Upscaler(network, torch_run(network, "cpu", torch.float32), "cpu", 48)
    np.testing.assert_allclose(upscaler.enlarge(shown), untiled(network, shown), atol=1e-3)


def test_values_beyond_black_and_white_survive(small):
    shown = picture(64, 48)
    plain = Upscaler(small, torch_run(small, "cpu", torch.float32)).enlarge(shown)
    bright = shown.copy()
    bright[16:32, 16:32] += 7
    dark = shown.copy()
    dark[16:32, 16:32] -= 3
    upscaler = Upscaler(small, torch_run(small, "cpu", torch.float32))
    up, down = upscaler.enlarge(bright)[40:56, 40:56], upscaler.enlarge(dark)[40:56, 40:56]
    beyond = np.maximum(bright[20:28, 20:28] - 1, 0).repeat(2, 0).repeat(2, 1)
    assert np.abs(up - beyond).max() < 2
    assert up.min() > 4
    assert down.max() < 0
    assert np.isfinite(plain).all()


def test_not_a_number_does_not_spread(small):
    shown = picture(64, 48)
    shown[10, 10] = np.nan
    assert np.isfinite(Upscaler(small, torch_run(small, "cpu", torch.float32)).enlarge(shown)).all()


def test_full_memory_halves_the_tile_and_the_result_stays(small):
    plain = torch_run(small, "cpu", torch.float32)

    def narrow(part):
        if part.shape[2] > 64:
            raise torch.OutOfMemoryError("planted")
        return plain(part)

    shown = picture(160, 120)
    upscaler = Upscaler(small, narrow, "cpu", 128)
    np.testing.assert_allclose(upscaler.enlarge(shown), untiled(small, shown), atol=1e-3)
    assert upscaler.tile == 32


@given(batch=st.integers(1, 9), tile=st.integers(16, 90))
@settings(max_examples=12)
def test_tiles_in_batches_give_the_same(small, batch, tile):
    seen = []
    plain = torch_run(small, "cpu", torch.float32)

    def counted(parts):
        seen.append(len(parts))
        return plain(parts)

    shown = picture(160, 120)
    one = Upscaler(small, plain, "cpu", tile, batch=1).enlarge(shown)
    many = Upscaler(small, counted, "cpu", tile, batch=batch).enlarge(shown)
    np.testing.assert_allclose(many, one, atol=1e-5)
    assert max(seen) <= batch


def test_full_memory_halves_the_batch_before_the_tile(small):
    plain = torch_run(small, "cpu", torch.float32)

    def narrow(parts):
        if len(parts) > 1:
            raise torch.OutOfMemoryError("planted")
        return plain(parts)

    shown = picture(160, 120)
    upscaler = Upscaler(small, narrow, "cpu", 40, batch=4)
    np.testing.assert_allclose(upscaler.enlarge(shown), untiled(small, shown), atol=1e-3)
    assert (upscaler.batch, upscaler.tile) == (1, 40)


def test_a_device_without_room_for_the_smallest_tile_says_so(small):
    def never(part):
        raise torch.OutOfMemoryError("planted")

    with pytest.raises(OutOfMemory, match="another --device"):
        Upscaler(small, never, "cpu", 128).enlarge(picture(64, 64))


def test_other_errors_pass(small):
    def broken(part):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Upscaler(small, broken).enlarge(picture(8, 8))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_precisions_agree(small, device, dtype):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    shown = picture(48, 40)
    wanted = untiled(small, shown)
    result = Upscaler(small, torch_run(small, device, dtype), device).enlarge(shown)
    np.testing.assert_allclose(result, wanted, atol=1e-5 if dtype == torch.float32 else 0.05)


def test_openvino_gives_the_same_numbers_and_reports_to_nobody(small):
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    from upscale.openvino import openvino_run

    assert sys.modules["openvino_telemetry"] is None
    shown = picture(48, 40)
    result = Upscaler(small, openvino_run(small, torch.float32)).enlarge(shown)
    np.testing.assert_allclose(result, untiled(small, shown), atol=1e-4)


def test_openvino_compiles_for_sizes_that_return_and_draws_the_same(small, monkeypatch):
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    import upscale.openvino as room

    compiled = []
    real = room.openvino.Core.compile_model

    def counted(core, model, *args):
        compiled.append(str(model.input(0).get_partial_shape()))
        return real(core, model, *args)

    monkeypatch.setattr(room.openvino.Core, "compile_model", counted)
    monkeypatch.setattr(room, "FIXED_SIZES", 2)
    run = room.openvino_run(small, torch.float32)
    sizes = [(48, 40), (40, 48), (32, 32)]
    for turn in range(room.REPAYS + 1):
        for width, height in sizes[: 3 if turn else 2]:
            shown = picture(width, height)
            result = Upscaler(small, run).enlarge(shown)
            np.testing.assert_allclose(result, untiled(small, shown), atol=1e-4)
    fixed = [shape for shape in compiled if "?" not in shape]
    assert len(fixed) == 2, "the third size must go without"
    assert len(compiled) == 3
