"""``lpsuite train adapt | stitch | evaluate | export``: what is done with networks that are there."""

from __future__ import annotations

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.cli.train_networks import hear, import_torch


@click.command(short_help="Fit weights to a person or an art style.")
@click.argument("data")
@click.option("--weights", required=True, help="Folder of the weights to start from.")
@click.option("-o", "--output", required=True, help="Folder of the run, for --weights.")
@click.option("--name", default="adapted", show_default=True, help="Name of the adapted weights.")
@click.option("--kind", default="person", show_default=True, help="person (G learns) or style (F and G).")
@click.option("--learns", default="", help="Networks that learn, such as G or F,M,W,G.")
@click.option("--steps", default=1000, show_default=True, help="Steps at most.")
@click.option(
    "--evaluate-every", default=100, show_default=True, help="Steps between looks at the held-out tail."
)
@click.option("--rate", default=0.0, help="Learning rate; 0: by the size of the networks.")
@click.option("--batch", default=8, show_default=True, help="Pairs a step.")
@click.option(
    "--precision", default="float32", show_default=True, help="float32, bfloat16 or float16 (CUDA only)."
)
@click.option("--others", help="Prepared set of other people, to see how much of them is forgotten.")
@click.option(
    "--i-have-consent", is_flag=True, help="State that the person consents, though no consent is recorded."
)
@click.option("--allow-little", is_flag=True, help="Take footage that teaches little.")
@click.option("--device", default="cpu", show_default=True, help="Device, such as cpu or cuda.")
@click.option("--threads", default=0, help="Threads of PyTorch on the CPU; 0: its own choice.")
@debug_option
def adapt(  # noqa: PLR0913 - one parameter an option
    data: str,
    weights: str,
    output: str,
    name: str,
    kind: str,
    learns: str,
    steps: int,
    evaluate_every: int,
    rate: float,
    batch: int,
    precision: str,
    others: str | None,
    i_have_consent: bool,
    allow_little: bool,
    device: str,
    threads: int,
) -> None:
    """Fits weights to the prepared set DATA, 10 seconds to 3 minutes of one person or style."""
    from pathlib import Path

    import_torch(threads)
    from lp_core.training.adapt import AdaptOptions
    from lp_core.training.adapt import adapt as fit

    options = AdaptOptions(
        weights=Path(weights),
        name=name,
        kind=kind,
        learns=tuple(part.strip() for part in learns.split(",") if part.strip()),
        steps=steps,
        evaluate_every=evaluate_every,
        rate=rate,
        batch=batch,
        precision=precision,
        has_stated_consent=i_have_consent,
        allows_little=allow_little,
    )
    found = fit(Path(data), Path(output), options, device, hear, Path(others) if others else None)
    before, after = found.before, found.after
    for area in ("whole", "face"):
        copy, old, new = (
            getattr(before, area)["copy"],
            getattr(before, area)["model"],
            getattr(after, area)["model"],
        )
        say(f"Held-out tail, {area}: copy {copy:.2f}, before {old:.2f}, after {new:.2f} dB.")
    if found.others is not None:
        old, new = (score.whole["model"] for score in found.others)
        say(f"Other people, whole: before {old:.2f}, after {new:.2f} dB.")
    say(f"{output}: see before-after.png (source, truth, before, after).")


