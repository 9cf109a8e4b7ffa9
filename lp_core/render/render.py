"""The render: performance -> motion, then source + motion -> frames, as one streaming pipeline.

Two passes, because smoothing without lag and the choice of a neutral reference need the whole performance::

    pass 1   decode | analyze -> motion file
    pass 2   decode, analyze, prepare the source |
             decode the driving frame            | animate | encode

A bar is a bounded queue between threads, so memory does not grow with the clip's length. The same steps with their
results kept in a folder, so that they can be resumed and shared, are in ``solution.py`` and ``chunks.py``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

from lp_core.engines.base import NO_TUNING, Engine, Helpers, Tuning
from lp_core.faces.base import Face, FaceAnalyzer
from lp_core.frame import Frame
from lp_core.leftovers import sweep_temporary, temporary_prefix
from lp_core.motion.files.lpmotion import MotionReader
from lp_core.motion.implicit.edit import NO_EDITS, EditCurves
from lp_core.motion.timeline import MotionTimeline
from lp_core.render.calibration import needs_trials, survey, tune
from lp_core.render.calm_corrections import CalmCorrections
from lp_core.render.cast import laid_together
from lp_core.render.drawing import Drawing, Watermarker
from lp_core.render.edges import (
    QUEUE_DEPTH,
    WHOLE,
    FilmedFace,
    Motion,
    RenderTarget,
    Still,
    StoredMotion,
    TimeSlice,
)
from lp_core.render.fronts import Fronts
from lp_core.render.holdout import Protection
from lp_core.render.inputs import NOT_WATCHED, InputWatch
from lp_core.render.layers import Layers
from lp_core.render.passes import DrawnFrame, with_passes
from lp_core.render.pipeline import ReadAhead, WriteBehind
from lp_core.render.read_performance import MOTION_FILE, read_samples, store_performance
from lp_core.render.report import Listener, Meter, Seal, Summary, runs_of, sealed
from lp_core.render.source_frames import SourceFrame, filmed_source, still_source
from lp_core.render.watching import Trust
from lp_core.settings import FaceSettings, MotionSettings


@dataclass(frozen=True)
class Render:
    """One render with every edge handed in; ``run`` may be called once."""

    engine: Engine
    """Reads the performance and draws it."""
    source: Still | FilmedFace
    """What is animated."""
    driving: FilmedFace | StoredMotion
    """The performance; its motion is of the engine's rig."""
    target: RenderTarget
    """Where the result goes."""
    motion: MotionSettings
    """Reference and smoothing of the performance."""
    face: FaceSettings
    """What happens where the driving face is lost."""
    trial_analyzer: Callable[[], FaceAnalyzer] | None = None
    """Opens the landmarker that reads trial images; None for a render without calibration."""
    calibration: str = "quick"
    """How closely the performance is sampled for it: a key of DENSITIES."""
    notes: tuple[str, ...] = ()
    """Sentences for the summary that were known before the render began."""
    edits: EditCurves = NO_EDITS
    """The user's sliders over the output's frames."""
    protection: Callable[[], Protection] | None = None
    """Opens the user's matte of what must not be touched."""
    fronts: Callable[[], Fronts] | None = None
    """Opens what finds things in front of the face; None: nobody looks."""
    layers: Callable[[], Layers] | None = None
    """Opens what keeps the background still; None: it is left to the engine."""
    part: TimeSlice = WHOLE
    """Which part of the whole is drawn."""
    mark: Watermarker | None = None
    """Marks each image inside its matte, after everything else; None leaves them as they are."""
    seal: Seal | None = None
    """Signs the finished result; None leaves it as it is."""
    inputs: InputWatch = NOT_WATCHED
    """The files that the render is made of."""
    measure: Callable[[], str] | None = None
    """Measures something of the source before the work, for a sentence in the summary; None: nothing."""
    others: tuple[Render, ...] = ()
    """Renders of further faces of the same source at the same rate; what they draw is laid over this one's frames."""
    names: tuple[str, ...] = ()
    """Names of the faces, this one's first; empty where there are no others."""
    helpers: Helpers | None = None
    """Draws in other processes; None: the engine draws in this one."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds, for rates and the summary."""

    def run(self, listener: Listener | None = None) -> Summary:
        """Renders; the result has its final name only when this returns.

        Raises:
            InputChanged: an input was replaced or written to while it was in use.
            LpError: the render cannot be finished; no partial output is left.
        """
        start = self.clock()
        sweep_temporary()
        with (
            tempfile.TemporaryDirectory(prefix=temporary_prefix()) as name,
            self.inputs.guarding(),
            self.helped(),
        ):
            folder = Path(name)
            notes = [*self.notes, *self.measured()]
            for render, place in ((self, folder), *self._places(folder)):
                if not isinstance(render.driving, StoredMotion):
                    notes += store_performance(render, place, listener)
                    self.inputs.check()
            with self.drawing(folder, notes) as drawing:
                result = self._draw(drawing, folder, listener)
        result = sealed(result, self.seal)
        return replace(result, seconds=round(self.clock() - start, 3))

    def measured(self) -> list[str]:
        """What ``measure`` finds."""
        return [] if self.measure is None else [self.measure()]

    @contextmanager
    def helped(self) -> Iterator[None]:
        """Has its helpers started, while the performance is read, and closes them at the end."""
        with self.helpers or nullcontext() as helpers:
            if helpers is not None:
                helpers.start()
            yield

    @contextmanager
    def drawing(self, folder: Path, notes: list[str]) -> Iterator[Drawing]:
        """What draws the frames of a performance that was stored in a folder.

        Args:
            folder: as ``store_performance`` left it; may be empty for a stored motion, which is then read in place.
            notes: sentences for the summary; grows.
        """
        stored = folder / MOTION_FILE
        opened: AbstractContextManager[Motion] = (
            self.driving.open()
            if isinstance(self.driving, StoredMotion) and not stored.exists()
            else MotionReader(stored)
        )
        with opened as motion:
            timeline = MotionTimeline(motion, self.motion, self.face.on_lost)
            yield Drawing(
                engine=self.engine,
                source=self.source,
                driving=self.driving,
                target=self.target,
                part=self.part,
                edits=self.edits,
                protection=self.protection,
                fronts=self.fronts,
                layers=self.layers,
                mark=self.mark,
                motion=motion,
                trust=Trust.load(folder) or Trust.of_stored(motion),
                fade_below=self.motion.fade_below,
                timeline=timeline,
                calm=CalmCorrections(self.engine, timeline),
                notes=notes,
                helpers=self.helpers,
            )

    def _draw(self, drawing: Drawing, folder: Path, listener: Listener | None) -> Summary:
        total, output = drawing.count(self.source.info.frame_count), self.target.settings
        spec = drawing.spec()
        with ExitStack() as stack:
            sink = stack.enter_context(self.target.open(spec))
            log = None if self.target.open_log is None else stack.enter_context(self.target.open_log(spec))
            driving = drawing.drivers(stack)
            sources = self._sources(drawing, folder, stack, total, listener)
            meter = Meter("render", total, listener, self.clock)
            lost: dict[int, None] = {}
            drawn = drawing.drawn(zip(sources, driving, strict=False), lost)
            if self.others:
                casts = [drawn, *self._others_drawn(drawing.notes, folder, stack, listener)]
                drawn = laid_together(casts, self.names)
            with WriteBehind(sink.write, QUEUE_DEPTH, "encode") as writer:
                for frame in with_passes(drawn, output.pass_names, self.source.info, log, output.alpha):
                    writer.put(frame)
                    meter.step()
                writer.finish()
            self.inputs.check()
            sink.commit()
            if log is not None:
                log.commit()
            meter.finish()
            drawing.notes.extend(sink.notes)
            return drawing.summary(meter.frame, runs_of(lost))

    def _places(self, folder: Path) -> list[tuple[Render, Path]]:
        """Each further face's render and its folder, which is made."""
        places = [(render, folder / f"face{index}") for index, render in enumerate(self.others, 1)]
        for _, place in places:
            place.mkdir(exist_ok=True)
        return places

    def _others_drawn(
        self, notes: list[str], folder: Path, stack: ExitStack, listener: Listener | None
    ) -> Iterator[Iterator[DrawnFrame]]:
        """The frames of every further face, each from the untouched source."""
        for render, place in self._places(folder):
            drawing = stack.enter_context(render.drawing(place, notes))
            sources = render._sources(drawing, place, stack, None, listener)
            yield drawing.drawn(zip(sources, drawing.drivers(stack), strict=False), {})

    def _sources(
        self, drawing: Drawing, folder: Path, stack: ExitStack, total: int | None, listener: Listener | None
    ) -> Iterator[SourceFrame]:
        """The source at every output frame, tuned to the performance; a video is analyzed while it is drawn."""
        timeline = drawing.timeline
        samples = read_samples(self, folder, drawing.motion)

        def tuned(frame: Frame, face: Face) -> Tuning:
            if not needs_trials(self, samples):
                return NO_TUNING
            return tune(self, timeline, samples, self.engine.prepare(frame, face), listener)

        fronts = drawing.fronts and stack.enter_context(drawing.fronts())
        if isinstance(self.source, Still):
            frame, face = self.source.frame, self.source.face
            shown = still_source(frame, face, self.engine, tuned(frame, face), fronts)
            return repeat(shown) if total is None else repeat(shown, total)
        source = self.source
        layers = drawing.layers and stack.enter_context(drawing.layers())
        plan = survey(self, timeline, lambda: closing(source.followed(lambda _: None)))
        followed = stack.enter_context(closing(source.followed(drawing.notes.append)))
        frames = filmed_source(
            followed,
            source.info.rate,
            drawing.rate,
            self.engine,
            lambda *shown: {**tuned(*shown), **plan},
            fronts=fronts,
            layers=layers,
        )
        return stack.enter_context(ReadAhead(frames, QUEUE_DEPTH, "source"))
