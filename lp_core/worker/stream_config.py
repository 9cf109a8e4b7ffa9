"""What a live stream is asked to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lp_core.link.live_settings import LiveSettings
from lp_core.motion.sliders import EditCurves, make_curves
from lp_core.settings import RenderSettings
from lp_core.worker.scenes import Wanted


@dataclass(frozen=True)
class StreamConfig:
    """What a stream is asked to show."""

    portrait: str
    """Still picture, resolved and allowed."""
    driver: str
    """As ``drivers.check_driver`` gives it."""
    settings: RenderSettings = field(default_factory=RenderSettings)
    """Face, motion, engine and sliders; the groups about files have no say here."""
    live: LiveSettings = field(default_factory=LiveSettings)
    """What only a live stream knows."""
    freeze: bool = False
    """True: the picture stands still."""
    portrait_step: int = 0
    """How many portraits further in the portrait's folder."""

    @property
    def wanted(self) -> Wanted:
        """The scene it needs."""
        return Wanted.of(self.portrait, self.portrait_step, self.settings, self.live)

    def edits(self) -> EditCurves:
        """Its sliders.

        Raises:
            SettingError: one is wrong.
        """
        sliders = self.settings.sliders
        return make_curves(sliders.edit, None if sliders.edit_file is None else Path(sliders.edit_file))
