import numpy as np
import pytest

from lp_core.geometry.facemesh import LEFT_EYE
from lp_core.motion.builtin import neutral_face
from lp_core.speech.read_mouth import mouth_geometry
from lp_core.speech.rig import implicit_frame, mesh_frame, speaking_face

REST = dict.fromkeys(
    (
        "open", "width", "round", "press", "smile", "brow", "blink", "gaze_x", "gaze_y", "pitch", "yaw", "roll",
        "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthStretch", "mouthSmile", "jawOpen", "mouthPucker",
        "mouthRollLower", "mouthRollUpper",
    ),
    0.0,
)  # fmt: skip
NO_SHAPES = np.zeros(52)


def measured(**values):
    """Opening and width of the mouth that a landmarker would measure, against the face at rest."""
    face = speaking_face().points({**REST, **values})
    rest = mouth_geometry(neutral_face(), NO_SHAPES)
    return tuple(now - then for now, then in zip(mouth_geometry(face, NO_SHAPES)[:2], rest[:2], strict=True))


def test_at_rest_the_face_is_the_neutral_one():
    frame = mesh_frame(REST)
    assert frame.expression == pytest.approx(neutral_face(), abs=1e-5)
    assert frame.rotation == pytest.approx(np.eye(3), abs=1e-6)
    assert frame.blendshapes[0] == 1
    assert not frame.blendshapes[1:].any()


@pytest.mark.parametrize("opening", [0.05, 0.15, 0.3])
def test_the_lips_open_as_far_as_asked(opening):
    assert measured(open=opening)[0] == pytest.approx(opening, rel=0.15)


@pytest.mark.parametrize("width", [-0.1, 0.08])
def test_the_mouth_is_as_wide_as_asked_and_stays_closed(width):
    gap, change = measured(width=width)
    assert change == pytest.approx(width, rel=0.15)
    assert abs(gap) < 0.02


def test_rounding_brings_the_lips_forward_and_leaves_the_width_to_its_curve():
    assert abs(measured(round=1.0)[1]) < 0.02
    change = speaking_face().points({**REST, "round": 1.0}) - neutral_face()
    assert change[[13, 14], 2].max() < -0.1


def test_blinks_close_the_lids_of_both_rigs():
    opened, closed = (mesh_frame({**REST, "blink": value}).eyes for value in (0.0, 1.0))
    assert (closed < 0.35 * opened).all()
    assert implicit_frame({**REST, "blink": 1.0}).eyes == pytest.approx(0)


def test_gaze_moves_the_irises_and_names_the_persons_side():
    frame = mesh_frame({**REST, "gaze_x": 0.1})
    moved = frame.expression[LEFT_EYE.iris[0], 0] - neutral_face()[LEFT_EYE.iris[0], 0]
    assert moved > 0.02
    assert frame.blendshapes[15] > 0.3  # eyeLookOutLeft: the person's left eye looks outwards
    assert frame.blendshapes[16] == 0


def test_the_liveportrait_rig_moves_with_every_curve():
    rest = implicit_frame(REST)
    for name, value in {
        "open": 0.2,
        "width": 0.1,
        "round": 0.5,
        "smile": 0.4,
        "brow": 0.3,
        "blink": 1.0,
    }.items():
        assert np.abs(implicit_frame({**REST, name: value}).expression - rest.expression).max() > 1e-4, name
    turned = implicit_frame({**REST, "yaw": 10.0})
    assert np.abs(turned.rotation - rest.rotation).max() > 0.1
