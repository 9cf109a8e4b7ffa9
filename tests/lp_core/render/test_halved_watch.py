"""A clip that is read in two halves at once gives the faces that one landmarker gives."""

import threading

import pytest
from fakes.faces import FirstFollower, PlantedAnalyzer, make_face, planted
from fakes.media import MemorySource

from lp_core.errors import MediaError
from lp_core.frame import ClipInfo
from lp_core.render import halved_watch
from lp_core.render.edges import FilmedFace
from lp_core.render.face_watch import MANY_FACES, FaceWatch
from lp_core.render.halved_watch import LEAST_FRAMES, MOST_FRAMES, WARM_UP, HalvedWatch, gains_by_halves
from lp_core.timing import FrameRate

COUNT = 300
FIRST = (COUNT + WARM_UP) // 2


class CrowdAnalyzer(PlantedAnalyzer):
    """Finds two faces where the value is above 200, as many as it may."""

    def analyze(self, picture, time_ms=None):
        faces = super().analyze(picture, time_ms)
        if faces and faces[0].pose.roll_deg > 200 and self.max_faces > 1:
            faces.append(make_face(1))
        return faces


class Clip:
    """A clip of planted values and all that was opened to read it."""

    def __init__(self, value_at=lambda index: 1 + index % 180, count=COUNT, **source):
        self.value_at, self.count, self.source = value_at, count, source
        self.analyzers = {}
        self.sources = []

    def open_analyzer(self, limit):
        thread = "later" if threading.current_thread().name == "later faces" else "main"
        self.analyzers.setdefault(thread, []).append(CrowdAnalyzer(limit))
        return self.analyzers[thread][-1]

    def open(self):
        make = lambda index: planted(self.value_at(index))  # noqa: E731
        self.sources.append(MemorySource(make, self.count, **self.source))
        return self.sources[-1]

    def film(self):
        info = MemorySource(lambda _: planted(1), self.count).info
        return FilmedFace("clip", info, self.open, self.open_analyzer, FirstFollower, lambda *_: None)

    def read(self, thread):
        """Frames that a thread's landmarkers read, in order."""
        return [round(time / 40) for one in self.analyzers.get(thread, []) for time in one.times_ms]


def rolls(clip, in_halves):
    with_faces = list(clip.film().followed(lambda _: None, in_halves))
    assert [frame.index for frame, _ in with_faces] == list(range(clip.count))
    return [face and face.pose.roll_deg for _, face in with_faces]


def lost_for_a_moment(index):
    return 0 if 220 <= index < 223 else 9


def others_pass_by(index):
    return 210 if 230 <= index < 250 else 9


@pytest.mark.parametrize("value_at", [lambda i: 1 + i % 180, lost_for_a_moment, others_pass_by])
def test_faces_are_those_of_one_landmarker(value_at):
    assert rolls(Clip(value_at), in_halves=True) == rolls(Clip(value_at), in_halves=False)


def test_each_half_is_read_by_its_own_landmarker():
    clip = Clip()
    rolls(clip, in_halves=True)
    assert clip.read("main") == list(range(FIRST))
    assert clip.read("later") == list(range(FIRST - WARM_UP, COUNT))
    assert all(analyzer.closed for analyzers in clip.analyzers.values() for analyzer in analyzers)
    assert [source.closed for source in clip.sources] == [1, 1]


@pytest.mark.parametrize(
    "cores,size,count,is_still,gains",
    [
        (1, (512, 512), 1000, False, False),
        (2, (512, 512), 1000, False, True),
        (2, (512, 512), LEAST_FRAMES - 1, False, False),
        (2, (512, 512), None, False, False),
        (8, (512, 512), 1000, True, False),
        (2, (1280, 720), 1000, False, False),
        (3, (1280, 720), 1000, False, True),
    ],
)
def test_clips_are_halved_where_a_core_is_idle(monkeypatch, cores, size, count, is_still, gains):
    monkeypatch.setattr(halved_watch, "usable_cores", lambda: cores)
    info = ClipInfo(*size, FrameRate.parse(25), count, is_still=is_still)
    assert gains_by_halves(info) is gains


