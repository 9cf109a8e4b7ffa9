"""Which jobs wait for each other."""

import pytest

from lp_core.job import RenderJob
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

pytest.importorskip("fastapi", reason="the extra worker is not installed")
from lp_core.worker.job_kinds import lane_of_job


@pytest.mark.parametrize(
    ("source", "frames", "lane"),
    [
        ("/p.%04d.exr 1001-1100", None, "cpu"),
        ("/p.%04d.exr 1001-1001", None, "cpu, single frames"),
        ("/p.png", "7-7", "cpu, single frames"),
        ("/p.mp4", "0-24", "cpu"),
        ("/p.mp4", None, "cpu"),
    ],
)
def test_a_single_frame_does_not_wait_behind_whole_shots(source, frames, lane):
    settings = with_values(RenderSettings(), {"engine": "mesh", "frames": frames})
    assert lane_of_job(RenderJob(source, "demo:nod", "/o.%04d.exr", settings)) == lane
