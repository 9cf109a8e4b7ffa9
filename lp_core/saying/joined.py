"""Scenes rendered one by one, joined by copying packets, with one track of sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lp_core.errors import SettingError
from lp_core.files import sha256_of
from lp_core.job import RenderJob
from lp_core.media.base import AudioTrack, FrameSink, SinkSpec
from lp_core.media.open import open_source
from lp_core.media.video.join import join_segments
from lp_core.media.video.mix import Part, mix
from lp_core.provenance.signing import Signer
from lp_core.render.render import Render
from lp_core.render.report import Listener, Progress, Summary, sealed
from lp_core.timing import FrameRate

if TYPE_CHECKING:
    from lp_core.engines.registry import MakeEngine
    from lp_core.saying.say import SayJob, SpokenScene

SceneRender = Callable[..., Render]


def join_scenes(
    job: SayJob,
    spoken: Sequence[SpokenScene],
    folder: Path,
    listener: Listener | None,
    make: MakeEngine,
    render_of: SceneRender,
) -> tuple[Summary, tuple[float, ...]]:
    """Renders every scene into a segment and joins them.

    Args:
        job: what is said.
        spoken: the speech of every scene.
        folder: for the segments.
        listener: takes progress.
        make: gives the engine.
        render_of: the render of a scene, see ``scene_render``.

    Returns:
        The summary, and where each scene begins in seconds.

    Raises:
        SettingError: scenes differ in size or rate.
        LpError: a render fails, or the result cannot be written.
    """
    silent = replace(job, settings=replace(job.settings, output=replace(job.settings.output, audio="none")))
    suffix = Path(job.output).suffix
    segments, summaries, signers = [], [], []
    spec: SinkSpec | None = None
    for index in range(len(job.scenes)):
        segment = folder / f"scene{index + 1}{suffix}"
        render = render_of(silent, index, spoken[index], str(segment), make)
        signers.append(render.seal)
        specs: list[SinkSpec] = []
        target = replace(render.target, open=_noting(render.target.open, specs), open_parts=None)
        summaries.append(replace(render, target=target, seal=None).run(listener))
        segments.append(segment)
        spec = spec or specs[0]
    assert spec is not None  # noqa: S101 - there is at least one scene
    _check_alike(segments)
    counts = [summary.frames for summary in summaries]
    starts = [sum(counts[:index]) for index in range(len(counts))]
    sound = folder / "sound.wav"
    _mix(job, spoken, counts, spec.rate, sound)
    if listener is not None:
        listener(Progress("join", 0, len(segments), 0.0, None))
    whole = replace(spec, audio=AudioTrack(sound) if job.settings.output.audio != "none" else None)
    join_segments(segments, Path(job.output), whole, starts, sum(counts))
    summary = replace(
        summaries[0],
        output=job.output,
        frames=sum(counts),
        audio=job.settings.output.audio,
        notes=tuple(dict.fromkeys(note for item in summaries for note in item.notes)),
    )
    begins = tuple(float(spec.rate.time_s(start)) for start in starts)
    return sealed(summary, _seal(job, signers, spoken, sound)), begins


def _noting(
    opener: Callable[[SinkSpec], FrameSink], specs: list[SinkSpec]
) -> Callable[[SinkSpec], FrameSink]:
    def opened(spec: SinkSpec) -> FrameSink:
        specs.append(spec)
        return opener(spec)

    return opened


def _check_alike(segments: Sequence[Path]) -> None:
    found = set()
    for segment in segments:
        with open_source(str(segment)) as source:
            found.add((source.info.width, source.info.height, source.info.rate.fps))
    if len(found) > 1:
        sizes = ", ".join(f"{width}x{height} at {float(rate):g}" for width, height, rate in sorted(found))
        raise SettingError(
            f"The scenes differ in size or rate ({sizes}); give one with --frame, --frame-height and --fps."
        )


def _mix(
    job: SayJob, spoken: Sequence[SpokenScene], counts: Sequence[int], rate: FrameRate, path: Path
) -> None:
    end = Fraction(0)
    parts = []
    for scene, item, count in zip(job.scenes, spoken, counts, strict=True):
        end += rate.time_s(count)
        parts.append(Part(item.path, end, Path(scene.music) if scene.music else None))
    mix(parts, path)


def _seal(job: SayJob, signers: Sequence[Any], spoken: Sequence[SpokenScene], sound: Path) -> Signer | None:
    """What signs the whole: the claim of the first scene, with all scenes in its record."""
    first = signers[0]
    if not isinstance(first, Signer):
        return None
    scenes: list[Mapping[str, str]] = [
        {
            "source": Path(scene.portrait).name,
            "sha256": sha256_of(Path(scene.portrait)),
            "voice": item.sheet.voice,
            "license": item.sheet.license,
        }
        for scene, item in zip(job.scenes, spoken, strict=True)
    ]
    named = RenderJob(job.scenes[0].portrait, str(sound), job.output, job.settings)
    return replace(first, job=named, scenes=tuple(scenes))
