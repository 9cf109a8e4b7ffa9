"""Runs an upscaling network with OpenVINO on a processor: several times PyTorch's speed in bf16."""

from __future__ import annotations

import sys
import warnings
from collections import Counter

import numpy as np
import torch

from lp_core.errors import missing_extra
from upscale.load import Network
from upscale.upscaler import Run

# OpenVINO reports its use to its makers as soon as it is imported; where the reporting package is absent it does
# without. Nothing of ours is sent anywhere, so it is made absent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

try:
    import openvino
except ImportError as error:
    raise missing_extra("The upscaler's backend openvino", "cpu", "choose --backend torch") from error

_PRECISIONS = {torch.float32: "f32", torch.bfloat16: "bf16"}

REPAYS = 4
"""Images of one size after which a network compiled for that size alone repays the second that takes."""
FIXED_SIZES = 4
"""Most sizes compiled for; each holds about 100 MB of x4plus."""


def openvino_run(network: Network, dtype: torch.dtype) -> Run:
    """Runs the network with OpenVINO on the processor.

    Sizes may vary from image to image; one that returns (``REPAYS``) gets a network compiled for it alone, which is
    about a tenth quicker.

    Args:
        network: converted once.
        dtype: float32 or bfloat16 (where the processor has it; else OpenVINO computes in float32).
    """
    shape, example = openvino.PartialShape([1, 3, -1, -1]), torch.zeros(1, 3, 8, 8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.jit.trace is deprecated, and what OpenVINO converts by
        traced = torch.jit.trace(network.module.float(), example, check_trace=False)  # type: ignore[no-untyped-call]
        model = openvino.convert_model(traced, example_input=example, input=[shape])
    options = {"INFERENCE_PRECISION_HINT": _PRECISIONS.get(dtype, "f32"), "PERFORMANCE_HINT": "LATENCY"}
    core = openvino.Core()
    any_size = core.compile_model(model, "CPU", options)
    seen: Counter[torch.Size] = Counter()
    fixed: dict[torch.Size, openvino.CompiledModel] = {}

    def run(part: torch.Tensor) -> torch.Tensor:
        size = part.shape
        seen[size] += 1
        if seen[size] == REPAYS and len(fixed) < FIXED_SIZES:
            own = model.clone()
            own.reshape(list(size))
            fixed[size] = core.compile_model(own, "CPU", options)
        result = fixed.get(size, any_size)(np.ascontiguousarray(part.numpy()))[0]
        return torch.from_numpy(np.array(result, np.float32))

    return run
