"""Points set by hand: files, sides, the fitted mesh, tracking between keys, a cat's first guess."""

import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
from fakes.collages import read_rgb, textured
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.faces.cats import cat_points
from lp_core.faces.hand_points import animal_points, face_from_points, points_of, read_keys, write_points
from lp_core.faces.hand_track import HandAnalyzer, HandTrack, tracked
from lp_core.geometry.crop import SOURCE_CROP, oriented_square
from lp_core.motion.builtin import neutral_face
from lp_core.timing import FrameRate

FIVE = np.array([(100.0, 100.0), (160.0, 102.0), (131.0, 130.0), (110.0, 160.0), (150.0, 161.0)])
NINE = np.array(
    [
        (85, 100),
        (115, 100),
        (145, 101),
        (175, 103),
        (131, 130),
        (110, 160),
        (150, 161),
        (130, 150),
        (130, 175),
    ],
    np.float64,
)


def turned(points, degrees, scale=1.0):
    radians = np.radians(degrees)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return scale * points @ turn.T + (300, 400)


@given(degrees=st.floats(-179, 179), scale=st.floats(0.5, 4), wide=st.floats(0.7, 1.5))
def test_nine_points_give_the_published_crop_of_animals(degrees, scale, wide):
    points = turned(NINE * (wide, 1.0), degrees, scale)
    wanted = oriented_square(points, SOURCE_CROP)
    square = oriented_square(animal_points(face_from_points(points, neutral_face())), SOURCE_CROP)
    assert np.allclose(square.center, wanted.center, atol=0.2 * scale)
    assert square.side == pytest.approx(wanted.side, rel=0.01)
    assert np.cos(square.angle - wanted.angle) == pytest.approx(1, abs=1e-4)


@given(degrees=st.floats(-179, 179), scale=st.floats(0.5, 4))
def test_mesh_passes_through_the_points_and_has_their_roll(degrees, scale):
    points = turned(FIVE, degrees, scale)
    face = face_from_points(points, neutral_face())
    assert np.allclose(points_of(face), points, atol=0.1)
    level = face_from_points(FIVE, neutral_face()).pose.roll_deg
    assert (face.pose.roll_deg - level - degrees + 180) % 360 - 180 == pytest.approx(0, abs=0.01)


def test_nine_points_are_eye_corners_nose_and_lips():
    landmarks = face_from_points(NINE, neutral_face()).landmarks_frame
    assert np.allclose(landmarks[[33, 133, 362, 263, 4, 61, 291, 0, 17], :2], NINE, atol=0.01)


@pytest.mark.parametrize("order", [[2, 3, 0, 1, 4, 6, 5, 7, 8], [3, 2, 1, 0, 4, 6, 5, 7, 8]])
@pytest.mark.parametrize("degrees", [0, 100, 180])
def test_either_side_may_come_first(order, degrees):
    points = turned(NINE, degrees)
    one, other = (face_from_points(rows, neutral_face()) for rows in (points, points[order]))
    assert np.allclose(one.landmarks_frame, other.landmarks_frame)


def test_points_of_a_real_face_give_its_mesh_back(astronaut_face):
    fitted = face_from_points(points_of(astronaut_face), neutral_face())
    apart = np.linalg.norm((fitted.landmarks_frame - astronaut_face.landmarks_frame)[:, :2], axis=1)
    assert apart.mean() < 0.08 * (astronaut_face.box.right - astronaut_face.box.left)


@pytest.fixture
def astronaut_face(astronaut):
    from contextlib import closing

    from lp_core.faces.open import open_analyzer

    with closing(open_analyzer(is_video=False)) as analyzer:
        return analyzer.analyze(astronaut)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "is not JSON"),
        ("[]", "is not a points file"),
        ('{"schema": "lpsuite.points", "version": 2}', "version 1"),
        ('{"schema": "lpsuite.points", "version": 1, "points": [[1, 2]]}', "needs 5 or 9 points"),
        (
            '{"schema": "lpsuite.points", "version": 1, "points": [[1,2],[1,2],[1,2],[1,2],[1,2]]}',
            "different",
        ),
        ('{"schema": "lpsuite.points", "version": 1, "keys": []}', "must be a list of objects"),
        ('{"schema": "lpsuite.points", "version": 1, "keys": [{"frame": -1}]}', "has the frame -1"),
    ],
)
def test_bad_file_is_one_sentence(tmp_path, text, words):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(SettingError, match=words):
        read_keys(tmp_path / "p.json")


