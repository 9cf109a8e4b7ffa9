"""Small, many and turned faces: what YuNet's boxes add to the landmarker's own detector."""

from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.collages import PEOPLE, collage, faceless, head, read_rgb

from lp_core.errors import ModelMissing, NoFace
from lp_core.faces import box_reader, yunet
from lp_core.faces.base import FaceBox
from lp_core.faces.box_reader import TURNED_AWAY, covers
from lp_core.faces.open import open_analyzer
from lp_core.faces.presence import Presence
from lp_core.faces.selector import require_face
from lp_core.models.store import locate

SIZES = [16, 20, 24, 28, 32, 36, 40, 44] * 3 + [18, 22, 26, 34, 42]
ROLLS = [0 if size < 24 else (index * 37) % 360 for index, size in enumerate(SIZES)]


@pytest.fixture(scope="module", autouse=True)
def _carrier():
    try:
        locate(yunet.MODEL)
    except ModelMissing:
        pytest.skip("no installed package carries the model yunet")


@pytest.fixture
def analyzer():
    with closing(open_analyzer(is_video=False, max_faces=64)) as opened:
        yield opened


def near(faces, center, size):
    return [face for face in faces if np.hypot(*np.subtract(face.box.center, center)) < 0.6 * size]


def test_29_of_29_faces_of_mixed_sizes_and_rolls(analyzer, media):
    pictures = [read_rgb(media / "portraits" / f"{name}.jpg") for name in PEOPLE]
    heads = [head(picture, analyzer.analyze(picture)[0].box) for picture in pictures]
    picture, centers = collage(heads, SIZES, ROLLS, 6, 110)
    faces = analyzer.analyze(picture)
    seen = [near(faces, center, size) for center, size in zip(centers, SIZES, strict=True)]
    assert [
        place for place, found in zip(zip(SIZES, ROLLS, strict=True), seen, strict=True) if not found
    ] == []
    assert len(faces) == 29
    for (face,), size, roll in zip(seen, SIZES, ROLLS, strict=True):
        assert abs((face.pose.roll_deg - roll + 180) % 360 - 180) < 35, (size, roll)


def test_no_face_on_20_images_without_one(analyzer, rng):
    assert {name: len(analyzer.analyze(picture)) for name, picture in faceless(rng)} == dict.fromkeys(
        (name for name, _ in faceless(rng)), 0
    )


@pytest.mark.parametrize("degrees", [50, 140, 230, 320])
def test_turned_face_is_read_upright(analyzer, astronaut, degrees):
    turn = cv2.getRotationMatrix2D((256, 256), -degrees, 0.7)
    (face,) = analyzer.analyze(cv2.warpAffine(astronaut, turn, (512, 512), borderValue=(110, 110, 110)))
    assert abs((face.pose.roll_deg - degrees + 180) % 360 - 180) < 25


def test_face_that_cannot_be_read_is_reported(analyzer, astronaut, monkeypatch):
    """The landmark network's word decides; a planted one sees no face that it can read."""
    monkeypatch.setattr(analyzer, "_landmarks", lambda *_: [])
    monkeypatch.setattr(box_reader.PresenceNet, "at", lambda *_, **__: Presence(0.2, 0.0))
    found = analyzer.survey(astronaut)
    assert found.faces == ()
    (hidden,) = found.unread
    assert hidden.reason == TURNED_AWAY
    assert hidden.box.left < 224 < hidden.box.right
    with pytest.raises(NoFace, match="cannot be read: turned away"):
        require_face(found.faces, "largest", 512, 512, "profile.jpg", found.unread)


def test_small_bystanders_of_a_clip_are_found_and_followed(astronaut):
    canvas = np.full((720, 1280, 3), 120, np.uint8)
    small = cv2.resize(astronaut, (150, 150), interpolation=cv2.INTER_AREA)
    canvas[100:612, 50:562] = astronaut
    canvas[400:550, 1000:1150] = small
    with closing(open_analyzer(is_video=True, max_faces=4)) as video:
        counts = [len(video.analyze(canvas, index * 40)) for index in range(4)]
    assert counts == [2, 2, 2, 2]


def test_without_the_model_tiles_are_searched(monkeypatch, astronaut):
    monkeypatch.setattr(yunet, "locate", lambda name: (_ for _ in ()).throw(ModelMissing(name)))
    canvas = np.full((900, 1600, 3), 120, np.uint8)
    canvas[300:450, 1300:1450] = cv2.resize(astronaut, (150, 150), interpolation=cv2.INTER_AREA)
    with closing(open_analyzer(is_video=False)) as plain:
        assert len(plain.analyze(canvas)) == 1


def test_boxes_of_one_face_cover_each_other():
    box = FaceBox(10, 10, 50, 60)
    assert covers(box, replace(box, left=14, top=12))
    assert not covers(box, FaceBox(100, 10, 140, 60))
    assert not covers(box, FaceBox(-100, -100, 160, 170))
