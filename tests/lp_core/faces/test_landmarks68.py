"""The 68-point analyzer over a planted face_alignment: what it asks, what it makes of the answer."""

import sys
import warnings
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_core.errors import FaceError, ModelError
from lp_core.geometry.rotation import from_angles_deg

MODULE = "lp_core.faces.landmarks68"


@pytest.fixture
def plant(monkeypatch):
    """A function that plants the library's answer and imports the module anew."""

    def install(answer):
        library = ModuleType("face_alignment")
        library.LandmarksType = SimpleNamespace(TWO_D=1, THREE_D=3)
        library.made = []

        class FaceAlignment:
            def __init__(self, landmarks_type, **keys):
                library.made.append((landmarks_type, keys))
                if isinstance(answer, OSError):
                    raise answer

            def get_landmarks_from_image(self, image, return_bboxes=False):
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
            cuda=SimpleNamespace(is_available=lambda: False), manual_seed=lambda _seed: None
        )
        monkeypatch.setitem(sys.modules, "face_alignment", library)
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
        patch.setitem(sys.modules, "torch", SimpleNamespace())
        sys.modules.pop(MODULE, None)
        module = import_module(MODULE)
        sys.modules.pop(MODULE, None)
    found = module.head_rotation(points_of(module, pitch, yaw, roll, scale))
    assert np.allclose(found, from_angles_deg(pitch, yaw, roll), atol=1e-6)


def test_collapsed_points_have_no_direction(plant):
    module, _ = plant(None)
    assert np.array_equal(module.head_rotation(np.zeros((68, 2))), np.eye(3))
