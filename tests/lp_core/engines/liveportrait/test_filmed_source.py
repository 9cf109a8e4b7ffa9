"""Plans of filmed sources, and the engine's survey with networks that compute next to nothing."""

# ruff: noqa: E402 - imports follow the check for the library

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from fakes.faces import make_face

torch = pytest.importorskip("torch")
from fakes.networks import FakeNetworks

from lp_core.engines.base import Performance
from lp_core.engines.liveportrait.engine import LivePortraitEngine
from lp_core.engines.liveportrait.filmed_source import FRAMES, eye_target, plan_motion, planned_motion
from lp_core.frame import Frame
from lp_core.motion.builtin import builtin_motion, neutral_face
from lp_core.motion.implicit.motion import implicit_motion, rotation_from_degrees
from lp_core.motion.implicit.transfer import TransferOptions, transfer_filmed
from lp_core.settings import MotionSettings, RenderSettings
from lp_core.settings.table import with_values

OFFICIAL = TransferOptions(official_compat=True)


def states(count, seed):
    rng = np.random.default_rng(seed)
    return [
        implicit_motion(
            rotation_from_degrees(*rng.uniform(-10, 10, 3)),
            rng.normal(0, 0.01, (21, 3)),
            1.5 + rng.uniform(0, 0.1),
            rng.normal(0, 0.1, 3),
        )
        for _ in range(count)
    ]


def test_a_plan_is_the_published_rule_and_knows_its_frames():
    sources, driving = states(4, 0), states(4, 1)
    plan = plan_motion([0, 1, 3, 4], sources, [(d, driving[0]) for d in driving], OFFICIAL, True)
    wanted = transfer_filmed(sources, driving, driving[0], OFFICIAL)
    for frame, motion in zip([0, 1, 3, 4], wanted, strict=True):
        planned = planned_motion(plan, frame)
        np.testing.assert_array_equal(planned.rotation, motion.rotation)
        np.testing.assert_array_equal(planned.expression, motion.expression)
        assert planned.scale == motion.scale
    assert planned_motion(plan, 2) is None
    assert planned_motion(plan, 5) is None
    assert planned_motion({}, 0) is None
    assert eye_target(plan) is None


def engine(**settings):
    chosen = with_values(RenderSettings(motion=MotionSettings(smoothing=0.0)), settings)
    return LivePortraitEngine(chosen, FakeNetworks())


def face(lids=1.0):
    points = neutral_face().astype(np.float32)
    points = points * np.float32(40.0 / np.ptp(points[:, 1]))
    middle = points[[159, 145], 1].mean(), points[[386, 374], 1].mean()
    for pair, at in zip(((159, 145), (386, 374)), middle, strict=True):
        points[list(pair), 1] = at + (points[list(pair), 1] - at) * lids
    points[:, :2] += np.float32([60, 80])
    return replace(make_face(50), landmarks_frame=points, scheme="mediapipe478", score=0.9)


def film(values, lids=1.0):
    """(frame, face) pairs of plain brightness, which the networks read as a turned head."""
    for index, value in enumerate(values):
        pixels = np.full((160, 120, 3), value, np.uint8)
        yield Frame(pixels, index, Fraction(index, 25)), None if value == 0 else face(lids)


@pytest.fixture(scope="module")
def performance():
    motion = builtin_motion("expressive", rig="liveportrait21")
    return Performance(lambda frame: motion.frame(10 * frame.index), motion.frame(0), len(motion))


def test_a_survey_plans_every_frame_that_shows_the_face(performance):
    drawing = engine(official_compat=True, stitching=False)
    assert drawing.info.surveys_plates
    plate = list(film([100, 130, 0, 90]))
    plan = drawing.survey(iter(plate), performance)
    assert plan[FRAMES].tolist() == [0, 1, 3]
    shown = [drawing.prepare(*plate[index]) for index in (0, 1, 3)]
    later = drawing.prepare(*plate[1], plan)
    assert later.plan is plan
    moved = performance.at(plate[1][0])
    points = [drawing.driven_points(portrait, moved, performance.reference) for portrait in (later, shown[1])]
    assert np.abs(points[0] - points[1]).max() > 1e-4  # smoothed over the shot


def test_the_eyes_of_a_filmed_source_keep_to_its_first_frame(performance):
    drawing = engine(steady_eyes=True, stitching=False)
    seen = iter(film([100, 120, 90]))
    plan = drawing.survey(seen, performance)
    assert next(seen)[0].index == 1  # it looks no further than it must
    frame, found = next(film([100]))
    portrait = drawing.prepare(frame, found, plan)
    assert eye_target(plan) == pytest.approx(float(portrait.ratios.eyes.mean()))
    networks = drawing._networks
    drawing.driven_points(portrait, performance.reference, performance.reference)
    assert networks.log.eyes
    blinking = drawing.survey(film([100], lids=0.1), performance)
    assert eye_target(blinking) == 0.39  # a first frame that blinks is not an aim
    assert not engine().info.surveys_plates
