"""One face is looked for while the followed one is alone, several otherwise."""

import numpy as np
from fakes.faces import FirstFollower, PlantedAnalyzer, make_face, planted

from lp_core.render.face_watch import MANY_FACES, FaceWatch


class Opened(list):
    def __call__(self, limit):
        self.append(PlantedAnalyzer(limit))
        return self[-1]


def watched(values):
    """The limits under which each frame was analyzed."""
    opened, limits = Opened(), []
    watch = FaceWatch(opened)
    for time_ms, value in enumerate(values):
        faces = watch.analyze(planted(value), time_ms)
        limits.append(opened[-1].max_faces)
        watch.tell(faces, FirstFollower().follow(faces, 10, 8))
    watch.close()
    assert all(analyzer.closed for analyzer in opened)
    return limits


def test_a_lone_face_is_followed_alone():
    assert watched([9, 9, 9]) == [MANY_FACES, 1, 1]


def test_a_lost_face_is_searched_among_all():
    assert watched([9, 9, 0, 0, 9, 9]) == [MANY_FACES, 1, 1, MANY_FACES, MANY_FACES, 1]


def test_among_several_faces_all_are_looked_for():
    opened = Opened()
    watch = FaceWatch(opened)
    for time_ms in range(3):
        watch.analyze(planted(9), time_ms)
        pair = [make_face(1), make_face(2)]
        watch.tell(pair, pair[0])
    watch.close()
    assert [analyzer.max_faces for analyzer in opened] == [MANY_FACES]


def test_a_single_frame_opens_one_analyzer():
    assert watched([9]) == [MANY_FACES]


def test_the_first_frame_after_a_cut_is_read_by_a_new_landmarker_that_looks_for_all():
    opened = Opened()
    watch = FaceWatch(opened)
    for time_ms, brightness in enumerate([0, 0, 0, 120, 120, 120]):
        faces = watch.analyze(planted(9) + np.uint8(brightness), time_ms)
        watch.tell(faces, faces[0])
    watch.close()
    assert [(analyzer.max_faces, analyzer.times_ms) for analyzer in opened] == [
        (MANY_FACES, [0]),
        (1, [1, 2]),
        (MANY_FACES, [3]),
        (1, [4, 5]),
    ]
