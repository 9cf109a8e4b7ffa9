"""Encoding leaves the scheduling of the calling thread as it was."""

import os
import sys

import numpy as np
import pytest
from fakes.films import write_film

from lp_core.media.video.priority import scheduling_kept

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="scheduling policies are Linux's"
)


def now():
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


def test_a_changed_policy_is_restored():
    before = now()
    try:
        with scheduling_kept():
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pytest.skip("this user may not use real-time priorities")
    assert now() == before


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_encoding_keeps_the_priority(tmp_path, codec):
    before = now()
    write_film(tmp_path / "o.mp4", [np.zeros((256, 256, 3), np.uint8)] * 2, codec=codec)
    assert now() == before
