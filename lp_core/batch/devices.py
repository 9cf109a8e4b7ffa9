"""Several devices of one machine: a process for each, which share the shots and then the chunks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from lp_core.batch.plan import PLAN_FILE, BatchPlan
from lp_core.batch.results import ShotResult
from lp_core.batch.run import Overall, failed_unexpectedly
from lp_core.batch.steps import RenderResources, conform_shot
from lp_core.batch.up_to_date import Hashes, finished_record
from lp_core.errors import LpError
from lp_core.render.report import Listener


def run_on_devices(plan: BatchPlan, devices: Sequence[str], listener: Listener | None) -> list[ShotResult]:
    """Renders what is not up to date, one process per device; conforms in this one.

    Args:
        plan: written already.
        devices: such as ('cuda:0', 'cuda:1').
        listener: takes the progress of the whole.
    """
    hashes = Hashes.open(plan)
    records = [_finished(plan, number, hashes) for number in range(len(plan.shots))]
    hashes.keep()
    todo = [number for number, record in enumerate(records) if record is None]
    overall = Overall(plan, listener)
    for number, record in enumerate(records):
        if record is not None:
            overall.finished(plan.shots[number], False)
    words: dict[int, str] = {}
    costs = [(number, plan.shots[number].frames) for number in todo]
    _share(plan, devices, "solve", "--shot", costs, words)
    chunks = plan.chunks()
    costs = [(number, one.stop - one.first) for number, one in enumerate(chunks) if one.shot in todo]
    _share(plan, devices, "chunk", "--chunk", costs, words)
    results = []
    for number, shot in enumerate(plan.shots):
        known = records[number]
        if known is not None:
            results.append(ShotResult(shot, "up to date", known))
            continue
        try:
            record = conform_shot(plan, shot, RenderResources(listener=overall.of))
            results.append(ShotResult(shot, "rendered", record, seconds=record["summary"]["seconds"]))
        except LpError as error:
            results.append(ShotResult(shot, "failed", None, _why(words, str(error)), error.wire_code))
        except Exception as error:  # noqa: BLE001 - one shot must not end the others
            results.append(failed_unexpectedly(plan, shot, error))
        overall.finished(shot, True)
    return results


def _finished(plan: BatchPlan, number: int, hashes: Hashes) -> dict[str, Any] | None:
    try:
        return finished_record(plan, plan.shots[number], hashes)
    except Exception:  # noqa: BLE001 - whatever it is, the process that renders the shot meets it again
        return None  # what cannot be read is reported by the process that renders it


def _why(words: dict[int, str], own: str) -> str:
    said = " ".join(dict.fromkeys(line for text in words.values() for line in text.splitlines() if line))
    return f"{own} {said}".strip()


def _share(
    plan: BatchPlan,
    devices: Sequence[str],
    word: str,
    flag: str,
    costs: Sequence[tuple[int, int]],
    words: dict[int, str],
) -> None:
    """Runs a step on all devices, the longest pieces given out first; waits for all of them."""
    lots: list[list[int]] = [[] for _ in devices]
    loads = [0] * len(devices)
    for number, cost in sorted(costs, key=lambda item: -item[1]):
        least = loads.index(min(loads))
        lots[least].append(number)
        loads[least] += cost
    processes = []
    for device, lot in zip(devices, lots, strict=True):
        if lot:
            arguments = [str(plan.folder / PLAN_FILE), "--device", device, "--progress", "none"]
            for number in sorted(lot):
                arguments += [flag, str(number)]
            command = [sys.executable, "-m", "lp_core", "batch", word, *arguments]
            processes.append(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # noqa: S603
            )
    try:
        for index, process in enumerate(processes):
            _, errors = process.communicate()
            if process.returncode:
                words[index] = errors.strip()
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                process.wait()
