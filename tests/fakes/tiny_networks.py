"""W and G of tiny sizes with random weights; run as a program it holds the compiled ones against the plain.

The compiler leaves threads and warnings behind, so that check has a separate process::

    python tests/fakes/tiny_networks.py cuda
"""

import sys
from dataclasses import replace

import torch

from lp_core.engines.liveportrait.config import GeneratorConfig, WarpingConfig
from lp_core.engines.liveportrait.generator import Generator
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.warping import WarpingModule
from lp_core.engines.liveportrait.weights import compilation_errors, compiled

WARPING = WarpingConfig(
    volume_channels=3, depth=4, compressed_channels=2, hourglass_channels=4, hourglass_blocks=3,
    max_channels=16, out_channels=8,
)  # fmt: skip
GENERATOR = GeneratorConfig(
    label_channels=8, channels=16, shared_channels=5, middle_blocks=2, up_channels=(8, 4)
)
TOLERANCE = 2e-5


def tiny_networks(device, generator_config=GENERATOR):
    """W and G alone."""
    torch.manual_seed(3)
    warping, generator = WarpingModule(WARPING), Generator(generator_config)
    for network in (warping, generator):
        network.to(device).eval().requires_grad_(False)
    parts = [None, None, warping, generator, {}]
    return Networks(*parts, device=torch.device(device), dtype=torch.float32, origin="synthetic")


def prepared(networks, count):
    """So many sources."""
    features = torch.randn(count, 3, 4, 16, 16)
    points = torch.rand(count, 21, 3) - 0.5
    return [networks.prepare_source(features[i : i + 1], points[i : i + 1]) for i in range(count)]


def drawn(networks, source, points):
    """(images, deformations) on the CPU."""
    warped = networks.warp(source, points)
    return networks.generator(warped.out).cpu(), warped.deformation.cpu()


def compiled_difference(device, batch=2):
    """Largest difference between compiled and plain networks; one middle block, for each is compiled alike."""
    networks = tiny_networks(device, replace(GENERATOR, middle_blocks=1))
    (source,) = prepared(networks, 1)
    points = torch.rand(batch, 21, 3) - 0.5
    wanted = drawn(networks, source, points)
    with compilation_errors():
        got = drawn(compiled(networks), source, points)
    return max(float((a - b).abs().max()) for a, b in zip(got, wanted, strict=True))


if __name__ == "__main__":
    difference = compiled_difference(sys.argv[1])
    print(f"compiled on {sys.argv[1]}: {difference:.1e}")  # noqa: T201
    sys.exit(difference > TOLERANCE)
