"""How well one 2-D map is for the LivePortrait engine's deformation of its feature volume.

    python benchmarks/liveportrait_map.py WEIGHTS

The volume is moved voxel by voxel; the map has one shift for all depths of a pixel. Printed, in pixels of the 512 crop:
how far the depths of a pixel are spread around the map's shift, and how much of the features' change the map explains:
the features moved by the map at every depth, against those moved by the whole deformation. WEIGHTS is a folder in the
official layout (``python -m lp_core.engines.liveportrait.synth FOLDER`` writes synthetic ones, whose figures mean
nothing but that it runs). Portrait: scikit-image's astronaut, moved by demo:expressive.
"""

from __future__ import annotations

import sys
from contextlib import closing
from fractions import Fraction

import numpy as np
import torch
from skimage import data
from torch.nn import functional

from lp_core.engines.liveportrait.dense_motion import identity_grid
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.networks import load_networks
from lp_core.engines.liveportrait.performance import CROP_PX
from lp_core.faces.open import open_analyzer
from lp_core.frame import Frame
from lp_core.motion.builtin import builtin_motion
from lp_core.settings import RenderSettings

FRAMES = (10, 40, 70, 100, 130)


def sampled(volume: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """The volume at a grid, as the warping module samples it."""
    return functional.grid_sample(volume, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def main() -> None:
    """Prints the table."""
    networks = load_networks(sys.argv[1])
    engine = LivePortraitEngine(RenderSettings(), networks)
    picture = np.ascontiguousarray(data.astronaut())
    with closing(open_analyzer(is_video=False)) as analyzer:
        face = analyzer.analyze(picture)[0]
    portrait = engine.prepare(Frame(picture, 0, Fraction(0)), face)
    motion = builtin_motion("expressive", rig="liveportrait21")
    print(f"weights: {networks.origin}")
    print("frame  shift px (mean, largest)  spread over depth px (rms)  change of features explained")
    for k in FRAMES:
        points = torch.from_numpy(engine.driven_points(portrait, motion.frame(k), motion.frame(0))[None])
        grid = networks.warp(portrait.warp, points).deformation
        still = identity_grid(tuple(grid.shape[1:4]), grid)
        shift = grid[0] - still
        mean = shift.mean(dim=0, keepdim=True)
        flat = shift.clone()
        flat[..., :2] = mean[..., :2]
        volume = portrait.warp.volume
        whole, by_map, before = (sampled(volume, g[None]) for g in (still + shift, still + flat, still))
        explained = 1 - (whole - by_map).square().sum() / (whole - before).square().sum().clamp(min=1e-12)
        size = mean[..., :2].norm(dim=-1) * (CROP_PX / 2)
        spread = (shift - mean)[..., :2].square().sum(dim=-1).mean().sqrt() * (CROP_PX / 2)
        print(f"{k:5d}  {size.mean():8.2f} {size.max():8.2f}  {spread:18.2f}  {100 * explained:18.1f} %")


if __name__ == "__main__":
    with torch.no_grad():
        main()
