"""The published models that the engine runs, one row each: networks, sizes, conventions, crops, files, licenses.

Code reads a row and never asks for its name. Loads no heavy library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lp_core.engines.liveportrait.config import (
    AppearanceConfig,
    GeneratorConfig,
    MotionConfig,
    TransformerConfig,
    WarpingConfig,
)
from lp_core.errors import SettingError
from lp_core.geometry.crop import DRIVING_CROP, SOURCE_CROP, CropShape
from lp_core.motion.implicit.rigs import ANIMALS21, LIVEPORTRAIT21, PERFORMRECAST49, ImplicitRig

BASE_NETWORKS = {
    "appearance_feature_extractor": "F",
    "motion_extractor": "M",
    "warping_module": "W",
    "spade_generator": "G",
}
"""File name without suffix -> network, for the files that hold one network."""
STITCHING = "stitching_retargeting_module"
"""File name without suffix of the three small networks."""
RECAST_CROP = CropShape(1.5)
"""PerformRecast's square, of the plate and of the driving video."""


@dataclass(frozen=True)
class SeedRule:
    """How a model's synthetic weights differ from the general rule of ``synth``."""

    spreads: Mapping[str, Mapping[str, float]]
    """Network -> end of a key -> standard deviation of its values."""
    prefixes: Mapping[str, str]
    """Network -> what is put in front of a key before its rule and its random stream are looked up."""


@dataclass(frozen=True)
class PublishedModel:
    """One row of the table."""

    name: str
    """Name in ``--model``."""
    title: str
    """What it is, for people."""
    purpose: str
    """Which shots it is for."""
    rig: ImplicitRig
    """Conventions of its key points; motion files carry the rig's name."""
    appearance: AppearanceConfig | TransformerConfig
    """Sizes of F; the type says which network it is."""
    appearance_px: int
    """Side of the crop that F reads; M reads 256."""
    motion: MotionConfig
    warping: WarpingConfig
    generator: GeneratorConfig
    has_small_networks: bool
    """Whether it has the networks for stitching, eyes and lips."""
    source_crop: CropShape
    """Square around a source's face, turned with it."""
    driving_crop: CropShape
    """Square around a driving face."""
    is_driving_turned: bool
    """Whether that square is turned with the face."""
    keeps_reach: bool
    """Whether every performance is played in the performer's own pose, its reach scaled to the source's head."""
    is_for_stills: bool
    """Whether filmed sources are refused."""
    is_of_animals: bool
    """Whether sources are animals: found by points set by hand or as a cat's head, and cropped by the nine points of
    the published animal landmarks."""
    pastes_face: bool
    """True: by default only the face is pasted back, through a matte; False: the whole square."""
    shapes: str
    """Resource with keys and shapes of its checkpoints."""
    files: Mapping[str, tuple[str, ...]]
    """File name without suffix -> where it may be below a folder of weights, preferred first."""
    catalog: tuple[str, ...]
    """Sets of the model catalog that hold it, preferred first; empty: published without hashes."""
    synthetic: SeedRule
    license: str
    """License of the weights in a word or two."""
    notes: tuple[str, ...]
    """What must be read and accepted before first use; empty: nothing."""

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of its files without suffix."""
        return tuple(self.files)

    @property
    def fetch(self) -> str:
        """The command that gets or imports its weights."""
        return f"lpsuite models fetch {self.catalog[0]}" if self.catalog else self.import_command

    @property
    def import_command(self) -> str:
        """The command that takes its weights from a folder."""
        return f"lpsuite models import {self.name} FOLDER"


def _files(
    stems: tuple[str, ...], flat: tuple[str, ...], official: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Paths of every file: safetensors in the flat folders, then .pth in the official ones."""
    return MappingProxyType(
        {
            stem: (
                *(f"{folder}{stem}.safetensors" for folder in flat),
                *(f"{folder}{stem}.pth" for folder in official[stem]),
            )
            for stem in stems
        }
    )


