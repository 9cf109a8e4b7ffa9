"""The guided filter."""

import numpy as np
import pytest

from lp_core.geometry.guided_filter import guided_filter


@pytest.mark.parametrize("is_fast", [False, True])
def test_a_blurred_edge_becomes_the_guides_edge(is_fast):
    guide = np.zeros((40, 60), np.float32)
    guide[:, 30:] = 1
    soft = np.clip((np.arange(60, dtype=np.float32) - 24) / 12, 0, 1)[None, :].repeat(40, axis=0)
    got = guided_filter(guide, soft, 8, 1e-4, is_fast)
    assert got[:, 20:29].max() < 0.25
    assert got[:, 31:40].min() > 0.75


@pytest.mark.parametrize("is_fast", [False, True])
def test_a_smooth_guide_smooths(rng, is_fast):
    noise = rng.random((40, 40)).astype(np.float32)
    got = guided_filter(np.full((40, 40), 0.5, np.float32), noise, 6, 1e-3, is_fast)
    assert got.std() < 0.1 * noise.std()
