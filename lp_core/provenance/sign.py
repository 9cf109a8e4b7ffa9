"""Content credentials (C2PA): put into a file and read back; the only module that imports c2pa.

Nothing is asked of the network: remote manifests and revocation lists are switched off, and a time-stamp
authority is asked only where the configuration names one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from lp_core.errors import KeyUnusable, ProvenanceError
from lp_core.files import move_into_place, remove, temporary_path
from lp_core.provenance.claim import AGENT, CONSENT_LABEL, RENDER_LABEL, Claim
from lp_core.provenance.keys import Identity

FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".zip": "application/x-zip",
}
"""File suffix -> media type of what can carry a manifest inside; for files whose first bytes do not say it."""
_STARTS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
    b"GIF8": "image/gif",
    b"PK\x03\x04": "application/x-zip",
    b"ID3": "audio/mpeg",
}
"""First bytes of a file -> its media type."""
_BRANDS: Mapping[bytes, str] = {
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"M4A ": "audio/mp4",
}
"""Brand of an ISO base media file -> its media type; all others are video."""
_SETTINGS: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}
_ALGORITHMS = {
    "es256": c2pa.C2paSigningAlg.ES256,
    "es384": c2pa.C2paSigningAlg.ES384,
    "es512": c2pa.C2paSigningAlg.ES512,
    "ps256": c2pa.C2paSigningAlg.PS256,
    "ed25519": c2pa.C2paSigningAlg.ED25519,
}
Ingredients = Sequence[tuple[dict[str, Any], Path | None]]


@dataclass(frozen=True)
class Reading:
    """What a file's manifest says, and whether it holds."""

    state: str
    """'trusted', 'valid' (whole, of an unknown signer) or 'tampered'."""
    signer: str
    """Organization and common name of the certificate."""
    problems: tuple[str, ...]
    """C2PA's failure codes with their explanation."""
    record: Mapping[str, Any]
    """``Claim.record`` and what was added; empty when another program signed."""
    consent: Mapping[str, Any] | None
    """The consent that was signed along."""
    actions: tuple[Mapping[str, Any], ...]
    """What was done, in C2PA's words."""
    ingredients: tuple[str, ...]
    """Titles of what it was made of, with their relation."""


def embed(path: Path, claim: Claim, extra: Mapping[str, Any], identity: Identity) -> tuple[str, ...]:
    """Puts the claim into a file, which is replaced when the signed one is complete.

    Returns:
        Sentences about inputs whose own credentials cannot be read.

    Raises:
        KeyUnusable: the signer failed.
        ProvenanceError: the file cannot be signed or written; it stays as it was.
    """
    return embed_manifest(path, claim.manifest(extra), claim.ingredients(), identity)


def embed_manifest(
    path: Path, manifest: Mapping[str, Any], ingredients: Ingredients, identity: Identity
) -> tuple[str, ...]:
    """The same with a manifest definition and its ingredients; see ``embed``."""
    temporary = temporary_path(path)
    failures = list[KeyUnusable]()

    def sign(data: bytes) -> bytes:
        try:
            return identity.sign(data)
        except KeyUnusable as error:  # native code is between here and anyone who must hear it
            failures.append(error)
            return b""

    try:
        with ExitStack() as stack:
            builder, notes = _builder(manifest, ingredients)
            stack.callback(builder.close)
            signer = c2pa.Signer.from_callback(
                sign, _ALGORITHMS[identity.algorithm], identity.chain.decode(), identity.time_stamp_url
            )
            stack.callback(signer.close)
            source = stack.enter_context(path.open("rb"))
            destination = stack.enter_context(temporary.open("w+b"))
            builder.sign(signer, _format_of(path), source, destination)
        move_into_place(temporary, path)
    except (c2pa.C2paError, OSError) as error:
        if failures:
            raise failures[0] from error
        raise ProvenanceError(f"{path} could not be signed ({error}).") from error
    finally:
        remove(temporary)
    return notes


