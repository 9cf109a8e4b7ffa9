"""The LivePortrait engine: the neural networks behind the engines' contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from lp_core.engines.base import (
    NO_TUNING,
    Animation,
    DrawAll,
    DrawRequest,
    DrivingPicture,
    EngineInfo,
    Enlarge,
    Performance,
    TrialFrame,
    Tuning,
)
from lp_core.engines.liveportrait.compose import as_shown, compose, in_frame, kept
from lp_core.engines.liveportrait.drawer import drawer_for
from lp_core.engines.liveportrait.filmed_source import (
    EYE_TARGET,
    RESTING,
    FilmedPlan,
    eye_target,
    plan_motion,
    planned_motion,
)
from lp_core.engines.liveportrait.guard import KEPT_NOTE, is_broken
from lp_core.engines.liveportrait.landmarks import Refinement, open_landmarker
from lp_core.engines.liveportrait.networks import Networks
from lp_core.engines.liveportrait.options import EngineOptions
from lp_core.engines.liveportrait.performance import (
    as_batch,
    implicit_of,
    network_pictures,
    read_performance,
    refined,
    seen_as,
    strengthened,
)
from lp_core.engines.liveportrait.portrait import (
    LivePortraitPortrait,
    Look,
    prepare_portrait,
    ratios_of,
    read_source,
)
from lp_core.engines.liveportrait.retarget import (
    Ratios,
    expression_friendly,
    eye_offsets,
    finish,
    held_for_retargeting,
    lip_offsets,
    steady_eye_target,
)
from lp_core.engines.liveportrait.weights import compilation_errors, label_of, load_for
from lp_core.errors import SettingError
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.faces.regions import contours_of
from lp_core.frame import Frame
from lp_core.geometry.face_regions import carried
from lp_core.geometry.mouth_region import MouthRegion
from lp_core.models.device import Batches, with_memory
from lp_core.motion.implicit.edit import NO_EDIT, Edit
from lp_core.motion.implicit.motion import F64, ImplicitMotion, transform_keypoints
from lp_core.motion.implicit.resting import at_rest, resting_expression, spread_over
from lp_core.motion.implicit.transfer import picture_reference, transfer
from lp_core.motion.sequence import MotionFrame
from lp_core.settings import EngineSettings, RenderSettings

CUDA_BATCH = 8
"""Driving frames read, and images drawn, at a time on a card, unless the settings say otherwise."""

T = TypeVar("T")
Move = tuple[LivePortraitPortrait, F64]
"""A portrait and where its key points go, (K, 3)."""


class LivePortraitEngine:
    """Engine by neural rendering; see lp_core.engines.base.Engine for the contract."""

    def __init__(
        self,
        settings: RenderSettings,
        networks: Networks | None = None,
        landmarks: Refinement | None = None,
        enlarge: Enlarge | None = None,
    ) -> None:
        """Loads the weights that the settings name.

        Args:
            settings: of the render.
            networks: takes the place of those of the settings.
            landmarks: takes the place of the landmark model that is installed.
            enlarge: see ``with_enlarger``.

        Raises:
            ModelMissing: the weights are not there.
            ModelDamaged: a file is damaged or not the published one.
            SettingError: the device is not there.
            OutOfMemory: they do not fit on the device.
        """
        self._networks = networks or load_for(settings.engine)
        self._landmarks = landmarks or open_landmarker(settings.engine)
        self._settings, self._enlarge = settings, enlarge
        self._loaded_for = _loading(settings.engine)
        if settings.motion.region != "all":
            _require_tables(self._networks, f"--region {settings.motion.region}")
        self._model = self._networks.model
        self._wide: Networks | None = None  # in float32, loaded when an image is broken
        self._options = EngineOptions.of(settings, self._model)
        device = self._networks.device
        self._drawer = drawer_for(self._networks, device, settings.engine.graphs)
        batch = settings.engine.batch or (CUDA_BATCH if device.type == "cuda" else 1)
        self._batches = Batches(batch, str(device))
        self.info = EngineInfo(
            name="liveportrait",
            rig=self._model.rig.name,
            uses_driving_picture=False,
            model=self._model.name,
            label=label_of(self._networks),
            batch=batch,
            sliders=self._options.sliders,
            has_crop=True,
            surveys_plates=self._options.surveys,
            notes=self._landmarks.notes,
        )

    def with_settings(self, settings: RenderSettings) -> LivePortraitEngine:
        """The same engine under other settings; see the contract."""
        is_loaded = _loading(settings.engine) == self._loaded_for
        if not is_loaded:
            return LivePortraitEngine(settings)
        is_same = settings.engine.landmarker == self._settings.engine.landmarker
        return LivePortraitEngine(settings, self._networks, self._landmarks if is_same else None)

    def with_enlarger(self, enlarge: Enlarge) -> LivePortraitEngine:
        """The same engine, whose crop is enlarged before it is pasted back; see the contract.

        Raises:
            SettingError: the published pipeline's numbers are asked for.
        """
        if self._options.is_official:
            raise SettingError(
                "--upscale-region face changes what --official-compat promises; use one of them."
            )
        return LivePortraitEngine(self._settings, self._networks, self._landmarks, enlarge)

    def read_motion(self, frame: Frame, face: Face) -> MotionFrame:
        """Motion of a face in a driving frame; see the contract."""
        return self.read_motions([(frame, face)])[0]

    def read_motions(self, seen: Sequence[tuple[Frame, Face]]) -> list[MotionFrame]:
        """Motion of faces in driving frames; see the contract."""
        landmarker, crop = self._landmarks.landmarker, self._options.driving_crop
        return self._batches.run(
            seen, lambda batch: read_performance(self._networks, batch, landmarker, self._model, crop)
        )

    def prepare(self, source: Frame, face: Face, tuning: Tuning = NO_TUNING) -> LivePortraitPortrait:
        """Everything about the source that does not change with the motion; the tuning is the plan of its clip."""
        of_people = None if self._model.is_of_animals else self._landmarks.landmarker
        fine = refined(of_people, source, face)
        where = MouthRegion.of(face.landmarks_frame) if self._settings.speech.lipsync else None
        look = Look(self._options.source_crop, self._options.pastes_face, where)
        portrait = self._in_memory(lambda: prepare_portrait(self._networks, source, fine, tuning, look))
        if "regions" not in self._settings.output.pass_names:
            return portrait
        return replace(portrait, contours=contours_of(face.landmarks_frame, face.scheme))

    def tune(
        self,
        portrait: LivePortraitPortrait,
        samples: Sequence[TrialFrame],
        reference: MotionFrame,
        open_analyzer: Callable[[], FaceAnalyzer],
        draw: DrawAll,
    ) -> Tuning:
        """Nothing: this engine needs no trials."""
        return NO_TUNING

    def slow_correction(self, portrait: LivePortraitPortrait, motion: MotionFrame) -> None:
        """Nothing: see the contract."""

    def survey(self, plate: Iterable[tuple[Frame, Face | None]], performance: Performance) -> Tuning:
        """The plan of a filmed source; see the contract and ``lp_core.engines.liveportrait.filmed_source``."""
        if self._settings.speech.lipsync:
            return self._resting(plate)
        plan: FilmedPlan = {}
        frames, sources, played = [], [], []
        for frame, face in plate:
            if face is None:
                continue
            face = refined(self._landmarks.landmarker, frame, face)
            if self._options.keeps_eyes and not plan:
                plan = {EYE_TARGET: np.array(steady_eye_target(ratios_of(face).eyes[0]))}
            if not self._options.is_official:
                break
            crop = self._options.source_crop
            state = self._in_memory(partial(read_source, self._networks, frame, face, crop))
            driving, reference = implicit_of(performance.at(frame)), implicit_of(performance.reference)
            frames.append(frame.index)
            sources.append(state)
            played.append(self._played(state, driving, reference, is_filmed=True))
        if not frames:
            return plan
        return {
            **plan,
            **plan_motion(frames, sources, played, self._options.transfer, performance.frames > 1),
        }

    def _resting(self, plate: Iterable[tuple[Frame, Face | None]]) -> Tuning:
        """The lips of a plate at rest; nothing where no frame shows the face."""
        states: list[ImplicitMotion] = []
        lips: list[float] = []
        crop = self._options.source_crop

        def keep(seen: tuple[Frame, Face]) -> None:
            frame, fine = seen[0], refined(self._landmarks.landmarker, *seen)
            states.append(self._in_memory(partial(read_source, self._networks, frame, fine, crop)))
            lips.append(float(ratios_of(fine).lips[0]))

        spread_over(((frame, face) for frame, face in plate if face is not None), keep)
        return {RESTING: resting_expression(states, lips)} if states else NO_TUNING

    def animate(
        self,
        portrait: LivePortraitPortrait,
        motion: MotionFrame,
        reference: MotionFrame,
        driving: DrivingPicture | None = None,
        edit: Edit = NO_EDIT,
    ) -> Animation:
        """Draws the portrait under a motion; see the contract."""
        move = portrait, self.driven_points(portrait, motion, reference, edit)
        (drawn,) = self._in_memory(lambda: self._draw([move]))
        return self._composed(move, drawn)

    def animate_all(self, acts: Sequence[DrawRequest], reference: MotionFrame) -> list[Animation]:
        """Draws several frames; see the contract.

        Batches are always full, so that an image does not depend on where a video is cut.
        """
        moves = [
            (act.portrait, self.driven_points(act.portrait, act.motion, reference, act.edit)) for act in acts
        ]
        return self._batches.run(moves, self._shown, is_filled=True)

    def driven_points(
        self,
        portrait: LivePortraitPortrait,
        motion: MotionFrame,
        reference: MotionFrame,
        edit: Edit = NO_EDIT,
    ) -> F64:
        """(K, 3) where the key points go under a motion, in the source's grid units."""
        source, keypoints, rig = portrait.state, portrait.keypoints, self._model.rig
        if RESTING in portrait.plan:
            source = at_rest(source, portrait.plan[RESTING])
        options = self._options.transfer
        performance, start = self._played(source, implicit_of(motion, rig), implicit_of(reference, rig))
        if edit.weights:
            rest = (start if options.is_relative else source).expression
            change = edit.point_weights(rig) * (performance.expression - rest)
            performance = replace(performance, expression=rest + change)
        planned = planned_motion(portrait.plan, portrait.source.index)
        moved = planned or transfer(source, performance, start, options)
        moved = held_for_retargeting(moved, source, self._options.retarget)
        plain = transform_keypoints(keypoints, moved)
        driven = plain
        if self._options.is_expression_friendly and planned is None:
            driven = expression_friendly(keypoints, source, performance, start, options)
        if edit.sliders:
            if edit.expression().any():
                _require_tables(self._networks, "A slider of the expression")
            driven = driven + transform_keypoints(keypoints, edit.applied(moved)) - plain
            driven = driven + self._opened(portrait, edit)
        finished = finish(
            self._networks,
            portrait.points[None],
            driven[None],
            self._options.retarget,
            options.is_relative,
            portrait.ratios,
            _ratios(motion),
            eye_target(portrait.plan),
        )
        result: F64 = finished[0]
        return result

    def _played(
        self,
        source: ImplicitMotion,
        driving: ImplicitMotion,
        reference: ImplicitMotion,
        is_filmed: bool = False,
    ) -> tuple[ImplicitMotion, ImplicitMotion]:
        """The performance and its reference in the source's units, strengths applied."""
        options, motion = self._options.transfer, self._settings.motion
        if motion.reference == "neutral" and (options.is_relative or options.rig.gives_pose):
            reference = picture_reference(driving, options, is_filmed)
        if not options.official_compat:
            driving, reference = seen_as(source, driving, reference), seen_as(source, reference, reference)
        rest = reference if options.is_relative else source
        strengths = motion.pose_strength, motion.expression_strength
        return strengthened(driving, rest, *strengths), reference

    def _opened(self, portrait: LivePortraitPortrait, edit: Edit) -> F64:
        """(21, 3) offsets towards the eye and lip ratios that an edit asks for."""
        source, ratios = portrait.points[None], portrait.ratios
        offsets = np.zeros_like(source)
        if "eye_ratio" in edit.values:
            target = np.array([edit.values["eye_ratio"]])
            offsets = offsets + eye_offsets(self._networks, source, ratios.eyes, target)
        if "lip_ratio" in edit.values:
            target = np.array([edit.values["lip_ratio"]])
            offsets = offsets + lip_offsets(self._networks, source, ratios.lips, target)
        result: F64 = offsets[0]
        return result

    def _draw(self, moves: Sequence[Move]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(image, deformation) of every move, in one batch."""
        source = self._networks.stacked([portrait.warp for portrait, _ in moves])
        points = torch.from_numpy(np.stack([points for _, points in moves]))
        with compilation_errors():
            pictures, deformation = self._drawer.draw(source, points)
        return [(pictures[i : i + 1], deformation[i : i + 1]) for i in range(len(moves))]

    def _shown(self, moves: Sequence[Move]) -> list[Animation]:
        """One batch, drawn and laid into its frames; a move that fills the batch up is laid once."""
        done: dict[int, Animation] = {}
        for move, item in zip(moves, self._draw(moves), strict=True):
            if id(move) not in done:
                done[id(move)] = self._composed(move, item)
        return [done[id(move)] for move in moves]

    def _composed(self, move: Move, drawn: tuple[torch.Tensor, torch.Tensor]) -> Animation:
        portrait, points = move
        if is_broken(as_shown(drawn[0]), portrait.is_dark):
            if self._networks.dtype != torch.float32:
                drawn = self._in_memory(lambda: self._redrawn(move))
            if is_broken(as_shown(drawn[0]), portrait.is_dark):
                return replace(kept(portrait, KEPT_NOTE), contours=portrait.contours)
        options = self._options
        shown = compose(portrait, *drawn, options.keeps_detail, options.is_official, self._enlarge)
        contours = portrait.contours and carried(portrait.contours, shown.region_flow, shown.region)
        return replace(
            shown,
            landmarks_frame=in_frame(portrait.place, points),
            landmark_scheme=self._model.rig.name,
            contours=contours,
        )

    def _redrawn(self, move: Move) -> tuple[torch.Tensor, torch.Tensor]:
        """The same move computed in float32 from the source's pixels on."""
        portrait, points = move
        if self._wide is None:
            self._wide = self._networks.widened()
        wide = self._wide
        if portrait.square is None:
            source = portrait.warp
        else:
            large, _ = network_pictures(portrait.source, portrait.square, self._model.appearance_px)
            feature = wide.appearance(as_batch(large))
            source = wide.prepare_source(feature, torch.from_numpy(portrait.points[None]))
        warped = wide.warp(source, torch.from_numpy(points[None]))
        return wide.generator(warped.out), warped.deformation

    def _in_memory(self, work: Callable[[], T]) -> T:
        return with_memory(work, str(self._networks.device))


def _ratios(motion: MotionFrame) -> Ratios | None:
    """The performance's eye and lip ratios; None where it carries none (they are all 0 then)."""
    if not motion.eyes.any() and not motion.lips:
        return None
    return Ratios(motion.eyes.astype(np.float64)[None], np.array([float(motion.lips)]))


def _require_tables(networks: Networks, what: str) -> None:
    trained = networks.trained
    if trained is not None and not trained.has_tables:
        raise SettingError(
            f"{what} goes by what the published networks' key points mean, and those of the weights "
            f"'{trained.name}' were trained from scratch; leave it out, or use other weights."
        )


def _loading(settings: EngineSettings) -> tuple[object, ...]:
    """What decides which networks are loaded, and how."""
    return settings.model, settings.weights, settings.device, settings.precision, settings.compile
