"""What a live stream is asked to show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from lp_core.engines.registry import choose_engine
from lp_core.live.scenes import SceneKey
from lp_core.motion.implicit.edit import EditCurves, make_curves
from lp_core.performance_name import MICROPHONE, SPEECH, parse
from lp_core.provenance.open_watermark import WatermarkReader, open_marker
from lp_core.provenance.signing import open_consent
from lp_core.settings import MotionSettings, RenderSettings
from lp_core.settings.live import LiveSettings
from lp_core.settings.reach import RunFacts, unused_notes


@dataclass(frozen=True)
class StreamConfig:
    """What a stream is asked to show."""

    portrait: str
    """Still image, resolved and allowed."""
    driver: str
    """As ``drivers.check_driver`` gives it."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """All of them; ``notes`` names those that a stream cannot use."""
    live: LiveSettings = field(default_factory=LiveSettings)
    """What only a live stream knows."""
    freeze: bool = False
    """True: the image stands still."""
    portrait_step: int = 0
    """How many portraits further in the portrait's folder."""

    @property
    def wanted(self) -> SceneKey:
        """The scene it needs."""
        return SceneKey.of(self.portrait, self.portrait_step, self.settings, self.live)

    @property
    def is_voice(self) -> bool:
        """Whether a voice drives it."""
        return parse(self.driver).kind in (SPEECH, MICROPHONE)

    @property
    def motion(self) -> MotionSettings:
        """Settings of the motion; a voice begins at rest and is smooth as it is."""
        motion = self.settings.motion
        return replace(motion, smoothing=0.0, reference="0") if self.is_voice else motion

    def edits(self) -> EditCurves:
        """Its sliders.

        Raises:
            SettingError: one is wrong.
        """
        sliders = self.settings.sliders
        return make_curves(sliders.edit, None if sliders.edit_file is None else Path(sliders.edit_file))

    def notes(self) -> tuple[str, ...]:
        """What is to be said of settings that a stream cannot use.

        Raises:
            SettingError: there are such settings, and ``strict`` forbids them.
        """
        engine, _ = choose_engine(self.settings)
        return tuple(
            unused_notes(
                self.settings,
                RunFacts("live", engine, source="image", driving="speech" if self.is_voice else "video"),
            )
        )

    def open_mark(self) -> WatermarkReader | None:
        """The invisible mark of its frames; None where none is asked for.

        Raises:
            ConsentMissing: consent is demanded and none is given, or the file does not allow this today.
            MissingDependency: the library of the mark is not installed.
        """
        open_consent(self.settings.provenance)
        return open_marker(self.settings.provenance.watermark)
