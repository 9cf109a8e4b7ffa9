"""The rules of the recordings' inputs: test pictures and noise from a seed, the same bits everywhere."""

from pathlib import Path

import numpy as np

from lp_core.engines.liveportrait.synth import uniform

SEED = 20240703
HERE = Path(__file__).resolve().parent
OCTAVES = ((4, 1.0), (8, 0.7), (16, 0.5), (32, 0.35), (64, 0.25))  # nodes a side, amplitude


def _taps(size, nodes):
    position = np.arange(size, dtype=np.float64) * ((nodes - 1) / max(size - 1, 1))
    low = np.minimum(position.astype(np.int64), nodes - 2)
    return low, position - low


def _stretched(grid, height, width):
    (y, fy), (x, fx) = _taps(height, grid.shape[0]), _taps(width, grid.shape[1])
    fy, fx = fy[:, None, None], fx[None, :, None]
    top = grid[y][:, x] * (1.0 - fx) + grid[y][:, x + 1] * fx
    bottom = grid[y + 1][:, x] * (1.0 - fx) + grid[y + 1][:, x + 1] * fx
    return top * (1.0 - fy) + bottom * fy


def image(label, height=256, width=256):
    """A smooth-to-detailed random picture, (height, width, 3) uint8."""
    total = np.zeros((height, width, 3))
    for nodes, amplitude in OCTAVES:
        grid = uniform(SEED, f"image:{label}:{nodes}", (nodes, nodes, 3))
        total = total + amplitude * _stretched(grid, height, width)
    return np.floor(np.clip(127.5 + 48.0 * total, 0.0, 255.0) + 0.5).clip(0, 255).astype(np.uint8)


def network_input(*labels):
    """(B, 3, 256, 256) float32 tensor of test pictures, 0..1."""
    import torch

    stack = np.stack([image(label) for label in labels]).astype(np.float32) / 255
    return torch.from_numpy(stack).permute(0, 3, 1, 2).contiguous()


def noise(label, shape, gain=1.0):
    """Flat noise as a float32 tensor."""
    import torch

    return torch.from_numpy((gain * uniform(SEED, label, shape)).astype(np.float32).reshape(shape))