def read(path: Path, anchors: Sequence[str]) -> Reading | None:
    """What a file's own manifest says; None where it carries none.

    Args:
        path: of a type in FORMATS.
        anchors: PEM certificates that are trusted.

    Raises:
        ProvenanceError: there is a manifest that cannot be understood, or the file cannot be read.
    """
    trust = {"trust": {"user_anchors": "\n".join(anchors)}} if anchors else {}
    context = c2pa.Context.from_dict({**_SETTINGS, **trust})
    with _translated(path), path.open("rb") as file:
        try:
            reader = c2pa.Reader.try_create(_format_of(path), file, context=context)
        except c2pa.C2paError.ManifestNotFound:
            return None
        if reader is None:
            return None
        with reader:
            return _reading(json.loads(reader.json()), str(reader.get_validation_state()))


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise ProvenanceError(
            f"The credentials of {path} cannot be read ({error}); check the file."
        ) from error


def _format_of(path: Path) -> str:
    return media_type_of(path) or FORMATS[path.suffix.lower()]


def media_type_of(path: Path) -> str | None:
    """Media type of a file that C2PA can read, by its first bytes; None where it cannot, or there is no file."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return None
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/avi", b"WAVE": "audio/wav"}.get(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):  # QuickTime before it named its brand
        return "video/quicktime"
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)


def _builder(manifest: Mapping[str, Any], ingredients: Ingredients) -> tuple[c2pa.Builder, tuple[str, ...]]:
    """A builder that knows its ingredients, and a sentence about each whose credentials cannot be read.

    What C2PA cannot read is named without its file: nothing about an input prevents signing the result.
    """
    files, named, notes = list[tuple[dict[str, Any], str, Path]](), list[dict[str, Any]](), list[str]()
    for definition, path in ingredients:
        media_type = None if path is None else media_type_of(path)
        if path is None or media_type is None:
            named.append({**definition, "format": "application/octet-stream"})
            continue
        problem = _unreadable(definition, media_type, path)
        if problem is None:
            files.append((definition, media_type, path))
        else:
            about = "Its own credentials could not be read."
            named.append({**definition, "format": media_type, "description": about})
            notes.append(
                f"The credentials of {path} cannot be read ({problem}); the result is signed and names the file "
                "without them."
            )
    whole = {"claim_generator_info": [AGENT], **manifest, "ingredients": named}
    builder = c2pa.Builder(whole, c2pa.Context.from_dict(_SETTINGS))
    for definition, media_type, path in files:
        with path.open("rb") as file:
            builder.add_ingredient(definition, media_type, file)
    return builder, tuple(notes)


def _unreadable(definition: Mapping[str, Any], media_type: str, path: Path) -> str | None:
    """Why C2PA cannot take a file as an ingredient; None where it can. Tried on a builder that is thrown away."""
    probe = c2pa.Builder({"claim_generator_info": [AGENT]}, c2pa.Context.from_dict(_SETTINGS))
    try:
        with path.open("rb") as file:
            probe.add_ingredient(dict(definition), media_type, file)
    except (c2pa.C2paError, OSError, ValueError) as error:
        return str(error) or type(error).__name__
    finally:
        probe.close()
    return None


def _reading(store: Mapping[str, Any], state: str) -> Reading:
    manifest = store["manifests"][store["active_manifest"]]
    data = {item["label"]: item.get("data", {}) for item in manifest.get("assertions", ())}
    results = store.get("validation_results", {})
    failures = results.get("activeManifest", {}).get("failure", ())
    problems = tuple(
        f"{item['code']}: {item.get('explanation', '')}"
        for item in failures
        if item["code"] != "signingCredential.untrusted"
    )
    info = manifest.get("signature_info", {})
    actions: Mapping[str, Any] = next((data[label] for label in data if label.startswith("c2pa.actions")), {})
    return Reading(
        state={"Trusted": "trusted", "Valid": "valid"}.get(state, "tampered"),
        signer=", ".join(filter(None, (info.get("issuer"), info.get("common_name")))),
        problems=problems,
        record=data.get(RENDER_LABEL, {}),
        consent=data.get(CONSENT_LABEL),
        actions=tuple(actions.get("actions", ())),
        ingredients=tuple(
            f"{item.get('title', '?')} ({item.get('relationship', '?')})"
            for item in manifest.get("ingredients", ())
        ),
    )
