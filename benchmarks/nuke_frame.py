"""How long Nuke's button *Render frame* takes, with the double of Nuke and a real worker.

    python benchmarks/nuke_frame.py [--size 1920x1080] [--frames 12]

A plate of half-float EXR, a built-in performance. Printed: the first frame, which warms the worker; other frames; the
same frame after a slider moved; a frame that was rendered before. Nuke's own drawing is not in it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def plates(folder: Path, count: int, size: tuple[int, int]) -> str:
    """Writes a plate; returns its pattern."""
    import cv2
    import numpy as np
    from fakes.exr import write_exr
    from skimage import data

    width, height = size
    face = (
        cv2.resize(data.astronaut(), (height, height), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    )
    image = np.zeros((height, width, 4), np.float16)
    left = (width - height) // 2
    image[:, left : left + height, :3] = face**2.2
    image[..., 3] = 1
    for number in range(1001, 1001 + count):
        write_exr(folder / f"plate.{number}.exr", image)
    return str(folder / "plate.%04d.exr")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frames", type=int, default=12)
    given = parser.parse_args()
    size = tuple(int(word) for word in given.size.split("x"))

    import fakes.nuke as nuke
    from fakes.worker import Worker

    nuke.double.reset("17", True, [str(ROOT / "hosts" / "nuke")])
    scripts = ModuleType("nukescripts")
    scripts.panels = SimpleNamespace(registerWidgetAsPanel=lambda *_: None)
    sys.modules.update(nuke=nuke, nukescripts=scripts)
    with tempfile.TemporaryDirectory() as name:
        worker = Worker(Path(name))
        worker.start()
        os.environ.update(
            LPSUITE_RUNTIME_DIR=str(worker.run), LPSUITE_SETTINGS=str(worker.folder / "host.json")
        )
        try:
            measure(nuke, plates(worker.data, given.frames, size), worker.data, given)
        finally:
            worker.stop()


def measure(nuke: Any, plate: str, home: Path, given: argparse.Namespace) -> None:  # noqa: ANN401 - the double
    """Renders frames alone and prints the seconds."""
    from hosts.nuke.lp_nuke import single_frame

    read = nuke.double.make("Read")
    last = 1000 + given.frames
    for name, value in (("file", plate), ("first", 1001), ("last", last), ("raw", True)):
        read._knobs[name]._set(value)
    node = nuke.createNode("LivePortrait")
    node.setInput(0, read)
    knobs = {
        "driver": "demo",
        "driver_demo": "expressive",
        "first": 1001,
        "last": last,
        "engine": "mesh",
        "cache": str(home),
    }
    for name, value in knobs.items():
        node[name].setValue(value)

    def seconds(frame: int) -> float:
        nuke.double.current_frame = frame
        begun = time.perf_counter()
        single_frame.render_frame(node)
        nuke.double.run_main_thread(
            lambda: not single_frame.is_running(node.fullName()) and nuke.double.jobs.empty()
        )
        if nuke.double.messages:
            raise SystemExit(nuke.double.messages[0])
        return time.perf_counter() - begun

    first = seconds(1001)
    others = [seconds(frame) for frame in range(1002, last + 1)]
    moved = []
    for value in (0.2, 0.4, 0.6, 0.8, 1.0):
        node["smile"].setValue(value)
        moved.append(seconds(1004))
    again = seconds(1004)
    print(
        f"{given.size}: first frame {first:.2f} s, other frames {statistics.median(others):.2f} s (worst "
        f"{max(others):.2f}), after a slider {statistics.median(moved):.2f} s, rendered before {again * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
