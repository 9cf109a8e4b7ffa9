"""``lpsuite provenance``."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lp_core.cli.main import debug_option
from lp_core.cli.output import say

if TYPE_CHECKING:
    from lp_core.provenance.examine import CredentialFinding

_DAYS = 730


@click.group(short_help="Sign results, and read what they say of themselves.")
def provenance() -> None:
    """Signs results, and reads what they say of themselves (docs/provenance.md)."""


@provenance.command()
@click.option("--name", default="Local studio", show_default=True, help="Organization in the certificate.")
@click.option(
    "--days", default=_DAYS, show_default=True, type=click.IntRange(1, 3650), help="How long it is valid."
)
@click.option("--certificates", metavar="CHAIN.pem", help="The studio's own chain, the signer's first.")
@click.option("--key", metavar="KEY.pem", help="The private key that belongs to it (PKCS#8).")
@click.option("--signer", metavar="COMMAND", help="Command that signs its input instead of a key.")
@click.option("--anchor", metavar="ROOT.pem", help="Root certificate to trust when results are read.")
@click.option(
    "--time-stamp", metavar="URL", help="Time-stamp authority to ask at every signing; default: none."
)
@click.option("--require-consent", is_flag=True, help="Let no render start without a consent file.")
@click.option("--overwrite", is_flag=True, help="Replace a key that is set up.")
@debug_option
def init(
    name: str,
    days: int,
    certificates: str | None,
    key: str | None,
    signer: str | None,
    anchor: str | None,
    time_stamp: str | None,
    require_consent: bool,
    overwrite: bool,
) -> None:
    """Sets up who signs: makes a key and certificate, or takes the studio's own."""
    from lp_core.provenance.config import KeyConfig
    from lp_core.provenance.init_keys import set_up_local, take_own

    if certificates is None and (key or signer):
        raise click.UsageError("A key or signer needs its --certificates.")
    if certificates is None:
        config = KeyConfig(time_stamp_url=time_stamp, require_consent=require_consent)
        told = set_up_local(name, days, config, overwrite)
    else:
        command = tuple(shlex.split(signer)) if signer else ()
        key_path = str(Path(key).resolve()) if key else None
        chain = str(Path(certificates).resolve())
        config = KeyConfig(chain, key_path, command, time_stamp, require_consent)
        told = take_own(config, None if anchor is None else Path(anchor), overwrite)
    for line in told:
        say(line)


@provenance.command()
@click.argument("file")
@click.option("--anchor", metavar="ROOT.pem", help="Trust this root instead of those set up here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
@click.pass_context
def show(context: click.Context, file: str, anchor: str | None, as_json: bool) -> None:
    """Prints who made FILE from what, and whether it is what was signed.

    FILE is a video, image, zip, frame pattern or sidecar. Exit code: 0 trusted, 62 not signed, 63 tampered,
    64 whole but of an unknown signer.
    """
    from lp_core.provenance.examine import examine

    finding = examine(file, None if anchor is None else Path(anchor))
    say(json.dumps(finding.as_json(), indent=2) if as_json else described(finding))
    context.exit(finding.exit_code)


@provenance.command()
@click.argument("output")
@click.option("-o", "--zip", "destination", required=True, metavar="FILE.zip", help="The signed zip.")
@click.option("--overwrite", is_flag=True, help="Replace a zip that exists.")
@debug_option
def pack(output: str, destination: str, overwrite: bool) -> None:
    """Packs OUTPUT (a frame pattern, video or sidecar) and its sidecar into a zip that C2PA readers can check."""
    from lp_core.provenance.zip_sequence import pack as pack_files

    count = pack_files(output, Path(destination), overwrite)
    say(f"{destination}: {count} files, signed.")


@provenance.command()
@click.argument("film")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@debug_option
def detect(film: str, as_json: bool) -> None:
    """Looks for the invisible mark (--watermark) in FILM, a video, image or frame pattern.

    Exit code: 0 found, 66 not found.
    """
    from lp_core.errors import NoWatermark, missing_extra
    from lp_core.media.open import open_source

    try:
        from lp_core.provenance.detect import detect as detect_mark
    except ImportError as error:
        raise missing_extra("CredentialFinding a watermark", "provenance") from error
    with open_source(film) as source:
        found = detect_mark(frame.as_rgb8() for frame in source)
    if as_json:
        say(json.dumps({"file": film, **asdict(found)}))
    elif found.number is not None:
        say(
            f"{film}: marked {found.number} (0x{found.number:08X}), score {found.score:.1f} "
            f"over {found.frames} frames."
        )
    if found.number is None:
        raise NoWatermark(f"{film} shows no mark in {found.frames} frames (score {found.score:.1f}).")


def described(finding: CredentialFinding) -> str:
    """A finding for people."""
    states = {
        "trusted": f"trusted, by {finding.anchor}",
        "valid": "whole, but signed by someone unknown here",
        "tampered": "TAMPERED: this is not what was signed",
    }
    lines = [f"{finding.file}: {states[finding.state]}", f"  signed by {finding.signer} ({finding.form})"]
    lines += [f"  problem: {problem}" for problem in finding.problems]
    record = finding.record
    if record:
        kind = str(record.get("digital_source_type", "")).rpartition("/")[2]
        lines.append(f"  {record.get('program')}, {record.get('engine', {}).get('name')} engine: {kind}")
        for role, item in record.get("made_of", {}).items():
            lines.append(
                f"  {role}: {item['name']}" + (f" (SHA-256 {item['sha256']})" if item["sha256"] else "")
            )
        lines.append(f"  {record.get('frames')} frames at {record.get('rate')} fps")
    for action in finding.actions:
        lines.append(f"  action: {action.get('action')}")
    if finding.consent is not None:
        lines.append(
            f"  consent: {finding.consent.get('person')}, granted by {finding.consent.get('granted_by')} "
            f"until {finding.consent.get('valid_until')}"
        )
    return "\n".join(lines)
