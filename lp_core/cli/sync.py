"""``lpsuite sync``: lip-sync of videos."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say


@click.group(short_help="Check the lip-sync of videos.")
def sync() -> None:
    """Lip-sync of videos."""


@sync.command(short_help="How late the sound of a video is, and whether it belongs to the mouth.")
@click.argument("film")
@click.option(
    "--speech-track",
    type=click.IntRange(0, 64),
    default=0,
    help="Audio track with the voice; 0: the first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug_option
def check(film: str, speech_track: int, as_json: bool) -> None:
    """Compares the sound of FILM with the mouth it shows, at offsets up to one second."""
    from pathlib import Path

    from lp_core.media.open import open_source
    from lp_core.speech.check import check_film

    found = check_film(Path(film), speech_track)
    if as_json:
        say(json.dumps({**asdict(found), "verdict": found.verdict}))
        return
    with open_source(film) as source:
        frames = found.offset_s * float(source.info.rate.fps)
    side = "late" if found.offset_s >= 0 else "early"
    say(
        f"{film}: {found.verdict}. Sound {abs(found.offset_s) * 1000:.0f} ms ({abs(frames):.1f} frames) {side}, "
        f"score {found.score:.2f}, confidence {found.confidence:.2f}, {found.speech_s:.1f} s of speech."
    )
