"""The contract between a render and whatever draws the image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.frame import Frame, Pixels
from lp_core.geometry.dense_field import DenseField
from lp_core.geometry.face_regions import FaceContours
from lp_core.motion.implicit.edit import NO_EDIT, Edit
from lp_core.motion.sequence import MotionFrame
from lp_core.settings import RenderSettings
from lp_core.settings.sliders import SLIDERS

Enlarge = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(S, S, 3) float32, display view, 1.0 = white -> the same, an integer times as large."""


@dataclass(frozen=True)
class EngineInfo:
    """What a render needs to know of an engine before using it."""

    name: str
    """Name in settings and reports."""
    rig: str
    """Kind of motion it plays; motion of another rig is refused."""
    uses_driving_picture: bool
    """True when ``animate`` gains from being handed the driving image."""
    uses_dense_motion: bool = False
    """True when it also wants the driving image's dense motion."""
    uses_shading: bool = False
    """True when dense motion should have its shade."""
    model: str = ""
    """The published model that draws; empty for engines without networks."""
    label: str = ""
    """What must be said of its images, such as 'synthetic weights'; usually nothing."""
    batch: int = 1
    """Driving frames it likes to read, and images to draw, at a time."""
    sliders: tuple[str, ...] = tuple(SLIDERS)
    """Sliders it can do; a render with any other is refused."""
    has_crop: bool = False
    """True when its animations hold a ``NeuralCrop``."""
    calibrates: bool = False
    """True: ``tune`` finds something; False: there is no need to call it."""
    surveys_plates: bool = False
    """True when ``survey`` must look at a filmed source before its first image."""
    is_portable: bool = False
    """True when copies of the engine may draw in other processes: it is small, and needs no device."""
    notes: tuple[str, ...] = ()
    """What the summary should say of how it works here."""


@dataclass(frozen=True)
class DrivingPicture:
    """The driving frame that a motion frame was read from, for engines that borrow pixels from it."""

    pixels: NDArray[np.uint8] | None
    """(H, W, 3) RGB; None: a stored motion, which keeps no images."""
    landmarks_frame: NDArray[np.float32]
    """(478, 3) in pixels of that image."""
    dense: DenseField | None = None
    """Its dense motion to the reference frame; None: not known."""
    is_mouth_covered: bool = False
    """True: what is seen at the mouth is something in front of it, not its inside."""


@dataclass(frozen=True)
class NeuralCrop:
    """What a network drew, before it was laid into the frame."""

    pixels: NDArray[np.float32]
    """(S, S, 3) in the source frame's encoding, 1.0 = white."""
    frame_from_crop: NDArray[np.float64]
    """(3, 3) crop pixels -> frame pixels, both with pixel centers at integers."""


@dataclass(frozen=True)
class Shading:
    """By what the colors of a part of an image, as shown, were multiplied."""

    region: tuple[int, int, int, int]
    """Half-open box (left, top, right, bottom) in pixels of the source."""
    factor: NDArray[np.float32]
    """(h, w) around 1."""


@dataclass(frozen=True)
class Animation:
    """One animated image; matte and flow are kept for the touched region only."""

    pixels: Pixels
    """Same shape, dtype and color state as the portrait's source frame."""
    region: tuple[int, int, int, int]
    """Half-open box (left, top, right, bottom) in pixels outside of which nothing was touched."""
    region_matte: NDArray[np.float32]
    """(h, w) of the region, 0..1: what was touched; where it is 0 the pixels equal the source's bit for bit."""
    region_flow: NDArray[np.float32]
    """(h, w, 2) of the region, pixels: output pixel (x, y) shows the source at (x, y) + flow (inverse flow)."""
    landmarks_frame: NDArray[np.float32] | None = None
    """(P, 3) the drawn face's points in pixels of the frame, z in the same unit; None: not known."""
    landmark_scheme: str = ""
    """Layout of the landmarks."""
    crop: NeuralCrop | None = None
    """The network's own image, from engines that have one."""
    contours: FaceContours | None = None
    """Of the drawn face, where the pass ``regions`` is asked for; else None."""
    note: str = ""
    """What the summary must say of this frame; usually nothing."""
    shading: Shading | None = None
    """What was multiplied after the flow; None: nothing."""

    @property
    def matte(self) -> NDArray[np.float32]:
        """(H, W) the matte over the whole frame, 0 outside the region."""
        return self._whole(self.region_matte)

    @property
    def flow(self) -> NDArray[np.float32]:
        """(H, W, 2) the flow over the whole frame, 0 outside the region."""
        return self._whole(self.region_flow)

    def _whole(self, part: NDArray[np.float32]) -> NDArray[np.float32]:
        left, top, right, bottom = self.region
        whole = np.zeros((*self.pixels.shape[:2], *part.shape[2:]), np.float32)
        whole[top:bottom, left:right] = part
        return whole


Tuning = Mapping[str, NDArray[Any]]
"""What an engine found out about a portrait under a performance: plain arrays, which can be stored."""
NO_TUNING: Tuning = MappingProxyType({})


@dataclass(frozen=True)
class TrialFrame:
    """One frame of a performance that an engine may try on a portrait."""

    motion: MotionFrame
    """The performance at this frame, as measured."""
    driving: DrivingPicture | None
    """Its driving image, possibly reduced; None for stored motion."""


