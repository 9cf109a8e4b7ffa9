"""What a result claims of itself: made by whom from what, by which engine and models, under which settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.files import sha256_of
from lp_core.version import __version__

RENDER_LABEL = "org.lpsuite.render"
"""Assertion that holds ``Claim.record``."""
CONSENT_LABEL = "org.lpsuite.consent"
"""Assertion that holds the consent file."""
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AGENT = {"name": "LP Suite", "version": __version__}
"""Who made the claim."""


@dataclass(frozen=True)
class Ingredient:
    """Something the result was made of."""

    role: str
    """'source', 'driving', or 'driving2' and so on for further faces."""
    name: str
    """File name without its folders, frame pattern, or a built-in motion's word."""
    sha256: str | None
    """Of the file; of a sequence, of the lines 'SHA-256  name' of its images; None for a built-in motion."""
    files: tuple[Path, ...]
    """Where it is; empty for a built-in motion."""

    @property
    def path(self) -> Path | None:
        """The file, when it is a single one."""
        return self.files[0] if len(self.files) == 1 else None


@dataclass(frozen=True)
class Claim:
    """Everything that is signed along with the result."""

    title: str
    """The result's name without its folders."""
    source: Ingredient
    """What was animated."""
    driving: Ingredient
    """The performance."""
    is_plate: bool
    """True: the source is a video whose image goes on around the face."""
    is_generated: bool
    """True: the source is itself a generated image, so nothing in the result is photographed."""
    engine: str
    """Name of the engine."""
    label: str
    """What the engine says of its weights; usually nothing."""
    models: tuple[Mapping[str, str], ...]
    """name, file, sha256 and license of every model file in use."""
    settings: Mapping[str, Any]
    """All settings of the render, file names without their folders."""
    frames: int
    """Number of frames of the result."""
    rate: str
    """Frames a second, exact."""
    consent: Mapping[str, Any] | None = None
    """The consent file's content."""
    is_speech: bool = False
    """True: the performance is a voice, so what the face does was never filmed."""
    others: tuple[Ingredient, ...] = ()
    """The performances of further faces."""
    voice: Mapping[str, str] | None = None
    """id, license and model of the synthetic voice that is heard; None: no synthetic voice."""

    @property
    def source_type(self) -> str:
        """The IPTC digital source type: photographed pixels moved by a model, or generated throughout."""
        kind = "trainedAlgorithmicMedia" if self.is_generated else "compositeWithTrainedAlgorithmicMedia"
        return SOURCE_TYPES + kind

    def record(self) -> dict[str, Any]:
        """The claim as plain values, the same for the same render."""
        made_of = {
            item.role: {
                "name": item.name,
                "sha256": item.sha256,
                "files": len(item.files),
                "relationship": relation,
            }
            for item, relation in self._relations()
        }
        return {
            "schema": RENDER_LABEL,
            "version": 1,
            "program": f"LP Suite {__version__}",
            "title": self.title,
            "digital_source_type": self.source_type,
            "made_of": made_of,
            "engine": {"name": self.engine, "label": self.label},
            "models": [dict(model) for model in self.models],
            "settings": dict(self.settings),
            "frames": self.frames,
            "rate": self.rate,
            **({"driven_by": "speech"} if self.is_speech else {}),
            **({} if self.voice is None else {"synthetic_voice": dict(self.voice)}),
        }

    def manifest(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        """The C2PA manifest definition.

        Args:
            extra: more entries for the record, such as the files of passes that share the manifest.
        """
        assertions = [
            {"label": "c2pa.actions.v2", "data": {"actions": self._actions()}},
            {"label": RENDER_LABEL, "data": {**self.record(), **extra}},
        ]
        if self.consent is not None:
            assertions.append({"label": CONSENT_LABEL, "data": dict(self.consent)})
        return {"title": self.title, "assertions": assertions}

    def ingredients(self) -> list[tuple[dict[str, Any], Path | None]]:
        """(definition, file) of each ingredient; what is not a single file is named without one."""
        return [
            ({"title": item.name, "relationship": relation, "label": item.role}, item.path)
            for item, relation in self._relations()
        ]

    def _relations(self) -> list[tuple[Ingredient, str]]:
        source = "inputTo" if self.is_generated else "parentOf" if self.is_plate else "componentOf"
        return [(self.source, source), *((item, "inputTo") for item in (self.driving, *self.others))]

    def _actions(self) -> list[dict[str, Any]]:
        made = {"softwareAgent": AGENT, "digitalSourceType": self.source_type}
        performances = [item.role for item in (self.driving, *self.others)]
        both, source = {"ingredientIds": ["source", *performances]}, {"ingredientIds": ["source"]}
        driven = {"ingredientIds": performances}
        if self.is_generated:
            return [{"action": "c2pa.created", **made, "parameters": both}, *self._voice_actions()]
        if self.is_plate:
            return [
                {"action": "c2pa.opened", "parameters": source},
                {"action": "c2pa.edited", **made, "parameters": driven},
                *self._voice_actions(),
            ]
        return [
            {"action": "c2pa.created", **made, "parameters": driven},
            {"action": "c2pa.placed", "parameters": source},
            *self._voice_actions(),
        ]

    def _voice_actions(self) -> list[dict[str, Any]]:
        """That the sound is synthetic speech."""
        if self.voice is None:
            return []
        said = {"softwareAgent": AGENT, "digitalSourceType": SOURCE_TYPES + "trainedAlgorithmicMedia"}
        text = f"Synthetic speech by the voice {self.voice['id']}"
        return [
            {
                "action": "c2pa.edited",
                **said,
                "description": text,
                "parameters": {"ingredientIds": ["driving"]},
            }
        ]


def canonical(values: Mapping[str, Any]) -> bytes:
    """The one spelling of some values that is hashed and signed: sorted keys, no spaces, ASCII."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def ingredient_of(role: str, name: str, files: tuple[Path, ...]) -> Ingredient:
    """The ingredient with its hash.

    Raises:
        OSError: a file cannot be read.
    """
    digest: str | None = None
    if len(files) == 1:
        digest = sha256_of(files[0])
    elif files:
        lines = "".join(f"{sha256_of(path)}  {path.name}\n" for path in files)
        digest = hashlib.sha256(lines.encode()).hexdigest()
    return Ingredient(role, name if not files else Path(name).name, digest, files)
