"""Training in full: a small model on the sample clips, adapting, stitching, kills, two processes, precisions.

    python benchmarks/training.py --media ../shared/media --out out/training
    python benchmarks/training.py --media ../shared/media --out out/training --only adapt,kill

``inputs`` looks for cuts and tries sources that cannot be used; ``trial`` learns on seven people of the sample clips
by lp_core/training/trial.toml, and never sees the person of d10; ``table`` prints the figures of its best weights so
far; ``adapt`` fits them to d10; ``play`` draws videos with both; ``evaluate`` prints the tables of ``lpsuite train
evaluate``; ``stitch`` trains its stitching network; ``kill`` ends a run with SIGKILL at random moments and continues
it; ``gloo`` compares two processes with one; ``precision`` compares bfloat16 with float32. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from training_runs import SIDE, TRIAL, gloo, inputs, kills, say, shown, verdict

from lp_core.media.open import open_source
from lp_core.training.adapt import AdaptOptions, adapt
from lp_core.training.candidates import Filters
from lp_core.training.config import read_config
from lp_core.training.evaluate import EvaluateOptions, evaluate
from lp_core.training.export import read_weights
from lp_core.training.initial import initial_states
from lp_core.training.loop import Trainer
from lp_core.training.prepare import PrepareOptions, prepare
from lp_core.training.ranks import Ranks
from lp_core.training.reenact import (
    WAYS,
    decibels,
    evaluate_held_out,
    held_out,
    networks_of,
    score_of,
    unseen,
)
from lp_core.training.run import HELD_OUT_STEP, UNSEEN_STEP, run_training
from lp_core.training.stitch import StitchWeights
from lp_core.training.stitch_run import stitch_weights
from lp_core.training.store import TrainingSet

SEEN = (
    "driving/d0",
    "driving/d3",
    "driving/d13",
    "driving/d19",
    "driving/d20",
    "source_video/s18",
    "source_video/s32",
)
UNSEEN = "driving/d10"
FACE_PX = 100.0
BAR_DB, BAR_COPY, BAR_FACE, BAR_ADAPT = 20.5, 3.0, 4.0, 5.0
PARTS = ("inputs", "trial", "adapt", "play", "evaluate", "stitch", "kill", "gloo", "precision")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints CPU and wall seconds of a part."""
    cpu, wall = time.process_time(), time.monotonic()
    yield
    say(f"{what}: {time.process_time() - cpu:.0f} CPU s, {time.monotonic() - wall:.0f} s")


def sets(media: Path, out: Path) -> tuple[TrainingSet, TrainingSet]:
    """All eight clips with d10 kept for tests, and d10 alone."""
    options = PrepareOptions(license="own", size=SIDE, filters=replace(Filters(), face_px=FACE_PX))
    with timed("prepare"):
        clips = [media / f"{name}.mp4" for name in (*SEEN, UNSEEN)]
        everyone = prepare(clips, out / "set", replace(options, test=("d10",)))
        lone = prepare([media / f"{UNSEEN}.mp4"], out / "d10", options)
    for stored in everyone.shots:
        shot = stored.shot
        say(f"  {shot.source}: {shot.frames} frames, person {shot.person}, {shot.split}")
    return everyone, lone


def trial(everyone: TrainingSet, out: Path) -> None:
    """Section 6 of the specification."""
    run_training(read_config(TRIAL), everyone.folder, out / "trial", "cpu", say)
    table(everyone, out)


