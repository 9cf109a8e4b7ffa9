"""How sharp a part of an image is."""

import cv2
import numpy as np

from lp_core.geometry.sharpness import sharpness
from lp_core.motion.reliability import SHARP


def test_blur_lowers_it_and_contrast_and_size_do_not(astronaut):
    box = (150, 60, 300, 220)
    sharp = sharpness(astronaut, box)
    assert sharp > SHARP[0]
    assert sharpness((astronaut // 2 + 60).astype(np.uint8), box) > 0.8 * sharp
    twice = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    assert sharpness(twice, tuple(2 * side for side in box)) > 0.7 * sharp
    blurred = cv2.GaussianBlur(np.asarray(astronaut), (0, 0), 6)
    assert sharpness(blurred, box) < SHARP[0]
    assert sharpness(cv2.GaussianBlur(blurred, (0, 0), 10), box) < SHARP[1]


def test_nothing_to_see(astronaut):
    assert sharpness(astronaut, (600, 0, 700, 50)) == 0
    assert sharpness(np.zeros((50, 50, 3), np.uint8), (0, 0, 50, 50)) == 0
