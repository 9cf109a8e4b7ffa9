"""Names that others build on: a change of them is listed in CHANGELOG.md, then the list here is changed."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import lp_core

ROOT = Path(__file__).resolve().parent.parent

PACKAGE = [
    "LpError", "RenderJob", "RenderSettings", "__version__",
    "animate", "batch", "check_sync", "lipsync", "train_speech", "extract", "frames", "inspect", "upscale",
]  # fmt: skip
"""What `lp_core` itself offers."""

CONTRACTS = {
    "lp_core.errors": (
        "BadMotionFile BatchError Cancelled ConsentMissing DiskFull EXTRAS EmptyVideo FaceError FaceNotThere "
        "InputChanged KeyUnusable LicenseNotAccepted LpError MALFORMED MediaError MediaMissing MissingDependency "
        "ModelDamaged ModelError ModelMissing MotionError MotionMismatch NoFace NoWatermark NoWritePermission "
        "NotAllowed NotSigned NotThere NotTrusted OutOfMemory OutputExists ProvenanceError SettingError ShotsFailed "
        "Tampered TooBusy TrainingStopped TruncatedMedia UnknownCodec UnreadableMedia WorkerError "
        "absent_library defect_message missing_extra neutral one_line"
    ),
    "lp_core.timing": "FrameRange FrameRate LEAST_FPS Timecode exact_number whole_number",
    "lp_core.settings.engines": (
        "CALIBRATIONS CAMERAS DETAILS DRIVING_OPTIONS ENGINES EngineSettings FILTERS LANDMARKERS "
        "LivePortraitSettings MODELS MOUTH_FILLS MeshSettings PASTES PRECISIONS RECAST_MODES"
    ),
    "lp_core.settings.render": (
        "ALPHAS AUDIO_CHOICES BACKENDS ColorSettings FaceSettings INTERLACED InputSettings MISSING_FRAMES "
        "MOTION_MODES MotionSettings ON_LOST OutputSettings PASSES ProvenanceSettings REFERENCES REGIONS "
        "RenderSettings SliderSettings UPSCALERS UPSCALE_REGIONS UpscaleSettings VIDEO_CODECS"
    ),
    "lp_core.settings.schema": "check setting",
    "lp_core.settings.live": "BACKGROUNDS LiveSettings",
    "lp_core.job": "RenderJob SCHEMA VERSION",
    "lp_core.frame": (
        "AlphaState Box ClipInfo ColorTags Encoding Frame LAYER_CHANNELS Pixels SampleType Windows shifted united"
    ),
    "lp_core.motion.sequence": "EXTRAS F32 MOTION_ARRAYS MotionFrame MotionSequence RIGS frame_shapes stack",
    "lp_core.motion.files.lpmotion": "MotionReader MotionWriter read_motion write_motion",
    "lp_core.motion.timeline": "MotionRows MotionTimeline between neutral_frame",
    "lp_core.media.base": (
        "AS_STORED Attribute AudioTrack FrameSink FrameSource OpenSink ReadOptions ResumableSink SinkSpec"
    ),
    "lp_core.faces.base": "Face FaceAnalyzer FaceBox Landmarker Pose Sightings UnreadFace",
    "lp_core.engines.base": (
        "Animation DrawAll DrawRequest DrivingPicture Engine EngineInfo Enlarge Helpers NO_TUNING NeuralCrop "
        "Performance Portrait Shading TrialFrame Tuning"
    ),
}
"""Module -> its public names, sorted."""


def public_names(module):
    """Names a module defines at its top level, without imported and underscored ones."""
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            places = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update(
                name.id for place in places for name in ast.walk(place) if isinstance(name, ast.Name)
            )
    return sorted(name for name in found if not name.startswith("_"))


def test_the_package_offers_exactly_this():
    assert sorted(lp_core.__all__) == sorted(PACKAGE)
    assert set(PACKAGE) <= set(dir(lp_core))
    for name in PACKAGE:
        assert getattr(lp_core, name) is not None


@pytest.mark.parametrize("module", CONTRACTS)
def test_a_contract_offers_exactly_this(module):
    assert public_names(module) == CONTRACTS[module].split()
    assert all(hasattr(import_module(module), name) for name in CONTRACTS[module].split())


def type_names(path):
    """(name, definition) of every public class and type alias of a file; an alias is defined by its text."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, path.relative_to(ROOT).as_posix()
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper() and "_" not in name:
                yield name, ast.unparse(node.value)


def test_no_two_public_types_share_a_name():
    found = {}
    for folder in ("lp_core", "upscale", "hosts"):
        for path in (ROOT / folder).rglob("*.py"):
            for name, definition in type_names(path):
                found.setdefault(name, set()).add(definition)
    assert not {name: places for name, places in found.items() if len(places) > 1}
