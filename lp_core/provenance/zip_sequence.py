"""A sequence in one signed zip, which every C2PA reader can check."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from lp_core.errors import KeyUnusable, NotSigned, OutputExists, ProvenanceError, Tampered
from lp_core.files import replacing
from lp_core.provenance.claim import RENDER_LABEL
from lp_core.provenance.config import config_folder, read_config
from lp_core.provenance.examine import CredentialFinding, examine
from lp_core.provenance.keys import open_identity
from lp_core.provenance.sidecar import listed_files
from lp_core.provenance.sign import embed_manifest
from lp_core.provenance.signing import SIDECAR_SUFFIX, sidecar_path


def pack(output: str, destination: Path, overwrite: bool = False) -> int:
    """Packs the files that a sidecar lists, and the sidecar, into a stored zip and signs it.

    Args:
        output: the result, a frame pattern or the sidecar itself.
        destination: the zip.
        overwrite: it may be replaced.

    Returns:
        Number of packed files.

    Raises:
        NotSigned: there is no sidecar.
        Tampered: a file is not what was signed: nothing is packed.
        KeyUnusable, ProvenanceError, OutputExists: the zip cannot be signed or written.
    """
    if destination.suffix.lower() != ".zip":
        raise ProvenanceError(f"{destination} is not a zip's name; let it end in .zip.")
    if destination.exists() and not overwrite:
        raise OutputExists(f"{destination} exists; choose another name or allow overwriting.")
    finding = examine(output)
    if finding.form != "sidecar":
        raise NotSigned(f"{output} carries its credentials itself; only what has a sidecar needs packing.")
    if finding.state == "tampered":
        raise Tampered(f"{output} is not what was signed ({finding.problems[0]}); nothing is packed.")
    folder = config_folder()
    config = read_config(folder)
    if config is None:
        raise KeyUnusable("No signing key is set up; make one with lpsuite provenance init.")
    identity = open_identity(folder, config)
    sidecar = Path(output) if output.endswith(SIDECAR_SUFFIX) else sidecar_path(output)
    files = [*listed_files(sidecar), sidecar]
    with replacing(destination) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for file in files:
                archive.write(file, file.relative_to(sidecar.parent).as_posix())
        manifest = {
            "title": destination.name,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": list(finding.actions)}},
                {"label": RENDER_LABEL, "data": dict(finding.record)},
            ],
        }
        embed_manifest(temporary, manifest, _ingredients(finding), identity)
    return len(files)


def _ingredients(finding: CredentialFinding) -> list[tuple[dict[str, Any], Path | None]]:
    """What the result was made of, by name: the files themselves may be far away when it is packed."""
    return [
        ({"title": item["name"], "relationship": item["relationship"], "label": role}, None)
        for role, item in finding.record.get("made_of", {}).items()
    ]
