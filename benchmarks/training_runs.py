"""Parts of benchmarks/training.py: runs that are killed and continued, two processes, sources that cannot be used."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
import torch

from lp_core.errors import LpError
from lp_core.media.open import open_source
from lp_core.training.candidates import Filters
from lp_core.training.prepare import PrepareOptions, prepare
from lp_core.training.rivals import write_inputs
from lp_core.training.run_files import load_checkpoint
from lp_core.training.shots import CutFinder
from lp_core.training.store import TrainingSet

TRIAL = Path(str(files("lp_core.training").joinpath("trial.toml")))
SIDE = 128
"""Of the prepared crops."""


def say(line: str) -> None:
    """Prints at once."""
    print(line, flush=True)


def verdict(holds: bool) -> str:
    """As printed behind a figure."""
    return "held" if holds else "NOT HELD"


def command(data: Path, config: Path, run: Path) -> list[str]:
    """The command line of a run."""
    return [
        sys.executable,
        "-m",
        "lp_core",
        "train",
        "run",
        str(config),
        "--data",
        str(data),
        "-o",
        str(run),
        "--threads",
        "1",
    ]


def digest(run: Path) -> str:
    """SHA-256 of all tensors of the newest checkpoint."""
    content = load_checkpoint(sorted((run / "checkpoints").glob("step-*.pt"))[-1])
    found = hashlib.sha256()

    def take(value: object) -> None:
        if isinstance(value, torch.Tensor):
            found.update(
                value.contiguous().view(torch.uint8).numpy().tobytes()
                if value.ndim
                else str(value.item()).encode()
            )
        elif isinstance(value, dict):
            for key in sorted(value, key=str):
                take(value[key])
        elif isinstance(value, list):
            for each in value:
                take(each)

    for name in ("published", "averages", "discriminators", "optimizer", "judge_optimizer"):
        take(content[name])
    return found.hexdigest()


def curve(run: Path) -> list[str]:
    """The loss curve without its times; empty where the run has not begun."""
    if not (run / "log.csv").is_file():
        return []
    return [line.rsplit(",", 1)[0] for line in (run / "log.csv").read_text().splitlines()]


def small_config(out: Path, name: str, **schedule: object) -> Path:
    """The trial with another schedule, without evaluations, and with a checkpoint after each step."""
    values = tomllib.loads(TRIAL.read_text())
    values["schedule"] |= {"batch": 2, "evaluate_every": 0, "save_every": 1, **schedule}
    sizes = values.pop("sizes")
    tables = {"sizes": {k: v for k, v in sizes.items() if not isinstance(v, dict)}}
    tables |= {f"sizes.{k}": v for k, v in sizes.items() if isinstance(v, dict)}
    tables |= {k: v for k, v in values.items() if isinstance(v, dict)}
    lines = [f"{k} = {json.dumps(v)}" for k, v in values.items() if not isinstance(v, dict)]
    for title, table in tables.items():
        lines += [f"[{title}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    path = out / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def kills(
    everyone: TrainingSet, out: Path, count: int, precisions: tuple[str, ...] = ("float32", "bfloat16")
) -> None:
    """Runs that are ended by SIGKILL at random moments, writing included, continue with the same bits."""
    dice = random.Random(1)  # noqa: S311 - moments, not secrets
    for precision in precisions:
        wanted = count if precision == "float32" else min(count, 3)
        schedule = {
            "motion_steps": 8,
            "steps": 3 * wanted,
            "gan_from": 3 * wanted // 2,
            "precision": precision,
        }
        config = small_config(out, f"kill-{precision}", **schedule)
        whole, broken = out / f"whole-{precision}", out / f"broken-{precision}"
        subprocess.run(command(everyone.folder, config, whole), check=True, capture_output=True)
        killed, cut = 0, 0
        for _ in range(wanted):
            process = subprocess.Popen(command(everyone.folder, config, broken), stderr=subprocess.DEVNULL)
            log, begun = broken / "log.csv", len(curve(broken))
            while process.poll() is None and (not log.is_file() or len(curve(broken)) < begun + 2):
                time.sleep(0.01)
            time.sleep(dice.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            cut += any(not path.name.endswith(".pt") for path in (broken / "checkpoints").iterdir())
        subprocess.run(command(everyone.folder, config, broken), check=True, capture_output=True)
        is_same = digest(whole) == digest(broken)
        say(f"kill -9, {precision}: {killed} kills, {cut} of them while a checkpoint was written; "
            f"{len(curve(whole)) - 1} steps: loss curve {verdict(curve(whole) == curve(broken))}, "
            f"SHA-256 of all tensors {verdict(is_same)} ({digest(broken)[:16]})")  # fmt: skip


def gloo(everyone: TrainingSet, out: Path) -> None:
    """Two processes with a batch of 2 against one with 4: the loss curves."""
    plan = {"motion_steps": 4, "steps": 4, "gan_from": 2, "precision": "float32"}
    config, double = small_config(out, "gloo", **plan), small_config(out, "double", **plan, batch=4)
    subprocess.run(command(everyone.folder, double, out / "one"), check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(port),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    subprocess.run(
        [*launcher, *command(everyone.folder, config, out / "two")[1:]],
        check=True,
        capture_output=True,
        env=environment,
    )
    one, two = ([float(line.split(",")[3]) for line in curve(out / run)[1:]] for run in ("one", "two"))
    worst = max(abs(a - b) / abs(a) for a, b in zip(one, two, strict=True))
    say(f"two gloo processes against one with twice the batch, {len(one)} steps: largest relative difference of the "
        f"loss {worst:.1e}; <= 1e-3: {verdict(worst <= 1e-3)}")  # fmt: skip


def shown(path: Path, side: int, most: int = 10**6) -> Iterator[np.ndarray]:
    """Frames of a video as squares."""
    with open_source(str(path)) as source:
        for frame in islice(source, most):
            yield cv2.resize(frame.as_rgb8(), (side, side), interpolation=cv2.INTER_AREA)


def inputs(media: Path, out: Path) -> None:
    """Cuts of joined clips, and sources that cannot be used."""
    clips = [
        media / f"{name}.mp4"
        for name in ("driving/d19", "driving/d20", "source_video/s18", "source_video/s32")
    ]
    finder = CutFinder()
    joined = chain.from_iterable(shown(path, 256) for path in clips)
    cuts = [index for index, picture in enumerate(joined) if finder.begins(picture)]
    say(f"cuts of four joined clips: {cuts}; 250, 425, 707: {verdict(cuts == [250, 425, 707])}")
    folder = out / "inputs"
    folder.mkdir(exist_ok=True)
    (folder / "empty").mkdir(exist_ok=True)
    both = [np.hstack(pair) for pair in zip(shown(clips[0], 320, 30), shown(clips[1], 320, 30), strict=True)]
    noise = np.random.default_rng(0)
    write_inputs(folder / "two people", both[0], both)
    plain = [noise.integers(0, 255, (320, 320, 3)).astype(np.uint8) for _ in range(30)]
    write_inputs(folder / "no face", plain[0], plain)
    whole = clips[0].read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    options = PrepareOptions(
        license="own", size=SIDE, people="sources", filters=replace(Filters(), face_px=60.0)
    )
    for name in ("two people/driving.mkv", "no face/driving.mkv", "truncated.mp4", "empty"):
        target = out / "inputs-set"
        try:
            prepare([folder / name], target, options)
            say(f"  {name}: taken, NOT HELD")
        except LpError as error:
            say(f"  {name}: {error} (nothing left behind: {verdict(not target.exists())})")