def test_absent_file_and_mouth_between_the_eyes_are_one_sentence(tmp_path):
    with pytest.raises(UnreadableMedia, match="cannot be read"):
        read_keys(tmp_path / "none.json")
    with pytest.raises(SettingError, match="between the eyes"):
        face_from_points(np.array([(0, 0), (100, 0), (50, 20), (0, 1), (100, 1)], np.float64), neutral_face())


def test_file_comes_back_as_it_was_written(tmp_path):
    write_points(tmp_path / "p.json", FIVE)
    assert np.array_equal(read_keys(tmp_path / "p.json")[0], FIVE)
    keys = [{"frame": 12, "points": FIVE.tolist()}, {"frame": 3, "points": (FIVE + 1).tolist()}]
    (tmp_path / "k.json").write_text(json.dumps({"schema": "lpsuite.points", "version": 1, "keys": keys}))
    assert list(read_keys(tmp_path / "k.json")) == [3, 12]


def moving(astronaut, count):
    """The astronaut's head moving 3 pixels a frame to the right over a texture."""
    for index in range(count):
        canvas = textured(300, 420)
        canvas[20:276, 20 + 3 * index : 276 + 3 * index] = cv2.resize(astronaut, (256, 256))
        yield canvas


def test_points_follow_the_picture_between_keys(astronaut):
    first = np.array([(118, 68), (140, 68), (130, 81), (120, 92), (140, 92)], np.float64)
    found = tracked(moving(astronaut, 9), {0: first, 8: first + (24, 0)})
    for index, points in enumerate(found):
        assert np.abs(points - first - (3 * index, 0)).max() < 1.0


def test_a_later_key_takes_its_error_back_over_the_frames_before():
    flat = [np.full((200, 200, 3), 100, np.uint8)] * 5
    found = tracked(flat, {0: FIVE, 4: FIVE + (8, 0)})
    assert [float((points - FIVE)[0, 0]) for points in found] == pytest.approx([0, 2, 4, 6, 8], abs=0.2)


def test_analyzer_gives_the_frame_its_time_names():
    pictures = [np.full((300, 300, 3), 100, np.uint8)] * 3
    track = HandTrack(lambda: pictures, {0: FIVE, 2: FIVE + (4, 0)})
    analyzer = HandAnalyzer(track, neutral_face(), FrameRate(Fraction(25)))
    places = [
        points_of(analyzer.analyze(pictures[0], time_ms)[0])[0, 0] - 100 for time_ms in (0, 40, 80, 400)
    ]
    assert places == pytest.approx([0, 2, 4, 4], abs=0.2)


def test_cascade_guesses_a_tilted_cat(media):
    points = cat_points(read_rgb(media / "portraits" / "s39.jpg"))
    wanted = np.array([(420, 482), (632, 416), (560, 545), (530, 630), (635, 600)])
    assert np.linalg.norm(points - wanted, axis=1).max() < 60


def test_no_cat_in_a_texture():
    assert cat_points(textured(300, 400)) is None


def test_a_render_by_points_moves_the_face_without_reading_it(
    tmp_path, astronaut, astronaut_face, monkeypatch
):
    """No landmarker is opened for the source, and none for trial images."""
    from lp_core import api, clips, performances
    from lp_core.media.image.stills import write_image

    monkeypatch.setattr(clips, "open_analyzer", None)
    monkeypatch.setattr(performances, "open_analyzer", None)
    write_image(tmp_path / "flat.png", np.full_like(astronaut, 120))
    write_image(tmp_path / "face.png", astronaut)
    write_points(tmp_path / "points.json", points_of(astronaut_face))
    changes = {}
    for name in ("flat", "face"):
        output = tmp_path / f"{name}.%04d.png"
        settings = {
            "points": str(tmp_path / "points.json"),
            "engine": "mesh",
            "frames": "12-12",
            "sign": False,
        }
        api.animate(tmp_path / f"{name}.png", "demo:nod", output, **settings)
        drawn = read_rgb(tmp_path / f"{name}.0012.png")
        source = read_rgb(tmp_path / f"{name}.png")
        changes[name] = np.abs(drawn.astype(int) - source)
    assert changes["face"].max() > 60
    assert changes["face"][:, 400:].max() == 0
