"""The least-squares affine map."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lp_core.geometry.affine import fit_affine


@given(st.integers(0, 2**32 - 1), st.integers(3, 40))
def test_a_planted_map_is_found(seed, count):
    rng = np.random.default_rng(seed)
    planted = rng.normal(0, 2, (2, 3))
    points = np.concatenate([[[0, 0], [50, 0], [0, 50]], rng.uniform(-100, 100, (count - 3, 2))])
    moved = points @ planted[:, :2].T + planted[:, 2]
    assert np.allclose(fit_affine(points, moved), planted, atol=1e-9)


def test_noise_is_averaged(rng):
    points = rng.uniform(-100, 100, (4000, 2))
    found = fit_affine(points, points + rng.normal(0, 1, points.shape))
    assert np.allclose(found, [[1, 0, 0], [0, 1, 0]], atol=0.1)
