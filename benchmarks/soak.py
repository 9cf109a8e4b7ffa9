"""Keeps a worker busy for hours: jobs of all kinds, cancels, kills, restarts; watches its memory and descriptors.

    python benchmarks/soak.py [--hours 1] [--seed 1]

Prints a line every minute and a verdict: lost jobs, results with other bytes, growth of memory and descriptors.
Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes import worker as fake_worker  # noqa: E402
from fakes.kill_campaign import digest, kinds, make_stage, request_of  # noqa: E402
from fakes.worker import Worker  # noqa: E402

from lp_core.errors import WorkerError  # noqa: E402
from lp_core.link.client import Client  # noqa: E402

_FLAT_MB, _FLAT_FILES = 48, 8
"""Growth between the first and the last sample of one process that still counts as flat."""


def family(process: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    return [process, *(int(word) for path in children for word in path.read_text().split())]


def usage(process: int) -> tuple[int, int]:
    """Resident memory in MB and open descriptors of a worker and the processes that do its jobs."""
    memory = files = 0
    for number in family(process):
        with contextlib.suppress(OSError):  # one that ends just now
            memory += int(Path(f"/proc/{number}/statm").read_text().split()[1]) * 4096 >> 20
            files += len(list(Path(f"/proc/{number}/fd").iterdir()))
    return memory, files


class Soak:
    """A worker, what it is asked for, and what was counted."""

    def __init__(self, folder: Path, seed: int) -> None:
        from skimage import data

        self.worker, self.chance = Worker(folder), random.Random(seed)  # noqa: S311 - no secret
        self.stage = make_stage(self.worker.data / "stage", data.astronaut())
        self.client: Client = self.worker.start()
        self.calm: dict[str, str] = {}
        self.counts = dict.fromkeys(("done", "cancelled", "kills", "crashes", "lost", "different"), 0)
        self.samples: list[list[tuple[int, int]]] = [[]]

    def job(self) -> None:
        """One job: in peace, cancelled, or with a kill of the worker."""
        kind = self.chance.choice([name for name in kinds() if name != "talk"])  # needs a client's key
        output = self.worker.data / f"{kind}-{self.chance.getrandbits(48):x}"
        request = request_of(kind, self.stage, output)
        job = self.client.submit(request.kind, request.parameters.model_dump(mode="json")).id
        fate = self.chance.random() if kind in self.calm else 1.0
        if fate < 0.15:
            time.sleep(self.chance.uniform(0, 1))
            self.client.cancel(job)
        elif fate < 0.25:
            time.sleep(self.chance.uniform(0, 3))
            self.crash()
        elif fate < 0.3:
            time.sleep(self.chance.uniform(0, 3))
            self.restart(kill=True)
        with contextlib.suppress(WorkerError):  # how it ended is looked at below
            self.client.wait(job)
        state = self.client.job(job).state
        if state == "cancelled" and fate < 0.15:
            self.counts["cancelled"] += 1
        elif state == "done":
            self.counts["done"] += 1
            self.compare(kind, digest(output))
        else:
            self.counts["lost"] += 1

    def compare(self, kind: str, made: str) -> None:
        """Counts a result that is not the first one of its kind to the bit."""
        if made != self.calm.setdefault(kind, made):
            self.counts["different"] += 1
            print(f"{kind}: {made[:12]} instead of {self.calm[kind][:12]}", flush=True)

    def crash(self) -> None:
        """Ends the process that does the jobs as a fault in a library would; the job is done again."""
        holders = list((self.worker.state / "lanes").glob("cpu/pid"))
        for pid in (int(holder.read_text().split()[0]) for holder in holders):
            if pid in family(self.worker.process.pid):
                os.kill(pid, signal.SIGABRT)
                self.counts["crashes"] += 1
                self.samples.append([])

    def restart(self, kill: bool) -> None:
        """Ends the worker, and starts it again over the same state."""
        if kill:
            self.worker.kill()
            self.counts["kills"] += 1
        else:
            self.worker.stop()
        self.client = self.worker.start()
        self.samples.append([])

    def sample(self) -> tuple[int, int]:
        """Memory and descriptors now."""
        found = usage(self.worker.process.pid)
        self.samples[-1].append(found)
        return found

    def growth(self) -> tuple[int, int]:
        """Most growth of one process after its first two minutes: MB, descriptors."""
        runs = [run[2:] for run in self.samples if len(run) > 3]
        return (
            max((run[-1][0] - run[0][0] for run in runs), default=0),
            max((run[-1][1] - run[0][1] for run in runs), default=0),
        )


def main() -> None:
    """Runs for the time asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    fake_worker.READY_S = 600  # the machine may be busy, and this program of the lowest priority
    with tempfile.TemporaryDirectory() as name:
        soak = Soak(Path(name), options.seed)
        start = told = time.monotonic()
        while time.monotonic() - start < options.hours * 3600:
            soak.job()
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                memory, files = soak.sample()
                print(
                    f"{(told - start) / 60:5.1f} min: {memory} MB, {files} descriptors, {soak.counts}",
                    flush=True,
                )
        soak.worker.stop()
        memory, files = soak.growth()
        print(f"{soak.counts}; growth of one process: {memory} MB, {files} descriptors")
        bad = soak.counts["lost"] or soak.counts["different"] or memory > _FLAT_MB or files > _FLAT_FILES
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
