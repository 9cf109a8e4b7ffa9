"""Shots, people, storage, and what a set says of itself."""

import io
import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from fakes.training_sets import head, made_set

from lp_core.errors import ConsentMissing, LicenseNotAccepted, SettingError
from lp_core.training import prepare as preparing
from lp_core.training.candidates import Candidate, Cropping, Filters, look_hash
from lp_core.training.config import Augmentation
from lp_core.training.pairs import PairSampler
from lp_core.training.people import group_people, split_of
from lp_core.training.prepare import PrepareOptions, prepare, require_consent
from lp_core.training.report import report_text
from lp_core.training.shots import CutFinder, spans
from lp_core.training.store import open_set

CONSENT = {
    "schema": "lpsuite.consent", "version": 1, "person": "Ann", "granted_by": "Ann", "valid_until": "2999-01-01",
    "reference": "release 12",
}  # fmt: skip


def scene(seed, count):
    """Frames of one look with a little noise."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 255, (9, 16, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return [np.clip(base + random.normal(0, 3, base.shape), 0, 255).astype(np.uint8) for _ in range(count)]


def test_cuts_are_found_where_looks_change():
    frames = [frame for seed, count in ((1, 9), (2, 14), (3, 6)) for frame in scene(seed, count)]
    finder = CutFinder()
    assert [index for index, frame in enumerate(frames) if finder.begins(frame)] == [9, 23]


def test_shots_lie_between_cuts_and_are_not_too_long():
    assert spans([9, 23], 29, 100) == [range(9), range(9, 23), range(23, 29)]
    assert spans([], 100, 40) == [range(33), range(33, 66), range(66, 100)]
    assert spans([0, 50], 50, 60) == [range(50)]


def test_doubtful_pairs_of_people_are_taken_for_one():
    one, other = np.eye(128, dtype=np.float32)[:2]
    near = (0.4 * one + np.sqrt(1 - 0.16) * np.eye(128, dtype=np.float32)[5]).astype(np.float32)
    assert group_people(["a", "b", "c"], [one, other, near]) == ["a", "b", "a"]
    assert group_people(["a", "a"], [one, other]) == ["a", "a-2"]
    assert {split_of(f"person {index}") for index in range(60)} == {"train", "validation", "test"}


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A video of nothing, of which a reader makes a shot of a head, one without a face, and counts its calls."""
    path = tmp_path / "Ann 東.mp4"
    path.write_bytes(b"video")
    calls = []

    def read(given, cropping):
        calls.append(given.name)
        seen = [head(1, index) for index in range(6)]
        taken = Candidate(0, [cropping.coded(image) for image, _ in seen], look=look_hash(seen[0][0]))
        taken.labels = {
            "landmarks": np.stack([points for _, points in seen]).astype(np.float32),
            "rotation": np.stack([np.eye(3, dtype=np.float32)] * 6),
            "blendshapes": np.zeros((6, 52), np.float32), "openness": np.zeros((6, 3), np.float32),
            "sharpness": np.ones(6, np.float32), "frame": np.arange(6),
        }  # fmt: skip
        taken.left_out["blurred"] = 2
        return [taken, Candidate(9, refused="no face")], 25.0

    monkeypatch.setattr(preparing, "read_candidates", read)
    return path, calls


OPTIONS = PrepareOptions(license="own", people="sources", size=48)


def test_a_set_says_what_it_holds_and_is_continued(source, tmp_path):
    path, calls = source
    consent = tmp_path / "consent.json"
    consent.write_text(json.dumps(CONSENT))
    options = replace(OPTIONS, consent=consent)
    found = prepare([path], tmp_path / "set", options)
    first = {item.name: item.read_bytes() for item in (tmp_path / "set").rglob("*") if item.is_file()}
    again = prepare([path], tmp_path / "set", options)
    assert calls == [path.name]
    assert first == {item.name: item.read_bytes() for item in (tmp_path / "set").rglob("*") if item.is_file()}
    prepare([path], tmp_path / "other", options)
    other = {item.name: item.read_bytes() for item in (tmp_path / "other").rglob("*") if item.is_file()}
    assert first == other  # the same input gives the same bytes
    assert found.fingerprint == again.fingerprint
    (stored,) = found.shots
    assert (stored.shot.person, stored.shot.split, stored.trained) == ("Ann 東", "train", 4)
    assert require_consent(found, False) == "release 12"
    report = report_text(found)
    assert "no face" in report
    assert "2 blurred" in report
    assert "own" in report


