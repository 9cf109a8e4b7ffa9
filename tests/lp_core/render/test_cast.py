"""Several faces of one source: each as in its own render, the others untouched, larger ones in front."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.films import read_pictures

from lp_core.api import animate
from lp_core.engines.base import Animation
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.frame import Frame
from lp_core.media.image.stills import write_image
from lp_core.media.open import open_source
from lp_core.render.cast import together
from lp_core.render.cast_members import cast_of
from lp_core.render.passes import DrawnFrame
from lp_core.settings import FaceSettings

PLAIN = {"engine": "mesh", "calibration": "off", "mouth": "drawn", "sign": False}


@pytest.fixture(scope="module")
def three(tmp_path_factory, astronaut):
    """Three portraits side by side."""
    small = cv2.resize(astronaut, (220, 220), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("cast") / "three.png"
    write_image(path, np.concatenate([small, small[:, ::-1], small], axis=1))
    return path


def rendered(source, driving, folder, **settings):
    animate(source, driving, folder / "out.%04d.png", frames="10-11", **PLAIN, **settings)
    return [picture.astype(int) for picture in read_pictures(folder / "out.%04d.png")]


def test_each_face_is_as_in_its_own_render_and_the_others_are_untouched(three, tmp_path):
    still = read_pictures(three)[0].astype(int)
    left = rendered(three, "demo:expressive", tmp_path / "left", source_face="left")
    right = rendered(three, "demo:nod", tmp_path / "right", source_face="right")
    cast = rendered(three, "demo:expressive", tmp_path / "cast", face=("left", "right=demo:nod"))
    assert len(cast) == 2
    for together_, one, other in zip(cast, left, right, strict=True):
        assert np.array_equal(together_[:, :220], one[:, :220])
        assert np.array_equal(together_[:, 440:], other[:, 440:])
        assert np.array_equal(together_[:, 220:440], still[:, 220:440])
        assert not np.array_equal(one, still)
        assert not np.array_equal(other, still)


def test_cast_file_gives_each_face_settings_and_exr_has_a_matte_for_each(three, tmp_path):
    cast = tmp_path / "cast.json"
    faces = [{"face": 0, "driving": "demo:nod", "strength": 0}, {"face": "2", "driving": "demo:nod"}]
    cast.write_text(json.dumps({"faces": faces}))
    output = tmp_path / "out.%04d.exr"
    animate(three, "demo:nod", output, frames="10-10", cast=str(cast), passes="beauty,matte", **PLAIN)
    with open_source(output) as source:
        names = " ".join(source.info.notes)
    import OpenImageIO

    opened = OpenImageIO.ImageInput.open(str(tmp_path / "out.0010.exr"))
    channels = opened.spec().channelnames
    pixels = opened.read_image("float")
    opened.close()
    at = {name: pixels[..., index] for index, name in enumerate(channels)}
    assert {"matte.A", "matte_0.A", "matte_2.A"} <= set(channels), names
    assert at["matte_2.A"][:, 440:].max() == 1
    assert at["matte_2.A"][:, :440].max() == 0
    assert np.allclose(at["matte.A"], np.maximum(at["matte_0.A"], at["matte_2.A"]), atol=1e-3)


def drawn(color, region, size):
    pixels = np.zeros((40, 40, 3), np.uint8)
    left, top, right, bottom = region
    pixels[top:bottom, left:right] = color
    shape = bottom - top, right - left
    points = np.array([[0, 0, 0], [size, size, 0]], np.float32)
    animation = Animation(
        pixels, region, np.ones(shape, np.float32), np.zeros((*shape, 2), np.float32), points, "mediapipe478"
    )
    return DrawnFrame(Frame(pixels, 0, 0), animation, 1.0)


@pytest.mark.parametrize("sizes", [(10, 20), (20, 10)])
def test_the_larger_face_is_in_front(sizes):
    faces = [drawn(100, (0, 0, 20, 20), sizes[0]), drawn(200, (10, 10, 30, 30), sizes[1])]
    result = together(faces, ("a", "b"))
    assert result.frame.pixels[15, 15, 0] == (200 if sizes[1] > sizes[0] else 100)
    assert (result.frame.pixels[5, 5, 0], result.frame.pixels[25, 25, 0]) == (100, 200)
    assert result.animation.region == (0, 0, 30, 30)
    assert [name for name, _ in result.faces] == ["a", "b"]


def test_a_lost_face_leaves_the_others():
    lost = replace(drawn(0, (0, 0, 1, 1), 1), animation=None, confidence=0.0)
    result = together([lost, drawn(200, (10, 10, 30, 30), 5)], ("a", "b"))
    assert (result.frame.pixels[15, 15, 0], result.confidence) == (200, 0.0)
    assert together([lost, lost], ("a", "b")).animation is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("faces = 3", "needs a list"),
        ("[[faces]]\ndriving = 'demo:nod'", "needs texts: face"),
        ("[[faces]]\nface = '0'\nfps = '25'", "holds for the whole result"),
        ("[[faces]]\nface = '0'\nnothing = 1", "There is no setting 'nothing'"),
        ("faces = [", "is not valid"),
    ],
)
def test_bad_cast_file_is_one_sentence(tmp_path, text, words):
    (tmp_path / "cast.toml").write_text(text)
    with pytest.raises(SettingError, match=words):
        cast_of(FaceSettings(cast=str(tmp_path / "cast.toml")), "demo:nod")


def test_bad_entries_are_one_sentence(tmp_path):
    with pytest.raises(SettingError, match="names no face"):
        FaceSettings(face=("=a.mp4",))
    with pytest.raises(SettingError, match="write it like 0=driver.mp4"):
        cast_of(FaceSettings(face=("0=",)), "a.mp4")
    with pytest.raises(SettingError, match="cast twice"):
        cast_of(FaceSettings(face=("0=a.mp4", "0")), "b.mp4")
    with pytest.raises(UnreadableMedia, match="cannot be read"):
        cast_of(FaceSettings(cast=str(tmp_path / "none.toml")), "a.mp4")


def test_drivers_beside_a_cast_file_are_found(tmp_path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "cast.toml").write_text("[[faces]]\nface = 'left'\ndriving = 'a.mp4'\nregion = 'lips'\n")
    (member,) = cast_of(FaceSettings(cast=str(tmp_path / "cast.toml")), "b.mp4")
    assert (member.driving, dict(member.settings)) == (str(tmp_path / "a.mp4"), {"region": "lips"})
