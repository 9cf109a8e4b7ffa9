"""Selectors choose the face they name, and the errors list the faces there are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import FaceNotThere, NoFace, SettingError
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.faces.selector import HUMAN_SCORE, choose_face, in_order, parse_selector, require_face

SIZE = (1000, 800)


def face(x, y, size=50, score=0.95):
    box = FaceBox(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    points = np.zeros((478, 3), np.float32)
    return Face(points, "mediapipe478", box, score, np.eye(3, dtype=np.float32), Pose(0, 0, 0), {})


LEFT, TOP, MIDDLE, BIG, BOTTOM = (
    face(60, 400),
    face(300, 60),
    face(510, 390),
    face(700, 450, 200),
    face(900, 760),
)
FACES = [BIG, BOTTOM, LEFT, MIDDLE, TOP]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("largest", BIG),
        ("left", LEFT),
        ("right", BOTTOM),
        ("top", TOP),
        ("bottom", BOTTOM),
        ("center", MIDDLE),
        ("0", LEFT),
        ("1", TOP),
        ("4", BOTTOM),
        ("5", None),
        ("700,450", BIG),
        ("620.5, 380", BIG),
        (" Largest ", BIG),
        ("60,350", LEFT),  # just above the box: the hair
        ("60,200", None),
        ("-5,400", None),
    ],
)
def test_selector_means_this_face(selector, wanted):
    assert choose_face(FACES, selector, *SIZE) is wanted


@given(st.permutations(FACES), st.sampled_from(["largest", "left", "top", "center", "0", "3", "510,390"]))
def test_choice_does_not_depend_on_the_order_of_finding(faces, selector):
    assert choose_face(faces, selector, *SIZE) is choose_face(FACES, selector, *SIZE)
    assert in_order(faces) == in_order(FACES)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 800)), min_size=1, unique=True))
def test_every_listed_index_chooses_its_face(places):
    faces = [face(*place) for place in places]
    assert [choose_face(faces, str(i), *SIZE) for i in range(len(faces))] == in_order(faces)


@pytest.mark.parametrize(
    "selector", ["", "biggest", "-1", "1.5", "1,2,3", "a,b", "nan,1", "inf,1", ",", "1,", "\u0663"]
)
def test_unknown_selector_is_refused(selector):
    with pytest.raises(SettingError, match="largest"):
        parse_selector(selector)
    with pytest.raises(SettingError):
        choose_face([], selector, *SIZE)


def test_words_pass_over_what_is_not_certain_to_be_human():
    animal, small = face(500, 400, 300, score=HUMAN_SCORE - 0.01), face(100, 100, 40, score=HUMAN_SCORE)
    assert choose_face([animal, small], "largest", *SIZE) is small
    assert choose_face([animal], "largest", *SIZE) is None


@pytest.mark.parametrize("selector", ["0", "500,400"])
def test_index_and_point_take_what_is_not_certain_to_be_human(selector):
    animal = face(500, 400, score=0.5)
    assert require_face([animal], selector, *SIZE, "zoo.jpg") is animal


def test_no_face_names_the_file_and_what_to_do():
    with pytest.raises(NoFace, match=r"^No face was found in 'größe\.jpg'; use an image .*\.$"):
        require_face([], "largest", *SIZE, "größe.jpg")


def test_uncertain_face_names_the_score_and_the_way_round():
    with pytest.raises(NoFace, match=r"index 0 at 500,400 with score 0\.50.*by its index"):
        require_face([face(500, 400, score=0.5)], "center", *SIZE, "zoo.jpg")


@pytest.mark.parametrize("selector", ["7", "999,1"])
def test_absent_face_lists_those_there_are(selector):
    with pytest.raises(FaceNotThere, match=r"two\.jpg.*2 faces.*index 0 at 60,400.*index 1 at 300,60"):
        require_face([TOP, LEFT], selector, *SIZE, "two.jpg")
