"""A signed list of files next to them, for what cannot carry a manifest itself: EXR, DPX, MKV, sequences.

The file is JSON: ``statement`` (the claim, and the SHA-256 of every file) and ``signature`` over the
statement's canonical spelling (``claim.canonical``) with the certificates that go with it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from lp_core.errors import ProvenanceError
from lp_core.files import sha256_of, write_whole
from lp_core.provenance.claim import Claim, canonical
from lp_core.provenance.keys import Identity, algorithm_of, anchor_of, is_signature, subject

SCHEMA = "lpsuite.provenance-sidecar"


def write_sidecar(
    path: Path, claim: Claim, extra: Mapping[str, Any], files: Sequence[Path], identity: Identity
) -> None:
    """Hashes and signs.

    Args:
        path: the sidecar, replaced when it is there.
        claim: what is claimed.
        extra: more entries for the statement.
        files: all files of the result; they are in the sidecar's folder or below.
        identity: who signs.

    Raises:
        KeyUnusable: the signer failed.
        ProvenanceError: a file cannot be read.
        DiskFull, NoWritePermission, MediaError: the sidecar cannot be written.
    """
    try:
        listed = {file.relative_to(path.parent).as_posix(): sha256_of(file) for file in files}
        statement = {
            "schema": SCHEMA,
            "version": 1,
            "signed": datetime.now(UTC).isoformat(timespec="seconds"),
            "claim": {**claim.record(), **extra},
            "actions": claim.manifest({})["assertions"][0]["data"]["actions"],
            "consent": None if claim.consent is None else dict(claim.consent),
            "files": listed,
        }
        signature = {
            "algorithm": identity.algorithm,
            "certificates": identity.chain.decode(),
            "value": base64.b64encode(identity.sign(canonical(statement))).decode(),
        }
        text = json.dumps({"statement": statement, "signature": signature}, indent=1)
        write_whole(path, text + "\n")
    except (OSError, ValueError) as error:
        raise ProvenanceError(f"{path} could not be written ({error}).") from error


def check_sidecar(
    path: Path, anchors: Sequence[x509.Certificate]
) -> tuple[dict[str, Any], str, str, list[str]]:
    """(statement, signer, trusted anchor or empty, what does not hold) of a sidecar and all its files.

    Raises:
        ProvenanceError: the file is not a sidecar.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        statement, signature = values["statement"], values["signature"]
        listed = {str(name): str(digest) for name, digest in statement["files"].items()}
        chain = x509.load_pem_x509_certificates(signature["certificates"].encode())
        value = base64.b64decode(signature["value"], validate=True)
        signed = datetime.fromisoformat(statement["signed"])
        data = canonical(statement)
    except OSError as error:
        raise ProvenanceError(f"{path} cannot be read ({error.strerror}); check the name.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ProvenanceError(f"{path} is not a sidecar of LP Suite, or it is damaged ({error}).") from error
    problems = []
    if not is_signature(chain[0], algorithm_of(chain[0], path), value, data):
        problems.append(f"{path.name}: the statement is not what was signed")
    problems.extend(_changed(path.parent, listed))
    when = signed if signed.tzinfo else signed.replace(tzinfo=UTC)
    anchor = anchor_of(chain, list(anchors), when)
    return statement, subject(chain[0]), "" if anchor is None else subject(anchor), problems


def listed_files(path: Path) -> list[Path]:
    """The files a sidecar lists, whether they hold or not."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return [path.parent / name for name in values["statement"]["files"]]


def _changed(folder: Path, listed: Mapping[str, str]) -> list[str]:
    problems = []
    for name, digest in listed.items():
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{name}: outside the sidecar's folder")
        elif not file.is_file():
            problems.append(f"{name}: missing")
        elif sha256_of(file) != digest:
            problems.append(f"{name}: changed")
    return problems
