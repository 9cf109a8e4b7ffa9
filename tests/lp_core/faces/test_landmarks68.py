"""The 68-point analyzer over a planted face_alignment: what it asks, what it makes of the answer."""

import sys
import warnings
from contextlib import closing
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import FaceError, ModelError, ModelMissing
from lp_core.faces.base import Face, FaceBox, Pose
from lp_core.geometry.rotation import from_angles_deg

MODULE = "lp_core.faces.landmarks68"
URLS = {"2DFAN-4": "https://example.org/2DFAN4.pth.tar"}
FILES = ("2DFAN4.pth.tar", "s3fd-619a316812.pth")


@pytest.fixture
def plant(monkeypatch, tmp_path):
    """A function that plants the library's answer and imports the module again."""

    def install(answer, weights=FILES):
        folder = tmp_path / "checkpoints"
        folder.mkdir(exist_ok=True)
        for name in weights:
            (folder / name).touch()
        library = ModuleType("face_alignment")
        library.LandmarksType = SimpleNamespace(TWO_D=1, THREE_D=3)
        library.made, library.seen = [], []

        class FaceAlignment:
            def __init__(self, landmarks_type, **keys):
                library.made.append((landmarks_type, keys))
                if isinstance(answer, OSError):
                    raise answer

            def get_landmarks_from_image(self, image, return_bboxes=False, detected_faces=None):
                if detected_faces is not None:
                    library.seen.append((image, detected_faces))
                    if isinstance(answer, Exception):
                        raise answer
                    return [answer]
                assert return_bboxes
                if answer is None:
                    warnings.warn("No faces were detected.", stacklevel=1)
                    return None, None, None
                if isinstance(answer, Exception):
                    raise answer
                points, boxes = answer
                return points, None, boxes

        library.FaceAlignment = FaceAlignment
        torch = SimpleNamespace(
            cuda=SimpleNamespace(is_available=lambda: False),
            manual_seed=lambda _seed: None,
            hub=SimpleNamespace(get_dir=lambda: str(tmp_path)),
        )
        monkeypatch.setitem(sys.modules, "face_alignment", library)
        monkeypatch.setitem(sys.modules, "face_alignment.api", SimpleNamespace(models_urls=URLS))
        monkeypatch.setitem(sys.modules, "torch", torch)
        sys.modules.pop(MODULE, None)
        return import_module(MODULE), library

    yield install
    sys.modules.pop(MODULE, None)


PICTURE = np.zeros((100, 120, 3), np.uint8)


def points_of(module, pitch, yaw, roll, scale=1.0):
    """68 points whose rigid ones are those of a head in that pose under a far camera."""
    points = np.full((68, 2), 60.0)
    for index, place in module._RIGID_HEAD.items():
        points[index] = 60 + scale * (from_angles_deg(pitch, yaw, roll) @ place)[:2]
    return points


def test_only_networks_that_load_without_unpickling_are_asked_for(plant):
    module, library = plant(None)
    module.FaceAlignmentAnalyzer(is_video=False)
    ((kind, keys),) = library.made
    assert kind == library.LandmarksType.TWO_D
    assert keys["device"] == "cpu"


def test_answer_becomes_faces_the_most_certain_first(plant):
    module, _ = plant(None)
    low, high = points_of(module, 0, 0, 0), points_of(module, 0, 20, 0)
    module, _ = plant(([low, high, low], [(0, 0, 9, 9, 0.6), (0, 0, 9, 9, 1.2), (0, 0, 9, 9, 0.7)]))
    analyzer = module.FaceAlignmentAnalyzer(is_video=False, max_faces=2)
    first, second = analyzer.analyze(PICTURE)
    assert (first.score, second.score) == (1.0, 0.7)
    assert first.scheme == "ibug68"
    assert first.landmarks_frame.shape == (68, 3)
    assert not first.landmarks_frame[:, 2].any()
    assert first.blendshapes == {}
    assert first.pose.yaw_deg == pytest.approx(20, abs=0.1)


def test_no_face_is_an_empty_list_without_a_warning(plant):
    module, _ = plant(None)
    assert module.FaceAlignmentAnalyzer(is_video=False).analyze(PICTURE) == []


def test_weights_that_cannot_be_had_are_one_sentence(plant):
    module, _ = plant(OSError("no route\nto host"))
    with pytest.raises(ModelError, match=r"no route\)") as caught:
        module.FaceAlignmentAnalyzer(is_video=False)
    assert "\n" not in str(caught.value)


def test_failing_network_is_one_sentence(plant):
    module, _ = plant(RuntimeError("out of memory\nmore"))
    with pytest.raises(FaceError, match="out of memory"):
        module.FaceAlignmentAnalyzer(is_video=False).analyze(PICTURE)


