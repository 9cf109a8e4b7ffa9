"""Sizes of the LivePortrait networks: the published ones are the defaults, tests build tiny ones."""

from __future__ import annotations

from dataclasses import dataclass

KEYPOINTS = 21
"""Implicit key points of a face."""
POSE_BINS = 66
"""Classes of the three pose heads."""
CROP_SIZE = 256
"""Side of the image that F and M read."""


@dataclass(frozen=True)
class AppearanceConfig:
    """F, the appearance feature extractor."""

    base_channels: int = 64
    """Channels after the first block."""
    down_blocks: int = 2
    """Blocks that halve the image and double the channels."""
    max_channels: int = 512
    """Ceiling of the channels."""
    volume_channels: int = 32
    """Channels of the feature volume."""
    depth: int = 16
    """Depth slices of the feature volume."""
    resblocks: int = 6
    """Residual blocks over the volume."""


@dataclass(frozen=True)
class TransformerConfig:
    """F with a vision transformer in front (PerformRecast): patches, pre-norm blocks, then the same volume."""

    patch: int = 16
    """Side of a patch in pixels."""
    width: int = 768
    """Numbers of a token."""
    blocks: int = 12
    """Transformer blocks."""
    heads: int = 12
    """Attention heads."""
    hidden: int = 3072
    """Width inside the blocks' MLP."""
    tokens: int = 32
    """Patches along a side of the input."""
    stored_tokens: int = 14
    """Patches along a side that positions are stored for."""
    volume_channels: int = 32
    """Channels of the feature volume."""
    depth: int = 16
    """Depth slices of the feature volume."""
    resblocks: int = 6
    """Residual blocks over the volume."""


@dataclass(frozen=True)
class MotionConfig:
    """M, the motion extractor: ConvNeXt V2 tiny and its heads."""

    depths: tuple[int, ...] = (3, 3, 9, 3)
    """Blocks of every stage."""
    widths: tuple[int, ...] = (96, 192, 384, 768)
    """Channels of every stage."""
    keypoints: int = KEYPOINTS
    """Key points of the kp and exp heads."""
    scales: int = 1
    """Numbers of the head's size."""
    bins: int = POSE_BINS
    """Classes of the pitch, yaw and roll heads."""


@dataclass(frozen=True)
class WarpingConfig:
    """W, the warping module with its dense motion network."""

    volume_channels: int = 32
    """Channels of the feature volume."""
    depth: int = 16
    """Depth slices of the feature volume."""
    keypoints: int = KEYPOINTS
    """Key points, so candidates are one more."""
    compressed_channels: int = 4
    """Channels of the volume that is sampled at every candidate flow."""
    hourglass_channels: int = 32
    """Channels of the hourglass's last up-block."""
    hourglass_blocks: int = 5
    """Down-blocks, and as many up-blocks."""
    max_channels: int = 1024
    """Ceiling of the hourglass's channels."""
    variance: float = 0.01
    """Variance of the heat maps' Gaussians, in squared grid units."""
    out_channels: int = 256
    """Channels of the warped feature."""

    @property
    def candidates(self) -> int:
        """Candidate flows: the background and one a key point."""
        return self.keypoints + 1

    @property
    def hourglass_in(self) -> int:
        """Channels into the hourglass: heat map and compressed volume of every candidate."""
        return self.candidates * (1 + self.compressed_channels)

    @property
    def hourglass_out(self) -> int:
        """Channels out of the hourglass: its last up-block's and its input's."""
        return self.hourglass_channels + self.hourglass_in

    def hourglass_width(self, level: int) -> int:
        """Channels of the hourglass ``level`` halvings below its input."""
        return min(self.max_channels, self.hourglass_channels << level)


@dataclass(frozen=True)
class GeneratorConfig:
    """G, the SPADE generator."""

    label_channels: int = 256
    """Channels of the warped feature, which is also every SPADE's label map."""
    channels: int = 512
    """Channels of the middle blocks."""
    shared_channels: int = 128
    """Hidden channels of every SPADE."""
    middle_blocks: int = 6
    """Residual blocks at the label map's resolution."""
    up_channels: tuple[int, int] = (256, 64)
    """Channels after the two up-sampling blocks."""
    shuffle: int = 2
    """Factor of the last pixel shuffle."""


STITCHING_LAYERS = (126, 128, 128, 64, 65)
"""Layer sizes of the stitching MLP."""
EYE_LAYERS = (66, 256, 256, 128, 128, 64, 63)
"""Layer sizes of the eye retargeting MLP."""
LIP_LAYERS = (65, 128, 128, 64, 63)
"""Layer sizes of the lip retargeting MLP."""
