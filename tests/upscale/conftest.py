"""Small networks that replace Real-ESRGAN's, and the real weights where they are installed."""

import pytest
import torch

from lp_core.errors import LpError


@pytest.fixture(scope="session")
def real():
    """A function name -> network with real weights; the test is skipped where they are not installed."""
    pytest.importorskip("spandrel")
    from upscale.load import load

    def get(name):
        try:
            return load(name)
        except LpError as error:
            pytest.skip(str(error))

    return get


class Blur(torch.nn.Module):
    """Doubles an image and mixes it with its neighbors, so that a tile without context would show."""

    def __init__(self, reach=3):
        super().__init__()
        self.convs = torch.nn.ModuleList(torch.nn.Conv2d(3, 3, 3, padding=1) for _ in range(reach))

    def forward(self, x):
        for conv in self.convs:
            x = torch.tanh(conv(x)) + 0.5 * x
        return torch.nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


@pytest.fixture(scope="session")
def double():
    """A network that repeats every pixel."""
    from upscale.load import Network

    return Network(
        torch.nn.Upsample(scale_factor=2.0), "double", 2, 0, supports_half=True, supports_bfloat16=True
    )


@pytest.fixture(scope="session")
def small():
    """A seeded network of scale 2 that reaches 3 pixels."""
    from upscale.load import Network

    torch.manual_seed(5)
    return Network(Blur().eval(), "small", 2, 3, supports_half=True, supports_bfloat16=True)
