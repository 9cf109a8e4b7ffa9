"""The label of weights that were trained with this program: ``trained.json`` next to their files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lp_core.engines.liveportrait.sizes import Sizes, require_engine_points, sizes_from
from lp_core.errors import MALFORMED, LpError, ModelDamaged

TRAINED_NAME = "trained.json"
TRAINED_SCHEMA = "lp-suite/trained-weights/1"


@dataclass(frozen=True)
class TrainedLabel:
    """Says what a folder's weights are and where they come from."""

    name: str
    """Name of the weights, for people."""
    sizes: Sizes
    """Sizes of the networks."""
    has_tables: bool
    """True: the key points mean what they mean in the published networks, so regions and sliders hold."""
    adapted_from: str
    """What the weights were adapted from, for people; empty for weights trained from scratch."""
    sha256: dict[str, str]
    """File name -> SHA-256."""
    about: dict[str, Any]
    """All else: steps, seed, data, licenses, consent, measured results; for people and for manifests."""

    def sentence(self) -> str:
        """What is said of images that are drawn with these weights."""
        basis = f", adapted from {self.adapted_from}" if self.adapted_from else ", trained from scratch"
        return f"own weights '{self.name}'{basis}"


def read_trained(folder: Path) -> TrainedLabel | None:
    """The folder's label; None where it has none.

    Raises:
        ModelDamaged: the label cannot be read, or names sizes that cannot be built.
    """
    path = folder / TRAINED_NAME
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != TRAINED_SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}")
        sizes = sizes_from(content["sizes"])
        require_engine_points(sizes)
        return TrainedLabel(
            name=str(content["name"]),
            sizes=sizes,
            has_tables=content["has_tables"] is True,
            adapted_from=str(content["adapted_from"]),
            sha256={str(k): str(v) for k, v in content["sha256"].items()},
            about=dict(content["about"]),
        )
    except (OSError, LpError, *MALFORMED) as error:
        raise ModelDamaged(
            f"{path} cannot be read as a label of trained weights ({error}); export the weights again."
        ) from error


def trained_text(label: TrainedLabel) -> str:
    """The label as text, as ``read_trained`` reads it."""
    content = {
        "schema": TRAINED_SCHEMA,
        "name": label.name,
        "adapted_from": label.adapted_from,
        "has_tables": label.has_tables,
        "sizes": label.sizes.as_dict(),
        "sha256": label.sha256,
        "about": label.about,
    }
    return json.dumps(content, indent=1) + "\n"
