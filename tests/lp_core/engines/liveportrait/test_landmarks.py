"""The 203-point model in the engine: found, said, and what crops and openness go by."""

# ruff: noqa: E402 - imports follow the check for the libraries

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fakes.faces import make_face

pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.base import Performance
from lp_core.engines.liveportrait import landmarks as landmarks_module
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.landmarks import MODEL, Refinement, find_model, open_landmarker
from lp_core.engines.registry import make_engine
from lp_core.errors import MissingDependency, ModelDamaged, ModelMissing, SettingError
from lp_core.faces.base import FaceBox
from lp_core.frame import Frame
from lp_core.geometry.crop import SOURCE_CROP, oriented_square
from lp_core.models.catalog import load_catalog
from lp_core.models.store import ModelStore
from lp_core.motion.builtin import neutral_face
from lp_core.settings import EngineSettings, LivePortraitSettings, RenderSettings
from lp_core.settings.table import with_values
from lp_core.timing import FrameRate


def points203(at, scale):
    """A face of 203 points: every eye ratio 1, the lip ratio 2/3."""
    onnx203 = pytest.importorskip("fakes.onnx203")
    flat = onnx203.layout() * scale + at
    return np.column_stack([flat, np.zeros(203)]).astype(np.float32)


class PlantedLandmarker:
    """Sees every face at the same place."""

    scheme = "liveportrait203"

    def __init__(self):
        self.pictures = []

    def refined(self, picture, face):
        self.pictures.append(picture)
        points = points203((70, 80), 20)
        return replace(face, landmarks_frame=points, scheme=self.scheme, box=FaceBox(50, 60, 90, 100))


def frame():
    pixels = np.full((160, 120, 3), 100, np.uint16) * 257
    return Frame(pixels, 0, FrameRate.parse(25).time_s(0))


def face():
    points = neutral_face()
    points = (points * 40 / np.ptp(points[:, 1])).astype(np.float32)
    points[:, :2] += np.float32((60, 80))
    return replace(make_face(50), landmarks_frame=points, scheme="mediapipe478", score=0.9)


@pytest.fixture
def planted():
    return PlantedLandmarker()


def engine(landmarker=None, **settings):
    chosen = with_values(RenderSettings(), settings)
    return LivePortraitEngine(chosen, FakeNetworks(), Refinement(landmarker, ("203",) if landmarker else ()))


def test_a_source_is_cropped_by_the_points_and_its_openness_is_theirs(planted):
    with_points, without = engine(planted).prepare(frame(), face()), engine().prepare(frame(), face())
    square = oriented_square(points203((70, 80), 20), SOURCE_CROP)
    region = with_points.place.region
    assert region.right - region.left <= np.ceil(square.side) + 2
    assert region != without.place.region
    assert with_points.ratios.eyes[0] == pytest.approx((1, 1), abs=1e-4)
    assert planted.pictures[0].dtype == np.uint8
    assert planted.pictures[0].max() == 100


def test_a_performance_is_read_by_the_points_but_looks_with_the_faces_irises(planted):
    fine, plain = (engine(item).read_motion(frame(), face()) for item in (planted, None))
    assert fine.eyes == pytest.approx((1, 1), abs=1e-4)
    assert fine.lips == pytest.approx(2 / 3, abs=1e-4)
    assert fine.scale != plain.scale
    np.testing.assert_array_equal(fine.gaze, plain.gaze)
    assert fine.confidence == plain.confidence


def test_a_surveyed_plate_is_looked_at_in_the_same_way(planted):
    chosen = engine(planted, steady_eyes=True)
    motion = chosen.read_motion(frame(), face())
    plan = chosen.survey([(frame(), face())], Performance(lambda _: motion, motion, 1))
    assert float(plan["eye_target"]) == pytest.approx(1, abs=1e-4)


def test_the_model_is_said_and_kept_under_other_settings(planted):
    chosen = engine(planted)
    assert chosen.info.notes == ("203",)
    other = chosen.with_settings(RenderSettings(liveportrait=LivePortraitSettings(stitching=False)))
    other.prepare(frame(), face())
    assert len(planted.pictures) == 1


@pytest.fixture
def empty_store(tmp_path):
    return ModelStore(tmp_path / "models", load_catalog())


