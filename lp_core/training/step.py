"""One training step: networks and losses in one module, which data-parallel wrappers and checkpoints see as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lp_core.training import losses
from lp_core.training.config import LossWeights
from lp_core.training.discriminators import Discriminators
from lp_core.training.keypoints import MotionBatch, motion_batch, transformed
from lp_core.training.losses import Deformation
from lp_core.training.pairs import PairBatch
from lp_core.training.published import Folded, PublishedParameters

MOTION_TERMS = ("guide", "equivariance", "prior", "pose", "deformation", "canonical")
IMAGE_TERMS = ("l1", "means", "features", "face", "lips")
GAN_TERMS = ("gan", "matching")
TERMS = (*MOTION_TERMS, *IMAGE_TERMS, *GAN_TERMS, "anchor")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Generating(nn.Module):
    """F, M, W and G with the losses of the generator's side."""

    def __init__(
        self,
        published: PublishedParameters,
        weights: LossWeights,
        features: nn.Module,
        precision: str = "float32",
        checkpointing: bool = False,
    ) -> None:
        """Joins networks and losses.

        Args:
            published: the networks.
            weights: of the losses.
            features: (drawn, truth) -> loss, a fixed network.
            precision: of F, W and G, a key of DTYPES.
            checkpointing: W and G are computed again in the backward pass.
        """
        super().__init__()
        self.published, self.features = published, features
        self._weights, self._dtype, self._checkpointing = weights, DTYPES[precision], checkpointing
        base = {
            name: parameter.detach().clone()
            for name, parameter in published.named_parameters()
            if parameter.requires_grad and weights.anchor > 0
        }
        self._base: Mapping[str, Tensor] = base

    def forward(self, pair: PairBatch, draws: bool, judge: Discriminators | None = None) -> dict[str, Tensor]:
        """The weighted losses of a batch, their sum as ``total``, and the drawn images where there are any.

        Args:
            pair: the batch.
            draws: False: the losses of M alone.
            judge: the discriminators, where they take part.
        """
        count = len(pair.source)
        deformation = Deformation(pair.affine, pair.bends)
        has_motion = any(getattr(self._weights, name) for name in (*MOTION_TERMS, "guide_drawn"))
        images = [pair.source, pair.driving]
        if self._weights.equivariance:
            images.append(deformation.image(pair.driving))
        motion = motion_batch(self.published.motion(torch.cat(images)))
        source, driving = motion.part(0, count), motion.part(count, 2 * count)
        points = [transformed(source.canonical, state) for state in (source, driving)]
        found: dict[str, Tensor] = {}
        if has_motion:
            deformed = (
                transformed(source.canonical, motion.part(2 * count, 3 * count)) if len(images) > 2 else None
            )
            guided = self._weights.guide_drawn if draws else self._weights.guide
            found |= self._motion_losses(pair, source, driving, points, (deformed, deformation), guided)
        if draws:
            drawn = self._drawn(pair.source, points)
            found |= self._image_losses(pair, drawn)
            if judge is not None:
                found |= self._judged(pair, drawn, judge)
            found["drawn"] = drawn
        if self._base:
            found["anchor"] = self._weights.anchor * self._distance()
        found["total"] = torch.stack([value for name, value in found.items() if name in TERMS]).sum()
        return found

    def _motion_losses(
        self,
        pair: PairBatch,
        source: MotionBatch,
        driving: MotionBatch,
        points: list[Tensor],
        deformed: tuple[Tensor | None, Deformation],
        guided: float,
    ) -> dict[str, Tensor]:
        w = self._weights
        both = torch.stack([source.degrees, driving.degrees])
        marks = [pair.source_marks, pair.driving_marks]
        found = {
            "guide": guided * losses.guide(points, marks, w.guide_width, w.guide_curve),
            "prior": w.prior
            * torch.stack([losses.prior(kp, w.prior_distance, w.prior_depth) for kp in points]).mean(),
            "pose": w.pose * losses.pose(both, pair.degrees),
            "deformation": w.deformation * torch.cat([source.expression, driving.expression]).abs().mean(),
            "canonical": w.canonical * (source.canonical - driving.canonical).abs().mean(),
        }
        if deformed[0] is not None:
            found["equivariance"] = w.equivariance * losses.equivariance(points[1], deformed[0], deformed[1])
        return found

    def _drawn(self, image: Tensor, points: list[Tensor]) -> Tensor:
        folded = self.published.folded()  # in float32: the estimates of spectral norms need it
        with self._autocast(image.device):
            feature = self.published.appearance(folded, image)
            if not self._checkpointing:
                return self._rendered(folded, feature, points[0], points[1])
            result: Tensor = checkpoint(
                lambda f, s, d: self._rendered(folded, f, s, d),
                feature,
                points[0],
                points[1],
                use_reentrant=False,
            )
            return result

    def _rendered(self, folded: Folded, feature: Tensor, source: Tensor, driving: Tensor) -> Tensor:
        return self.published.draw(folded, self.published.warp(folded, feature, source, driving).out)

    def _autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        if self._dtype == torch.float32:
            return nullcontext()
        return torch.autocast(device.type, self._dtype)

    def _image_losses(self, pair: PairBatch, drawn: Tensor) -> dict[str, Tensor]:
        w = self._weights
        difference = (drawn - pair.truth).abs()
        return {
            "l1": w.l1 * difference.mean(),
            "means": w.means * losses.means_loss(drawn, pair.truth),
            "features": w.features * self.features(drawn, pair.truth),
            "face": w.face * losses.area_loss(difference, pair.face),
            "lips": w.lips * losses.area_loss(difference, pair.lips),
        }

    def _judged(self, pair: PairBatch, drawn: Tensor, judge: Discriminators) -> dict[str, Tensor]:
        w = self._weights
        scores, features = judge(drawn, pair.driving_marks)
        with torch.no_grad():
            _, real = judge(pair.truth, pair.driving_marks)
        return {
            "gan": w.gan * losses.hinge_of_generator(scores),
            "matching": w.matching * losses.matching(real, features),
        }

    def _distance(self) -> Tensor:
        current = dict(self.published.named_parameters())
        parts = [(current[name] - start).square().sum() for name, start in self._base.items()]
        return torch.stack(parts).sum()


class Judging(nn.Module):
    """The discriminators with their loss."""

    def __init__(self, discriminators: Discriminators) -> None:
        super().__init__()
        self.discriminators = discriminators

    def forward(self, truth: Tensor, drawn: Tensor, marks: Tensor) -> Tensor:
        """The hinge loss of real and drawn images (B, 3, S, S); the drawn ones carry no gradient."""
        real, _ = self.discriminators(truth, marks)
        fake, _ = self.discriminators(drawn.detach(), marks)
        return losses.hinge_of_discriminator(real, fake)
