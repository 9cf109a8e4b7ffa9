"""The mesh engine: moves the photograph itself. No weights, any resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from lp_core.engines.base import (
    NO_TUNING,
    Animation,
    DrawAll,
    DrawRequest,
    DrivingPicture,
    EngineInfo,
    Enlarge,
    Performance,
    Shading,
    TrialFrame,
    Tuning,
)
from lp_core.engines.mesh import mouth
from lp_core.engines.mesh.calibrate import calibrate
from lp_core.engines.mesh.camera import without_camera
from lp_core.engines.mesh.carry import Carried, Performer, carry
from lp_core.engines.mesh.deform import HeadFlow, HeadMesh, confined, head_flow
from lp_core.engines.mesh.eyes import eye_layer
from lp_core.engines.mesh.layers import Opening, blend, mix_flow
from lp_core.engines.mesh.laying import STILL_PX, lay_moved
from lp_core.engines.mesh.lids import LidEdge, lid_edge, taken_points
from lp_core.engines.mesh.lip_line import part_at_line
from lp_core.engines.mesh.plate_mouth import plate_mouth, survey_plate
from lp_core.engines.mesh.portrait import MeshPortrait, prepare_portrait, reduced_portrait
from lp_core.engines.mesh.shading import face_shading, shade
from lp_core.engines.mesh.trials import Trials
from lp_core.errors import SettingError
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.faces.regions import contours_of
from lp_core.faces.schemes import MEDIAPIPE478
from lp_core.frame import Frame
from lp_core.geometry.facemesh import EYES, NEUTRAL
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.geometry.warp import Map
from lp_core.motion.implicit.edit import NO_EDIT, Edit
from lp_core.motion.landmarks.change import NO_CHANGE, Change
from lp_core.motion.landmarks.edit import MESH_SLIDERS, make_change
from lp_core.motion.landmarks.motion import landmarks_from_motion, lip_openness, motion_from_landmarks
from lp_core.motion.landmarks.resting import fitted_lips
from lp_core.motion.landmarks.transfer import (
    NO_NUDGE,
    UNITS_IN_FACE,
    Limits,
    Nudge,
    TransferTarget,
    face_fields,
    transfer,
)
from lp_core.motion.sequence import MotionFrame
from lp_core.motion.tuning import tuning_arrays, tuning_from_arrays
from lp_core.settings import MotionSettings, RenderSettings

RIG = "mesh478"


class MeshEngine:
    """Engine by mesh warping; see lp_core.engines.base.Engine for the contract."""

    def __init__(self, settings: RenderSettings) -> None:
        """Makes the engine.

        Raises:
            SettingError: relative motion is asked for with a reference that the engine does not know.
        """
        if settings.motion.reference == "neutral" and settings.motion.motion == "relative":
            raise SettingError(
                "The mesh engine has no neutral face to compare a performer with; use --reference auto, "
                "--motion absolute or --engine liveportrait."
            )
        landmarker = settings.engine.landmarker
        if landmarker not in ("auto", "mediapipe"):
            raise SettingError(
                f"The mesh engine needs MediaPipe's 478 landmarks and cannot use --landmarker {landmarker}; use "
                "--landmarker auto or --engine liveportrait."
            )
        self.info = EngineInfo(
            name="mesh",
            rig=RIG,
            uses_driving_picture=settings.mesh.mouth != "drawn" or _looks_at_driving(settings),
            uses_dense_motion=_looks_at_driving(settings),
            uses_shading=_wants_shading(settings),
            sliders=MESH_SLIDERS,
            calibrates=not settings.speech.lipsync,
            surveys_plates=settings.speech.lipsync,
            is_portable=True,
        )
        self._settings = settings
        self._moves_densely = _wants_dense_motion(settings)
        self._steadies = settings.mesh.camera == "steady" and self._moves_densely
        self._limits = Limits(settings.mesh.max_turn, settings.mesh.max_shift * UNITS_IN_FACE)
        self._mesh = HeadMesh()

    def with_settings(self, settings: RenderSettings) -> MeshEngine:
        """The same engine under other settings; see the contract."""
        return MeshEngine(settings)

    def with_enlarger(self, enlarge: Enlarge) -> MeshEngine:
        """Refused; see the contract.

        Raises:
            SettingError: always.
        """
        raise SettingError(
            "The mesh engine draws into the frame itself and has no crop to enlarge; use --upscale-region frame."
        )

    def read_motion(self, frame: Frame, face: Face) -> MotionFrame:
        """Motion of a face in a driving frame; see the contract."""
        height, width = frame.pixels.shape[:2]
        return motion_from_landmarks(
            face.landmarks_frame, face.head_rotation, face.coefficients, width, height, face.score
        )

    def read_motions(self, seen: Sequence[tuple[Frame, Face]]) -> list[MotionFrame]:
        """Motion of faces in driving frames; see the contract."""
        return [self.read_motion(frame, face) for frame, face in seen]

    def prepare(self, source: Frame, face: Face, tuning: Tuning = NO_TUNING) -> MeshPortrait:
        """Everything about the source that does not change with the motion; see the contract."""
        plate = plate_mouth(tuning) if self._settings.speech.lipsync else None
        found = tuning_from_arrays(tuning) if tuning and plate is None else None
        return prepare_portrait(source, face, face.coefficients, found, plate)

    def animate(
        self,
        portrait: MeshPortrait,
        motion: MotionFrame,
        reference: MotionFrame,
        driving: DrivingPicture | None = None,
        edit: Edit = NO_EDIT,
    ) -> Animation:
        """Draws the portrait under a motion; see the contract.

        Raises:
            SettingError: the mouth shall come from the driving image and there is none.
        """
        return self._asked(DrawRequest(portrait, motion, driving, edit), reference)

    def animate_all(self, acts: Sequence[DrawRequest], reference: MotionFrame) -> list[Animation]:
        """Draws several frames, as ``animate`` does; see the contract."""
        return [self._asked(act, reference) for act in acts]

    def _asked(self, act: DrawRequest, reference: MotionFrame) -> Animation:
        portrait, driving, nudge = act.portrait, act.driving, act.nudge
        if nudge is None:
            if (driving is None or driving.pixels is None) and self._settings.mesh.mouth == "driving":
                raise SettingError(
                    "There is no driving image to take the mouth from; give one, or use --mouth drawn or --mouth auto."
                )
            tuning = portrait.tuning
            nudge = tuning.nudge(act.motion, act.slow_correction) if tuning else NO_NUDGE
        change = make_change(portrait.face, act.edit) if act.edit.values else NO_CHANGE
        return self._draw(portrait, act.motion, reference, driving, nudge, change)

    def tune(
        self,
        portrait: MeshPortrait,
        samples: Sequence[TrialFrame],
        reference: MotionFrame,
        open_analyzer: Callable[[], FaceAnalyzer],
        draw: DrawAll,
    ) -> Tuning:
        """Calibrates a portrait for a performance (lp_core.engines.mesh.calibrate); see the contract."""
        small = reduced_portrait(portrait)
        # Strengths and regions are what the user asked for: nothing may correct them away.
        whole = MotionSettings(motion=self._settings.motion.motion)
        quick = replace(self._settings.mesh, filter="linear")  # the landmarker reads the same, in less time
        plain = MeshEngine(replace(self._settings, motion=whole, mesh=quick))

        def drawn(asked: Iterable[DrawRequest]) -> Iterator[Animation]:
            return filter(None, draw(plain, asked, reference))

        with Trials(small, drawn, open_analyzer) as trials:
            tuning = calibrate(small.face, samples, reference, self._settings.motion.motion, trials.read)
        return NO_TUNING if tuning is None else tuning_arrays(tuning)

    def slow_correction(self, portrait: MeshPortrait, motion: MotionFrame) -> NDArray[np.float64] | None:
        """Head angles, jaw and smile of the tuning; see the contract."""
        return portrait.tuning.slow(motion) if portrait.tuning else None

    def survey(self, plate: Iterable[tuple[Frame, Face | None]], performance: Performance) -> Tuning:
        """The mouth of a plate that another voice replaces; else nothing; see the contract."""
        return survey_plate(plate) if self._settings.speech.lipsync else NO_TUNING

    def _draw(
        self,
        portrait: MeshPortrait,
        motion: MotionFrame,
        reference: MotionFrame,
        driving: DrivingPicture | None,
        nudge: Nudge,
        change: Change = NO_CHANGE,
    ) -> Animation:
        settings, plate = self._settings.motion, portrait.plate
        if self._steadies and driving is not None and driving.dense is not None:
            motion, dense = without_camera(motion, driving.dense)
            driving = replace(driving, dense=dense)
        face, fields = portrait.face, portrait.fields
        if plate is not None:
            face = plate.resting.face(face, float(np.clip(motion.blendshapes[NEUTRAL], 0, 1)))
            fields = face_fields(face.expression.astype(np.float64))
            motion = fitted_lips(face, motion, reference)
        target = transfer(face, motion, reference, settings, nudge, fields, change, self._limits)
        points, rigid = _in_pixels(portrait, target.points), _in_pixels(portrait, target.rigid_points)
        where = None if plate is None else MouthRegion.of(rigid)
        rigid = rigid if plate is None else portrait.points
        taken = taken_points(portrait, target.lids)
        if plate is None:
            taken += mouth.parted_lips(portrait, points)
        carried = self._carried(portrait, motion, reference, driving, rigid)
        if carried is not None:
            taken += carried.nudged
        outline = None
        if portrait.unseen is not None:
            linear = (portrait.affine_solver @ rigid)[:3]
            taken, outline = portrait.unseen.turned(points, taken, linear)
        head = head_flow(self._mesh, portrait, taken, points, rigid, carried, outline)
        part_at_line(head, portrait, points)
        edges = []
        if where is None:
            edges = self._move_eyes(head, portrait, target, points, rigid)
        else:
            head = confined(head, where)
        pixels = portrait.source.pixels.copy()
        lay_moved(pixels, head, portrait.sampler, self._settings.mesh.filter)
        shading = self._shading(portrait, points, motion, driving)
        if shading is not None:
            shade(pixels, portrait.source, shading)
        for edge in edges:
            other = portrait.sampler.at(edge.others[0], edge.others[1], self._settings.mesh.filter)
            blend(pixels, edge.seam, other)
        self._draw_mouth(pixels, portrait, points, driving)
        shown = points.astype(np.float32)
        scheme = MEDIAPIPE478.name
        contours = contours_of(points, scheme) if "regions" in self._settings.output.pass_names else None
        parts = pixels, head.region, head.matte, head.flow
        return Animation(*parts, shown, scheme, contours=contours, shading=shading)

    def _shading(
        self,
        portrait: MeshPortrait,
        points: NDArray[np.float64],
        motion: MotionFrame,
        driving: DrivingPicture | None,
    ) -> Shading | None:
        """The performer's change of shading on the portrait; None where there is none."""
        if driving is None or driving.dense is None or not self.info.uses_shading:
            return None
        settings = self._settings
        strength = settings.mesh.shading * settings.motion.strength * settings.motion.expression_strength
        seen = landmarks_from_motion(motion, *driving.dense.size)[:, :2].astype(np.float64)
        return face_shading(portrait, points, seen, driving.dense, strength)

    def _carried(
        self,
        portrait: MeshPortrait,
        motion: MotionFrame,
        reference: MotionFrame,
        driving: DrivingPicture | None,
        rigid: NDArray[np.float64],
    ) -> Carried | None:
        """The performer's dense motion on the portrait; None where there is none, or head and shoulders stay."""
        if driving is None or driving.dense is None or not self._moves_densely:
            return None
        settings = self._settings.motion
        strength = settings.strength * settings.pose_strength
        performer = Performer.of(motion, reference, driving.dense.size)
        return carry(portrait, driving.dense, rigid, performer, strength)

    def _move_eyes(
        self,
        head: HeadFlow,
        portrait: MeshPortrait,
        target: TransferTarget,
        points: NDArray[np.float64],
        rigid: NDArray[np.float64],
    ) -> list[LidEdge]:
        """Lets the head's flow show the eyeballs between the lids, in place, and the edges of lids that close.

        Flows are mixed at the lids' edges, not colors: so the flow describes the image completely. Only
        pixels that hold some of both lids, where they meet, are left to be mixed: those of the edges returned.
        """
        edges = []
        for eye, lid, gaze in zip(EYES, target.lids, target.gaze, strict=True):
            ball = eye_layer(portrait, eye, points, rigid, lid, gaze)
            if ball is not None:
                _show(head, *ball)
            edge = lid_edge(portrait, eye, points, lid)
            if edge is not None:
                _show(head, edge.where, *edge.maps)
                edges.append(edge)
        return edges

    def _draw_mouth(
        self,
        pixels: NDArray[Any],
        portrait: MeshPortrait,
        points: NDArray[np.float64],
        driving: DrivingPicture | None,
    ) -> None:
        plate = portrait.plate
        views = () if plate is None else plate.seen_at(lip_openness(points))
        where = mouth.mouth_opening(portrait, points, bool(views))
        if where is None:
            return
        if views:
            content = mouth.seen(where, points, views, portrait.tone, portrait.points)
        elif not _shows_mouth(driving) or self._settings.mesh.mouth == "drawn":
            content = mouth.drawn(where, points, portrait.tone, portrait.points, portrait.has_teeth)
        else:
            content, covered = mouth.borrowed(where, points, driving, portrait.tone)
            where = replace(where, alpha=where.alpha * covered)
        blend(pixels[..., :3], where, _in_codes(portrait.source, pixels, where, content))


