"""A face chosen by who it is: by id, photo or name, in stills and clips."""

import json

import numpy as np
import pytest
from fakes.collages import head, read_rgb
from fakes.films import write_film
from fakes.two_people import frame_of

from lp_core.cli.main import run
from lp_core.clips import filmed_face, still_face
from lp_core.errors import FaceNotThere, ModelMissing, NoFace, SettingError
from lp_core.faces import sface
from lp_core.faces.open import open_analyzer
from lp_core.media.image.stills import write_image
from lp_core.models.store import locate

HERE, THERE = (180, 190), (460, 190)


@pytest.fixture(scope="module")
def place(media, astronaut, tmp_path_factory):
    """Folder with people/anna.png and people/ben.png, both.png (anna left) and cut.mkv (ben, then both, ben left)."""
    try:
        locate(sface.MODEL)
    except ModelMissing:
        pytest.skip("the model sface is not installed")
    folder = tmp_path_factory.mktemp("people")
    (folder / "people").mkdir()
    pictures = [astronaut, read_rgb(media / "portraits" / "s9.jpg")]
    analyzer = open_analyzer(is_video=False, max_faces=1)
    heads = [head(picture, analyzer.analyze(picture)[0].box) for picture in pictures]
    analyzer.close()
    for name, (cut, _, _) in zip(("anna", "ben"), heads, strict=True):
        write_image(folder / "people" / f"{name}.png", np.ascontiguousarray(cut))
    write_image(folder / "both.png", frame_of(heads, (HERE, THERE), 100))
    shots = [(None, THERE)] * 4 + [(THERE, HERE)] * 4
    write_film(folder / "cut.mkv", [frame_of(heads, at, 100) for at in shots], rate="25", codec="ffv1")
    write_image(folder / "plain.png", np.full((200, 300, 3), 90, np.uint8))
    return folder


@pytest.mark.parametrize(
    ("name", "side"), [("p0", 0), ("p1", 1), ("anna", 0), ("ben", 1), ("people/ben.png", 1), ("left", 0)]
)
def test_a_face_of_a_still_by_id_name_and_photo(place, name, side):
    people = str(place / "people")
    name = str(place / name) if "/" in name else name
    film = filmed_face(str(place / "both.png"), name, people=people)
    _, face = still_face(film, name, people)
    assert abs(face.box.center[0] - (HERE, THERE)[side][0]) < 40


def followed(place, name):
    film = filmed_face(str(place / "cut.mkv"), name, people=str(place / "people"))
    return [face and face.box.center[0] > 320 for _, face in film.followed(lambda _: None)]


def test_a_person_of_a_clip_is_followed_over_a_cut(place):
    assert followed(place, "ben") == [True] * 4 + [False] * 4
    assert followed(place, "p0") == [True] * 4 + [False] * 4
    assert followed(place, "anna") == [None] * 4 + [True] * 4
    assert followed(place, "p1") == [None] * 4 + [True] * 4


def test_inspect_lists_ids_and_nothing_of_looks(place, capsys):
    assert run(["inspect", str(place / "cut.mkv"), "--ids", "--json"]) == 0
    text = capsys.readouterr().out
    people = json.loads(text)["people"]
    assert [(person["id"], person["first_frame"]) for person in people] == [("p0", 0), ("p1", 4)]
    assert set(people[0]) == {"id", "first_frame", "last_frame", "looks", "box"}
    assert run(["inspect", str(place / "both.png"), "--json"]) == 0
    assert [face["id"] for face in json.loads(capsys.readouterr().out)["faces"]] == ["p0", "p1"]


def test_stored_motion_keeps_the_name_and_no_looks(place, tmp_path):
    out = tmp_path / "ben.lpmotion"
    words = ["extract", str(place / "cut.mkv"), "-o", str(out), "--engine", "mesh", "--progress", "none"]
    assert run([*words, "--driving-face", "ben", "--people", str(place / "people")]) == 0
    from lp_core.motion.files.lpmotion import MotionReader

    with MotionReader(out) as motion:
        assert motion.metadata["face"] == "ben"
        frame = motion.frame(0)
        assert {name for name in vars(frame) if "gallery" in name or "descriptor" in name} == set()
        assert all(np.size(array) != 128 for array in frame.extras.values())


def test_what_is_not_there_is_one_sentence(place, monkeypatch):
    people, both = str(place / "people"), str(place / "both.png")
    with pytest.raises(SettingError, match=r"no photo of 'carl' either \(anna, ben\)"):
        filmed_face(both, "carl", people=people)
    with pytest.raises(FaceNotThere):
        still_face(filmed_face(both, "p7"), "p7", None)
    plain = str(place / "plain.png")
    with pytest.raises(NoFace, match="shows no face"):
        still_face(filmed_face(both, plain), plain, None)
    with pytest.raises(NoFace, match="could be anna"):
        still_face(filmed_face(plain, "anna", people=people), "anna", people)
    with pytest.raises(FaceNotThere, match="p9 is not in"):
        followed(place, "p9")

    def missing(name):
        raise ModelMissing(name)

    monkeypatch.setattr(sface, "locate", missing)
    with pytest.raises(ModelMissing, match="lpsuite models fetch sface"):
        still_face(filmed_face(both, "anna", people=people), "anna", people)
