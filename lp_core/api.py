"""The Python interface: what ``import lp_core`` offers, one function for each command.

Every function takes settings by their names, such as ``smoothing=0.5``; names are unique over all groups and the same
as the command line's options (``lpsuite animate --help``, ``docs/python.md``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lp_core.assemble import assemble, assemble_extraction
from lp_core.clips import faces_of_frame, filmed_face
from lp_core.errors import SettingError
from lp_core.faces.selector import in_order
from lp_core.job import RenderJob
from lp_core.leftovers import temporary_prefix
from lp_core.media.base import ReadOptions
from lp_core.performance_name import voice_name
from lp_core.render.chunks import draw_frames
from lp_core.render.report import Listener, Summary
from lp_core.render.solution import solve
from lp_core.resuming import render_resumably
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values
from lp_core.upscaling import DEFAULT_MODEL, assemble_upscale

if TYPE_CHECKING:
    from lp_core.batch.results import BatchSummary
    from lp_core.faces.base import Face
    from lp_core.frame import Pixels
    from lp_core.speech.sync import SyncCheck
    from lp_core.speech.train import TrainedClip

FileName = str | Path


def animate(
    source: FileName,
    driving: FileName,
    output: FileName,
    progress: Listener | None = None,
    work: FileName | None = None,
    **settings: Any,  # noqa: ANN401 - any setting's value
) -> Summary:
    """Animates a source with a performance and writes the result.

    Args:
        source: still image, video, or frame pattern such as ``plate.####.exr``.
        driving: video, image, motion file (``.lpmotion``, ``.pkl``) or built-in motion such as ``demo:nod``.
        output: video or frame pattern to write.
        progress: called with progress, at most ten times a second, in the calling thread.
        work: folder that keeps finished parts; the same call continues there after a crash. None: nothing is kept.
        **settings: settings by name.

    Returns:
        The frames written, the rate, the frames in which a face was lost, and notes for the user.

    Raises:
        LpError: the render cannot start or cannot finish; no partial output is left.
    """
    job = RenderJob(str(source), str(driving), str(output), with_values(RenderSettings(), settings))
    return assemble(job).run(progress) if work is None else render_resumably(job, Path(work), progress)


def lipsync(
    plate: FileName,
    voice: FileName,
    output: FileName,
    progress: Listener | None = None,
    work: FileName | None = None,
    **settings: Any,  # noqa: ANN401 - any setting's value
) -> Summary:
    """Replaces the mouth of a filmed plate by one that speaks with another voice.

    Head, eyes and everything outside the mouth region stay the plate's, bit for bit. The result carries the voice.

    Args:
        plate: video or frame pattern that shows a face.
        voice: sound file, or a video whose sound is used.
        output: video or frame pattern to write.
        progress: called with progress.
        work: as for ``animate``.
        **settings: settings by name.

    Returns:
        As for ``animate``; the notes say how late the plate's own sound is against its lips.

    Raises:
        LpError: the render cannot start or cannot finish; no partial output is left.
    """
    return animate(plate, voice_name(str(voice)), output, progress, work, **{**settings, "lipsync": True})


def extract(
    driving: FileName,
    output: FileName,
    progress: Listener | None = None,
    **settings: Any,  # noqa: ANN401 - any setting's value
) -> Summary:
    """Reads a performance once and stores it as a motion file.

    Args:
        driving: video, image or motion file.
        output: ``.lpmotion`` or ``.pkl`` file to write.
        progress: called with progress.
        **settings: settings by name.

    Raises:
        LpError: the performance cannot be read, or the file cannot be written.
    """
    return assemble_extraction(str(driving), str(output), with_values(RenderSettings(), settings)).run(
        progress
    )


def upscale(
    source: FileName,
    output: FileName,
    progress: Listener | None = None,
    **settings: Any,  # noqa: ANN401 - any setting's value
) -> Summary:
    """Enlarges a video, an image or a sequence with Real-ESRGAN or another upscaling network.

    Args:
        source: video, image or frame pattern.
        output: video, image or frame pattern to write.
        progress: called with progress.
        **settings: settings by name; ``upscale`` names the model (default ``x4plus``).

    Raises:
        LpError: the model is missing, or a file cannot be read or written.
    """
    settings.setdefault("upscale", DEFAULT_MODEL)
    return assemble_upscale(str(source), str(output), with_values(RenderSettings(), settings)).run(progress)


def batch(
    timeline: FileName,
    output: FileName,
    progress: Listener | None = None,
    **settings: Any,  # noqa: ANN401 - any setting's value
) -> BatchSummary:
    """Animates the marked clips of a timeline and writes the relinked timeline.

    Args:
        timeline: any file that OpenTimelineIO reads.
        output: folder for media, reports and ``timeline.otio``.
        progress: called with the progress of the whole batch.
        **settings: settings by name for every clip; a clip's own mark overrides them.

    Returns:
        The state of every shot and the files written. A shot that fails does not stop the others.

    Raises:
        LpError: the timeline cannot be read, or the results cannot be written.
    """
    from lp_core.batch.planner import PlanRequest, make_plan
    from lp_core.batch.run import deliver, run_plan
    from lp_core.batch.steps import RenderResources
    from lp_core.engines.registry import WarmEngines

    request = PlanRequest(Path(timeline), Path(output), settings=with_values(RenderSettings(), settings))
    plan, read = make_plan(request)
    plan.write()
    return deliver(plan, run_plan(plan, RenderResources(make=WarmEngines().make), progress), read)


def inspect(
    source: FileName, frame: int = 0, layer: str | None = None, view: str | None = None
) -> list[Face]:
    """Finds the faces in one frame.

    Args:
        source: image, video or frame pattern.
        frame: 0-based index of the frame.
        layer: layer of a multi-layer EXR.
        view: view of a stereo EXR.

    Returns:
        The faces in the order of the index that ``source_face`` and ``driving_face`` take: boxes and landmarks in
        pixels of the frame, pose in degrees, blendshapes from 0 to 1.

    Raises:
        LpError: the file cannot be read, or has no such frame.
    """
    film = filmed_face(str(source), "largest", ReadOptions(layer=layer, view=view))
    return in_order(faces_of_frame(film, frame)[1])


def check_sync(film: FileName, speech_track: int = 0) -> SyncCheck:
    """Checks whether the sound of a video belongs to its mouth, and how late it is.

    Args:
        film: video with sound that shows a speaker.
        speech_track: audio track with the voice, from 1; 0: the first.

    Returns:
        The offset in seconds (positive: the sound is late), score, confidence and verdict.

    Raises:
        LpError: the video cannot be read, shows no face or has no sound.
    """
    from lp_core.speech.check import check_film

    return check_film(Path(film), speech_track)


def train_speech(
    clips: Iterable[FileName],
    output: FileName,
    overwrite: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[TrainedClip]:
    """Fits a mouth map on clips of speakers, for the setting ``mouth_map``.

    Args:
        clips: videos with sound that show one speaker each; four or more are better than the map that ships.
        output: ``.npz`` file to write.
        overwrite: replace a file that exists.
        progress: called with the name of each clip when it is read.

    Returns:
        For each clip whether it was used, its own lip-sync, and how well a map of the others predicts it.

    Raises:
        LpError: no clip can be used, or a file cannot be read or written.
    """
    from lp_core.speech.train import train_map

    return train_map([Path(clip) for clip in clips], Path(output), overwrite, progress)


def frames(job: RenderJob, progress: Listener | None = None) -> Iterator[Pixels]:
    """Renders a job without writing it, frame by frame.

    The performance is read first; after that one frame is drawn each time the iterator advances. The job's output
    is not written: its name decides the color encoding of the frames, as it would for the file.

    Args:
        job: what to render.
        progress: called with progress while the performance is read.

    Yields:
        (height, width, 3 or 4) arrays with the sample type and the encoding of the source.

    Raises:
        SettingError: the job asks for larger frames; ``animate`` makes those.
        LpError: the job cannot be rendered.
    """
    larger = job.settings.upscale
    if larger.upscale is not None and larger.upscale_region != "face":
        raise SettingError(
            "frames() gives frames as they are drawn, and upscale enlarges them on their way to a file; leave "
            "upscale out, or use animate()."
        )
    render = assemble(job, resumes=True)
    with tempfile.TemporaryDirectory(prefix=temporary_prefix()) as folder:
        solution = solve(render, Path(folder), progress)
        for frame in draw_frames(render, solution, 0, solution.frames):
            yield frame.pixels
