"""What JoyVASA is, and whether its weights were imported; loads no heavy library."""

from __future__ import annotations

from lp_core.errors import LpError
from lp_core.models.acceptance import demand_accepted
from lp_core.models.imports import imported_weights
from lp_core.models.store import ModelStore, default_store

NAME = "joyvasa"
"""In ``--speech-driver``, and in ``lpsuite models import``."""
RIG = "liveportrait21"
TITLE = "JoyVASA: a voice as LivePortrait motion of the whole head"
PURPOSE = "portraits that speak, liveportrait engine (--speech-driver joyvasa)"
LICENSE = "MIT"
SOURCE = "https://huggingface.co/jdh-algo/JoyVASA"
NOTES = (
    "Code (github jdh-algo/JoyVASA) and weights (huggingface, the same name) are published under MIT, without hashes.",
    "The checkpoint holds a copy of the sound encoder chinese-hubert-base (TencentGameMate, MIT).",
    "The data it was trained on are named in its paper, not licensed with it. Ask the authors, or a lawyer, before "
    "commercial use.",
)
WEIGHTS = "joyvasa.safetensors"
"""The imported file: networks, and the template's ranges."""
FILES = {
    "motion_generator_hubert_chinese.pt": ("motion_generator", "."),
    "motion_template.pkl": ("motion_template", "."),
}
"""Published file -> folders in which it may be."""


def obstacle(store: ModelStore | None = None) -> LpError | None:
    """Why JoyVASA cannot be used; None when it can. Files are looked for, not read."""
    store = store or default_store()
    try:
        imported_weights(store.root, NAME)
        demand_accepted(store.root, NAME, NOTES)
    except LpError as error:
        return error
    return None