@click.command(short_help="Train the stitching, eye or lip network, with all others frozen.")
@click.argument("weights")
@click.option("--data", required=True, help="Folder of a prepared set of at least two people.")
@click.option("-o", "--output", required=True, help="Folder of the weights.")
@click.option("--name", default="stitched", show_default=True, help="Name of the weights.")
@click.option("--steps", default=200, show_default=True, help="Steps.")
@click.option("--batch", default=8, show_default=True, help="Pairs a step.")
@click.option("--rate", default=1e-3, show_default=True, help="Learning rate.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--module", default="stitching", show_default=True, help="stitching, eye or lip.")
@click.option("--threads", default=0, help="Threads of PyTorch on the CPU; 0: its own choice.")
@debug_option
def stitch(
    weights: str,
    data: str,
    output: str,
    name: str,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    module: str,
    threads: int,
) -> None:
    """Trains a small network of WEIGHTS.

    stitching keeps shoulders still without undoing the motion; eye and lip open eyes and lips to a wanted ratio.
    """
    from pathlib import Path

    import_torch(threads)
    from lp_core.training.stitch_run import retarget_weights, stitch_weights

    if module != "stitching":
        plan = (steps, batch, rate, seed)
        found = retarget_weights(Path(weights), Path(data), Path(output), name, (module,), plan, hear)[module]
        say(f"Reader against MediaPipe: r {found.reader_r:.2f}. Ratio in the drawing against the wanted one: r "
                   f"{found.rises:.2f}, mean difference {found.error:.2f}. {output}: ready for --weights.")  # fmt: skip
        return
    before, after = stitch_weights(
        Path(weights), Path(data), Path(output), name, (steps, batch, rate, seed), hear
    )
    say(
        f"Shoulders, held out: {after.shoulders_before:.4f} without, {after.shoulders_after:.4f} with stitching."
    )
    say(f"Difference gone: {after.gain:.0%}; motion of the face kept: {after.motion_kept:.0%}.")
    say(f"Before training: {before.gain:.0%}, {before.motion_kept:.0%}. {output}: ready for --weights.")


@click.command(short_help="Measure weights, engines and videos of other programs on a prepared set.")
@click.argument("data")
@click.option("--weights", multiple=True, help="Folder of weights, each a row. Repeatable.")
@click.option("--results", multiple=True, help="Folder of videos by another program, each a row. Repeatable.")
@click.option("-o", "--output", required=True, help="Folder of table.md, table.csv and sheet.png.")
@click.option("--part", default="test", show_default=True, help="held-out, validation or test.")
@click.option("--every", default=8, show_default=True, help="Every so many frames of a shot.")
@click.option("--cross", is_flag=True, help="Drive each source by another person.")
@click.option("--no-faces", is_flag=True, help="Leave out the figures from MediaPipe and SFace.")
@click.option("--no-mesh", is_flag=True, help="Leave out the mesh engine.")
@click.option("--write-inputs", help="Folder for the sources and driving videos, for other programs.")
@click.option("--inception", help="Network of the FID, TorchScript.")
@debug_option
def evaluate(
    data: str,
    weights: tuple[str, ...],
    results: tuple[str, ...],
    output: str,
    part: str,
    every: int,
    cross: bool,
    no_faces: bool,
    no_mesh: bool,
    write_inputs: str | None,
    inception: str | None,
) -> None:
    """Reenacts the shots of the prepared set DATA and compares the frames with the true ones."""
    from pathlib import Path

    import_torch(0)
    from lp_core.training.evaluate import EvaluateOptions
    from lp_core.training.evaluate import evaluate as measure

    options = EvaluateOptions(
        part=part,
        every=every,
        is_cross=cross,
        reads_faces=not no_faces,
        has_mesh=not no_mesh,
        results=tuple(Path(folder) for folder in results),
        inputs=Path(write_inputs) if write_inputs else None,
        inception=Path(inception) if inception else None,
    )
    measure(Path(data), [Path(folder) for folder in weights], Path(output), options, hear)
    say((Path(output) / "table.md").read_text(encoding="utf-8"))


@click.command(short_help="Write the weights of a run for the engine.")
@click.argument("source")
@click.option("-o", "--output", required=True, help="Folder of the weights.")
@click.option("--name", help="Name of the weights; left out: the run's.")
@click.option("--official", is_flag=True, help="Write the five .pth files of the official layout too.")
@debug_option
def export(source: str, output: str, name: str | None, official: bool) -> None:
    """Writes five safetensors files and trained.json.

    SOURCE is a run, weights of it, or one of its checkpoints (.pt).
    """
    from pathlib import Path

    import_torch(0)
    from lp_core.training.export_run import export_run

    label = export_run(Path(source), Path(output), name, official)
    say(f"{output}: {label.sentence()}.")
    for file, value in sorted(label.sha256.items()):
        say(f"{value}  {file}")


RESULT_COMMANDS = (adapt, stitch, evaluate, export)
