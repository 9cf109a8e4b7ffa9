"""What laying a 512 crop back into a UHD float frame costs, next to blends of the whole frame.

    python benchmarks/compose.py

Times are the median of 30 runs after 5 for warming up; OpenCV uses two threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np

from lp_core.geometry.paste import feather_mask, paste_into, place_of

WIDTH, HEIGHT, CROP = 3840, 2160, 512
RUNS, WARM_UP = 30, 5
THREADS = 2


def timed_ms(work: Callable[[], object]) -> float:
    """Median time of a call."""
    times = []
    for _ in range(WARM_UP + RUNS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return median(times[WARM_UP:])


def main() -> None:
    """Prints the table."""
    cv2.setNumThreads(THREADS)
    rng = np.random.default_rng(1)
    frame = rng.random((HEIGHT, WIDTH, 3), np.float32)
    crop = rng.random((CROP, CROP, 3), np.float32)
    print(f"{WIDTH}x{HEIGHT} float32 RGB, crop {CROP}x{CROP}, {THREADS} threads")
    for scale, angle in ((1.0, 0.0), (1.0, 0.2), (2.0, 0.1)):
        turned = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        frame_from_crop = np.eye(3)
        frame_from_crop[:2, :2] = turned
        frame_from_crop[:2, 2] = np.array([WIDTH, HEIGHT]) / 2 - turned @ (CROP / 2, CROP / 2)
        place = place_of(frame_from_crop, feather_mask(CROP), WIDTH, HEIGHT)
        print(
            f"  paste-back, crop {scale:g}x as large in the frame, turned {np.degrees(angle):.0f} deg, region "
            f"{place.weight.shape[1]}x{place.weight.shape[0]}: "
            f"{timed_ms(lambda place=place: paste_into(frame, crop, place)):.1f} ms"
        )
    whole, weight = rng.random(frame.shape, np.float32), rng.random((HEIGHT, WIDTH, 1), np.float32)
    print(
        f"  a plain float blend of the whole frame: {timed_ms(lambda: blended(frame, whole, weight)):.1f} ms"
    )
    shown = (frame * 255).astype(np.uint8)
    whole8 = (whole * 255).astype(np.uint8)
    print(
        f"  the same of 8-bit frames, cut back to 8 bits: {timed_ms(lambda: cut(shown, whole8, weight)):.1f} ms"
    )
    print(f"  a copy of the whole float frame: {timed_ms(frame.copy):.1f} ms")


def blended(low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Every pixel mixed in float."""
    return low + weight * (high - low)


def cut(low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Every pixel mixed in float and rounded down to 8 bits."""
    return np.clip(weight * high + (1 - weight) * low, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