def test_frames_are_read_by_offset_and_by_any_program(source, tmp_path):
    found = prepare([source[0]], tmp_path / "set", OPTIONS)
    (stored,) = found.shots
    data = (tmp_path / "set" / "shots" / f"{stored.shot.id}.tar").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == [f"{index:06d}.jpg" for index in range(6)]
    image, points = head(1, 3)
    assert np.abs(stored.image(3).astype(int) - image).mean() < 4
    assert np.allclose(stored.labels["landmarks"][3], points, atol=1e-6)
    (tmp_path / "set" / "shots" / f"{stored.shot.id}.tar").write_bytes(data[:700])
    with pytest.raises(SettingError, match="damaged at frame 5"):
        open_set(tmp_path / "set").shots[0].image(5)


def test_what_cannot_be_prepared_gives_a_sentence_and_leaves_nothing(source, tmp_path, monkeypatch):
    with pytest.raises(LicenseNotAccepted, match="CC-BY-NC-4.0"):
        PrepareOptions(license="CC-BY-NC-4.0")
    assert PrepareOptions(license="CC-BY-NC-4.0", allow_restricted=True).license == "CC-BY-NC-4.0"
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match="no video and no image"):
        prepare([tmp_path / "empty"], tmp_path / "set", OPTIONS)
    with pytest.raises(SettingError, match="'bob'"):
        prepare([source[0]], tmp_path / "set", replace(OPTIONS, test=("bob",)))
    monkeypatch.setattr(preparing, "read_candidates", lambda *_: ([Candidate(0, refused="no face")], 25.0))
    with pytest.raises(SettingError, match=r"Ann 東\.mp4: no face"):
        prepare([source[0]], tmp_path / "set", OPTIONS)
    assert not (tmp_path / "set").exists()
    with pytest.raises(SettingError, match="not a prepared set"):
        open_set(tmp_path / "empty")


def test_footage_without_consent_is_refused_unless_stated(small_set):
    with pytest.raises(ConsentMissing, match="--i-have-consent"):
        require_consent(small_set, False)
    assert "stated" in require_consent(small_set, True)


def test_pairs_depend_on_their_number_alone(small_set):
    from fakes.training_sets import TINY

    samplers = [PairSampler(small_set, TINY, Augmentation(), 7) for _ in range(2)]
    whole = samplers[0].batch(4, 4)
    parts = [samplers[1].batch(first, 2) for first in (6, 4)]
    for name in whole.__dataclass_fields__:
        axis = 1 if name == "degrees" else 0
        both = np.concatenate([getattr(part, name).numpy() for part in reversed(parts)], axis=axis)
        assert np.array_equal(getattr(whole, name).numpy(), both), name


def test_augmented_frames_keep_landmarks_angles_and_regions_together(small_set):
    """Without jitter a turned and mirrored head has its eyes where its landmarks are, and its own angles."""
    from fakes.training_sets import TINY, rotation

    wide = replace(TINY, input_px=48)
    pair = PairSampler(small_set, wide, Augmentation(jitter=0.0), 3).batch(0, 12)
    for row in range(12):
        for mark in (468, 473):
            x, y = ((pair.driving_marks[row, mark] + 1) * 48 - 1) / 2
            near = pair.driving[row, :, round(float(y)), round(float(x))]
            assert near[0] < 0.35  # the iris is dark, the skin is not
        eyes = pair.driving_marks[row, 473] - pair.driving_marks[row, 468]
        turned = np.degrees(np.arctan2(float(eyes[1]), abs(float(eyes[0]))) * np.sign(float(eyes[0])))
        assert abs(float(pair.degrees[1, row, 2]) - turned) < 6
        lips = pair.lips[row, 0].numpy().astype(bool)
        assert lips.any()
        assert (pair.face[row, 0].numpy().astype(bool) | ~lips).mean() > 0.98
    assert rotation(10).shape == (3, 3)


def test_a_made_set_is_small(tmp_path):
    found = made_set(tmp_path / "data", people=2, frames=5)
    assert found.size == 48
    assert Cropping(48, Filters(), True).suffix == ".png"