def test_the_length_of_a_file_may_be_wrong():
    for said in (0, 1, COUNT - 50, COUNT + 500):
        clip = Clip()
        with HalvedWatch(clip.open_analyzer, clip.open, said) as watch:
            faces = [watch.analyze(frame.pixels, 40 * frame.index) for frame in clip.open()]
        assert [one[0].pose.roll_deg for one in faces] == [clip.value_at(index) for index in range(COUNT)], (
            said
        )


def test_of_a_very_long_clip_so_many_frames_are_read_early_as_may_wait():
    with HalvedWatch(PlantedAnalyzer, Clip(count=1).open, 10 * MOST_FRAMES) as watch:
        assert watch._first == 9 * MOST_FRAMES


@pytest.mark.parametrize("value_at,last", [(lost_for_a_moment, 220), (others_pass_by, None)])
def test_where_the_face_is_not_alone_the_first_landmarker_goes_on_and_searches_for_all(value_at, last):
    clip = Clip(value_at)
    rolls(clip, in_halves=True)
    if last is None:  # it follows one face, and does not look for others
        assert clip.read("later")[-1] == COUNT - 1
        return
    assert clip.read("later")[-1] == last
    assert clip.read("main") == [*range(FIRST), *range(last + 1, COUNT)]
    resumed = next(
        one for one in clip.analyzers["main"] if one.times_ms and one.times_ms[0] == 40 * (last + 1)
    )
    assert resumed.max_faces == MANY_FACES


def test_among_several_people_one_landmarker_reads_all():
    clip = Clip(lambda _: 210)
    rolls(clip, in_halves=True)
    assert clip.read("main") == list(range(COUNT))
    assert clip.read("later") == [FIRST - WARM_UP]


def test_another_person_alone_in_the_second_half_is_not_taken():
    clip = Clip()
    with HalvedWatch(clip.open_analyzer, clip.open, COUNT) as watch:
        for index, frame in enumerate(clip.open()):
            faces = watch.analyze(frame.pixels, 40 * index)
            watch.tell(faces, None if index == FIRST + 5 else faces[0])
    assert clip.read("main") == [*range(FIRST), *range(FIRST + 6, COUNT)]


def test_a_clip_that_ends_early_or_breaks_is_read_to_its_end_by_the_first_landmarker():
    class Broken(MemorySource):
        failure = MediaError("the planted fault of a file")

    clip = Clip()
    breaking = lambda: Broken(lambda index: planted(9), COUNT, fail_at=FIRST + 10)  # noqa: E731
    with HalvedWatch(clip.open_analyzer, breaking, COUNT) as watch:
        found = [watch.analyze(planted(9), 40 * index) for index in range(COUNT)]
    assert all(len(faces) == 1 for faces in found)
    assert clip.read("main") == [*range(FIRST), *range(FIRST + 10, COUNT)]


def test_a_fault_of_the_program_in_the_second_half_is_raised():
    clip = Clip()
    faulty = lambda: MemorySource(lambda index: planted(9), COUNT, fail_at=FIRST + 10)  # noqa: E731
    with (
        HalvedWatch(clip.open_analyzer, faulty, COUNT) as watch,
        pytest.raises(RuntimeError, match="planted"),
    ):
        for index in range(COUNT):
            watch.analyze(planted(9), 40 * index)


def test_closing_does_not_wait_for_the_frames_that_are_skipped():
    skipped = []

    def make(index):
        skipped.append(index)
        return planted(9)

    watch = HalvedWatch(PlantedAnalyzer, lambda: MemorySource(make, 10**9), 10**9)
    watch.close()
    watch.close()
    assert len(skipped) < 10**6


def test_a_watch_that_starts_over_searches_for_all_with_a_new_landmarker():
    opened = []
    watch = FaceWatch(lambda limit: opened.append(PlantedAnalyzer(limit)) or opened[-1])
    for time in range(3):
        faces = watch.analyze(planted(9), time)
        watch.tell(faces, faces[0])
    watch.start_over()
    watch.analyze(planted(9), 3)
    assert [(one.max_faces, one.times_ms) for one in opened] == [
        (MANY_FACES, [0]),
        (1, [1, 2]),
        (MANY_FACES, [3]),
    ]
