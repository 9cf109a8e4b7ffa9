"""What a result says of itself, whatever form it says it in, and whether it holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lp_core.errors import NotSigned, NotTrusted, Tampered, UnreadableMedia, missing_extra
from lp_core.provenance.config import ANCHORS, config_folder
from lp_core.provenance.signing import EMBEDDED, SIDECAR_SUFFIX, sidecar_path


@dataclass(frozen=True)
class CredentialFinding:
    """What was found out about a file."""

    file: str
    """What was asked about."""
    form: str
    """'embedded', 'sidecar' or 'zip'."""
    state: str
    """'trusted', 'valid' (whole, but of a signer nobody here vouches for) or 'tampered'."""
    signer: str
    """Organization and common name of the certificate."""
    anchor: str
    """The trusted root it leads to; empty where there is none."""
    problems: tuple[str, ...]
    """What does not hold, and where."""
    record: Mapping[str, Any]
    """The claim; see ``Claim.record``."""
    consent: Mapping[str, Any] | None
    """The consent that was signed along."""
    actions: tuple[Mapping[str, Any], ...]
    """What was done, in C2PA's words."""

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)

    @property
    def exit_code(self) -> int:
        """0 when trusted, else that of Tampered or NotTrusted."""
        codes = {"trusted": 0, "valid": NotTrusted.exit_code}
        return codes.get(self.state, Tampered.exit_code)


def examine(name: str, anchor: Path | None = None) -> CredentialFinding:
    """Reads a result's credentials: embedded, in a zip, or of the sidecar next to it.

    Args:
        name: file, frame pattern or sidecar.
        anchor: PEM file of trusted roots; None: those of the configuration folder.

    Raises:
        NotSigned: there are none.
        UnreadableMedia: the file is not there.
        ProvenanceError: they cannot be understood.
        MissingDependency: the extra is not installed.
    """
    anchors = _anchors(anchor)
    path = Path(name)
    if name.endswith(SIDECAR_SUFFIX):
        return _by_sidecar(name, path, anchors)
    is_file = os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a name that is too long
    if path.suffix.lower() in (*EMBEDDED, ".zip") and is_file:
        found = _embedded(name, path, anchors)
        if found is not None:
            return found
    sidecar = sidecar_path(path)
    if os.path.isfile(sidecar):  # noqa: PTH113 - as above
        return _by_sidecar(name, sidecar, anchors)
    if not is_file and not {"%", "#"} & set(path.name):
        raise UnreadableMedia(f"{path} is not there; check the name.")
    raise NotSigned(f"{path} carries no credentials, and no {sidecar.name} is next to it.")


def _anchors(anchor: Path | None) -> list[Path]:
    try:
        import c2pa  # noqa: F401
        import cryptography  # noqa: F401
    except ImportError as error:
        raise missing_extra("Reading credentials", "provenance") from error
    if anchor is not None:
        return [anchor]
    return sorted((config_folder() / ANCHORS).glob("*.pem"))


def _by_sidecar(name: str, path: Path, anchors: list[Path]) -> CredentialFinding:
    from lp_core.provenance.keys import load_certificates
    from lp_core.provenance.sidecar import check_sidecar

    roots = [certificate for file in anchors for certificate in load_certificates(file)]
    statement, signer, trusted, problems = check_sidecar(path, roots)
    state = "tampered" if problems else "trusted" if trusted else "valid"
    return CredentialFinding(
        file=name,
        form="sidecar",
        state=state,
        signer=signer,
        anchor="" if problems else trusted,
        problems=tuple(problems),
        record=statement["claim"],
        consent=statement.get("consent"),
        actions=tuple(statement.get("actions", ())),
    )


def _embedded(name: str, path: Path, anchors: list[Path]) -> CredentialFinding | None:
    from lp_core.provenance.keys import load_certificates, subject
    from lp_core.provenance.sign import read

    texts = {file: file.read_text(encoding="utf-8") for file in anchors if load_certificates(file)}
    reading = read(path, list(texts.values()))
    if reading is None:
        return None
    trusted = ""
    if reading.state == "trusted":
        sole = list(texts)[0] if len(texts) == 1 else None
        by = sole or next(file for file in texts if _is_trusted(read(path, [texts[file]])))
        trusted = subject(load_certificates(by)[0])
    return CredentialFinding(
        file=name,
        form="zip" if path.suffix.lower() == ".zip" else "embedded",
        state=reading.state,
        signer=reading.signer,
        anchor=trusted,
        problems=reading.problems,
        record=reading.record,
        consent=reading.consent,
        actions=reading.actions,
    )


def _is_trusted(reading: Any) -> bool:  # noqa: ANN401 - a Reading
    return reading is not None and reading.state == "trusted"
