"""How long a render is guessed to take: as long as finished shots of the same batch did, else a rule of thumb."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from lp_core.errors import MALFORMED

_FRAME_S = {"mesh": 0.03, "liveportrait": 0.8}
_MEGAPIXEL_S = {"mesh": 0.08, "liveportrait": 1.2}
"""Engine -> seconds for a frame, and more for each million of its pixels: a rule of thumb for two processor cores."""


def learnt_pace(records: Path) -> dict[str, float]:
    """Engine -> how many times the rule of thumb its finished shots took.

    Args:
        records: folder of the batch's work.
    """
    taken: dict[str, float] = defaultdict(float)
    guessed: dict[str, float] = defaultdict(float)
    for path in sorted(records.glob("*/shot.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            summary, size = record["summary"], record["size"]
            taken[summary["engine"]] += summary["seconds"]
            guessed[summary["engine"]] += estimate_s(summary["engine"], summary["frames"], (size[0], size[1]))
        except (OSError, *MALFORMED):
            continue  # a record of another version teaches nothing
    return {name: taken[name] / guessed[name] for name in taken if guessed[name] > 0 and taken[name] > 0}


def estimate_s(engine: str, frames: int, size: tuple[int, int], pace: float = 1.0) -> float:
    """Seconds for so many frames of a size."""
    frame_s = _FRAME_S.get(engine, 1.0) + _MEGAPIXEL_S.get(engine, 1.0) * size[0] * size[1] / 1e6
    return frames * frame_s * pace
