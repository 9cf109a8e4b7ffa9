"""The 203-point landmarker on a tiny net built here: what reaches the net, where its answer lands."""

# ruff: noqa: E402 - imports follow the check for the libraries

import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from fakes.faces import make_face

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
from fakes.onnx203 import RADIUS, layout, write_model

from lp_core.errors import LpError, ModelDamaged
from lp_core.faces.points203 import Landmarker203, _providers
from lp_core.faces.ratios import eye_openness, lip_openness
from lp_core.faces.schemes import LIVEPORTRAIT203
from lp_core.geometry.crop import LANDMARK_CROP, oriented_square


@pytest.fixture(scope="module")
def landmarker(tmp_path_factory):
    return Landmarker203(write_model(tmp_path_factory.mktemp("model") / "landmark.onnx"))


def spot(at, radius, size=(300, 400)):
    """An image that is black but for a red disc."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    picture = np.zeros((*size, 3), np.uint8)
    picture[(columns - at[0]) ** 2 + (rows - at[1]) ** 2 <= radius**2] = (255, 20, 10)
    return picture


def face_at(at, scale, angle=0.0):
    """A face of 203 points, turned."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = layout() * scale @ turn.T + at
    landmarks = np.column_stack([points, np.zeros(203)]).astype(np.float32)
    return replace(make_face(50), landmarks_frame=landmarks, scheme="liveportrait203")


@pytest.mark.parametrize("angle", [0.0, 0.5, -1.2])
@pytest.mark.parametrize(("at", "scale"), [((200, 140), 40), ((120, 160), 60), ((205, 150), 200)])
def test_points_land_around_what_the_net_saw(landmarker, at, scale, angle):
    """The second look is upright to the first's points, whose size is RADIUS of the square before."""
    face = face_at(np.add(at, (6, -4)), scale, angle)
    found = landmarker.refined(spot(at, 12), face)
    assert found.scheme == "liveportrait203"
    assert found.landmarks_frame.shape == (203, 3)
    assert found.landmarks_frame.dtype == np.float32
    first = oriented_square(face.landmarks_frame, LANDMARK_CROP)
    second = LANDMARK_CROP.scale * 2 * RADIUS * first.side  # the net draws a circle, which has this extent
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wanted = RADIUS * second * layout() @ turn.T + at
    np.testing.assert_allclose(found.landmarks_frame[:, :2], wanted, atol=second / 224)


def test_box_is_the_points_and_the_rest_the_faces_own(landmarker):
    face = face_at((200, 140), 50)
    found = landmarker.refined(spot((200, 140), 12), face)
    points = found.landmarks_frame[:, :2]
    assert (found.box.left, found.box.top) == pytest.approx(points.min(axis=0), abs=1e-3)
    assert (found.box.right, found.box.bottom) == pytest.approx(points.max(axis=0), abs=1e-3)
    assert (found.score, found.pose, found.blendshapes) == (face.score, face.pose, face.blendshapes)
    assert eye_openness(found.landmarks_frame, LIVEPORTRAIT203) == pytest.approx(1, abs=0.05)
    assert lip_openness(found.landmarks_frame, LIVEPORTRAIT203) == pytest.approx(2 / 3, abs=0.05)


def test_several_threads_get_the_same(landmarker):
    face, picture = face_at((200, 140), 50), spot((203, 141), 12)
    wanted = landmarker.refined(picture, face).landmarks_frame
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(landmarker.refined(picture, face).landmarks_frame))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for points in found:
        np.testing.assert_array_equal(points, wanted)


@pytest.mark.parametrize("change", [{"outputs": 2}, {"name": "picture"}])
def test_another_model_is_refused_when_it_is_loaded(tmp_path, change):
    path = write_model(tmp_path / "other.onnx", **change)
    with pytest.raises(
        ModelDamaged, match=r"other\.onnx.*not the published.*models fetch liveportrait-landmarks"
    ):
        Landmarker203(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x09" * 50])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "landmark.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelDamaged, match=r"landmark\.onnx"):
        Landmarker203(path)


@pytest.mark.parametrize("change", [{"points": 106}, {"size": 192}])
def test_another_answer_or_size_is_named(tmp_path, change):
    other = Landmarker203(write_model(tmp_path / "other.onnx", **change))
    with pytest.raises(LpError, match=r"other\.onnx"):
        other.refined(spot((200, 140), 12), face_at((200, 140), 50))


def test_a_black_picture_has_no_points(landmarker):
    """The tiny net divides by the amount of red: what is not finite is refused."""
    with pytest.raises(ModelDamaged, match="not finite"):
        landmarker.refined(np.zeros((300, 400, 3), np.uint8), face_at((200, 140), 50))


def test_cuda_is_taken_where_it_can_be():
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert _providers("cuda:1", both) == both
    assert _providers("cuda", both[1:]) == both[1:]
    assert _providers("cpu", both) == both[1:]


def test_without_the_library_the_extra_is_named():
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from lp_core.errors import MissingDependency\n"
        "try:\n    import lp_core.faces.points203\n"
        "except MissingDependency as error:\n    assert 'landmarks203' in str(error)\n"
        "else:\n    raise SystemExit(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0
