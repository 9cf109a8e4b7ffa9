"""``lpsuite train``: fits to a user's own clips; the commands that train networks are in ``train_networks``."""

from __future__ import annotations

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.cli.train_networks import COMMANDS
from lp_core.cli.train_results import RESULT_COMMANDS


@click.group(short_help="Fit to clips of your own.")
def train() -> None:
    """Fits to clips of your own."""


@train.command(short_help="Fit the map from a voice to the mouth.")
@click.argument("clips", nargs=-1, required=True)
@click.option("-o", "--output", required=True, help="Mouth map to write, such as own.npz, for --mouth-map.")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@debug_option
def speech(clips: tuple[str, ...], output: str, overwrite: bool) -> None:
    """Fits a mouth map on CLIPS, videos with sound that show one speaker each.

    The offset of each clip's sound is measured and taken out first. A clip whose sound does not belong to its mouth is
    left out.
    """
    from pathlib import Path

    from lp_core.speech.train import train_map

    found = train_map(
        [Path(clip) for clip in clips],
        Path(output),
        overwrite,
        lambda name: say(f"reading {name}", err=True),
    )
    for clip in found:
        state = "used" if clip.used else f"left out ({clip.check.verdict})"
        scores = (
            f", left out of the fit: r(open) {clip.r_open:.2f}, r(width) {clip.r_width:.2f}"
            if clip.r_open
            else ""
        )
        say(f"{clip.name}: {state}, sound {clip.check.offset_s * 1000:+.0f} ms{scores}")
    say(f"{output}: fitted on {sum(clip.used for clip in found)} clips.")


for command in (*COMMANDS, *RESULT_COMMANDS):
    train.add_command(command)
