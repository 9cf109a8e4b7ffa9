"""Networks of the LivePortrait engine that compute something simple of the same shapes, in no time."""

from types import SimpleNamespace

import torch

from lp_core.engines.liveportrait.dense_motion import identity_grid
from lp_core.engines.liveportrait.motion_extractor import RawMotion
from lp_core.engines.liveportrait.table import LIVEPORTRAIT
from lp_core.engines.liveportrait.warping import Warped


def logits(degrees):
    """(1, 66) whose expectation is the angle."""
    bins = torch.arange(66) * 3 - 97.5
    return -((bins - degrees) ** 2)[None] / 18


class FakeNetworks:
    """M reads brightness as yaw and the middle's redness as expression; G shows the mean of W's key points.

    ``log`` keeps what each network was handed.
    """

    dtype = torch.float32

    def __init__(self, origin="synthetic", fail=0, model=LIVEPORTRAIT):
        self.origin, self.device, self.model = origin, torch.device("cpu"), model
        self.trained = None
        self.log = SimpleNamespace(pictures=[], driven=[], stitched=[], eyes=[], lips=[])
        self._fail = fail
        generator = torch.Generator().manual_seed(7)
        self._points = 0.4 * torch.randn(model.rig.keypoints, 3, generator=generator)

    def motion(self, image):
        self.log.pictures.append(image)
        count = len(image)
        assert image.shape == (count, 3, 256, 256)
        assert image.min() >= 0
        assert image.max() <= 1
        angles = 40 * (image.mean(dim=(1, 2, 3)) - 0.5)
        exp = torch.zeros(count, self._points.numel())
        exp[:, 60] = image[:, 0, 120:136, 120:136].mean(dim=(1, 2)) / 10
        return RawMotion(
            pitch=logits(2.0).expand(count, -1),
            yaw=torch.cat([logits(angle) for angle in angles]),
            roll=logits(-1.0).expand(count, -1),
            t=torch.tensor([[0.05, -0.1, 0.3]]).expand(count, -1),
            exp=exp,
            scale=torch.tensor([[1.4]]).expand(count, self.model.rig.scales),
            kp=self._points.reshape(1, -1).expand(count, -1),
        )

    def appearance(self, image):
        assert image.shape[2:] == (self.model.appearance_px,) * 2
        return image.mean().reshape(1, 1)

    def prepare_source(self, feature, kp_source):
        assert kp_source.shape == (1, *self._points.shape)
        return kp_source.float()

    def stacked(self, sources):
        return torch.cat(sources)

    def warp(self, source, kp_driving):
        if self._fail > 0:
            self._fail -= 1
            raise torch.OutOfMemoryError("planted")
        self.log.driven.append(kp_driving.numpy().copy())
        moved, count = kp_driving.float() - source, len(kp_driving)
        grid = identity_grid((2, 8, 8), moved)[None] - moved.mean(dim=1).reshape(count, 1, 1, 1, 3)
        return Warped(grid, torch.ones(count, 1, 8, 8), moved)

    def generator(self, feature):
        value = torch.sigmoid(5 * feature.mean(dim=1)).reshape(-1, 3, 1, 1)
        return value.expand(-1, 3, 512, 512).clone()

    def stitching(self, x):
        self.log.stitched.append(x.numpy().copy())
        return torch.cat([x[:, 63:] * 0, 0.25 * torch.ones(len(x), 2)], dim=1)

    def eye(self, x):
        self.log.eyes.append(x.numpy().copy())
        return torch.full((len(x), 63), 0.01) * x[:, -1:]

    def lip(self, x):
        self.log.lips.append(x.numpy().copy())
        return torch.full((len(x), 63), 0.1) * (x[:, -1:] - x[:, -2:-1])