def _shows_mouth(driving: DrivingPicture | None) -> TypeGuard[DrivingPicture]:
    """Whether the inside of a mouth can be taken from a driving image."""
    return driving is not None and driving.pixels is not None and not driving.is_mouth_covered


def _wants_dense_motion(settings: RenderSettings) -> bool:
    """Whether the head moves, by what changes since the reference frame."""
    motion = settings.motion
    is_moving = motion.region in ("all", "pose") and motion.strength * motion.pose_strength > 0
    return settings.mesh.dense_motion and motion.motion == "relative" and is_moving


def _wants_shading(settings: RenderSettings) -> bool:
    """Whether the performer's change of shading is laid onto the face."""
    motion = settings.motion
    strength = settings.mesh.shading * motion.strength * motion.expression_strength
    is_shown = motion.motion == "relative" and motion.region in ("all", "expression")
    return settings.mesh.dense_motion and is_shown and strength > 0


def _looks_at_driving(settings: RenderSettings) -> bool:
    return _wants_dense_motion(settings) or _wants_shading(settings)


def _show(head: HeadFlow, where: Opening, map_x: Map, map_y: Map) -> None:
    """Lets the head's flow take a patch from elsewhere, in place; where it does so already not a bit changes."""
    x, y = where.grid()
    if max(np.abs(map_x - x).max(), np.abs(map_y - y).max()) >= STILL_PX:
        mix_flow(head.flow, head.matte, head.region, where, np.stack([map_x - x, map_y - y], axis=-1))


def _in_codes(
    source: Frame, pixels: NDArray[Any], where: Opening, shown: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(h, w, 3) drawn colors, 8-bit codes as shown, in the codes of the image they are laid into."""
    codes = source.coded(shown / np.float32(255))
    if source.alpha == "premultiplied" and pixels.shape[2] == 4:
        codes = codes * pixels[where.rows, where.columns, 3:]
    return codes


def _in_pixels(portrait: MeshPortrait, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Head units around the source's head origin -> pixels of the source (z in the same unit)."""
    pixels = points * portrait.unit_px
    pixels[:, :2] += portrait.origin
    return pixels
