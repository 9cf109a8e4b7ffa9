"""Kills a worker with SIGKILL at random moments of jobs of all kinds and compares every result with an undisturbed run.

    python benchmarks/kills.py [--kills 200] [--seed 1]
        [--kinds video,sequence,extract,upscale,batch,say,scenes,talk,lipsync]

Prints where the kills fell, and every job that was lost, failed, or has other bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.kill_campaign import Campaign, kinds, make_stage  # noqa: E402


def main() -> None:
    """Shares the kills out among the kinds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--kinds", default=",".join(kinds()))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = options.kinds.split(",")
    os.environ["LPSUITE_SPEECH_CACHE"] = "off"  # so that every job speaks
    from skimage import data

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        campaign = Campaign(folder, make_stage(folder / "stage", data.astronaut()), options.seed)
        start = time.monotonic()
        for number, kind in enumerate(names):
            share = options.kills // len(names) + (number < options.kills % len(names))
            before = campaign.kills, campaign.jobs
            while campaign.kills - before[0] < share and not campaign.faults:
                campaign.run(kind, share - (campaign.kills - before[0]))
            made, jobs = campaign.kills - before[0], campaign.jobs - before[1]
            print(f"{kind}: {made} kills in {jobs} jobs, {time.monotonic() - start:.0f} s", flush=True)
        for place, count in sorted(campaign.moments.items()):
            print(f"  {place}: {count}")
        for fault in campaign.faults:
            print(fault)
        print(
            f"{campaign.kills} kills, {campaign.jobs} jobs: {'all identical' if not campaign.faults else 'FAULTS'}"
        )
    sys.exit(1 if campaign.faults else 0)


if __name__ == "__main__":
    main()
