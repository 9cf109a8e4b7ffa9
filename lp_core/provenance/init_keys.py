"""Setting up who signs: a chain made here, or the studio's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lp_core.errors import OutputExists, missing_extra
from lp_core.files import ensure_folder, write_whole
from lp_core.provenance.config import ANCHORS, FILE_NAME, KeyConfig, config_folder, write_config

try:
    from lp_core.provenance.keys import load_certificates, make_chain, open_identity
except ImportError as error:
    raise missing_extra("A signing key", "provenance") from error


def set_up_local(name: str, days: int, config: KeyConfig, overwrite: bool) -> list[str]:
    """Makes a P-256 chain in the configuration folder; roots of earlier ones stay trusted.

    Raises:
        OutputExists: a key is set up and may not be replaced.
        DiskFull, NoWritePermission, MediaError: the folder cannot be written.
    """
    folder = _folder(overwrite)
    anchor = make_chain(folder, name, days)
    write_config(folder, replace(config, certificates="certificates.pem", key="key.pem", signer=()))
    return [
        f"Key and certificate are in {folder}; finished results are signed from now on.",
        f"Whoever shall trust them needs the root certificate: {anchor}",
    ]


def take_own(config: KeyConfig, anchor: Path | None, overwrite: bool) -> list[str]:
    """Takes the studio's certificate and its key or signer, after trying them.

    Raises:
        OutputExists: a key is set up and may not be replaced.
        KeyUnusable: they cannot be used.
        DiskFull, NoWritePermission, MediaError: the folder cannot be written.
    """
    folder = _folder(overwrite)
    identity = open_identity(folder, config)
    identity.sign(b"lpsuite provenance init")
    roots = [] if anchor is None else load_certificates(anchor)
    write_config(folder, config)
    ensure_folder(folder / ANCHORS)
    if anchor is not None:
        write_whole(folder / ANCHORS / f"root-{roots[0].serial_number:x}.pem", anchor.read_bytes())
    return [f"{identity.name} signs finished results from now on ({identity.algorithm})."]


def _folder(overwrite: bool) -> Path:
    folder = config_folder()
    if (folder / FILE_NAME).exists() and not overwrite:
        raise OutputExists(f"{folder / FILE_NAME} exists; add --overwrite to replace the key that is set up.")
    ensure_folder(folder, mode=0o700)
    return folder
