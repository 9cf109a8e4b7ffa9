"""The rules of the recordings' inputs at the seed of the stored recordings."""

from functools import partial
from pathlib import Path

from parity_arrays import rules

SEED = 20240703
HERE = Path(__file__).resolve().parent

image = partial(rules.image, SEED)
noise = partial(rules.noise, SEED)


def network_input(*labels):
    """(B, 3, 256, 256) float32 tensor of test images, 0..1."""
    return rules.as_input([image(label) for label in labels])
