"""``lpsuite train prepare | run``: training data, and networks trained from scratch or from other weights."""

from __future__ import annotations

from dataclasses import replace

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say


def hear(line: str) -> None:
    """Shows a line of progress."""
    say(line, err=True)


@click.command(short_help="Make a training set of videos and images.")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--output", required=True, help="Folder of the set; one that is there is continued.")
@click.option(
    "--license", "license_id", required=True, help="License of the sources: an SPDX identifier, or own."
)
@click.option("--allow-restricted", is_flag=True, help="Take sources under other than permissive licenses.")
@click.option(
    "--consent", help="JSON file with the consent of the people who are shown; see docs/provenance.md."
)
@click.option("--size", default=512, show_default=True, help="Side of the crops, pixels.")
@click.option(
    "--face-px", default=200.0, show_default=True, help="Least side of a face in the source, pixels."
)
@click.option(
    "--people", default="faces", show_default=True, help="Tell people apart by faces, or by sources."
)
@click.option(
    "--test", multiple=True, help="Source, without suffix, whose person is kept for tests. Repeatable."
)
@click.option("--validation", multiple=True, help="The same for validation. Repeatable.")
@click.option("--lossless", is_flag=True, help="Store PNG in place of JPEG.")
@debug_option
def prepare(
    sources: tuple[str, ...],
    output: str,
    license_id: str,
    allow_restricted: bool,
    consent: str | None,
    size: int,
    face_px: float,
    people: str,
    test: tuple[str, ...],
    validation: tuple[str, ...],
    lossless: bool,
) -> None:
    """Finds shots, follows one face through each, crops and labels it, and keeps people apart.

    SOURCES are videos, images, and folders of them.
    """
    from pathlib import Path

    from lp_core.training.candidates import Filters
    from lp_core.training.prepare import PrepareOptions
    from lp_core.training.prepare import prepare as make

    options = PrepareOptions(
        license=license_id,
        allow_restricted=allow_restricted,
        consent=Path(consent) if consent else None,
        size=size,
        filters=replace(Filters(), face_px=face_px),
        is_lossless=lossless,
        people=people,
        test=test,
        validation=validation,
    )
    found = make(
        [Path(source) for source in sources], Path(output), options, lambda name: hear(f"reading {name}")
    )
    people_found = {stored.shot.person for stored in found.shots}
    frames = sum(stored.shot.frames for stored in found.shots)
    say(f"{output}: {len(found.shots)} shots of {len(people_found)} people, {frames} frames; see report.md.")


@click.command(short_help="Train networks on a prepared set.")
@click.argument("config")
@click.option("--data", required=True, help="Folder of a prepared set.")
@click.option(
    "-o",
    "--output",
    required=True,
    help="Folder of the run, for --weights; one with checkpoints is continued.",
)
@click.option("--device", default="cpu", show_default=True, help="Device, such as cpu or cuda.")
@click.option("--threads", default=0, help="Threads of PyTorch on the CPU; 0: its own choice.")
@debug_option
def run(config: str, data: str, output: str, device: str, threads: int) -> None:
    """Trains F, M, W and G by the TOML file CONFIG.

    Several processes: torchrun --nproc-per-node 2 -m lp_core train run CONFIG --data DATA -o RUN
    """
    from pathlib import Path

    import_torch(threads)
    from lp_core.training.config import read_config
    from lp_core.training.run import run_training

    result = run_training(read_config(Path(config)), Path(data), Path(output), device, hear)
    if result.score is not None:
        whole, face = result.score.whole, result.score.face
        say(
            f"Held-out frames, whole: copy {whole['copy']:.2f}, motion off {whole['still']:.2f}, "
            f"model {whole['model']:.2f} dB; face: {face['copy']:.2f}, {face['still']:.2f}, {face['model']:.2f} dB."
        )
    say(f"{output}: {result.progress.step} steps, {result.progress.cpu_s:.0f} CPU seconds.")


def import_torch(threads: int) -> None:
    """Imports PyTorch with so many threads.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        from lp_core.errors import missing_extra

        raise missing_extra("Training", "train") from error
    if threads > 0:
        torch.set_num_threads(threads)


COMMANDS = (prepare, run)
