"""What it costs to do the worker's jobs in separate processes (lpsuite serve --contain).

    python benchmarks/contained.py [--rounds 7] [--frames 120] [--kinds video,extract]

The same jobs, in turn in this process and in another one. Prints the time of the first job, which loads the libraries,
and the median of those after it, with the ratio of pairs and its spread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes import kill_campaign  # noqa: E402

from lp_core.worker.allowed_folders import Folders  # noqa: E402
from lp_core.worker.events import Hub  # noqa: E402
from lp_core.worker.job_kinds import job_kinds  # noqa: E402
from lp_core.worker.job_runner import JobRunner  # noqa: E402
from lp_core.worker.job_store import JobStore  # noqa: E402
from lp_core.worker.lane_processes import LaneProcesses  # noqa: E402


class Bench:
    """A table of jobs and who does them."""

    def __init__(self, folder: Path, folders: Folders, is_contained: bool) -> None:
        folder.mkdir()
        self.store, self.kinds = JobStore(folder / "jobs.sqlite3"), job_kinds(folders)
        self.processes = LaneProcesses(folder / "lanes", folders.roots) if is_contained else None
        do = None if self.processes is None else self.processes.do
        self.lanes = JobRunner(self.store, Hub(), self.kinds, folder / "jobs", do)

    def time(self, kind: str, stage: Path, output: Path) -> float:
        """Seconds of one job."""
        request = kill_campaign.request_of(kind, stage, output)
        accepted = self.kinds[request.kind].accept(request)
        start = time.perf_counter()
        self.store.add(output.name, request.kind, accepted.lane, 0, accepted.output, accepted.parameters)
        self.lanes.wake(accepted.lane)
        while not (row := self.store.get(output.name)).has_ended:
            time.sleep(0.001)
        if row.state != "done":
            raise SystemExit(str(row.error))
        return time.perf_counter() - start

    def close(self) -> None:
        """Ends it."""
        self.lanes.close()
        if self.processes is not None:
            self.processes.close()
        self.store.close()


def compared(kind: str, rounds: int, times: Callable[[str, bool], float]) -> None:
    """Times jobs of a kind in turn and prints a line."""
    first = [times(kind, False), times(kind, True)]
    pairs = [(times(kind, False), times(kind, True)) for _ in range(rounds)]
    here, there = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(other / own for own, other in pairs)
    print(
        f"{kind}: first job {first[0]:.2f} s in the worker, {first[1]:.2f} s contained; then {here:.3f} and "
        f"{there:.3f} s, ratio of pairs {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})",
        flush=True,
    )


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--kinds", default="video,extract")
    options = parser.parse_args()
    kill_campaign.FRAMES = options.frames
    from skimage import data

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage = kill_campaign.make_stage(folder / "stage", data.astronaut())
        (folder / "data").mkdir()
        folders = Folders.of([stage, folder / "data"])
        benches = {how: Bench(folder / str(how), folders, how) for how in (False, True)}
        count = iter(range(10**6))
        try:
            for kind in options.kinds.split(","):
                compared(
                    kind,
                    options.rounds,
                    lambda kind, how: benches[how].time(
                        kind, stage, folder / "data" / f"{kind}{next(count)}"
                    ),
                )
        finally:
            for bench in benches.values():
                bench.close()


if __name__ == "__main__":
    main()
