"""The fixed network of the feature loss."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lp_core.errors import LicenseNotAccepted, ModelDamaged, ModelMissing, missing_extra
from lp_core.training.config import FREE_LICENSES, LossWeights
from lp_core.training.losses import RandomFeatures, relative_difference

TAPS = (1, 6, 11, 20, 29)
"""Layers of VGG19 after relu 1_1, 2_1, 3_1, 4_1 and 5_1."""


def features_of(weights: LossWeights) -> nn.Module:
    """The network that the configuration asks for.

    Raises:
        LicenseNotAccepted: its license is not known to allow commercial use, and the user has not said so.
        ModelMissing, ModelDamaged: its file is absent or holds something else.
        MissingDependency: torchvision is not installed.
    """
    if weights.perceptual == "random":
        return RandomFeatures()
    name = weights.perceptual_license or "not named"
    if name not in FREE_LICENSES and not weights.allow_restricted:
        raise LicenseNotAccepted(
            f"The license of the feature network is {name}; losses.perceptual_license names it, and unless it is "
            f"one of {', '.join(FREE_LICENSES)}, losses.allow_restricted = true takes it."
        )
    return Vgg(Path(weights.perceptual_file))


class Vgg(nn.Module):
    """VGG19 from torchvision's file of weights, which the user downloads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            models = import_module("torchvision.models")
        except ModuleNotFoundError as error:
            raise missing_extra("losses.perceptual = vgg19", "upscale") from error
        if not path.is_file():
            raise ModelMissing(
                f"losses.perceptual_file = '{path}' is not there; download torchvision's vgg19 weights."
            )
        network = models.vgg19(weights=None)
        try:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:
            raise ModelDamaged(
                f"{path} holds no weights of torchvision's vgg19; download it again."
            ) from error
        self.layers = network.features[: TAPS[-1] + 1].eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)

    def _found(self, image: Tensor) -> list[Tensor]:
        found, x = [], (image - self.get_buffer("mean")) / self.get_buffer("spread")
        for index, layer in enumerate(self.layers):
            x = functional.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
            if index in TAPS:
                found.append(x)
        return found

    def forward(self, drawn: Tensor, truth: Tensor) -> Tensor:
        """The loss of (B, 3, S, S) images, 0..1."""
        with torch.no_grad():
            wanted = self._found(truth)
        return relative_difference(self._found(drawn), wanted)