@dataclass(frozen=True)
class DrawRequest:
    """One image that is asked of an engine."""

    portrait: Any
    """Result of ``prepare`` of the same engine."""
    motion: MotionFrame
    """The performance at this frame."""
    driving: DrivingPicture | None = None
    """The driving image, where one is at hand."""
    edit: Edit = NO_EDIT
    """What the user's sliders add at this frame."""
    pixels_alone: bool = False
    """True: matte and flow are not used, and may be empty, (0, 0) and (0, 0, 2)."""
    slow_correction: NDArray[np.float64] | None = None
    """Average of the engine's ``slow_correction`` around this frame; None: that of this frame itself."""
    nudge: Any = None
    """What a trial of the engine's own ``tune`` adds; None: what the portrait's tuning asks for."""


DrawAll = Callable[["Engine", Iterable[DrawRequest | None], MotionFrame], Iterator["Animation | None"]]
"""Gives the frames that are asked of an engine, in order, under a reference frame; None where nothing is asked for."""


@dataclass(frozen=True)
class Performance:
    """A performance as a filmed source meets it, without gaps and smoothed."""

    at: Callable[[Frame], MotionFrame]
    """The performance at a frame of the source."""
    reference: MotionFrame
    """Its reference frame."""
    frames: int
    """Number of frames; 1: a single image."""


class Portrait(Protocol):
    """A prepared source: whatever an engine computes once for a still, or once a frame for a plate."""

    @property
    def source(self) -> Frame:
        """The frame it was made of."""
        ...


class Engine(Protocol):
    """Costly step once (``prepare``), cheap step many times (``animate``); holds no state between calls."""

    info: EngineInfo

    def with_settings(self, settings: RenderSettings) -> Engine:
        """The same engine under other settings; portraits stay valid.

        Networks are loaded again only where the new settings name other weights, another device or precision.
        """
        ...

    def with_enlarger(self, enlarge: Enlarge) -> Engine:
        """The same engine, whose crop is enlarged before it is laid into a frame that is finer than the crop.

        Raises:
            SettingError: the engine has no crop (``info.has_crop``).
        """
        ...

    def read_motion(self, frame: Frame, face: Face) -> MotionFrame:
        """Motion of a face found in a driving frame; storable, not yet relative to anything."""
        ...

    def read_motions(self, seen: Sequence[tuple[Frame, Face]]) -> list[MotionFrame]:
        """The same for several driving frames, ``info.batch`` at a time being what it likes best."""
        ...

    def prepare(self, source: Frame, face: Face, tuning: Tuning = NO_TUNING) -> Any:  # noqa: ANN401 - its own Portrait
        """Everything about the source that does not change with the motion.

        Args:
            source: the source's frame.
            face: the face in it that is animated.
            tuning: what ``tune`` and ``survey`` found for the performance.
        """
        ...

    def tune(
        self,
        portrait: Any,  # noqa: ANN401 - the engine's own Portrait
        samples: Sequence[TrialFrame],
        reference: MotionFrame,
        open_analyzer: Callable[[], FaceAnalyzer],
        draw: DrawAll,
    ) -> Tuning:
        """Finds by trial how to fit a portrait to a performance; called where ``info.calibrates`` says so.

        Args:
            portrait: result of ``prepare``.
            samples: frames that span the performance.
            reference: its neutral frame.
            open_analyzer: gives an analyzer of the kind that read the performance (video mode).
            draw: draws the trials.
        """
        ...

    def slow_correction(self, portrait: Any, motion: MotionFrame) -> NDArray[np.float64] | None:  # noqa: ANN401
        """The part of what a portrait's tuning adds at a frame that must not tremble; a render averages it over time.

        Args:
            portrait: result of ``prepare``.
            motion: the performance at the frame.

        Returns:
            (N,) plain numbers; None where nothing is added.
        """
        ...

    def survey(self, plate: Iterable[tuple[Frame, Face | None]], performance: Performance) -> Tuning:
        """Looks at a filmed source before its first image, where ``info.surveys_plates`` says so.

        Args:
            plate: every frame with the face that is animated, None where it is lost; need not be read to its end.
            performance: what will be laid onto it.
        """
        ...

    def animate(
        self,
        portrait: Any,  # noqa: ANN401 - the engine's own Portrait
        motion: MotionFrame,
        reference: MotionFrame,
        driving: DrivingPicture | None,
        edit: Edit = NO_EDIT,
    ) -> Animation:
        """Draws the portrait under a motion.

        Args:
            portrait: result of ``prepare`` of the same engine.
            motion: the performance at this frame.
            reference: the performance's reference frame (its neutral), for relative motion.
            driving: the driving image, where one is at hand.
            edit: what the user's sliders add at this frame.

        Raises:
            SettingError: the engine cannot do one of the sliders.
        """
        ...

    def animate_all(self, acts: Sequence[DrawRequest], reference: MotionFrame) -> list[Animation]:
        """The same for several frames of one performance, ``info.batch`` at a time being what it likes best."""
        ...


class Helpers(AbstractContextManager["Helpers"], Protocol):
    """Draws in other processes what an engine would draw in this one; see lp_core.engines.helping.helpers."""

    def start(self) -> None:
        """Starts them ahead of time."""
        ...

    def draw(
        self, engine: Engine, acts: Iterable[DrawRequest | None], reference: MotionFrame
    ) -> Iterator[Animation | None]:
        """The frames that are asked for, in order; None where nothing is asked for."""
        ...
