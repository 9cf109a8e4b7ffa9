"""Animals in the engine: the published crop by nine points, a cat found by itself, the published transfer."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace

import numpy as np
import pytest
from fakes.collages import textured

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core import clips
from lp_core.clips import CAT_NOTE, filmed_face, still_of
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.landmarks import Refinement
from lp_core.engines.liveportrait.portrait import source_square
from lp_core.engines.liveportrait.table import ANIMALS, LIVEPORTRAIT
from lp_core.errors import NoFace
from lp_core.faces.hand_points import face_from_points
from lp_core.frame import Frame
from lp_core.geometry.crop import SOURCE_CROP, oriented_square
from lp_core.media.image.stills import write_image
from lp_core.motion.builtin import neutral_face
from lp_core.render.read_performance import neutral_filler
from lp_core.settings import FaceSettings, MotionSettings, RenderSettings
from lp_core.settings.table import with_values
from lp_core.timing import FrameRate

NINE = np.array(
    [(80, 98), (112, 104), (148, 103), (180, 95), (131, 138), (108, 160), (153, 161), (131, 152), (130, 172)],
    np.float64,
)
"""A head wider than a person's."""


class OfPeople:
    """A landmark model that must not be asked for an animal."""

    scheme = "liveportrait203"

    def refined(self, picture, face):
        raise AssertionError


def engine(landmarker=None):
    settings = with_values(
        RenderSettings(motion=MotionSettings(smoothing=0.0)), {"model": "liveportrait-animals"}
    )
    return LivePortraitEngine(settings, FakeNetworks(model=ANIMALS), Refinement(landmarker))


def frame(picture):
    return Frame(picture, 0, FrameRate.parse(25).time_s(0))


@pytest.mark.parametrize("degrees", [0, 35, -120])
def test_the_portrait_is_cropped_by_the_nine_points_as_published(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (NINE - 130) @ turn.T + (200, 160)
    face = face_from_points(points, neutral_face())
    portrait = engine(OfPeople()).prepare(frame(textured(320, 400)), face)
    wanted = oriented_square(points, SOURCE_CROP)
    assert np.allclose(portrait.square.center, wanted.center, atol=0.2)
    assert portrait.square.side == pytest.approx(wanted.side, rel=0.01)
    assert np.cos(portrait.square.angle - wanted.angle) == pytest.approx(1, abs=1e-4)
    by_the_mesh = source_square(LIVEPORTRAIT, face)
    assert by_the_mesh.side > 1.2 * wanted.side


def test_the_performance_is_played_in_the_performers_pose_scaled_to_the_animal():
    """The formula of the published animal pipeline, written out."""
    spatial = pytest.importorskip("scipy.spatial")
    plays = engine()
    portrait = plays.prepare(frame(textured(320, 400)), face_from_points(NINE + 60, neutral_face()))
    draw = np.random.default_rng(5)
    rest = replace(neutral_filler("liveportrait21-animals"), confidence=np.float32(1))
    acts = []
    for yaw in (0.1, 0.5):
        cosine, sine = np.cos(yaw), np.sin(yaw)
        acts.append(
            replace(
                rest,
                rotation=np.float32([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]),
                expression=(0.03 * draw.standard_normal((21, 3))).astype(np.float32),
                translation=np.float32([0.02 * yaw, 0.0]),
                scale=np.float32(1.1),
            )
        )
    state, points = portrait.state, portrait.keypoints
    zoom = state.scale / 1.1

    def place(act):
        shift = np.array([*act.translation.astype(np.float64), 0.0]) * zoom
        turned = points @ act.rotation.T.astype(np.float64)
        return state.scale * (turned + act.expression.astype(np.float64)) + shift

    def volume(where):
        return spatial.ConvexHull(where).volume

    start, moved = (place(act) for act in acts)
    wanted = portrait.points + (moved - start) * np.sqrt(volume(portrait.points) / volume(start))
    np.testing.assert_allclose(plays.driven_points(portrait, acts[1], acts[0]), wanted, atol=2e-4)
    np.testing.assert_allclose(plays.driven_points(portrait, acts[0], acts[0]), portrait.points, atol=1e-12)


@pytest.fixture(scope="module")
def cat(media):
    path = media / "portraits" / "s39.jpg"
    return still_of(filmed_face(str(path), "largest"), FaceSettings(), is_animal=True)


def test_the_cascade_alone_crops_a_cat(cat):
    """Against points that were set by hand on the eyes, the nose and the mouth of s39."""
    by_hand = np.array([(420, 482), (632, 416), (560, 545), (530, 630), (635, 600)], np.float64)
    wanted = source_square(ANIMALS, face_from_points(by_hand, neutral_face()))
    found = engine().prepare(cat.frame, cat.face).square
    assert np.linalg.norm(found.center - wanted.center) < 0.12 * wanted.side
    assert found.side == pytest.approx(wanted.side, rel=0.2)
    assert abs(np.degrees(found.angle - wanted.angle)) < 12
    assert CAT_NOTE in cat.info.notes


def test_an_unsure_reading_of_an_animal_is_taken(media):
    path = media / "portraits" / "s22.jpg"
    with pytest.raises(NoFace, match="certain to be human"):
        still_of(filmed_face(str(path), "largest"), FaceSettings())
    monkey = still_of(filmed_face(str(path), "largest"), FaceSettings(), is_animal=True)
    assert monkey.info.notes == ()
    assert monkey.face.box.area > 0


def test_no_animal_is_one_sentence(tmp_path, monkeypatch):
    write_image(tmp_path / "wall.png", textured(200, 300))
    monkeypatch.setattr(clips, "cat_points", lambda picture: None)
    with pytest.raises(NoFace, match="No head of an animal"):
        still_of(filmed_face(str(tmp_path / "wall.png"), "largest"), FaceSettings(), is_animal=True)
