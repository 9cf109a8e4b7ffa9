"""W and G on a processor by OpenVINO.

OpenVINO samples no volumes, so W is taken apart: its hourglass, its heads and its convolution after the sampling are
compiled, all geometry stays with PyTorch. G is compiled whole. Each size of batch has a separate compiled network.
"""

from __future__ import annotations

import sys
import warnings
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lp_core.engines.liveportrait.networks import Networks
from lp_core.errors import SettingError, missing_extra

# OpenVINO reports its use to its makers as soon as it is imported; where the reporting package is absent it does
# without. Nothing of ours is sent anywhere, so it is made absent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

try:
    import openvino
except ImportError as error:
    raise missing_extra("Running the networks by OpenVINO", "cpu") from error

PARTS = ("dense_motion_network.hourglass", "dense_motion_network.heads.slices", "third")
"""Parts of W that are compiled; they are more than 99 % of its work."""
PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}


class OpenVinoModule(nn.Module):
    """A module with one input and one output, run by OpenVINO; a copy of it is the module itself again."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        """Wraps a module; it is compiled at the first input of each size.

        Args:
            module: on the processor.
            dtype: precision to compute in, a key of PRECISIONS, and of the result unless it is float32 by itself.
        """
        super().__init__()
        self._original = [module]  # not a submodule: its weights are OpenVINO's now
        self._hint = PRECISIONS[dtype]
        self._ready: dict[tuple[int, ...], Any] = {}

    def forward(self, x: Tensor) -> Tensor:
        """What the module gives; contiguous."""
        size = tuple(x.shape)
        run = self._ready.get(size)
        if run is None:
            run = self._ready[size] = self._compiled(size)
        found = run(np.ascontiguousarray(x.float().numpy()))[0]
        return torch.from_numpy(np.array(found, np.float32)).to(x.dtype)

    def _compiled(self, size: tuple[int, ...]) -> Any:  # noqa: ANN401 - OpenVINO's compiled model
        plain = deepcopy(self._original[0]).float().eval()
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch.jit.trace is deprecated, and what OpenVINO converts by
            example = torch.zeros(size)
            traced = torch.jit.trace(plain, example, check_trace=False)  # type: ignore[no-untyped-call]
            model = openvino.convert_model(traced, example_input=example, input=[list(size)])
        options = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        return openvino.Core().compile_model(model, "CPU", options)

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Module:
        return deepcopy(self._original[0], memo)


def by_openvino(networks: Networks) -> Networks:
    """The same networks, W and G run by OpenVINO; W is changed in place.

    Raises:
        SettingError: they are not on the processor, or in a precision that OpenVINO does not compute in there.
    """
    if networks.device.type != "cpu" or networks.dtype not in PRECISIONS:
        raise SettingError(
            "OpenVINO runs the networks on processors in fp32 or bf16; use these with --device cpu."
        )
    for name in PARTS:
        part = networks.warping_module.get_submodule(name)
        networks.warping_module.set_submodule(name, OpenVinoModule(part, networks.dtype))
    generator: Any = OpenVinoModule(networks.spade_generator, networks.dtype)
    return replace(networks, spade_generator=generator)
