"""One suite for every FaceAnalyzer. face-alignment is on a planted library: its weights are not here."""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from lp_core.errors import FaceError
from lp_core.faces.open import ANALYZERS, open_analyzer
from lp_core.faces.schemes import scheme_of
from lp_core.geometry.rotation import angles_deg

POINTS = np.column_stack([np.linspace(180, 270, 68), np.linspace(72, 177, 68)])
BOX = (180.0, 72.0, 270.0, 177.0, 0.9)


class PlantedNetwork:
    """Finds the astronaut, upright or mirrored, and nothing in flat images."""

    def __init__(self, landmarks_type, **_keys):
        pass

    def get_landmarks_from_image(self, image, return_bboxes=False):
        return ([POINTS], None, [BOX]) if image.any() else (None, None, None)


@pytest.fixture(params=sorted(ANALYZERS))
def kind(request, monkeypatch, tmp_path):
    if request.param == "face-alignment":
        library = ModuleType("face_alignment")
        library.FaceAlignment, library.LandmarksType = PlantedNetwork, SimpleNamespace(TWO_D=1)
        torch = SimpleNamespace(
            cuda=SimpleNamespace(is_available=lambda: False),
            manual_seed=lambda _seed: None,
            hub=SimpleNamespace(get_dir=lambda: str(tmp_path)),
        )
        (tmp_path / "checkpoints").mkdir()
        for name in ("2DFAN4.pth.tar", "s3fd-619a316812.pth"):
            (tmp_path / "checkpoints" / name).touch()
        monkeypatch.setitem(sys.modules, "face_alignment", library)
        urls = {"2DFAN-4": "https://example.org/2DFAN4.pth.tar"}
        monkeypatch.setitem(sys.modules, "face_alignment.api", SimpleNamespace(models_urls=urls))
        monkeypatch.setitem(sys.modules, "torch", torch)
        sys.modules.pop("lp_core.faces.landmarks68", None)
        import_module("lp_core.faces.landmarks68")
        request.addfinalizer(lambda: sys.modules.pop("lp_core.faces.landmarks68", None))
    return request.param


@pytest.fixture
def still(kind):
    analyzer = open_analyzer(kind, is_video=False, max_faces=2)
    yield analyzer
    analyzer.close()


@pytest.fixture
def video(kind):
    analyzer = open_analyzer(kind, is_video=True)
    yield analyzer
    analyzer.close()


def test_face_is_what_the_contract_says(still, astronaut):
    (face,) = still.analyze(astronaut)
    assert face.scheme == still.scheme
    assert face.landmarks_frame.shape == (scheme_of(still.scheme).count, 3)
    assert face.landmarks_frame.dtype == np.float32
    assert np.isfinite(face.landmarks_frame).all()
    assert 0 <= face.score <= 1
    assert all(0 <= value <= 1 for value in face.blendshapes.values())


def test_box_bounds_the_landmarks(still, astronaut):
    (face,) = still.analyze(astronaut)
    assert np.allclose(face.landmarks_frame[:, :2].min(axis=0), (face.box.left, face.box.top), atol=1e-3)
    assert np.allclose(face.landmarks_frame[:, :2].max(axis=0), (face.box.right, face.box.bottom), atol=1e-3)
    assert 160 < face.box.center[0] < 290
    assert 60 < face.box.center[1] < 190


def test_pose_is_the_rotation(still, astronaut):
    (face,) = still.analyze(astronaut)
    rotation = face.head_rotation.astype(np.float64)
    assert face.head_rotation.dtype == np.float32
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-5)
    angles = (face.pose.pitch_deg, face.pose.yaw_deg, face.pose.roll_deg)
    assert np.allclose(angles_deg(rotation), angles, atol=1e-2)


def test_no_face_is_an_empty_list(still, video):
    flat = np.zeros((300, 200, 3), np.uint8)
    assert still.analyze(flat) == []
    assert video.analyze(flat, 0) == []


def test_picture_is_not_written_to_and_may_be_a_view(still, astronaut):
    assert not astronaut.flags.writeable
    view = astronaut[:, ::-1]
    assert len(still.analyze(view)) == 1


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((2, 5, 5, 3), np.uint8),
    ],
    ids=lambda picture: f"{picture.shape}{picture.dtype}",
)
def test_what_is_no_picture_is_refused_and_does_no_harm(still, astronaut, picture):
    with pytest.raises(FaceError, match="uint8"):
        still.analyze(picture)
    assert len(still.analyze(astronaut)) == 1


@pytest.mark.parametrize("time_ms", [None, -1, 40, 39])
def test_time_of_a_clip_must_grow(video, astronaut, time_ms):
    assert len(video.analyze(astronaut, 40)) == 1
    with pytest.raises(FaceError, match="in order"):
        video.analyze(astronaut, time_ms)
    assert len(video.analyze(astronaut, 41)) == 1


def test_lone_pictures_need_no_time(still, astronaut):
    assert len(still.analyze(astronaut, 7)) == len(still.analyze(astronaut, 7)) == 1


def test_close_twice_and_use_no_more(kind, astronaut):
    analyzer = open_analyzer(kind, is_video=False)
    analyzer.close()
    analyzer.close()
    with pytest.raises(FaceError, match="closed"):
        analyzer.analyze(astronaut)


def test_two_analyzers_at_once(kind, still, astronaut):
    other = open_analyzer(kind, is_video=False)
    other.close()
    assert len(still.analyze(astronaut)) == 1