@pytest.mark.parametrize("folder", ["liveportrait", ""])
def test_the_file_in_the_folder_of_weights_is_used(tmp_path, empty_store, folder):
    pytest.importorskip("onnxruntime")
    onnx203 = pytest.importorskip("fakes.onnx203")
    onnx203.write_model(tmp_path / "w" / folder / "landmark.onnx")
    found = open_landmarker(EngineSettings(weights=str(tmp_path / "w"), device="cpu"), empty_store)
    assert found.landmarker.scheme == "liveportrait203"
    assert "203 landmarks" in found.notes[0]


def test_nowhere_is_nothing_and_nothing_is_said(tmp_path, empty_store):
    assert open_landmarker(EngineSettings(weights=str(tmp_path)), empty_store) == Refinement(None)
    assert open_landmarker(EngineSettings(), empty_store) == Refinement(None)


def test_the_one_in_the_model_cache_must_be_the_published_one(empty_store):
    item = empty_store.catalog.find(MODEL)[1][0]
    path = empty_store.root / MODEL / item.path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other")
    with pytest.raises(ModelDamaged, match=r"landmark\.onnx"):
        find_model(None, empty_store)


def test_a_model_without_the_library_is_not_passed_over_in_silence(tmp_path, empty_store, monkeypatch):
    (tmp_path / "landmark.onnx").write_bytes(b"x")
    monkeypatch.setattr(landmarks_module, "find_spec", lambda name: None)
    found = open_landmarker(EngineSettings(weights=str(tmp_path)), empty_store)
    assert found.landmarker is None
    assert "landmarks203" in found.notes[0]


class TestChoice:
    def test_mediapipe_leaves_an_installed_model_alone(self, tmp_path, empty_store):
        (tmp_path / "landmark.onnx").write_bytes(b"x")
        settings = EngineSettings(weights=str(tmp_path), landmarker="mediapipe")
        assert open_landmarker(settings, empty_store) == Refinement(None)

    def test_203_without_its_model_is_one_sentence(self, empty_store):
        with pytest.raises(ModelMissing, match="lpsuite models fetch liveportrait-landmarks"):
            open_landmarker(EngineSettings(landmarker="203"), empty_store)

    def test_203_without_its_library_is_one_sentence(self, tmp_path, empty_store, monkeypatch):
        (tmp_path / "landmark.onnx").write_bytes(b"x")
        monkeypatch.setattr(landmarks_module, "find_spec", lambda name: None)
        with pytest.raises(MissingDependency, match="landmarks203"):
            open_landmarker(EngineSettings(weights=str(tmp_path), landmarker="203"), empty_store)

    def test_face_alignment_is_used_and_its_license_is_said(self, monkeypatch, empty_store):
        made = []
        module = SimpleNamespace(
            Landmarker68=lambda device: made.append(device) or "68", LICENSE_NOTE="(license)"
        )
        monkeypatch.setattr(landmarks_module, "import_module", lambda name: module)
        found = open_landmarker(EngineSettings(landmarker="face-alignment", device="cpu"), empty_store)
        assert (found.landmarker, made) == ("68", ["cpu"])
        assert "(license)" in found.notes[0]

    def test_face_alignment_without_its_package_is_one_sentence(self, monkeypatch, empty_store):
        monkeypatch.setitem(sys.modules, "face_alignment", None)
        monkeypatch.delitem(sys.modules, "lp_core.faces.landmarks68", raising=False)
        with pytest.raises(MissingDependency, match=r"lp-suite\[landmarks68\]"):
            open_landmarker(EngineSettings(landmarker="face-alignment", device="cpu"), empty_store)

    @pytest.mark.parametrize("name", ["203", "face-alignment"])
    def test_the_mesh_engine_refuses_fewer_points(self, name):
        with pytest.raises(SettingError, match=f"478 landmarks and cannot use --landmarker {name}"):
            make_engine("mesh", RenderSettings(engine=EngineSettings(landmarker=name)))
        make_engine("mesh", RenderSettings(engine=EngineSettings(landmarker="mediapipe")))

    def test_a_kept_engine_follows_the_setting(self, planted, monkeypatch):
        chosen = engine(planted)
        monkeypatch.setattr("lp_core.engines.liveportrait.engine.open_landmarker", lambda _: Refinement(None))
        other = chosen.with_settings(RenderSettings(engine=EngineSettings(landmarker="mediapipe")))
        other.prepare(frame(), face())
        assert not planted.pictures