def table(everyone: TrainingSet, out: Path) -> None:
    """Figures of the best weights of the trial so far."""
    weights = read_weights(out / "trial")
    states = networks_of(weights.sizes, weights.states)
    for kind, shots in (
        ("held out", held_out(everyone, HELD_OUT_STEP)),
        ("unseen", unseen(everyone, "test", UNSEEN_STEP)),
    ):
        errors, _ = evaluate_held_out(states, list(shots))
        score = score_of(errors)
        say(f"{kind:<10} {'copy':>7} {'off':>7} {'model':>7}   face: {'copy':>6} {'off':>7} {'model':>7}")
        for clip in errors:
            figures = [[decibels(values[way]) for way in WAYS] for values in (clip.whole, clip.face)]
            say(table_row(clip.name[:10], *figures))
        whole, face = score.whole, score.face
        say(table_row("all", [whole[way] for way in WAYS], [face[way] for way in WAYS]))
        if kind == "held out":
            say(f"whole >= {BAR_DB}: {whole['model']:.2f}, {verdict(whole['model'] >= BAR_DB)}")
            gain, gain_face = whole["model"] - whole["copy"], face["model"] - face["copy"]
            say(f"whole >= copy + {BAR_COPY}: {gain:.2f}, {verdict(gain >= BAR_COPY)}")
            say(f"face >= copy + {BAR_FACE}: {gain_face:.2f}, {verdict(gain_face >= BAR_FACE)}")
    step = weights.trained.about["step"] if weights.trained is not None else 0
    rows = (out / "trial" / "log.csv").read_text().splitlines()[1:]
    cpu = float(next(row for row in rows if row.startswith(f"{step},")).rpartition(",")[2])
    say(f"trial: best after {step} steps, {cpu:.0f} CPU s; <= 900: {verdict(cpu <= 900)}")


def table_row(name: str, whole: list[float], face: list[float]) -> str:
    """Copy, motion off and model of a clip."""
    parts = (" ".join(f"{value:7.2f}" for value in values) for values in (whole, face))
    return f"{name:<10} " + "   face: ".join(parts)


