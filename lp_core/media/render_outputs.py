"""How a render's output is opened: what is converted, what goes next to the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from lp_core.color.management import ColorManagement, Conversion
from lp_core.frame import ClipInfo
from lp_core.job import RenderJob
from lp_core.media.base import FrameSink, OpenSink, SinkSpec
from lp_core.media.frame_pattern import SequencePattern, split_range
from lp_core.media.open import SINKS, check_output, open_sink
from lp_core.media.pass_files import CSV, FaceFile, SplitSink, pass_path
from lp_core.media.transforms import MakeTransform, TransformedSink
from lp_core.settings import OutputSettings

OF_OWN_SIZE = frozenset({"crop"})
"""Layers of another size than the frame. Nuke reads nothing of an EXR file whose parts differ in size."""
LAYER_OF: Mapping[str, str] = {
    "matte": "matte",
    "person": "person",
    "head": "head",
    "clean": "clean",
    "occlusion": "occlusion",
    "stmap": "stmap",
    "motion": "forward",
    "regions": "regions",
    "shading": "shading",
    "crop": "crop",
}
"""Pass -> layer of a frame (a key of LAYER_CHANNELS)."""


def output_conversion(job: RenderJob, color: ColorManagement, info: ClipInfo) -> Conversion | None:
    """How the source's colors become the output's; None: they are written as they are.

    Raises:
        SettingError: a color space is not there.
        MissingDependency: OpenColorIO is needed and not installed.
    """
    encoding = color.encoding(info, is_source=True)
    return color.conversion(encoding, _is_exr(job.source), _is_exr(job.output))


def output_opener(job: RenderJob, transforms: Sequence[MakeTransform], resumes: bool = False) -> OpenSink:
    """Opens the output; passes become layers in EXR where they have its size, else numbered EXR files next to it.

    Args:
        job: names the output and its settings.
        transforms: changes to every frame before it is written, in order.
        resumes: files of passes may be there already, of an earlier run of this job.

    Raises:
        OutputExists and others: a pass could not be written; see ``check_output``.
    """
    output, settings = job.output, job.settings.output
    opener: OpenSink = open_sink
    layers = _separate(output, settings)
    if layers:
        for name in layers:
            check_output(pass_path(output, name, ".exr"), resumes or settings.overwrite)
        opener = partial(SplitSink, layers=layers, open_main=open_sink, open_layer=open_sink)
    if not transforms:
        return opener

    def open_transformed(path: Path, spec: SinkSpec) -> FrameSink:
        return TransformedSink(path, spec, transforms, opener)

    return open_transformed


def can_be_parted(output: str, settings: OutputSettings) -> bool:
    """True where the output is one file or one sequence, which can be written in parts."""
    is_alone = _is_exr(output) or not _separate(output, settings)
    return is_alone and log_opener(output, settings.pass_names) is None


def pass_outputs(output: str, settings: OutputSettings) -> tuple[str, ...]:
    """Names of the files and patterns that passes have next to the image."""
    layers = [str(pass_path(output, name, ".exr")) for name in _separate(output, settings)]
    return (*layers, *map(str, _log_paths(output, settings.pass_names).values()))


def input_kind(name: str, info: ClipInfo) -> str:
    """Kind of a clip that is read, as ``lp_core.settings.reach.Run`` has it."""
    if info.is_still:
        return "image"
    return "video" if SequencePattern.parse(name) is None else "sequence"


def output_kind(output: str) -> str:
    """Kind of a result, as ``lp_core.settings.reach.Run`` has it."""
    if _is_exr(output):
        return "exr"
    return "video" if split_range(output)[0].suffix.lower() in SINKS else "image"


def _separate(output: str, settings: OutputSettings) -> list[str]:
    """Layers that have separate files."""
    layers = [LAYER_OF[name] for name in sorted(settings.pass_names) if name in LAYER_OF]
    return [layer for layer in layers if layer in OF_OWN_SIZE or not _is_exr(output)]


def log_opener(output: str, passes: frozenset[str]) -> Callable[[SinkSpec], FaceFile] | None:
    """Opens the numbers that no image holds; confidence is metadata where the output is EXR."""
    paths = _log_paths(output, passes)
    if not paths:
        return None
    return lambda spec: FaceFile(paths, spec.width, spec.height, spec.start_number, spec.overwrite)


def _log_paths(output: str, passes: frozenset[str]) -> dict[str, Path]:
    names = {"landmarks"} if _is_exr(output) else {"landmarks", "confidence"}
    found = {name: pass_path(output, name, ".json") for name in sorted(passes & names)}
    if "confidence" in found:
        found[CSV] = pass_path(output, "confidence", ".csv")
    return found


def _is_exr(name: str) -> bool:
    return split_range(name)[0].suffix.lower() == ".exr"
