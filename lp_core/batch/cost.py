"""How long a render is guessed to take; a guess for planning, told as such."""

from __future__ import annotations

SECONDS_A_MEGAPIXEL = {"mesh": 0.08, "liveportrait": 1.2}
"""Engine -> seconds for a frame of a million pixels on two processor cores; a plan says that it guesses."""
_SECONDS_A_FRAME = {"mesh": 0.03, "liveportrait": 0.8}


def estimate_s(engine: str, frames: int, size: tuple[int, int]) -> float:
    """Seconds for so many frames of a size."""
    megapixels = size[0] * size[1] / 1e6
    frame_s = _SECONDS_A_FRAME.get(engine, 1.0) + SECONDS_A_MEGAPIXEL.get(engine, 1.0) * megapixels
    return round(frames * frame_s, 1)
