"""Training on one card in under nine minutes; rehearsed on a processor with ``--seconds 10``.

    python benchmarks/training_gpu.py --media ../shared/media --out out/gpu
    python benchmarks/training_gpu.py --media ../shared/media --out out/gpu --device cpu --seconds 10

Phases, each saving what it has: *prepare* the eight sample clips; *steps* of the published size (ms a step, TFLOP/s by
counted operations, peak memory, by batch and precision); *small*, a model of 256 pixels trained from scratch with
discriminators in its last part; *adapt* it to d10; *draw* a video with the engine. ``--seconds`` is the limit of steps
and small; without it they have 60 and 420. On a processor the published size is replaced by the trial's, because a step
of it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import torch

from lp_core.engines.liveportrait.config import AppearanceConfig, GeneratorConfig, MotionConfig, WarpingConfig
from lp_core.engines.liveportrait.sizes import PUBLISHED, Sizes
from lp_core.errors import LpError
from lp_core.training.adapt import AdaptOptions, adapt
from lp_core.training.candidates import Filters
from lp_core.training.config import Optimizer, Schedule, TrainConfig, read_config
from lp_core.training.initial import initial_states
from lp_core.training.loop import Trainer
from lp_core.training.prepare import PrepareOptions, prepare
from lp_core.training.ranks import Ranks
from lp_core.training.run import run_training
from lp_core.training.store import TrainingSet

SMALL = Sizes(
    appearance=AppearanceConfig(32, 2, 128, 16, 8, 4),
    motion=MotionConfig((2, 2, 4, 2), (48, 96, 192, 384)),
    warping=WarpingConfig(16, 8, 21, 4, 16, 5, 256, out_channels=128),
    generator=GeneratorConfig(128, 192, 64, 4, (96, 48), 1),
)
"""For 256 pixels in and out."""
TRIAL = Path(str(files("lp_core.training").joinpath("trial.toml")))
TFLOP_A_SAMPLE = 3.7
"""Of the published size without losses, counted; see docs/training.md."""
LIMITS = {"steps": 60.0, "small": 420.0}


def say(line: str) -> None:
    """Prints at once."""
    print(line, flush=True)


def trainer_of(config: TrainConfig, found: TrainingSet, device: torch.device) -> Trainer:
    """A trainer from scratch."""
    return Trainer(config, found, initial_states(config.sizes, 0), device, Ranks())


def steps(found: TrainingSet, device: torch.device, limit: float) -> list[dict[str, object]]:
    """Times steps of the published size, or of the trial's on a processor."""
    end, rows = time.monotonic() + limit, []
    is_card = device.type == "cuda"
    sizes = PUBLISHED if is_card else read_config(TRIAL).sizes
    cases = [(p, b, c) for p in ("float32", "bfloat16", "float16") for b in (1, 8, 16) for c in (False, True)]
    for precision, batch, checkpointing in cases:
        if time.monotonic() > end:
            say("  the limit is reached; the rest is left out")
            break
        if precision == "float16" and not is_card:
            continue
        schedule = Schedule(
            motion_steps=0,
            steps=100,
            batch=batch,
            precision=precision,
            checkpointing=checkpointing,
            gan_from=0,
        )
        row: dict[str, object] = {"precision": precision, "batch": batch, "checkpointing": checkpointing}
        try:
            trainer = trainer_of(TrainConfig(sizes=sizes, schedule=schedule), found, device)
            trainer.step_once()
            start, count = _now(device), 0
            while count < 10 and time.monotonic() < end:
                trainer.step_once()
                count += 1
            took = _now(device) - start
            row |= {"steps": count}
            if count:
                row |= {"ms": round(1000 * took / count, 1), "samples_s": round(batch * count / took, 2)}
            if is_card:
                row["gib"] = round(torch.cuda.max_memory_allocated(device) / 2**30, 2)
                row["tflop_s"] = round(TFLOP_A_SAMPLE * batch * count / took, 1)
                torch.cuda.reset_peak_memory_stats(device)
            del trainer
        except LpError as error:
            row["error"] = str(error)
        rows.append(row)
        say(f"  {row}")
    return rows


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()


