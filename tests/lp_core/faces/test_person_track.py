"""One person through cuts, crossings and re-entries: by looks where the place misleads."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from fakes.collages import head, read_rgb
from fakes.two_people import crossing, frame_of

from lp_core.errors import ModelMissing, SettingError
from lp_core.faces import sface
from lp_core.faces.hand_points import face_from_points
from lp_core.faces.open import open_analyzer
from lp_core.faces.people import looked_at, people_of
from lp_core.faces.person_track import PersonTrack
from lp_core.faces.sface import NOBODY, OTHER, SAME, FaceDescriber, Gallery, aligned_face
from lp_core.models.store import locate
from lp_core.motion.builtin import neutral_face
from lp_core.render.face_watch import FaceWatch
from lp_core.timing import FrameRate

SIZE = (640, 360)
FACE_PX = 110


def has_sface():
    try:
        locate(sface.MODEL)
    except ModelMissing:
        return False
    return True


@pytest.fixture(scope="module")
def describer():
    if not has_sface():
        pytest.skip("no installed package carries the model sface")
    return FaceDescriber()


@pytest.fixture(scope="module")
def heads(media, astronaut):
    pictures = [astronaut, read_rgb(media / "portraits" / "s9.jpg")]
    with closing(open_analyzer(is_video=False, max_faces=1)) as analyzer:
        return [head(picture, analyzer.analyze(picture)[0].box) for picture in pictures]


def followed(track, frames):
    """Middles of the followed face, None where it is lost; faces are read as in a clip."""
    middles = []
    with closing(FaceWatch(lambda limit: open_analyzer(is_video=True, max_faces=limit))) as watch:
        for index, picture in enumerate(frames):
            faces = watch.analyze(picture, index * 40)
            face = track.follow(faces, *SIZE, picture)
            watch.tell(faces, face)
            middles.append(None if face is None else face.box.center)
    return middles


def swaps(middles, own, other):
    """Frames in which the middle is nearer to the other person."""
    return [
        index
        for index, (middle, mine, theirs) in enumerate(zip(middles, own, other, strict=True))
        if middle is not None
        and theirs is not None
        and (mine is None or np.hypot(*np.subtract(middle, mine)) > np.hypot(*np.subtract(middle, theirs)))
    ]


@pytest.mark.parametrize(("is_bounced", "front"), [(False, 1), (True, 1), (True, 0)])
def test_two_people_who_cross_or_turn_back_keep_their_ids(describer, heads, is_bounced, front):
    places = list(crossing(20, is_bounced=is_bounced))
    order = (1, 0) if front == 0 else (0, 1)
    frames = [frame_of([heads[i] for i in order], [at[i] for i in order], FACE_PX) for at in places]
    middles = followed(PersonTrack("left"), frames)
    own, other = [at[0] for at in places], [at[1] for at in places]
    hidden = {i for i, at in enumerate(places) if abs(at[0][0] - at[1][0]) < FACE_PX}
    assert [index for index in swaps(middles, own, other) if index not in hidden] == []
    assert None not in middles[:5] + middles[-5:]


def test_cut_to_another_person_at_the_same_place_is_a_loss_and_the_way_back_is_found(describer, heads):
    here, there = (200, 190), (440, 190)
    shots = [((here, None), 6), ((None, here), 6), ((there, here), 6)]
    frames = [frame_of(heads, centers, FACE_PX) for centers, count in shots for _ in range(count)]
    middles = followed(PersonTrack("largest"), frames)
    assert None not in middles[:6]
    assert middles[6:12] == [None] * 6
    assert all(middle is not None and middle[0] > 320 for middle in middles[12:])


def test_a_lone_person_is_found_in_the_first_frame_after_a_cut(describer, heads):
    shots = [(200, 190), (450, 150), (200, 210)]
    frames = [frame_of([heads[0]], [at], FACE_PX) for at in shots for _ in range(4)]
    middles = followed(PersonTrack("largest"), frames)
    for index, middle in enumerate(middles):
        assert middle is not None
        assert np.hypot(*np.subtract(middle, shots[index // 4])) < FACE_PX / 3


def test_person_who_leaves_and_enters_on_the_other_side_is_found_again(describer, heads):
    walk = [*np.linspace(120, -80, 7), *[None] * 6, *np.linspace(720, 540, 12), *[540] * 4]
    centers = [((None if x is None else (x, 190)), (330, 190)) for x in walk]
    frames = [frame_of(heads, at, 80) for at in centers]
    middles = followed(PersonTrack("left"), frames)
    assert swaps(middles, [at[0] for at in centers], [at[1] for at in centers]) == []
    assert None not in middles[-4:]
    assert middles[8:13] == [None] * 5


def test_ids_follow_the_first_appearance_and_survive_a_cut(describer, heads):
    shots = [((200, 190), None), ((440, 190), (200, 190)), (None, (300, 190))]
    frames = [frame_of(heads, at, FACE_PX) for at in shots for _ in range(5)]
    with closing(open_analyzer(is_video=False, max_faces=8)) as analyzer:
        first, second = people_of(looked_at(frames, FrameRate.parse("25")), analyzer, describer)
    assert (first.id, first.first_frame, second.id, second.first_frame) == ("p0", 0, "p1", 5)
    assert first.last_frame < 10 <= second.last_frame
    assert "128" not in repr(first.gallery) and "rows" not in repr(first)


class Named:
    """Describes a face by the color that ``drawn`` gives it: who it is."""

    def __init__(self, vague=()):
        self.vague, self.calls = vague, 0

    def __call__(self):
        return self

    def descriptor(self, aligned):
        self.calls += 1
        who = int(aligned[70, 56, 0])
        row = np.zeros(128, np.float32)
        row[who % 100] = 0.4 if who in self.vague else 1.0
        row[127] = np.sqrt(1 - row[who % 100] ** 2)
        return row


def face(name, x, y=180, size=100):
    points = np.array([[-20, -20], [20, -20], [0, 0], [-15, 20], [15, 20]]) * size / 100 + (x, y)
    made = face_from_points(points, neutral_face())
    return replace(made, pose=replace(made.pose, roll_deg=float(name)))


def drawn(faces, ground=90):
    picture = np.full((360, 640, 3), ground, np.uint8)
    for item in faces:
        left, top, right, bottom = (int(value) for value in vars(item.box).values())
        picture[top:bottom, max(left, 0) : right] = int(item.pose.roll_deg)
    return picture


def names(track, frames):
    found = [track.follow(faces, *SIZE, drawn(faces)) for faces in frames]
    return [item and int(item.pose.roll_deg) for item in found]


def test_a_lone_person_is_described_when_it_is_needed():
    named = Named()
    track = PersonTrack("largest", opened=named)
    assert names(track, [[face(1, 300)]] * 200) == [1] * 200
    assert named.calls == 0
    assert names(track, [[], [face(1, 300)]]) == [None, 1]
    assert named.calls == 5  # what was seen first, three faces that were learned, and the one that came back


def test_a_stranger_where_the_person_was_lost_is_refused():
    frames = [[face(1, 300)]] * 3 + [[]] * 2 + [[face(2, 300)]] * 30 + [[face(2, 300), face(1, 500)]]
    assert names(PersonTrack("largest", opened=Named()), frames) == [1] * 3 + [None] * 32 + [1]


def test_doubtful_looks_leave_the_place_in_charge():
    frames = [[face(1, 300)]] * 3 + [[]] * 2 + [[face(101, 300)]] * 3
    assert OTHER <= 0.4 < SAME
    assert (
        names(PersonTrack("largest", opened=Named(vague={101})), frames) == [1] * 3 + [None] * 2 + [101] * 3
    )


def test_after_a_cut_the_place_proves_nothing_where_looks_are_doubtful():
    track = PersonTrack("largest", opened=Named(vague={101}))
    shots = [(face(1, 300), 90), (face(101, 300), 160), (face(1, 500), 90)]
    found = [track.follow([item], *SIZE, drawn([item], ground)) for item, ground in shots for _ in range(4)]
    assert [item and int(item.pose.roll_deg) for item in found] == [1] * 4 + [None] * 4 + [1] * 4


class Seen:
    """An analyzer that finds the faces it was given, image after image."""

    def __init__(self, frames):
        self.frames = iter(frames)

    def analyze(self, picture, time_ms=None):
        return next(self.frames)


@pytest.mark.parametrize(("is_cut", "count"), [(False, 1), (True, 2)])
def test_doubtful_looks_at_the_same_place_are_one_person_within_a_shot(is_cut, count):
    faces = [[face(1, 300)], [face(101, 300)]]
    pictures = [drawn(faces[0]), drawn(faces[1], 160 if is_cut else 90)]
    frames = looked_at(pictures, FrameRate.parse("2"))
    people = people_of(frames, Seen(faces), Named(vague={101}))
    assert [person.id for person in people] == ["p0", "p1"][:count]
    assert people[-1].last_frame == 1


def test_known_looks_choose_the_person_anywhere():
    row = Named().descriptor(aligned_face(drawn([face(2, 300)]), face(2, 300)))
    known = Gallery(row[None])
    frames = [[face(1, 100)], [face(1, 100), face(2, 500)], [face(2, 505), face(1, 100)]]
    assert names(PersonTrack("largest", known, Named()), frames) == [None, 2, 2]


def test_gallery_keeps_its_first_row_and_few_others():
    gallery = NOBODY
    for index in range(20):
        gallery = gallery.with_also(np.eye(128, dtype=np.float32)[index])
    assert len(gallery.rows) == 6
    assert gallery.likeness(np.eye(128, dtype=np.float32)[0]) == 1
    assert NOBODY.likeness(np.eye(128, dtype=np.float32)[0]) == -1


def test_without_the_model_place_decides_and_one_note_says_so(monkeypatch):
    def missing(name):
        raise ModelMissing(name)

    monkeypatch.setattr(sface, "locate", missing)
    track = PersonTrack("left")
    assert names(track, [[face(1, 100)]] * 3) == [1] * 3
    assert track.notes == ()
    assert names(track, [[face(1, 100), face(2, 200)], [], [face(2, 110)]]) == [1, None, 2]
    (note,) = track.notes
    assert "lpsuite models fetch sface" in note


def test_unknown_word_is_refused_at_once():
    with pytest.raises(SettingError):
        PersonTrack("biggest")