def _same(stems: tuple[str, ...], folders: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(stems, folders)


_BASE = tuple(BASE_NETWORKS)
_NO_RULE = SeedRule(MappingProxyType({}), MappingProxyType({}))
_HUMAN_S = ("liveportrait/retargeting_models/",)
_ANIMAL_NOTES = (
    "The networks are published with LivePortrait under MIT (folder liveportrait_animals).",
    "The published pipeline finds animals with X-Pose, whose license forbids commercial use. LP Suite never loads "
    "it: a cat's head is found by OpenCV's cascade, other animals by points set by hand (--points).",
)
_RECAST_NOTES = (
    'The repository youku-aigc/PerformRecast says: "this project is released under the MIT License". No license is '
    "stated next to the weight files themselves.",
    "It also says that upstream models (LivePortrait checkpoints, InsightFace detectors, the FLAME mesh) carry their "
    "own licenses, and that for commercial use the detection and landmark models must be replaced. LP Suite uses its "
    "own detection and landmarks and never loads InsightFace.",
    "According to its paper the weights were supervised with a FLAME 2020 mesh (non-commercial model license) and a "
    "tracker under CC BY-NC 4.0, and data sets that are in part for research. Ask the authors, or a lawyer, before "
    "commercial use.",
    "The transformer inside is DINO ViT-B/16 (Apache-2.0).",
)

LIVEPORTRAIT = PublishedModel(
    name="liveportrait",
    title="LivePortrait: head and expression of a person",
    purpose="stills of people; filmed sources whose head is to move",
    rig=LIVEPORTRAIT21,
    appearance=AppearanceConfig(),
    appearance_px=256,
    motion=MotionConfig(),
    warping=WarpingConfig(),
    generator=GeneratorConfig(),
    has_small_networks=True,
    source_crop=SOURCE_CROP,
    driving_crop=DRIVING_CROP,
    is_driving_turned=False,
    keeps_reach=False,
    is_for_stills=False,
    is_of_animals=False,
    pastes_face=False,
    shapes="shapes.json",
    files=_files(
        (*_BASE, STITCHING), ("",), _same(_BASE, ("liveportrait/base_models/",)) | {STITCHING: _HUMAN_S}
    ),
    catalog=("liveportrait", "liveportrait-pth"),
    synthetic=_NO_RULE,
    license="MIT",
    notes=(),
)
ANIMALS = PublishedModel(
    name="liveportrait-animals",
    title="LivePortrait for animals: a still, driven by a person",
    purpose="stills of animals: a cat is found, others by points set by hand",
    rig=ANIMALS21,
    appearance=AppearanceConfig(),
    appearance_px=256,
    motion=MotionConfig(),
    warping=WarpingConfig(),
    generator=GeneratorConfig(),
    has_small_networks=False,  # published with the human ones, advised off
    source_crop=SOURCE_CROP,
    driving_crop=DRIVING_CROP,
    is_driving_turned=False,
    keeps_reach=True,
    is_for_stills=True,
    is_of_animals=True,
    pastes_face=False,
    shapes="shapes.json",
    files=_files(
        _BASE,
        ("animal/", ""),
        _same(_BASE, ("liveportrait_animals/base_models_v1.1/", "liveportrait_animals/base_models/")),
    ),
    catalog=(),
    synthetic=_NO_RULE,
    license="MIT",
    notes=_ANIMAL_NOTES,
)
PERFORMRECAST = PublishedModel(
    name="performrecast",
    title="PerformRecast: the expression of a filmed face, head and body as filmed",
    purpose="filmed sources whose expression alone is to change",
    rig=PERFORMRECAST49,
    appearance=TransformerConfig(),
    appearance_px=512,
    motion=MotionConfig(keypoints=49, scales=3),
    warping=WarpingConfig(keypoints=49),
    generator=GeneratorConfig(),
    has_small_networks=False,
    source_crop=RECAST_CROP,
    driving_crop=RECAST_CROP,
    is_driving_turned=True,
    keeps_reach=False,
    is_for_stills=False,
    is_of_animals=False,
    pastes_face=True,
    shapes="shapes_performrecast.json",
    files=_files(_BASE, ("performrecast/", ""), _same(_BASE, ("performrecast/", ""))),
    catalog=(),
    synthetic=SeedRule(
        spreads=MappingProxyType(
            {
                "F": {
                    "cls_token": 0.05,
                    "pos_embed": 0.05,
                    "patch_embed.proj.weight": 0.05 / math.sqrt(768),
                    "t_conv.weight": 1.3 / math.sqrt(768),
                },
                "M": {"fc_exp.weight": 0.2 / math.sqrt(768)},
                "W": {"dense_motion_network.mask.weight": 3.2 / math.sqrt(282 * 7**3)},
            }
        ),
        prefixes=MappingProxyType({"M": "detector."}),
    ),
    license="MIT by the repository's word; not stated for the files",
    notes=_RECAST_NOTES,
)

PUBLISHED_MODELS = {row.name: row for row in (LIVEPORTRAIT, ANIMALS, PERFORMRECAST)}
"""All rows by name."""


def published_model(name: str) -> PublishedModel:
    """The row of a name; 'auto' that nothing has decided is LivePortrait.

    Raises:
        SettingError: there is none.
    """
    if name == "auto":
        return LIVEPORTRAIT
    if name not in PUBLISHED_MODELS:
        raise SettingError(f"model = {name!r} is not known; choose one of: {', '.join(PUBLISHED_MODELS)}.")
    return PUBLISHED_MODELS[name]
