"""Calibration against portraits whose answer to every nudge is known."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.mesh import performer, random_face, reading_face, readings, turned

from lp_core.engines.base import TrialFrame
from lp_core.engines.mesh import calibrate as module
from lp_core.engines.mesh.calibrate import CLOSE, LIMITS, calibrate
from lp_core.geometry.facemesh import JAW_OPEN, LEFT_EYE, RIGHT_EYE, ROUNDING, SMILE_LEFT
from lp_core.geometry.rotation import angles_deg
from lp_core.motion.landmarks.lips import eye_distance
from lp_core.motion.landmarks.spoken_lips import narrowing
from lp_core.motion.landmarks.transfer import Nudge, wanted_turn
from lp_core.speech.rig import mesh_frame, resting_values

SOURCE = performer(random_face(3), angles=(4, -6, 2))
REFERENCE = performer(shapes=readings(jaw=0.02, smile=0.05, left=0.1, right=0.1))
SLOPE = np.array([0.9, 1.2, 0.8, 1.6, 0.35, -0.5, -0.6])
"""By how much each reading answers to its control."""
SHARE = np.array([0.8, 0.75, 1.1, 0.6, 0.7, 0.6, 0.55])
"""How much of the performance the portrait shows without any nudge."""
OWN = np.array([0.03, 0.1, 0.15, 0.12])
"""What the portrait reads at rest: jaw, smile, blinks."""


def smiling():
    shape = REFERENCE.expression.astype(np.float64)
    shape[[61, 291], 1] -= 0.1
    return shape


MOMENTS = [
    TrialFrame(performer(smiling(), shapes=readings(smile=0.8, left=0.2, right=0.2)), None),
    TrialFrame(turned(performer(shapes=readings(jaw=0.7, smile=0.05)), pitch=6), None),
    TrialFrame(turned(performer(shapes=readings(jaw=0.3, left=0.1, right=0.1)), yaw=9), None),
    TrialFrame(performer(shapes=readings(left=0.85, right=0.8)), None),
    TrialFrame(turned(performer(shapes=readings(jaw=0.4, smile=0.4, left=0.5)), roll=-8), None),
]


def channels(motion):
    shapes = motion.blendshapes
    return np.array(
        [shapes[index] for index in (JAW_OPEN, SMILE_LEFT, LEFT_EYE.blink, RIGHT_EYE.blink)], float
    )


def controls_of(nudge):
    return np.array([*nudge.angles_deg, nudge.gap + nudge.drop, nudge.smile, *nudge.lids, nudge.narrow])


def wanted_of(motion):
    """(7,) what the portrait should read, by the rule that calibrate states."""
    turn = np.array(angles_deg(SOURCE.rotation)) + wanted_turn(SOURCE, motion, REFERENCE, "relative")
    now, then = channels(motion), channels(REFERENCE)
    above = OWN + (now - then) * (1 - OWN) / (1 - then)
    return np.concatenate([turn, np.where(now <= then, OWN * now / then, above)])


def read(motion, nudge, slope=SLOPE):
    """(7,) what the known portrait reads under a nudge."""
    rest = np.concatenate([angles_deg(SOURCE.rotation), OWN])
    value = rest + SHARE * (wanted_of(motion) - rest) + slope * controls_of(nudge)[:7]
    value[3:] = np.clip(value[3:], 0, 1)
    return value


def trials(draw):
    """What calibrate asks for, of a draw that answers one image at a time."""
    return lambda wanted: [draw(sample, nudge) for sample, nudge in wanted]


def portrait(slope=SLOPE):
    def draw(sample, nudge):
        value = read(sample.motion, nudge, slope)
        return reading_face(value[:3], readings(*value[3:]))

    return draw


def misread(tuning, slope=SLOPE):
    """(N, 7) |wanted - read| over all moments with a tuning, or without."""
    nudges = [tuning.nudge(sample.motion) if tuning else Nudge() for sample in MOMENTS]
    return np.abs(
        [wanted_of(s.motion) - read(s.motion, nudge, slope) for s, nudge in zip(MOMENTS, nudges, strict=True)]
    )


@pytest.mark.parametrize("together", [1, 2, 3])
def test_the_tuned_portrait_reads_as_the_performance_does(together, monkeypatch):
    monkeypatch.setattr(module, "TOGETHER", together)
    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(portrait()))
    before, after = misread(None), misread(tuning)
    close = CLOSE[:7]
    assert (before.max(axis=0) > 2 * close).all(), "there is something to correct in every channel"
    assert (after.mean(axis=0) < np.maximum(0.35 * before.mean(axis=0), 0.25 * close)).all()
    assert (after.max(axis=0) < 4 * close).all()


def test_nothing_is_corrected_where_nothing_is_wrong():
    perfect = np.zeros(7)

    def draw(sample, nudge):
        value = wanted_of(sample.motion) + perfect
        return reading_face(value[:3], readings(*value[3:]))

    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw))
    assert all((tuning.controls(sample.motion) == 0).all() for sample in MOMENTS)


def test_the_reference_itself_is_never_corrected():
    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(portrait()))
    assert (tuning.controls(REFERENCE) == 0).all()


@pytest.mark.parametrize(
    "slope", [np.zeros(7), 0.02 * SLOPE, 30 * SLOPE, -SLOPE], ids=["deaf", "dull", "steep", "contrary"]
)
def test_strange_portraits_stay_within_the_limits(slope):
    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(portrait(slope)))
    for sample in MOMENTS:
        assert (np.abs(tuning.controls(sample.motion)) <= LIMITS).all()


def test_no_trial_leaves_the_limits():
    tried = []
    draw = portrait(0.02 * SLOPE)

    def watched(sample, nudge):
        tried.append(controls_of(nudge))
        return draw(sample, nudge)

    calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(watched))
    assert (np.abs(tried) <= LIMITS).all()
    assert np.abs(tried).max() > 1
    assert len(tried) <= 1 + module.ROUNDS * len(MOMENTS)


@pytest.mark.parametrize("yaw", [36.0, -36.0])
def test_a_portrait_that_is_turned_away_is_nudged_less_and_less(yaw):
    averted = performer(random_face(3), angles=(0, yaw, 0))
    tuning = calibrate(averted, MOMENTS, REFERENCE, "relative", trials(portrait()))
    largest = np.max([np.abs(tuning.controls(sample.motion)) / LIMITS for sample in MOMENTS])
    assert 0.1 < largest < 0.5
    profile = performer(random_face(3), angles=(0, 1.3 * yaw, 0))
    assert calibrate(profile, MOMENTS, REFERENCE, "relative", trials(portrait())) is None


def test_no_face_at_rest_is_no_tuning():
    assert calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(lambda sample, nudge: None)) is None


def test_no_face_in_any_trial_is_no_tuning():
    rest = portrait()

    def draw(sample, nudge):
        return rest(sample, nudge) if sample.motion is REFERENCE else None

    assert calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw)) is None


def test_moments_where_the_face_is_lost_are_left_out():
    plain = portrait()

    def draw(sample, nudge):
        return None if sample is MOMENTS[1] else plain(sample, nudge)

    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw))
    assert len(tuning.keys) == len(MOMENTS)  # the reference and all but one
    after = misread(tuning)[[0, 2, 3, 4]]
    assert (after.mean(axis=0)[1:] < 0.5 * misread(None)[[0, 2, 3, 4], 1:].mean(axis=0)).all()


def test_a_face_lost_in_the_second_trial_keeps_the_first_guess():
    count = {}
    plain = portrait()

    def draw(sample, nudge):
        count[id(sample)] = count.get(id(sample), 0) + 1
        return plain(sample, nudge) if count[id(sample)] == 1 else None

    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw))
    assert all((tuning.controls(sample.motion) == 0).all() for sample in MOMENTS)


def test_a_performance_without_coefficients_is_no_tuning():
    bare = [TrialFrame(performer(angles=(0, 10, 0)), None)]
    assert calibrate(SOURCE, bare, REFERENCE, "relative", trials(portrait())) is None
    assert calibrate(SOURCE, [], REFERENCE, "relative", trials(portrait())) is None


def test_frames_are_tried_together_and_dropped_one_by_one():
    rounds = []
    plain = portrait()

    def trial(wanted):
        rounds.append([sample for sample, _ in wanted])
        return [None if sample is MOMENTS[1] else plain(sample, nudge) for sample, nudge in wanted]

    calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trial)
    _, first, *others = rounds
    assert [id(sample) for sample in first] == [id(sample) for sample in MOMENTS[: module.TOGETHER]]
    assert any(len(samples) == module.TOGETHER - 1 for samples in others)
    assert all(sample is not MOMENTS[1] for samples in others for sample in samples)


def test_an_error_of_a_trial_reaches_the_caller():
    def draw(sample, nudge):
        if sample.motion is not REFERENCE:
            raise KeyError("planted")
        return reading_face()

    with pytest.raises(KeyError, match="planted"):
        calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw))


FUNNEL = f"shape{ROUNDING[0]}"
SILENT = mesh_frame(resting_values())
SAID = [
    TrialFrame(mesh_frame({**resting_values(), "speaking": 1.0, "width": -0.15 * read, "round": read}), None)
    for read in (0.15, 0.3, 0.5, 0.7, 0.9)
]


def rounding(motion):
    return float(motion.blendshapes[ROUNDING].sum())


def round_reader(own=0.0):
    """A portrait that shows half of the rounding it is asked for, and more where its mouth narrows further."""
    shape = SOURCE.expression.astype(np.float64)
    per_temples = eye_distance(shape) / np.linalg.norm(shape[127] - shape[356])

    def draw(sample, nudge):
        shapes = readings()
        shapes[ROUNDING[0]] = own + 0.5 * (1 - own) * rounding(sample.motion) + 5 * nudge.narrow
        points = np.zeros((478, 3), np.float32)
        points[356, 0] = 1
        points[291, 0] = 0.35 - per_temples * narrowing(shape, sample.motion, SILENT)
        return replace(reading_face(angles_deg(SOURCE.rotation), shapes), landmarks_frame=points)

    return draw


@pytest.mark.parametrize("own", [0.0, 0.2])
def test_a_mouth_that_reads_as_too_little_round_narrows_further_for_a_voice(own):
    draw = round_reader(own)
    tuning = calibrate(SOURCE, SAID, SILENT, "relative", trials(draw))
    wanted = [own + rounding(sample.motion) * (1 - own) for sample in SAID]
    nudges = [tuning.nudge(sample.motion) for sample in SAID]
    before, after = (
        np.abs(
            [draw(sample, nudge).blendshapes[FUNNEL] for sample, nudge in zip(SAID, used, strict=True)]
            - np.array(wanted)
        )
        for used in ([Nudge()] * len(SAID), nudges)
    )
    assert after.mean() < 0.5 * before.mean()
    assert after.max() < 2 * CLOSE[-1]


def test_a_filmed_mouth_keeps_its_width_however_round_it_reads():
    def draw(sample, nudge):
        shapes = readings(jaw=0.3)
        shapes[ROUNDING] = 0.4
        return reading_face((0, 0, 0), shapes)

    tuning = calibrate(SOURCE, MOMENTS, REFERENCE, "relative", trials(draw))
    assert all(tuning.nudge(sample.motion).narrow == 0 for sample in MOMENTS)
