"""The lips of a filmed face at rest, in the LivePortrait rig; see ``lp_core.motion.landmarks.resting``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from lp_core.motion.implicit.motion import F64, ImplicitMotion
from lp_core.motion.implicit.regions import LIP_MASK

REST_QUANTILE = 0.2
"""Part of a plate's frames whose lips are less open than at rest."""
MOST_FACES = 256
"""Faces that are read."""

T = TypeVar("T")


def spread_over(seen: Iterable[T], keep: Callable[[T], None], most: int = MOST_FACES) -> None:
    """Hands on items from a stream of unknown length: all of the first ``most``, then fewer and fewer."""
    stride, kept = 1, 0
    for index, item in enumerate(seen):
        if index % stride == 0:
            keep(item)
            kept += 1
            if kept % most == 0:
                stride *= 2


def resting_expression(states: list[ImplicitMotion], lips: list[float]) -> F64:
    """(21, 3) mean expression of the third of the frames whose lips are nearest to rest.

    Args:
        states: at least one.
        lips: lip openness of each.
    """
    openness = np.array(lips)
    rest = np.quantile(openness, REST_QUANTILE)
    nearest = np.argsort(np.abs(openness - rest), kind="stable")[: max(len(states) // 3, 1)]
    found: F64 = np.mean([states[index].expression for index in nearest], axis=0)
    return found


def at_rest(state: ImplicitMotion, resting: F64) -> ImplicitMotion:
    """A state with the lips of a (21, 3) expression at rest."""
    return replace(state, expression=np.where(LIP_MASK, resting, state.expression))