def adapting(
    everyone: TrainingSet, lone: TrainingSet, out: Path, steps: int, networks: tuple[str, ...]
) -> None:
    """Some networks, such as G alone and all, fitted to d10."""
    for name in networks:
        learns = tuple(name.split(","))
        options = AdaptOptions(
            out / "trial",
            "d10",
            learns=learns,
            precision="bfloat16",
            steps=steps,
            evaluate_every=max(10, steps // 4),
            has_stated_consent=True,
            allows_little=True,  # the head of d10 turns by 6 degrees
        )
        with timed(f"adapt {name}"):
            found = adapt(
                lone.folder,
                out / f"adapted-{'all' if len(learns) > 1 else 'G'}",
                options,
                "cpu",
                say,
                everyone.folder,
            )
        for area in ("whole", "face"):
            before, after = getattr(found.before, area), getattr(found.after, area)
            gain = after["model"] - before["model"]
            say(
                f"  {area}: copy {before['copy']:.2f}, before {before['model']:.2f}, after {after['model']:.2f}"
            )
            say(f"  {area}: motion off after {after['still']:.2f}")
            say(f"  {area}: gain >= {BAR_ADAPT}: {gain:.2f}, {verdict(gain >= BAR_ADAPT)}")
            say(f"  {area}: above copy: {verdict(after['model'] > before['copy'])}")
        if found.others is not None:
            old, new = (score.whole["model"] for score in found.others)
            say(f"  other people, whole: before {old:.2f}, after {new:.2f}")


def playing(media: Path, out: Path, frames: int = 60) -> None:
    """A portrait and a frame of d10 drawn by the engine with the trained and the adapted weights, and a sheet."""
    own = out / "d10.png"
    with open_source(str(media / f"{UNSEEN}.mp4")) as source:
        cv2.imwrite(str(own), cv2.cvtColor(next(iter(source)).as_rgb8(), cv2.COLOR_RGB2BGR))
    still, clips = media / "portraits" / "s9.jpg", {name: media / f"{name}.mp4" for name in (SEEN[5], UNSEEN)}
    rows = []
    for weights, portrait, clip in (
        ("trial", still, clips[SEEN[5]]),
        ("trial", own, clips[UNSEEN]),
        ("adapted-G", own, clips[UNSEEN]),
        ("adapted-all", own, clips[UNSEEN]),
    ):
        if not (out / weights).is_dir():
            continue
        film = out / f"{weights}-{portrait.stem}.mp4"
        options = ["--engine", "liveportrait", "--weights", str(out / weights), "--frames", f"0-{frames - 1}"]
        line = [
            sys.executable,
            "-m",
            "lp_core",
            "animate",
            str(portrait),
            str(clip),
            "-o",
            str(film),
            "--overwrite",
        ]
        subprocess.run([*line, *options], check=True, capture_output=True)
        drawn, driving = (list(shown(path, 192, frames)) for path in (film, clip))
        places = [0, frames // 3, 2 * frames // 3, frames - 1]
        rows.append(np.hstack([picture[at] for at in places for picture in (driving, drawn)]))
        say(f"  {film.name}: {len(drawn)} frames drawn by {weights}")
    cv2.imwrite(str(out / "play.png"), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def tables(everyone: TrainingSet, out: Path) -> None:
    """All figures of people never seen and of held-out frames, the mesh engine among the rows."""
    for part in ("test", "held-out"):
        with timed(f"evaluate {part}"):
            options = EvaluateOptions(part=part, every=16)
            evaluate(everyone.folder, [out / "trial", out / "adapted-G"], out / f"table-{part}", options, say)
        say((out / f"table-{part}" / "table.md").read_text())


def stitching(everyone: TrainingSet, out: Path, steps: int, shoulders: list[float]) -> None:
    """Shoulders against motion, by the weight of the shoulders."""
    for weight in shoulders:
        terms, plan = StitchWeights(shoulders=weight), (steps, 8, 1e-3, 0)
        with timed(f"stitch, weight {weight:g}"):
            found = stitch_weights(
                out / "trial", everyone.folder, out / f"stitched-{weight:g}", "s", plan, say, terms
            )
        before, after = found
        say(f"  shoulders {after.shoulders_before:.4f} -> {after.shoulders_after:.4f}")
        say(f"  gone >= 50%: {after.gain:.0%}, {verdict(after.gain >= 0.5)}; untrained {before.gain:.0%}")
        say(f"  motion kept >= 85%: {after.motion_kept:.0%}, {verdict(after.motion_kept >= 0.85)}")


def precision(everyone: TrainingSet, steps: int) -> None:
    """bfloat16 against float32 after some steps of all networks."""
    found = {}
    for name in ("float32", "bfloat16"):
        config = read_config(TRIAL)
        schedule = replace(config.schedule, motion_steps=0, steps=steps, batch=2, precision=name)
        config = replace(config, schedule=schedule)
        trainer = Trainer(config, everyone, initial_states(config.sizes, 0), torch.device("cpu"), Ranks())
        start = time.process_time()
        totals = [float(trainer.step_once()["total"]) for _ in range(steps)]
        found[name] = sum(totals[-10:]) / 10
        say(f"  {name}: loss {found[name]:.3f} over the last 10 of {steps} steps, "
            f"{(time.process_time() - start) / steps:.2f} CPU s a step")  # fmt: skip
    apart = abs(found["bfloat16"] / found["float32"] - 1)
    say(f"bfloat16 and float32 differ by {apart:.1%}; <= 5%: {verdict(apart <= 0.05)}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--adapt-steps", type=int, default=120)
    parser.add_argument(
        "--adapt", nargs="+", default=["G", "F,M,W,G"], help="networks that learn, a run each"
    )
    parser.add_argument("--stitch-steps", type=int, default=110)
    parser.add_argument("--stitch-shoulders", type=float, nargs="+", default=[10.0, 100.0, 1000.0])
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    everyone, lone = sets(options.media, options.out)
    parts: dict[str, Callable[[], None]] = {
        "inputs": lambda: inputs(options.media, options.out),
        "trial": lambda: trial(everyone, options.out),
        "table": lambda: table(everyone, options.out),
        "adapt": lambda: adapting(everyone, lone, options.out, options.adapt_steps, tuple(options.adapt)),
        "play": lambda: playing(options.media, options.out),
        "evaluate": lambda: tables(everyone, options.out),
        "stitch": lambda: stitching(everyone, options.out, options.stitch_steps, options.stitch_shoulders),
        "kill": lambda: kills(everyone, options.out, options.kills),
        "gloo": lambda: gloo(everyone, options.out),
        "precision": lambda: precision(everyone, 50),
    }
    for name in options.only.split(","):
        parts[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
