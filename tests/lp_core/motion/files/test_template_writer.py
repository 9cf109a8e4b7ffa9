"""Templates written frame by frame: the steady crop, lost frames, and nothing left behind."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.motion import performance

from lp_core.errors import MotionMismatch, OutputExists
from lp_core.motion.files.template_pkl import from_sequence, read_pkl, to_sequence
from lp_core.motion.files.template_writer import USUAL_SCALE, PklWriter, as_cropped, gapless
from lp_core.motion.implicit.motion import transform_keypoints


def possible(count=5):
    """A performance with sizes above 0 that is measured throughout."""
    motion = performance(count)
    return replace(motion, scale=np.abs(motion.scale) + 0.2, confidence=np.ones(count, np.float32))


def write(path, motion):
    with PklWriter(path, motion.rate, motion.rig, motion.origin, motion.metadata) as writer:
        writer.extend(motion)
        writer.commit()
    return read_pkl(path)


def test_a_film_is_seen_in_one_steady_square():
    motion = possible()
    cropped = as_cropped(motion)
    assert cropped.scale.mean() == pytest.approx(USUAL_SCALE, rel=1e-5)
    np.testing.assert_allclose(cropped.translation.mean(axis=0), 0, atol=1e-5)
    ratio = cropped.scale / motion.scale
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    moved = motion.translation[1:] - motion.translation[:-1]
    np.testing.assert_allclose(np.diff(cropped.translation, axis=0), moved * ratio[0], atol=1e-4)


def test_what_came_from_a_template_is_written_as_it_was(tmp_path):
    template = from_sequence(possible())
    again = write(tmp_path / "t.pkl", to_sequence(template))
    for name in ("rotation", "scale", "expression", "translation", "eyes", "lips"):
        np.testing.assert_array_equal(getattr(again, name), getattr(template, name))


def test_a_lost_start_shows_the_first_measured_frame():
    motion = replace(possible(), confidence=np.array([0, 0, 1, 0, 1], np.float32))
    whole = gapless(motion)
    for index in (0, 1):
        np.testing.assert_array_equal(whole.expression[index], motion.expression[2])
    np.testing.assert_array_equal(whole.expression[3], motion.expression[3])


def test_canonical_points_are_kept_and_their_places_are_made_in_the_steady_square(tmp_path):
    motion = possible()
    canonical = np.random.default_rng(3).normal(size=(len(motion), 21, 3)).astype(np.float32)
    template = write(tmp_path / "t.pkl", replace(motion, extras={"keypoints": canonical}))
    np.testing.assert_array_equal(template.keypoints, canonical)
    for index in range(len(motion)):
        wanted = transform_keypoints(canonical[index], template.motion(index))
        np.testing.assert_allclose(template.points[index], wanted, atol=1e-5)


def test_a_lost_start_has_the_first_measured_points(tmp_path):
    motion = replace(possible(3), confidence=np.array([0, 1, 1], np.float32))
    canonical = np.ones((21, 3), np.float32)
    with PklWriter(tmp_path / "t.pkl", motion.rate, motion.rig) as writer:
        for index, frame in enumerate(motion.frames()):
            writer.append(replace(frame, extras={"keypoints": index * canonical} if index else {}))
        writer.commit()
    template = read_pkl(tmp_path / "t.pkl")
    np.testing.assert_array_equal(template.keypoints, np.stack([canonical, canonical, 2 * canonical]))


def test_another_rig_is_refused_and_nothing_is_left(tmp_path):
    motion = performance(rig="mesh478")
    with pytest.raises(MotionMismatch, match="liveportrait"):
        write(tmp_path / "t.pkl", replace(motion, scale=np.abs(motion.scale)))
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept(tmp_path):
    (tmp_path / "t.pkl").write_bytes(b"precious")
    with pytest.raises(OutputExists):
        write(tmp_path / "t.pkl", possible())
    assert (tmp_path / "t.pkl").read_bytes() == b"precious"
