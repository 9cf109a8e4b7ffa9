"""Videos of other engines and programs, on the same inputs as the networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.errors import LpError, SettingError
from lp_core.files import ensure_folder
from lp_core.job import RenderJob
from lp_core.leftovers import temporary_folder
from lp_core.media.open import open_source
from lp_core.media.video.container import make_container
from lp_core.settings.render import RenderSettings
from lp_core.settings.table import with_values
from lp_core.training.sheets import write_png

U8 = NDArray[np.uint8]
RATE = 25
MOVIES = (".mp4", ".mov", ".mkv", ".webm", ".avi")
SOURCE_NAME, DRIVING_NAME = "source.png", "driving.mkv"


def write_inputs(folder: Path, source: U8, driving: Sequence[U8]) -> None:
    """Writes ``source.png`` and ``driving.mkv`` (FFV1, lossless); the driving video begins with its reference."""
    ensure_folder(folder)
    write_png(folder / SOURCE_NAME, source)
    with make_container(folder / DRIVING_NAME, "matroska", {}) as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.pix_fmt = "bgr0"
        stream.height, stream.width = driving[0].shape[:2]
        for image in driving:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode())


def drawn_by_mesh(source: U8, driving: Sequence[U8]) -> list[U8] | None:
    """The mesh engine's frames, one for each driving frame; None where it finds no face.

    Args:
        source: (S, S, 3).
        driving: frames, the first is the reference.
    """
    with temporary_folder() as name:
        folder = Path(name)
        write_inputs(folder, source, driving)
        settings = with_values(RenderSettings(), {"engine": "mesh", "sign": False})
        output = folder / "drawn.%04d.png"
        job = RenderJob(str(folder / SOURCE_NAME), str(folder / DRIVING_NAME), str(output), settings)
        try:
            assemble(job).run()
        except LpError:
            return None
        return read_frames(output)


def read_frames(path: Path) -> list[U8]:
    """All frames of a video or sequence."""
    with open_source(str(path)) as source:
        return [frame.as_rgb8() for frame in source]


def result_of(folder: Path, name: str, frames: int) -> list[U8] | None:
    """The frames that another program drew for an input; None where it has none.

    Args:
        folder: holds NAME.mp4 (or another kind of video), or a folder NAME of images.
        name: of the input.
        frames: of the driving video.

    Raises:
        SettingError: the video has another number of frames.
    """
    movie = next((folder / f"{name}{end}" for end in MOVIES if (folder / f"{name}{end}").is_file()), None)
    if movie is not None:
        found = read_frames(movie)
    elif (folder / name).is_dir():
        files = sorted(path for path in (folder / name).iterdir() if path.suffix in (".png", ".jpg"))
        found = [frame for path in files for frame in read_frames(path)]
    else:
        return None
    if len(found) != frames:
        raise SettingError(
            f"{folder} has {len(found)} frames for {name} where the driving video has {frames}; render all of them."
        )
    return found


def at_size(image: U8, side: int) -> U8:
    """A square image at another size, averaged down."""
    if len(image) == side:
        return image
    how = cv2.INTER_AREA if len(image) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)
