"""Lips that close over an open mouth: nothing of what is between them shows."""

import cv2
import numpy as np
import pytest

from lp_core.engines.mesh import engine as engine_module
from lp_core.geometry.facemesh import LIPS_INNER_LOWER, LIPS_INNER_UPPER
from lp_core.speech.rig import mesh_frame, resting_values

GREEN = (0, 255, 0)


@pytest.fixture(scope="module")
def painted(engine, sitter, as_frame, still_analyzer):
    """The astronaut, whose mouth is open, three times as large, with everything between the lips green."""
    picture = cv2.resize(np.ascontiguousarray(sitter.picture[:260, 90:350]), None, fx=3, fy=3)
    (face,) = still_analyzer.analyze(picture)
    contour = face.landmarks_frame[np.concatenate([LIPS_INNER_UPPER, LIPS_INNER_LOWER[-2:0:-1]]), :2]
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(contour).astype(np.int32)], 1)
    picture[cv2.erode(inside, np.ones((3, 3), np.uint8)) > 0] = GREEN
    return engine.prepare(as_frame(picture), face)


def green(engine, portrait, **values):
    """Pixels that are more green than anything on a face."""
    rest = mesh_frame(resting_values())
    asked = mesh_frame({**resting_values(), "speaking": 1.0, **values})
    pixels = engine.animate(portrait, asked, rest).pixels[..., :3].astype(int)
    return int((pixels[..., 1] - pixels[..., [0, 2]].max(axis=2) > 40).sum())


@pytest.mark.parametrize("values", [{"press": 0.6}, {"width": -0.08, "round": 0.6}, {"width": 0.05}])
def test_no_thread_is_left_between_lips_that_meet(engine, painted, values, monkeypatch):
    left = green(engine, painted, **values)
    monkeypatch.setattr(engine_module, "part_at_line", lambda *_: None)
    thread = green(engine, painted, **values)
    assert thread > 15
    assert left < 0.3 * thread


def test_lips_that_are_apart_are_left_alone(engine, painted, monkeypatch):
    opened = green(engine, painted, open=0.2)
    monkeypatch.setattr(engine_module, "part_at_line", lambda *_: None)
    assert green(engine, painted, open=0.2) == opened
