"""The ST map over whole clips: does it give the beauty, in every frame, through the filter that the render used?

    python benchmarks/st_map_clips.py --media ../shared/media --driving d10,d3 --portraits s9,s3

Every driving video drives every portrait at the portrait's own size, shading off. In each frame the portrait is sampled
where the ST map points, with the render's filter, and compared with the beauty where the matte is 1, without the inside
of the mouth. Printed: the percentage of pixels within 1/255, mean and least over the frames.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from ground_truth import given_values

from lp_core.assemble import assemble
from lp_core.engines.base import Animation, DrawRequest
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.engines.mesh.portrait import MeshPortrait
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.geometry.flow import st_map
from lp_core.geometry.sampling import Sampler
from lp_core.job import RenderJob
from lp_core.motion.sequence import MotionFrame
from lp_core.settings.render import RenderSettings
from lp_core.settings.table import with_values

LIPS = np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER[::-1]])


class JudgedEngine(MeshEngine):
    """The mesh engine, whose ST map is compared with its beauty in every frame."""

    def __init__(self, settings: RenderSettings) -> None:
        super().__init__(settings)
        self.shares: list[float] = []

    def animate_all(self, acts: Sequence[DrawRequest], reference: MotionFrame) -> list[Animation]:
        """As the engine does."""
        results = super().animate_all(acts, reference)
        for act, shown in zip(acts, results, strict=True):
            self._judge(act.portrait, shown)
        return results

    def _judge(self, portrait: MeshPortrait, shown: Animation) -> None:
        height, width = shown.pixels.shape[:2]
        uv = st_map(shown.region_flow, shown.region, (width, height), (0, 0, width, height))
        x = (uv[..., 0].astype(np.float64) * width - 0.5).astype(np.float32)
        y = (height - 0.5 - uv[..., 1].astype(np.float64) * height).astype(np.float32)
        found = Sampler(portrait.source.pixels).at(x, y, self._settings.mesh.filter)
        mouth = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mouth, [np.rint(shown.landmarks_frame[LIPS, :2]).astype(np.int32)], 1)
        side = 2 * max(round(portrait.radius_px / 60), 1) + 1
        mouth = cv2.dilate(mouth, np.ones((side, side), np.uint8))
        counted = (shown.matte == 1) & (mouth == 0)
        apart = np.abs(found.astype(np.int16) - shown.pixels).max(axis=2)[counted]
        self.shares.append(100 * float((apart <= 1).mean()))


def main() -> int:
    """Prints the table; exit status 1 where a frame is below 99.9."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True, help="folder with portraits/ and driving/")
    parser.add_argument("--driving", default="d0,d3,d10,d19,d20")
    parser.add_argument("--portraits", default="s9,s3")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a render setting")
    options = parser.parse_args()
    values = {"codec": "ffv1", "audio": "none", "overwrite": True, "calibration": "off"}
    given = given_values(options.set)
    settings = with_values(RenderSettings(), {**values, **given})
    print(f"{'pair':<9}{'frames':>7}{'mean':>9}{'least':>9}")
    least = 100.0
    for clip in options.driving.split(","):
        for still in options.portraits.split(","):
            portrait = next((options.media / "portraits").glob(f"{still}.*"))
            engine = JudgedEngine(settings)
            with tempfile.TemporaryDirectory() as folder:
                job = RenderJob(
                    str(portrait), str(options.media / "driving" / f"{clip}.mp4"), f"{folder}/o.mkv", settings
                )
                replace(assemble(job), engine=engine, helpers=None).run()
            shares = np.array(engine.shares)
            least = min(least, float(shares.min()))
            print(
                f"{clip + ' ' + still:<9}{len(shares):>7}{shares.mean():>9.3f}{shares.min():>9.3f}",
                flush=True,
            )
    return int(least < 99.9)


if __name__ == "__main__":
    sys.exit(main())
