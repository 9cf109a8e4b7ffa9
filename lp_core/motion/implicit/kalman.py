"""The published pipeline's smoother: a Kalman filter forwards, a Rauch-Tung-Striebel pass backwards.

State and observation are the smoothed numbers themselves and every covariance is a multiple of the
identity, so one scalar recursion serves all components. The smoother needs the whole sequence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.errors import SettingError

PROCESS_VARIANCE = 1e-5
"""How much a component may drift from one frame to the next."""
OBSERVATION_VARIANCE = 3e-7
"""How far one reading may be off, by default; larger is smoother."""


def kalman_smooth(
    sequence: NDArray[Any], observation_variance: float = OBSERVATION_VARIANCE
) -> NDArray[np.float64]:
    """Smooths every component of a sequence along its first axis.

    Args:
        sequence: (N, ...) at least one frame.
        observation_variance: positive.

    Returns:
        (N, ...) float64.

    Raises:
        SettingError: the sequence is empty or the variance is not positive.
    """
    if len(sequence) == 0:
        raise SettingError("An empty sequence cannot be smoothed; give at least one frame.")
    if not observation_variance > 0:
        raise SettingError(f"The observation variance is {observation_variance}; it must be positive.")
    readings = np.asarray(sequence, np.float64)
    filtered = np.empty_like(readings)
    variances = np.empty(len(readings))
    guess, uncertainty = readings[0], 1.0
    for t, reading in enumerate(readings):
        gain = uncertainty / (uncertainty + observation_variance)
        filtered[t] = guess = guess + gain * (reading - guess)
        variances[t] = (1.0 - gain) * uncertainty
        uncertainty = variances[t] + PROCESS_VARIANCE
    smoothed = filtered.copy()
    for t in range(len(readings) - 2, -1, -1):
        pull = variances[t] / (variances[t] + PROCESS_VARIANCE)
        smoothed[t] += pull * (smoothed[t + 1] - filtered[t])
    return smoothed
