"""A timeline of what was said: one clip for each scene, as OpenTimelineIO."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from lp_core.errors import SettingError, missing_extra
from lp_core.files import replacing
from lp_core.render.report import Summary
from lp_core.saying.scenes import ScriptScene
from lp_core.timing import FrameRate


def write_timeline(
    path: Path, video: str, summary: Summary, scenes: Sequence[ScriptScene], starts_s: Sequence[float]
) -> None:
    """Writes a timeline whose clips are the scenes' parts of the video.

    Args:
        path: ``.otio`` file.
        video: the rendered video.
        summary: of its render.
        scenes: in order.
        starts_s: where each begins in the video, seconds.

    Raises:
        MissingDependency: OpenTimelineIO is not installed.
        SettingError: the suffix is another one.
        DiskFull, NoWritePermission, MediaError: the file cannot be written.
    """
    try:
        otio = import_module("opentimelineio")
    except ImportError as error:
        raise missing_extra("A timeline", "otio") from error
    if path.suffix.lower() != ".otio":
        raise SettingError(f"{path} cannot hold a timeline; let its name end in .otio.")
    rate = FrameRate.parse(summary.rate)
    fps = float(rate.fps)
    frames = [round(start * fps) for start in starts_s] + [summary.frames]

    def span(first: int, count: int) -> object:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(first, fps), otio.opentime.RationalTime(count, fps)
        )

    timeline = otio.schema.Timeline(Path(video).stem)
    tracks = [
        otio.schema.Track(kind, kind=kind)
        for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio)
    ]
    timeline.tracks.extend(tracks)
    address = Path(video).absolute().as_uri()
    for track in tracks:
        for index, scene in enumerate(scenes):
            media = otio.schema.ExternalReference(address, span(0, summary.frames))
            name = scene.title or f"Scene {index + 1}"
            clip = otio.schema.Clip(name, media, span(frames[index], frames[index + 1] - frames[index]))
            clip.metadata["lpsuite"] = {"text": scene.text, "voice": scene.voice, "portrait": scene.portrait}
            track.append(clip)
    with replacing(path) as temporary:
        otio.adapters.write_to_file(timeline, str(temporary.with_suffix(".otio")))