@given(pitch=st.floats(-40, 40), yaw=st.floats(-60, 60), roll=st.floats(-170, 170), scale=st.floats(0.1, 20))
def test_pose_is_read_off_the_points(pitch, yaw, roll, scale):
    library = ModuleType("face_alignment")
    library.FaceAlignment = library.LandmarksType = object
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "face_alignment", library)
        patch.setitem(sys.modules, "face_alignment.api", SimpleNamespace(models_urls=URLS))
        patch.setitem(sys.modules, "torch", SimpleNamespace())
        sys.modules.pop(MODULE, None)
        module = import_module(MODULE)
        sys.modules.pop(MODULE, None)
    found = module.head_rotation(points_of(module, pitch, yaw, roll, scale))
    assert np.allclose(found, from_angles_deg(pitch, yaw, roll), atol=1e-6)


def test_collapsed_points_have_no_direction(plant):
    module, _ = plant(None)
    assert np.array_equal(module.head_rotation(np.zeros((68, 2))), np.eye(3))


def a_face(roll=0.0):
    """A face of 478 points in a 40 x 50 box around (60, 50), rolled."""
    turn = from_angles_deg(0, 0, roll)
    square = np.array([(-20, -25, 0), (20, -25, 0), (20, 25, 0), (-20, 25, 0)], np.float64) @ turn.T
    points = np.resize(square, (478, 3)) + (60, 50, 0)
    (left, top), (right, bottom) = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return Face(
        points.astype(np.float32), "mediapipe478", FaceBox(left, top, right, bottom), 0.9, turn.astype(np.float32),
        Pose(0.0, 0.0, roll), {"jawOpen": 0.5},
    )  # fmt: skip


@pytest.mark.parametrize("missing", FILES)
def test_weights_are_never_downloaded(plant, missing, tmp_path):
    module, library = plant(None, [name for name in FILES if name != missing])
    with pytest.raises(ModelMissing) as caught:
        module.FaceAlignmentAnalyzer(is_video=False)
    assert all(word in str(caught.value) for word in (missing, str(tmp_path / "checkpoints"), "300W-LP"))
    assert not library.made


def test_the_landmarker_needs_no_detector(plant):
    module, library = plant(np.zeros((68, 2)), ["2DFAN4.pth.tar"])
    module.Landmarker68("cpu")
    assert library.made[0][1]["face_detector"] == "folder"
    module, library = plant(None, [])
    (module.Path(module.torch.hub.get_dir()) / "checkpoints" / "2DFAN4.pth.tar").unlink()
    with pytest.raises(ModelMissing, match="2DFAN4"):
        module.Landmarker68("cpu")
    assert not library.made


@pytest.mark.parametrize("roll", [0.0, 30.0, 90.0, 180.0])
def test_the_landmarker_reads_an_upright_cut_and_moves_the_points_back(plant, roll):
    answer = np.tile([[256.0, 256.0], [300.0, 256.0]], (34, 1))
    module, library = plant(answer)
    face = a_face(roll)
    fine = module.Landmarker68("cpu").refined(PICTURE, face)
    ((cut, (box,)),) = library.seen
    assert cut.shape == (512, 512, 3)
    left, top, right, bottom = box
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((256, 256), abs=6)
    assert (bottom - top) / (right - left) == pytest.approx(50 / 40, abs=0.02)  # upright
    assert fine.landmarks_frame.shape == (68, 3)
    assert fine.landmarks_frame[0, :2] == pytest.approx(face.box.center, abs=0.6)
    across = fine.landmarks_frame[1, :2] - fine.landmarks_frame[0, :2]
    assert np.degrees(np.arctan2(across[1], across[0])) % 360 == pytest.approx(roll % 360, abs=0.1)
    assert (fine.scheme, fine.score, fine.blendshapes, fine.pose) == (
        "ibug68",
        0.9,
        face.blendshapes,
        face.pose,
    )


def test_a_failing_landmarker_is_one_sentence(plant):
    module, _ = plant(RuntimeError("out of memory\nmore"))
    with pytest.raises(FaceError, match=r"failed \(out of memory\)"):
        module.Landmarker68("cpu").refined(PICTURE, a_face())


def test_the_real_package_finds_the_points(astronaut):
    torch = pytest.importorskip("torch")
    api = pytest.importorskip("face_alignment.api", reason="the extra landmarks68 is not installed")
    name = api.models_urls["2DFAN-4"].rpartition("/")[2]
    from pathlib import Path

    if not (Path(torch.hub.get_dir()) / "checkpoints" / name).is_file():
        pytest.skip("the weights of face-alignment are not installed")
    from lp_core.faces.open import open_analyzer

    with closing(open_analyzer(is_video=False)) as analyzer:
        (face,) = analyzer.analyze(astronaut)
    fine = import_module(MODULE).Landmarker68("cpu").refined(astronaut, face)
    width = face.box.right - face.box.left
    eyes = [fine.landmarks_frame[36:42, :2].mean(axis=0), fine.landmarks_frame[42:48, :2].mean(axis=0)]
    irises = face.landmarks_frame[[468, 473], :2]
    assert np.abs(np.array(eyes) - irises).max() < 0.05 * width
