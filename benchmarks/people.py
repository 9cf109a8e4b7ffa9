"""Prints how one person is kept apart from others: likeness, crossings, cuts, re-entries, and what it costs.

    python benchmarks/people.py [--media FOLDER] [--frames 150]

Costs are process times of following alone and of reading the faces, per frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from lp_core.faces.open import open_analyzer
from lp_core.faces.people import looked_at, people_of
from lp_core.faces.person_track import PersonTrack
from lp_core.faces.sface import FaceDescriber, aligned_face, look_of
from lp_core.faces.track import FaceTrack
from lp_core.media.open import open_source
from lp_core.render.face_watch import FaceWatch

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from fakes.collages import PEOPLE, head, read_rgb  # noqa: E402
from fakes.two_people import crossing, frame_of  # noqa: E402

FACE_PX = 110
COVERED_PX = 1.2 * FACE_PX
"""The square that is drawn around a face reaches so far from its middle; what is nearer is hidden by it."""


def main() -> None:
    """Prints all figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--media", type=Path, default=Path("../shared/media"))
    options.add_argument("--frames", type=int, default=150)
    options.add_argument("--pairs", action=argparse.BooleanOptionalAction, default=True)
    given = options.parse_args()
    cv2.setNumThreads(1)
    with closing(open_analyzer(is_video=False, max_faces=1)) as analyzer:
        pictures = {name: read_rgb(given.media / "portraits" / f"{name}.jpg") for name in PEOPLE}
        heads = [head(picture, analyzer.analyze(picture)[0].box) for picture in pictures.values()]
    if given.pairs:
        show_pairs(heads)
    for path in sorted((given.media / "driving").glob("*.mp4")) + sorted(
        (given.media / "source_video").glob("*.mp4")
    ):
        show_clip(path, given.frames)


def show_pairs(heads) -> None:  # noqa: ANN001
    """Every two of four portraits cross, turn back, are cut to and re-enter."""
    swapped = frames = lost = 0
    cuts = entries = ids = count = 0
    for one in range(len(heads)):
        for other in range(len(heads)):
            if one == other:
                continue
            pair = [heads[one], heads[other]]
            for is_bounced in (False, True):
                places = list(crossing(is_bounced=is_bounced))
                made = [frame_of(pair, at, FACE_PX) for at in places]
                for (own, theirs), middle in zip(places, followed("left", made), strict=True):
                    if abs(own[0] - theirs[0]) < COVERED_PX:
                        continue
                    frames += 1
                    lost += middle is None
                    swapped += middle is not None and abs(middle[0] - own[0]) > abs(middle[0] - theirs[0])
            here, there = (200, 190), (440, 190)
            shots = [(here, None)] * 5 + [(None, here)] * 5 + [(there, here)] * 5
            middles = followed("largest", [frame_of(pair, at, FACE_PX) for at in shots])
            cuts += middles[5:10] == [None] * 5 and all(m is not None and m[0] > 320 for m in middles[10:])
            walk = [*np.linspace(120, -80, 7), *[None] * 6, *np.linspace(720, 540, 12), *[540] * 4]
            places = [(None if x is None else (x, 190), (330, 190)) for x in walk]
            middles = followed("left", [frame_of(pair, at, 80) for at in places])
            entries += middles[8:13] == [None] * 5 and all(m is not None and m[0] > 430 for m in middles[-4:])
            with closing(open_analyzer(is_video=False, max_faces=8)) as analyzer:
                from lp_core.timing import FrameRate

                shots = [(here, None)] * 3 + [(there, here)] * 3 + [(None, there)] * 3
                made = (frame_of(pair, at, FACE_PX) for at in shots)
                ids += len(people_of(looked_at(made, FrameRate.parse("25")), analyzer, FaceDescriber())) == 2
            count += 1
    print(f"crossings and turns: {swapped} swapped, {lost} lost of {frames} frames with both in sight")
    print(f"cut to another and back: {cuts} of {count}; leaves and re-enters elsewhere: {entries} of {count}")
    print(f"two ids over three shots: {ids} of {count}")


def followed(selector, frames):  # noqa: ANN001, ANN201
    """Middles of the followed face; None where it is lost."""
    track, middles = PersonTrack(selector), []
    with closing(FaceWatch(lambda limit: open_analyzer(is_video=True, max_faces=limit))) as watch:
        for index, picture in enumerate(frames):
            faces = watch.analyze(picture, index * 40)
            face = track.follow(faces, *picture.shape[1::-1], picture)
            watch.tell(faces, face)
            middles.append(None if face is None else face.box.center)
    return middles


class Counted:
    """A describer that counts and keeps its time."""

    def __init__(self) -> None:
        self.calls, self.made = 0, None

    def __call__(self):  # noqa: ANN204
        """Opens itself."""
        self.made = self.made or FaceDescriber()
        return self

    def descriptor(self, aligned):  # noqa: ANN001, ANN201
        """Counts and describes."""
        self.calls += 1
        return self.made.descriptor(aligned)


def show_clip(path, most) -> None:  # noqa: ANN001
    """One person of a real clip: what is found with and without looks, how often a face is described, the cost."""
    with open_source(path) as source:
        pictures = [frame.as_rgb8() for frame in islice(source, most)]
    counted = Counted()
    tracks = {"place": FaceTrack("largest"), "person": PersonTrack("largest", opened=counted)}
    spent, found, changes, read_s = dict.fromkeys(tracks, 0.0), dict.fromkeys(tracks, 0), [], 0.0
    watch = FaceWatch(lambda limit: open_analyzer(is_video=True, max_faces=limit))
    look, first, alike = None, None, []
    describer = FaceDescriber()
    for index, picture in enumerate(pictures):
        start = time.process_time()
        faces = watch.analyze(picture, index * 40)
        read_s += time.process_time() - start
        for name, track in tracks.items():
            start = time.process_time()
            face = track.follow(faces, *picture.shape[1::-1], picture)
            spent[name] += time.process_time() - start
            found[name] += face is not None
        watch.tell(faces, face)
        if face is not None:
            now = look_of(picture, face)
            changes.append(0.0 if look is None else float(np.abs(now - look).mean()))
            look = now
            if index % 10 == 0:
                row = describer.descriptor(aligned_face(picture, face))
                first = row if first is None else first
                alike.append(float(first @ row))
    watch.close()
    count = len(pictures)
    print(
        f"{path.stem}: {count} frames, found by place {found['place']}, by person {found['person']}, described "
        f"{counted.calls}; look changes by {np.percentile(changes, 50):.1f}, at most {max(changes):.1f}; likeness to "
        f"the first frame at least {min(alike):.2f}; reading {1000 * read_s / count:.1f} ms, place "
        f"{1000 * spent['place'] / count:.2f}, person {1000 * spent['person'] / count:.2f}"
    )


if __name__ == "__main__":
    main()
