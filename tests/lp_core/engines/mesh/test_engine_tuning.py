"""Tuning a portrait: how the engine runs the trials, and what it gains by them."""

import threading
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from fakes.mesh import grimace, moved_face, reading, reading_face, readings, turned

from lp_core.engines.base import DrawRequest, TrialFrame
from lp_core.engines.mesh import calibrate
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.errors import ModelMissing
from lp_core.faces.open import open_analyzer
from lp_core.geometry.facemesh import LEFT_EYE, RIGHT_EYE
from lp_core.render.drawing import in_batches
from lp_core.settings import MotionSettings, RenderSettings

open_video = partial(open_analyzer, is_video=True)


class FakeAnalyzer:
    """Reads more pitch off every further image, or no face; checks that one thread uses it, as a video."""

    def __init__(self, finds_a_face):
        self.finds_a_face = finds_a_face
        self.times = []
        self.sizes = set()
        self.closed = 0
        self.lock = threading.Lock()

    def analyze(self, picture, time_ms=None):
        assert self.lock.acquire(blocking=False), "two images at once"
        try:
            assert picture.dtype == np.uint8
            assert picture.shape[2] == 3
            assert not self.times or time_ms > self.times[-1]
            self.times.append(time_ms)
            self.sizes.add(picture.shape)
            return [reading_face((2.0 * len(self.times), 0, 0))] if self.finds_a_face else []
        finally:
            self.lock.release()

    def close(self):
        self.closed += 1


class TestTuning:
    @pytest.fixture(autouse=True)
    def different_people(self, monkeypatch):
        """The sitter performs for himself here; for one face there would be nothing to find."""
        monkeypatch.setattr(calibrate, "SAME_FACE", 0.0)

    def motion(self, sitter):
        return replace(grimace(sitter.neutral), blendshapes=readings(jaw=0.6, left=0.5, right=0.5))

    def reference(self, sitter):
        return replace(sitter.neutral, blendshapes=readings())

    def tune(self, engine, portrait, sitter, finds_a_face):
        opened = []

        def open_one():
            opened.append(FakeAnalyzer(finds_a_face))
            return opened[-1]

        samples = [TrialFrame(self.motion(sitter), None)] * 3
        return engine.tune(portrait, samples, self.reference(sitter), open_one, in_batches), opened

    def test_trials_are_small_pictures_in_8_bits_and_every_analyzer_is_closed(self, engine, sitter, as_frame):
        large = cv2.resize(sitter.picture, None, fx=2, fy=2).astype(np.uint16) * 257
        alpha = np.dstack([large, large[..., 0]])
        frame, face = as_frame(alpha), moved_face(sitter.face, 2)
        portrait = engine.prepare(frame, face)
        tuning, opened = self.tune(engine, portrait, sitter, True)
        assert all(analyzer.closed == 1 for analyzer in opened)
        assert all(max(size) < 1024 for analyzer in opened for size in analyzer.sizes)
        assert sum(len(analyzer.times) for analyzer in opened) > 3
        assert tuning
        shown = engine.animate(engine.prepare(frame, face, tuning), self.motion(sitter), sitter.neutral)
        assert (shown.pixels != engine.animate(portrait, self.motion(sitter), sitter.neutral).pixels).any()

    def test_an_average_takes_the_place_of_a_frames_own_correction(self, engine, portrait, sitter, as_frame):
        tuning, _ = self.tune(engine, portrait, sitter, True)
        tuned = engine.prepare(as_frame(sitter.picture), sitter.face, tuning)
        motion = self.motion(sitter)
        own = engine.slow_correction(tuned, motion)
        assert engine.slow_correction(portrait, motion) is None
        asked = [
            DrawRequest(tuned, motion, slow_correction=slow) for slow in (None, own, own + [0, 6, 0, 0, 0])
        ]
        reference = self.reference(sitter)
        plain, same, turned_head = engine.animate_all(asked, reference)
        np.testing.assert_array_equal(same.pixels, plain.pixels)
        nose = [shown.landmarks_frame[1, 0] for shown in (plain, turned_head)]
        assert abs(nose[1] - nose[0]) > 0.01 * np.ptp(plain.landmarks_frame[:, 0])
        at_rest = DrawRequest(tuned, reference, slow_correction=own + [0, 6, 0, 0, 0])
        (shown,) = engine.animate_all([at_rest], reference)
        np.testing.assert_array_equal(shown.pixels, sitter.picture)

    def test_nothing_found_is_no_tuning(self, engine, portrait, sitter):
        tuning, opened = self.tune(engine, portrait, sitter, False)
        assert not tuning
        assert all(analyzer.closed == 1 for analyzer in opened)

    def test_a_model_that_cannot_be_opened_is_reported(self, engine, portrait, sitter):
        def refuse():
            raise ModelMissing("planted")

        samples = [TrialFrame(self.motion(sitter), None)]
        with pytest.raises(ModelMissing, match="planted"):
            engine.tune(portrait, samples, sitter.neutral, refuse, in_batches)

    def test_strengths_and_regions_are_not_corrected_away(self, portrait, sitter):
        found = []
        for motion in (MotionSettings(), MotionSettings(region="lips", pose_strength=0.3, strength=0.5)):
            engine = MeshEngine(RenderSettings(motion=motion))
            samples = [TrialFrame(grimace(sitter.neutral), None)]
            tuned = engine.tune(portrait, samples, sitter.neutral, open_video, in_batches)
            found.append(tuned)
        for name, array in found[0].items():
            np.testing.assert_array_equal(array, found[1][name])

    def test_a_real_trial_brings_the_reading_nearer(self, still_analyzer, engine, portrait, sitter):
        motion = replace(
            turned(sitter.neutral, pitch=-6, yaw=7),
            eyes=sitter.neutral.eyes * np.float32(0.45),
            blendshapes=readings(smile=0.9, left=0.6, right=0.6),
        )
        trial = TrialFrame(motion, None)
        tuning = engine.tune(portrait, [trial], sitter.neutral, open_video, in_batches)
        tuned = engine.prepare(portrait.source, sitter.face, tuning)
        misread = []
        for candidate in (portrait, tuned):
            face, values = reading(still_analyzer, engine.animate(candidate, motion, sitter.neutral).pixels)
            misread.append(np.abs(values[[LEFT_EYE.blink, RIGHT_EYE.blink]] - 0.6).mean())
        assert misread[1] < 0.6 * misread[0]


def test_a_performer_and_an_image_of_himself_need_no_tuning(engine, portrait, sitter):
    opened = []

    def open_one():
        opened.append(FakeAnalyzer(True))
        return opened[-1]

    reference = replace(sitter.neutral, blendshapes=readings())
    samples = [TrialFrame(grimace(sitter.neutral), None)] * 3
    assert not engine.tune(portrait, samples, reference, open_one, in_batches)
    assert not any(analyzer.times for analyzer in opened)
