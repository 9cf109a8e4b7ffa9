"""Four portraits in one image, four performances, one render: is each face as in its own render, and what does it cost?

    python benchmarks/cast.py [--media FOLDER] [--frames 24] [--cell 480]

Printed for each face: the largest difference between the cast's render and the render of that face alone, over the
pixels that this face alone changes (how many they are, and how many it shares with others). At last the time of the
cast against that of the four renders.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own short name
from numpy.typing import NDArray

from lp_core.assemble import assemble
from lp_core.faces.open import open_analyzer
from lp_core.job import RenderJob
from lp_core.media.image.stills import write_image
from lp_core.settings import RenderSettings
from lp_core.settings.table import with_values

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from fakes.collages import PEOPLE, collage, head, read_rgb  # noqa: E402

DRIVERS = ("d10", "d20", "d3", "d19")
FPS = "30"
"""Rate of every render: that of a cast is the first performance's, that of a single one its own."""
FACE_SHARE = 0.42
"""Height of a face, in cells."""


def make_collage(media: Path, cell_px: int, path: Path) -> list[str]:
    """Writes the image; the places of its faces as ``--face`` takes them."""
    with closing(open_analyzer(is_video=False, max_faces=1)) as analyzer:
        images = [read_rgb(media / "portraits" / f"{name}.jpg") for name in PEOPLE]
        heads = [head(image, analyzer.analyze(image)[0].box) for image in images]
    count = len(heads)
    made, centers = collage(heads, [round(FACE_SHARE * cell_px)] * count, [0] * count, 2, cell_px)
    write_image(path, made)
    return [f"{round(x)},{round(y)}" for x, y in centers]


def render(job: tuple[Path, str, Path], frames: int, **values: Any) -> tuple[float, float]:  # noqa: ANN401
    """Renders an EXR sequence; wall-clock and processor seconds."""
    source, driving, output = job
    settings = with_values(
        RenderSettings(),
        {
            "engine": "mesh",
            "sign": False,
            "passes": "beauty,matte",
            "frames": f"0-{frames - 1}",
            "fps": FPS,
            **values,
        },  # fmt: skip
    )
    begun, worked = time.perf_counter(), time.process_time()
    assemble(RenderJob(str(source), driving, str(output), settings)).run()
    return time.perf_counter() - begun, time.process_time() - worked


def read(folder: Path, name: str, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(H, W, 3) colors and (H, W) matte of a frame."""
    image = oiio.ImageBuf(str(folder / f"{name}.{index:04d}.exr"))
    names, values = image.spec().channelnames, image.get_pixels(oiio.FLOAT)
    return values[..., :3], values[..., names.index("matte.A")]


def main() -> None:
    """Prints all figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--media", type=Path, default=Path("../shared/media"))
    options.add_argument("--frames", type=int, default=24)
    options.add_argument("--cell", type=int, default=480)
    given = options.parse_args()
    drivers = [str((given.media / "driving" / f"{name}.mp4").resolve()) for name in DRIVERS]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "four.png"
        places = make_collage(given.media, given.cell, source)
        render((source, drivers[0], folder / "warm.%04d.exr"), 2, source_face=places[0])
        alone = [
            render((source, driver, folder / f"alone{index}.%04d.exr"), given.frames, source_face=place)
            for index, (place, driver) in enumerate(zip(places, drivers, strict=True))
        ]
        faces = tuple(f"{place}={driver}" for place, driver in zip(places, drivers, strict=True))
        cast = render((source, drivers[0], folder / "cast.%04d.exr"), given.frames, face=faces)
        compare(folder, given.frames)
    wall, work = (sum(times[at] for times in alone) for at in (0, 1))
    print(
        f"one render of four faces {cast[0]:.1f} s ({cast[1]:.1f} s of processor time), four renders {wall:.1f} s"
    )
    print(
        f"({work:.1f} s): {100 * cast[0] / wall:.0f} % of the time, {100 * cast[1] / work:.0f} % of the work"
    )


def compare(folder: Path, frames: int) -> None:
    """Prints the differences."""
    worst, own, shared = [0.0] * len(PEOPLE), [0] * len(PEOPLE), [0] * len(PEOPLE)
    untouched = 0
    for index in range(frames):
        whole, all_mattes = read(folder, "cast", index)
        alone = [read(folder, f"alone{face}", index) for face in range(len(PEOPLE))]
        masks = np.stack([matte > 0 for _, matte in alone])
        count = masks.sum(axis=0)
        untouched += int(((count == 0) & (all_mattes > 0)).sum())
        for face, (image, _) in enumerate(alone):
            only = masks[face] & (count == 1)
            own[face] += int(only.sum())
            shared[face] += int((masks[face] & (count > 1)).sum())
            worst[face] = max(worst[face], float(np.abs(whole[only] - image[only]).max(initial=0.0)))
    for face, name in enumerate(PEOPLE):
        print(
            f"{name} played by {DRIVERS[face]}: differs by at most {worst[face]:g} over {own[face]} pixels; "
            f"{shared[face]} pixels are shared with other faces"
        )
    print(f"pixels that the cast changes and no single render does: {untouched}")


if __name__ == "__main__":
    main()
