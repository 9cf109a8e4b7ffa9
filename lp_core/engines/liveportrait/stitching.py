"""S: the three small networks on key points: stitching, eye and lip retargeting."""

from __future__ import annotations

from torch import Tensor, nn


class KeypointMlp(nn.Module):
    """Linear layers with ReLU between them, none after the last; keys ``mlp.0``, ``mlp.2``, ..."""

    def __init__(self, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.mlp = nn.Sequential()
        for size_in, size_out in zip(layers, layers[1:], strict=False):
            if len(self.mlp):
                self.mlp.append(nn.ReLU())
            self.mlp.append(nn.Linear(size_in, size_out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in) -> (B, out), where the layers' weights are and in their precision."""
        result: Tensor = self.mlp(x)
        return result
