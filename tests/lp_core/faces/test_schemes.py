"""The layouts name points that exist, in the order and on the side they claim."""

import numpy as np
import pytest

from lp_core.errors import SettingError
from lp_core.faces.open import open_analyzer
from lp_core.faces.schemes import IBUG68, MEDIAPIPE478, SCHEMES, scheme_of


@pytest.fixture(scope="module")
def points(astronaut):
    """(478, 2) landmarks of the astronaut, who looks straight ahead."""
    analyzer = open_analyzer(is_video=False)
    try:
        (face,) = analyzer.analyze(astronaut)
    finally:
        analyzer.close()
    return face.landmarks_frame[:, :2]


def signed_area(contour):
    x, y = contour.T
    return 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)


def test_every_layout_is_found_by_its_name():
    assert {scheme_of(name).name for name in SCHEMES} == {"mediapipe478", "liveportrait203", "ibug68"}
    with pytest.raises(SettingError, match="ibug68"):
        scheme_of("dlib5")


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_points_exist_and_are_named_once_a_group(scheme):
    for name, group in scheme.groups().items():
        assert len(set(group)) == len(group), name
        assert set(group) <= set(range(scheme.count)), name


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_corners_and_gaps_lie_on_their_contours(scheme):
    for side in ("left", "right"):
        contour = getattr(scheme, f"eye_{side}")
        outer, inner = getattr(scheme, f"eye_corners_{side}")
        assert contour[0] == outer
        assert inner in contour
        for upper, lower in getattr(scheme, f"eye_gaps_{side}"):
            assert contour.index(lower) < contour.index(inner) < contour.index(upper)
    assert scheme.lips_outer[0] == scheme.lip_corners[0]
    assert scheme.lip_corners[1] in scheme.lips_outer
    assert set(scheme.lip_gap) <= set(scheme.lips_inner)


def test_layouts_without_irises_leave_the_groups_out():
    assert "iris_left" in MEDIAPIPE478.groups()
    assert "iris_left" not in IBUG68.groups()


def test_contours_of_a_real_face_run_as_they_say(points):
    # From the left along the lower edge, y down: counter-clockwise on the screen, so a negative area.
    for name in ("lips_outer", "lips_inner", "eye_left"):
        assert signed_area(points[list(getattr(MEDIAPIPE478, name))]) < 0, name
    for name in ("eye_right", "face_oval"):
        assert signed_area(points[list(getattr(MEDIAPIPE478, name))]) > 0, name


def test_neighbors_on_a_contour_are_neighbors_on_a_real_face(points):
    for name in ("face_oval", "lips_outer", "lips_inner", "eye_left", "eye_right"):
        contour = points[list(getattr(MEDIAPIPE478, name))]
        steps = np.linalg.norm(contour - np.roll(contour, -1, axis=0), axis=1)
        assert steps.max() < 0.3 * np.ptp(contour, axis=0).max(), name


def test_parts_of_a_real_face_are_where_their_names_say(points):
    middle = {name: points[list(group)].mean(axis=0) for name, group in MEDIAPIPE478.groups().items()}
    for part in ("eye", "iris", "brow"):
        assert middle[f"{part}_left"][0] < middle["nose_bridge"][0] < middle[f"{part}_right"][0]
        assert middle[f"{part}_left"][1] < middle["nose_base"][1] < middle["lips_outer"][1]
    assert middle["brow_left"][1] < middle["eye_left"][1]
    assert middle["brow_right"][1] < middle["eye_right"][1]


def test_irises_begin_with_their_center_and_lie_in_their_eye(points):
    for side in ("left", "right"):
        center, *rim = points[list(getattr(MEDIAPIPE478, f"iris_{side}"))]
        assert np.linalg.norm(np.mean(rim, axis=0) - center) < 0.5
        eye = points[list(getattr(MEDIAPIPE478, f"eye_{side}"))]
        assert (eye.min(axis=0) - 1 <= center).all()
        assert (center <= eye.max(axis=0) + 1).all()