def small(found: TrainingSet, out: Path, device: str, limit: float) -> dict[str, object]:
    """Trains the small model within a limit."""
    is_card = device != "cpu"
    trial = read_config(TRIAL)
    count = 4000 if is_card else 6
    schedule = Schedule(
        motion_steps=400 if is_card else 4, steps=count, gan_from=int(0.6 * count), batch=16 if is_card else 2,
        precision="bfloat16" if is_card else "float32", save_every=500, evaluate_every=1000 if is_card else 0,
        time_limit_s=limit,
    )  # fmt: skip
    config = TrainConfig(
        name="small",
        sizes=SMALL if is_card else trial.sizes,
        schedule=schedule,
        optimizer=Optimizer(rate=5e-4),
    )
    start = time.monotonic()
    result = run_training(config, found.folder, out / "small", device, say)
    took = time.monotonic() - start
    score = result.score
    if score is None:
        return {"steps": result.progress.step}
    row = {"steps": result.progress.step, "s": round(took, 1), "whole": score.whole, "face": score.face}
    say(f"  {row}")
    say(f"  face above copy {score.face['model'] - score.face['copy']:.2f} dB (bar 4), above motion off "
        f"{score.face['model'] - score.face['still']:.2f} dB (bar 2)")  # fmt: skip
    return row


def fitted(lone: TrainingSet, out: Path, device: str) -> dict[str, object]:
    """G adapted to d10."""
    count = 400 if device != "cpu" else 4
    is_card = device != "cpu"
    options = AdaptOptions(
        out / "small",
        "d10",
        steps=count,
        evaluate_every=count // 2,
        batch=8 if is_card else 2,
        precision="bfloat16" if is_card else "float32",
        has_stated_consent=True,
        allows_little=True,  # the head of d10 turns by 6 degrees
    )
    found = adapt(lone.folder, out / "d10-weights", options, device, say)
    row = {"before": found.before.face, "after": found.after.face}
    say(f"  {row}")
    return row


def draw(media: Path, out: Path) -> dict[str, object]:
    """A video by the engine with the trained weights."""
    target = out / "film.mp4"
    still, clip = media / "portraits" / "s9.jpg", media / "driving" / "d19.mp4"
    command = [
        sys.executable,
        "-m",
        "lp_core",
        "animate",
        str(still),
        str(clip),
        "-o",
        str(target),
        "--overwrite",
    ]
    command += ["--engine", "liveportrait", "--weights", str(out / "small"), "--frames", "0-59"]
    subprocess.run(command, check=True)
    return {"film": str(target), "bytes": target.stat().st_size}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, help="limit of steps and small")
    parser.add_argument("--size", type=int, default=256, help="side of the prepared crops")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    results: dict[str, object] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    }
    limits = {name: options.seconds or limit for name, limit in LIMITS.items()}
    clips = sorted((options.media / "driving").glob("*.mp4")) + sorted(
        (options.media / "source_video").glob("*.mp4")
    )
    how = PrepareOptions(license="own", size=options.size, filters=replace(Filters(), face_px=100.0))
    say("prepare")
    everyone = prepare(clips, options.out / "set", replace(how, test=("d10",)))
    lone = prepare([options.media / "driving" / "d10.mp4"], options.out / "d10", how)
    phases = {
        "steps": lambda: steps(everyone, device, limits["steps"]),
        "small": lambda: small(everyone, options.out, options.device, limits["small"]),
        "adapt": lambda: fitted(lone, options.out, options.device),
        "draw": lambda: draw(options.media, options.out),
    }
    for name, phase in phases.items():
        start = time.monotonic()
        say(name)
        results[name] = phase()
        say(f"{name}: {time.monotonic() - start:.1f} s")
        (options.out / "results.json").write_text(
            json.dumps(results, indent=1, default=str) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
