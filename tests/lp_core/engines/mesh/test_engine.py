"""The mesh engine on a real face: what moves, what must not, and what a landmarker reads of it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes.mesh import blank, grimace, moved_face, reading, turned
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lp_core.engines.base import DrivingPicture
from lp_core.engines.mesh.engine import MeshEngine
from lp_core.engines.mesh.mouth import mouth_opening
from lp_core.errors import SettingError
from lp_core.geometry.facemesh import EYES, JAW_OPEN, LEFT_EYE, OVAL, RIGHT_EYE, SMILE_LEFT, SMILE_RIGHT
from lp_core.motion.builtin import builtin_motion
from lp_core.motion.landmarks.transfer import transfer
from lp_core.settings import MeshSettings, MotionSettings, RenderSettings


def assert_untouched_outside(shown, source):
    untouched = shown.matte == 0
    np.testing.assert_array_equal(shown.pixels[untouched], source[untouched])
    assert (shown.flow[untouched] == 0).all()
    assert shown.matte.min() >= 0
    assert shown.matte.max() <= 1
    assert np.isfinite(shown.flow).all()
    assert shown.pixels.shape == source.shape
    assert shown.pixels.dtype == source.dtype


class TestWhatMayNotMove:
    def test_untouched_pixels_are_the_sources_bit_for_bit(self, engine, sitter, as_frame, any_pixels):
        before = any_pixels.copy()
        portrait = engine.prepare(as_frame(any_pixels), sitter.face)
        shown = engine.animate(portrait, grimace(sitter.neutral), sitter.neutral)
        assert_untouched_outside(shown, any_pixels)
        assert (shown.pixels != any_pixels).any(axis=2).mean() > 0.03
        assert (shown.matte == 0).mean() > 0.5
        np.testing.assert_array_equal(any_pixels, before)

    def test_a_performance_at_rest_gives_the_source_bit_for_bit(self, engine, sitter, as_frame, any_pixels):
        portrait = engine.prepare(as_frame(any_pixels), sitter.face)
        shown = engine.animate(portrait, sitter.neutral, sitter.neutral)
        np.testing.assert_array_equal(shown.pixels, any_pixels)
        assert np.abs(shown.flow).max() < 1e-6

    def test_so_does_a_strangers_rest(self, engine, portrait, sitter):
        rest = builtin_motion("still").frame(0)
        np.testing.assert_array_equal(engine.animate(portrait, rest, rest).pixels, sitter.picture)

    def test_and_any_performance_of_no_strength(self, portrait, sitter):
        lame = MeshEngine(RenderSettings(motion=MotionSettings(strength=0.0)))
        shown = lame.animate(portrait, grimace(sitter.neutral), sitter.neutral)
        np.testing.assert_array_equal(shown.pixels, sitter.picture)

    def test_alpha_moves_with_the_face_and_is_not_painted_over(self, engine, sitter, as_frame):
        pixels = np.dstack([sitter.picture, np.full((512, 512), 99, np.uint8)])
        portrait = engine.prepare(as_frame(pixels), sitter.face)
        shown = engine.animate(portrait, grimace(sitter.neutral), sitter.neutral)
        assert (shown.pixels[..., 3] == 99).all()
        pixels[:, 250:, 3] = 0
        shown = engine.animate(portrait, grimace(sitter.neutral), sitter.neutral)
        assert (shown.pixels[..., 3] != pixels[..., 3]).any()

    @given(
        angles=st.tuples(*[st.floats(-40, 40)] * 3),
        at=st.tuples(*[st.floats(-0.3, 0.3)] * 2),
        size=st.floats(0.5, 2),
        lids=st.floats(0, 2),
        lips=st.floats(0, 1),
        gaze=st.floats(-1, 1),
    )
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_however_wild_the_performance(self, engine, portrait, sitter, angles, at, size, lids, lips, gaze):
        neutral = sitter.neutral
        motion = replace(
            turned(neutral, *angles),
            translation=neutral.translation + np.array(at, np.float32),
            scale=np.float32(neutral.scale * size),
            eyes=neutral.eyes * np.float32(lids),
            lips=np.float32(lips),
            gaze=neutral.gaze + np.float32(gaze),
        )
        assert_untouched_outside(engine.animate(portrait, motion, neutral), sitter.picture)


class TestWhatMoves:
    @pytest.mark.parametrize("by", [(12, 0), (0, -9), (-8, 6)], ids=str)
    def test_a_shift_moves_the_face_by_what_was_asked(self, still_analyzer, engine, portrait, sitter, by):
        step = np.array(by, np.float32) / 512
        motion = replace(sitter.neutral, translation=sitter.neutral.translation + step)
        shown = engine.animate(portrait, motion, sitter.neutral)
        face, _ = reading(still_analyzer, shown.pixels)
        moved = (face.landmarks_frame - sitter.face.landmarks_frame)[:468, :2].mean(axis=0)
        assert np.allclose(moved, by, atol=1.2)
        nose = np.rint(sitter.face.landmarks_frame[4, :2] + by).astype(int)
        assert np.allclose(shown.flow[nose[1], nose[0]], np.negative(by), atol=1.5)

    @pytest.mark.parametrize("axis", ["pitch", "yaw", "roll"])
    @pytest.mark.parametrize("degrees", [-7, 7])
    def test_a_turn_is_read_back(self, still_analyzer, engine, portrait, sitter, axis, degrees):
        shown = engine.animate(portrait, turned(sitter.neutral, **{axis: degrees}), sitter.neutral)
        face, _ = reading(still_analyzer, shown.pixels)
        change = {
            name: getattr(face.pose, f"{name}_deg") - getattr(sitter.face.pose, f"{name}_deg")
            for name in ("pitch", "yaw", "roll")
        }
        assert change.pop(axis) == pytest.approx(degrees, abs=0.5 * abs(degrees))
        assert max(map(abs, change.values())) < 3

    def test_a_growing_head_is_read_back(self, still_analyzer, engine, portrait, sitter):
        motion = replace(sitter.neutral, scale=np.float32(sitter.neutral.scale * 1.1))
        face, _ = reading(still_analyzer, engine.animate(portrait, motion, sitter.neutral).pixels)
        widths = [np.linalg.norm(np.subtract(*f.landmarks_frame[[33, 263], :2])) for f in (face, sitter.face)]
        assert widths[0] / widths[1] == pytest.approx(1.1, abs=0.03)

    def test_a_blink_is_read_back(self, still_analyzer, engine, portrait, sitter):
        motion = replace(sitter.neutral, eyes=np.zeros(2, np.float32))
        _, values = reading(still_analyzer, engine.animate(portrait, motion, sitter.neutral).pixels)
        for eye in EYES:
            own = list(sitter.face.blendshapes.values())[eye.blink]
            assert values[eye.blink] - own > 0.3

    @pytest.mark.parametrize("side,eye,other", [(0, LEFT_EYE, RIGHT_EYE), (1, RIGHT_EYE, LEFT_EYE)])
    def test_a_wink_is_one_eyes(self, still_analyzer, engine, portrait, sitter, side, eye, other):
        eyes = sitter.neutral.eyes.copy()
        eyes[side] = 0
        shown = engine.animate(portrait, replace(sitter.neutral, eyes=eyes), sitter.neutral)
        _, values = reading(still_analyzer, shown.pixels)
        assert values[eye.blink] > values[other.blink] + 0.15

    def test_an_open_jaw_is_read_back(self, still_analyzer, engine, portrait, sitter):
        motion = replace(sitter.neutral, lips=np.float32(sitter.neutral.lips + 0.3))
        face, values = reading(still_analyzer, engine.animate(portrait, motion, sitter.neutral).pixels)
        assert engine.read_motion(blank(512, 512), face).lips - sitter.neutral.lips > 0.2
        assert values[JAW_OPEN] - sitter.face.blendshapes["jawOpen"] > 0.08  # a smiling mouth reads low
        assert face.landmarks_frame[152, 1] - sitter.face.landmarks_frame[152, 1] > 4  # the chin went along

    def test_a_smile_that_goes_is_read_back(self, still_analyzer, engine, portrait, sitter):
        demo = builtin_motion("expressive")
        smiling = demo.frame(int(demo.blendshapes[:, SMILE_LEFT].argmax()))
        shown = engine.animate(portrait, demo.frame(0), smiling)
        _, values = reading(still_analyzer, shown.pixels)
        own = list(sitter.face.blendshapes.values())
        assert own[SMILE_LEFT] - values[SMILE_LEFT] > 0.3
        assert own[SMILE_RIGHT] - values[SMILE_RIGHT] > 0.3

    @pytest.mark.parametrize("eye", EYES)
    def test_the_iris_follows_the_gaze(self, engine, portrait, sitter, eye):
        def dark_x(pixels):
            line = portrait.points[np.concatenate([eye.upper, eye.lower]), :2]
            (left, top), (right, bottom) = np.floor(line.min(axis=0)), np.ceil(line.max(axis=0))
            patch = pixels[int(top) : int(bottom) + 1, int(left) : int(right) + 1].astype(float).mean(axis=2)
            dark = np.clip(patch.mean() - patch, 0, None) ** 2
            return (dark * np.arange(dark.shape[1])).sum() / dark.sum()

        places = []
        for along in (-0.15, 0.0, 0.15):
            motion = replace(sitter.neutral, gaze=sitter.neutral.gaze + np.array([along, 0], np.float32))
            places.append(dark_x(engine.animate(portrait, motion, sitter.neutral).pixels))
        assert places[0] + 0.4 < places[1] < places[2] - 0.4

    def test_gaze_changes_nothing_but_the_openings_of_the_eyes(self, engine, portrait, sitter):
        motion = replace(sitter.neutral, gaze=sitter.neutral.gaze + np.float32(0.1))
        changed = (engine.animate(portrait, motion, sitter.neutral).pixels != sitter.picture).any(axis=2)
        eyes = np.zeros((512, 512), np.uint8)
        for eye in EYES:
            line = portrait.points[np.concatenate([eye.upper, eye.lower[::-1]]), :2]
            cv2.fillPoly(eyes, [np.rint(line).astype(np.int32)], 1)
        assert changed.any()
        assert not changed[cv2.dilate(eyes, np.ones((7, 7), np.uint8)) == 0].any()


class TestAnyPicture:
    @pytest.mark.parametrize(
        "left,top,width,height", [(96, 0, 257, 255), (101, 7, 333, 301), (150, 30, 151, 197)]
    )
    def test_odd_sizes_and_faces_at_the_edge(self, engine, sitter, as_frame, left, top, width, height):
        pixels = np.ascontiguousarray(sitter.picture[top : top + height, left : left + width])
        portrait = engine.prepare(as_frame(pixels), moved_face(sitter.face, by=(-left, -top)))
        neutral = engine.read_motion(blank(width, height), moved_face(sitter.face, by=(-left, -top)))
        shown = engine.animate(portrait, grimace(neutral), neutral)
        assert_untouched_outside(shown, pixels)
        assert (shown.pixels != pixels).any()
        np.testing.assert_array_equal(engine.animate(portrait, neutral, neutral).pixels, pixels)

    @pytest.mark.parametrize("x", [-230, -150, 0, 210, 290])
    @pytest.mark.parametrize("y", [-130, 0, 390])
    def test_a_face_partly_outside(self, engine, sitter, as_frame, x, y):
        pixels = cv2.warpAffine(sitter.picture, np.array([[1.0, 0, x], [0, 1, y]]), (512, 512))
        face = moved_face(sitter.face, by=(x, y))
        neutral = engine.read_motion(blank(512, 512), face)
        shown = engine.animate(engine.prepare(as_frame(pixels), face), grimace(neutral), neutral)
        assert_untouched_outside(shown, pixels)

    @pytest.mark.parametrize("by", [(-2000, 0), (2000, 0), (0, 2000), (-900, -900), (3000, 3000)], ids=str)
    def test_a_face_wholly_outside_leaves_the_picture_alone(self, engine, sitter, as_frame, by):
        face = moved_face(sitter.face, by=by)
        neutral = engine.read_motion(blank(512, 512), face)
        shown = engine.animate(engine.prepare(as_frame(sitter.picture), face), grimace(neutral), neutral)
        np.testing.assert_array_equal(shown.pixels, sitter.picture)
        assert shown.matte.max() == 0

    @pytest.mark.parametrize("size", [4, 9, 40])
    def test_a_tiny_face(self, engine, sitter, as_frame, size):
        scale = size / 512
        pixels = cv2.resize(sitter.picture, (size, size), interpolation=cv2.INTER_AREA)
        face = moved_face(sitter.face, scale)
        neutral = engine.read_motion(blank(size, size), face)
        shown = engine.animate(engine.prepare(as_frame(pixels), face), grimace(neutral), neutral)
        assert_untouched_outside(shown, pixels)

    def test_a_4k_still_stays_4k_and_sharp(self, engine, sitter, as_frame):
        large = cv2.resize(sitter.picture[:270], None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)[:, 40:3880]
        grain = np.random.default_rng(5).integers(-40, 40, large.shape[:2], np.int16)[..., None]
        pixels = np.clip(large + grain, 0, 255).astype(np.uint8)
        assert pixels.shape == (2160, 3840, 3)
        face = moved_face(sitter.face, 8, by=(-40, 0))
        neutral = engine.read_motion(blank(3840, 2160), face)
        step = np.array([24, 0], np.float32) / 2160  # whole pixels, so that interpolation takes no grain away
        portrait = engine.prepare(as_frame(pixels), face)
        motion = replace(turned(neutral, yaw=2), translation=neutral.translation + step)
        shown = engine.animate(portrait, motion, neutral)
        assert_untouched_outside(shown, pixels)
        x, y = portrait.points[OVAL, 0], portrait.points[OVAL, 1]
        part = (slice(int(y.min()), int(y.max())), slice(int(x.min()), int(x.max())))
        detail = [cv2.Laplacian(p[part], cv2.CV_32F).var() for p in (pixels, shown.pixels)]
        assert detail[1] > 0.25 * detail[0]
        assert np.abs(shown.flow[part]).max() > 15


class TestTheMouth:
    @pytest.fixture
    def speaking(self, sitter):
        return replace(sitter.neutral, lips=np.float32(sitter.neutral.lips + 0.5))

    @pytest.fixture
    def driving(self, sitter):
        picture = np.zeros_like(sitter.picture)
        picture[:] = (20, 250, 30)
        return DrivingPicture(picture, sitter.face.landmarks_frame)

    def opening(self, portrait, speaking, neutral):
        """(H, W) bool: near the opening of the animated mouth."""
        target = transfer(portrait.face, speaking, neutral, MotionSettings())
        points = portrait.unit_px * target.points
        points[:, :2] += portrait.origin
        where = mouth_opening(portrait, points)
        alpha = np.zeros((512, 512), np.float32)
        alpha[where.rows, where.columns] = where.alpha
        return alpha

    def test_borrowed_and_drawn_differ_inside_the_opening_only(
        self, engine, portrait, sitter, speaking, driving
    ):
        drawn = engine.animate(portrait, speaking, sitter.neutral, None).pixels.astype(int)
        borrowed = engine.animate(portrait, speaking, sitter.neutral, driving).pixels.astype(int)
        alpha = self.opening(portrait, speaking, sitter.neutral)
        differ = (drawn != borrowed).any(axis=2)
        assert differ[alpha > 0.95].mean() > 0.9
        assert not differ[alpha == 0].any()
        assert (borrowed[..., 1] - borrowed[..., 0])[alpha > 0.95].mean() > 60  # green, as the driving image

    def test_its_edge_is_soft(self, engine, portrait, sitter, speaking, driving):
        alpha = self.opening(portrait, speaking, sitter.neutral)
        drawn = engine.animate(portrait, speaking, sitter.neutral, None).pixels.astype(int)
        borrowed = engine.animate(portrait, speaking, sitter.neutral, driving).pixels.astype(int)
        change = np.abs(drawn - borrowed).max(axis=2)
        edge = (alpha > 0.1) & (alpha < 0.9)
        assert edge.sum() > 20
        assert change[edge].mean() < 0.8 * change[alpha > 0.95].mean()

    def test_the_setting_decides(self, portrait, sitter, speaking, driving):
        drawing = MeshEngine(RenderSettings(mesh=MeshSettings(mouth="drawn", dense_motion=False)))
        one = drawing.animate(portrait, speaking, sitter.neutral, driving).pixels
        np.testing.assert_array_equal(one, drawing.animate(portrait, speaking, sitter.neutral, None).pixels)
        borrowing = MeshEngine(RenderSettings(mesh=MeshSettings(mouth="driving")))
        assert (borrowing.animate(portrait, speaking, sitter.neutral, driving).pixels != one).any()
        assert borrowing.info.uses_driving_picture
        assert not drawing.info.uses_driving_picture
        with pytest.raises(SettingError, match="--mouth"):
            borrowing.animate(portrait, speaking, sitter.neutral, None)

    def test_a_closed_mouth_borrows_nothing(self, engine, portrait, sitter, driving):
        motion = replace(turned(sitter.neutral, yaw=4), lips=np.float32(0))
        one = engine.animate(portrait, motion, sitter.neutral, driving).pixels
        np.testing.assert_array_equal(one, engine.animate(portrait, motion, sitter.neutral, None).pixels)

    def test_a_driving_face_outside_its_picture_does_no_harm(
        self, engine, portrait, sitter, speaking, driving
    ):
        far = replace(driving, landmarks_frame=driving.landmarks_frame + np.float32(5000))
        shown = engine.animate(portrait, speaking, sitter.neutral, far)
        assert_untouched_outside(shown, sitter.picture)


class TestState:
    def test_the_same_call_twice_and_portraits_interleaved(self, engine, portrait, sitter, as_frame):
        other = engine.prepare(as_frame(np.ascontiguousarray(sitter.picture[::-1])), sitter.face)
        one, two = grimace(sitter.neutral), turned(sitter.neutral, -4, -8, 2)
        first = engine.animate(portrait, one, sitter.neutral)
        mirrored = engine.animate(other, two, sitter.neutral)
        again = engine.animate(portrait, one, sitter.neutral)
        np.testing.assert_array_equal(again.pixels, first.pixels)
        np.testing.assert_array_equal(again.flow, first.flow)
        np.testing.assert_array_equal(engine.animate(other, two, sitter.neutral).pixels, mirrored.pixels)

    def test_a_face_without_coefficients_reads_as_zeros(self, engine, sitter):
        bare = replace(sitter.face, blendshapes={})
        assert (engine.read_motion(blank(512, 512), bare).blendshapes == 0).all()
        assert (sitter.neutral.blendshapes > 0).any()
