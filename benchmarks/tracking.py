"""Prints what following one face costs a frame, next to another checkout of the project.

    python benchmarks/tracking.py [--before CHECKOUT] [--media FOLDER] [--clips d20 s32] [--frames 120] [--rounds 3]

Times are process times of reading and following, without decoding. Both checkouts take turns; medians are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHILD = """
import json, sys, time
import cv2
cv2.setNumThreads(1)
from lp_core.faces.open import open_analyzer
try:
    from lp_core.faces.person_track import PersonTrack as Track
    from lp_core.render.face_watch import FaceWatch
    extra = lambda image: (image,)
except ImportError:
    from lp_core.faces.track import FaceTrack as Track
    from lp_core.render.watch import FaceWatch
    extra = lambda image: ()
found = {}
for name in sys.argv[2:]:
    video, images = cv2.VideoCapture(name), []
    while len(images) < int(sys.argv[1]):
        is_there, image = video.read()
        if not is_there:
            break
        images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    watch, track = FaceWatch(lambda limit: open_analyzer(is_video=True, max_faces=limit)), Track("largest")
    spent = []
    for index, image in enumerate(images):
        begun = time.process_time()
        faces = watch.analyze(image, 40 * index)
        face = track.follow(faces, image.shape[1], image.shape[0], *extra(image))
        watch.tell(faces, face)
        spent.append(time.process_time() - begun)
    watch.close()
    found[name] = [sorted(spent[2:])[len(spent[2:]) // 2], sum(spent) / len(spent)]
print(json.dumps(found))
"""


def measured(tree: Path, frames: int, clips: list[str]) -> dict[str, list[float]]:
    """Clip -> (median, mean) seconds a frame, by the code of a checkout."""
    command = [sys.executable, "-P", "-c", CHILD, str(frames), *clips]
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    told = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, cwd=tree
    ).stdout
    found: dict[str, list[float]] = json.loads(told.splitlines()[-1])
    return found


def main() -> None:
    """Measures and prints."""
    options = argparse.ArgumentParser()
    options.add_argument("--before", type=Path)
    options.add_argument("--media", type=Path, default=Path("../shared/media"))
    options.add_argument("--clips", nargs="+", help="names without suffix; all without this")
    options.add_argument("--frames", type=int, default=120)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    folders = (given.media / "driving", given.media / "source_video")
    paths = [path for folder in folders for path in sorted(folder.glob("*.mp4"))]
    clips = [str(path.resolve()) for path in paths if not given.clips or path.stem in given.clips]
    trees = {"before": given.before.resolve(), "now": ROOT} if given.before else {"now": ROOT}
    rounds: dict[str, list[dict[str, list[float]]]] = {name: [] for name in trees}
    for _ in range(given.rounds):
        for name, tree in trees.items():
            rounds[name].append(measured(tree, given.frames, clips))
    ratios = []
    for clip in clips:
        words = []
        for name, found in rounds.items():
            median, mean = (statistics.median(one[clip][at] for one in found) for at in (0, 1))
            words.append(f"{name} {1000 * median:.1f} ms a frame ({1000 * mean:.1f} with the first)")
        if given.before:
            pairs = zip(rounds["now"], rounds["before"], strict=True)
            ratios.append(statistics.median(now[clip][0] / before[clip][0] for now, before in pairs))
            words.append(f"ratio {ratios[-1]:.3f}")
        print(f"{Path(clip).stem}: " + ", ".join(words), flush=True)
    if ratios:
        print(f"all clips: ratio of medians {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
