"""Setting up who signs: a chain made here, or the studio's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lp_core.errors import OutputExists, missing_extra
from lp_core.files import (
    ensure_folder,
    flush,
    flush_folder,
    remove,
    remove_folders,
    temporary_path,
    translated,
    write_whole,
)
from lp_core.provenance.config import ANCHORS, FILE_NAME, KeyConfig, config_folder, write_config

try:
    from lp_core.provenance.keys import load_certificates, make_chain, open_identity
except ImportError as error:
    raise missing_extra("A signing key", "provenance") from error


KEY, CERTIFICATES = "key.pem", "certificates.pem"
"""Names of the files of a chain."""


@contextmanager
def new_folder(path: Path, mode: int = 0o700) -> Iterator[Path]:
    """Yields a hidden folder; it gets the name ``path`` when the block ends without an error and the disk has it.

    Args:
        path: the final name, which nothing has; the folder above it exists.
        mode: permissions.

    Raises:
        DiskFull, NoWritePermission, MediaError: the file system refuses; nothing is left behind.
    """
    temporary = temporary_path(path)
    with translated(path):
        temporary.mkdir(mode=mode)
    try:
        yield temporary
        with translated(path):
            for made in sorted(temporary.rglob("*"), reverse=True):
                flush_folder(made) if made.is_dir() else flush(made)
            flush_folder(temporary)
            temporary.rename(path)
            flush_folder(path.parent)
    finally:
        remove(temporary)


def set_up_local(name: str, days: int, config: KeyConfig, overwrite: bool) -> list[str]:
    """Makes a P-256 chain in the configuration folder; earlier keys stay where they are, and their roots trusted.

    The new key is complete on the disk before the configuration names it, so a crash loses neither it nor the
    old one.

    Raises:
        OutputExists: a key is set up and may not be replaced.
        DiskFull, NoWritePermission, MediaError: the folder cannot be written.
    """
    folder = _folder(overwrite)
    made: list[Path] = []
    try:
        anchor = _set_up(folder, name, days, config, made)
    except BaseException:
        for path in made:
            remove(path)
        remove_folders([folder / ANCHORS, folder])
        raise
    return [
        f"Key and certificate are in {folder}; finished results are signed from now on.",
        f"Anyone who shall trust them needs the root certificate: {anchor}",
    ]


def _set_up(folder: Path, name: str, days: int, config: KeyConfig, made: list[Path]) -> Path:
    """Makes the chain and names it in the configuration; ``made`` grows by what a failure must remove."""
    fresh = folder / f"key-{secrets.token_hex(4)}"
    made.append(fresh)
    with new_folder(fresh) as temporary:
        anchor = make_chain(temporary, name, days)
    trusted = folder / ANCHORS / anchor.name
    ensure_folder(trusted.parent)
    made.append(trusted)
    write_whole(trusted, (fresh / ANCHORS / anchor.name).read_bytes())
    place = fresh.name + "/"
    if not any((folder / file).exists() for file in (KEY, CERTIFICATES)):  # the first key has the plain names
        for file in (KEY, CERTIFICATES):
            made.append(folder / file)
            with translated(folder / file):
                (fresh / file).rename(folder / file)
        flush_folder(folder)
        remove(fresh)
        place = ""
    write_config(folder, replace(config, certificates=place + CERTIFICATES, key=place + KEY, signer=()))
    remove(fresh / ANCHORS)
    return trusted


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
    ensure_folder(folder / ANCHORS)
    if anchor is not None:
        write_whole(folder / ANCHORS / f"root-{roots[0].serial_number:x}.pem", anchor.read_bytes())
    write_config(folder, config)
    return [f"{identity.name} signs finished results from now on ({identity.algorithm})."]


def _folder(overwrite: bool) -> Path:
    folder = config_folder()
    if (folder / FILE_NAME).exists() and not overwrite:
        raise OutputExists(f"{folder / FILE_NAME} exists; add --overwrite to replace the key that is set up.")
    ensure_folder(folder, mode=0o700)
    return folder
