"""Engines by name, imported on use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lp_core.engines.base import Engine
from lp_core.errors import LpError, MissingDependency, SettingError, missing_extra
from lp_core.settings import RenderSettings

ENGINES = {
    "mesh": "lp_core.engines.mesh.engine:MeshEngine",
    "liveportrait": "lp_core.engines.liveportrait.engine:LivePortraitEngine",
}
"""Name -> class, made with the render's settings. ``auto`` is not an engine but a choice among these."""


LIVEPORTRAIT_MODELS = ("liveportrait", "liveportrait-pth")
"""Sets of the model catalog that hold LivePortrait's networks, the preferred one first."""
PLAIN_MODEL, RECAST_MODEL = "liveportrait", "performrecast"
"""The published models that ``--model auto`` chooses between."""
RECAST_REGIONS = ("expression", "lips")
"""Regions of a filmed source for which ``--model auto`` takes PerformRecast where it is ready."""


MakeEngine = Callable[[str, RenderSettings], Engine]
"""Gives the engine of a name: ``make_engine``, or anyone who keeps engines warm."""


@dataclass(frozen=True)
class EngineChoice:
    """An engine, and the sentence that says why it was taken where the user left it open."""

    engine: Engine
    note: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the summary: why it was taken, what it computes with, and its own."""
        info = self.engine.info
        label = (f"The {info.name} engine uses {info.label}.",) if info.label else ()
        return (*(() if self.note is None else (self.note,)), *label, *info.notes)


def open_engine(settings: RenderSettings, make: MakeEngine | None = None) -> EngineChoice:
    """The engine that the settings ask for; see ``choose_engine`` and ``make_engine``."""
    name, note = choose_engine(settings)
    return EngineChoice((make or make_engine)(name, settings), note)


def choose_engine(settings: RenderSettings) -> tuple[str, str | None]:
    """(name, why where the user left it open); ``auto`` takes LivePortrait where it can run, else mesh.

    Nothing is loaded; whether a named engine is known, ``make_engine`` says.
    """
    name = settings.engine.engine
    if name != "auto":
        return name, None
    if settings.engine.model != "auto":
        return "liveportrait", f"Engine: liveportrait, for --model {settings.engine.model}."
    weights = (
        settings.engine.weights
    )  # a folder that is named is meant; what it lacks is an error, not a reason for mesh
    obstacle = liveportrait_obstacle() or (None if weights else model_obstacle(PLAIN_MODEL, None))
    if obstacle is None:
        return "liveportrait", "Engine: liveportrait; its weights are installed."
    return "mesh", f"Engine: mesh; {obstacle}"


def make_engine(name: str, settings: RenderSettings) -> Engine:
    """The engine of a name.

    Raises:
        SettingError: there is no engine of that name.
        MissingDependency: the engine's library is not installed.
        ModelMissing: the engine's weights are not installed.
    """
    if name not in ENGINES:
        raise SettingError(f"The engine '{name}' is not known; choose one of: {', '.join(ENGINES)}.")
    if name == "liveportrait":
        obstacle = liveportrait_obstacle()
        if obstacle is not None:
            raise obstacle
    module, attribute = ENGINES[name].split(":")
    engine: Engine = getattr(import_module(module), attribute)(settings)
    return engine


def liveportrait_obstacle() -> LpError | None:
    """Why LivePortrait cannot run here, None when it can; looks without importing anything heavy."""
    module = ENGINES["liveportrait"].split(":")[0]
    if find_spec(module.rpartition(".")[0]) is None or find_spec(module) is None:
        return MissingDependency(
            "LivePortrait is not part of this version of LP Suite; use --engine mesh or auto."
        )
    if find_spec("torch") is None:
        return missing_extra("The engine liveportrait", "neural")
    return None


def with_model(
    settings: RenderSettings, engine: str, is_filmed: bool, rig: str | None = None
) -> tuple[RenderSettings, tuple[str, ...]]:
    """The settings with the published model that draws, and what is to be said of the choice.

    Args:
        settings: of the render.
        engine: name of the engine that draws.
        is_filmed: the source is filmed.
        rig: of a stored motion or a voice, which 'auto' has to fit; None: a video or an image is read.

    Raises:
        SettingError: the model is for stills and the source is filmed.
    """
    name = settings.engine.model
    if engine != "liveportrait":
        return settings, ()
    notes: tuple[str, ...] = ()
    if name == "auto":
        fits = rig in (None, published_model(RECAST_MODEL).rig.name)
        wants_recast = is_filmed and fits and settings.motion.region in RECAST_REGIONS
        takes_recast = wants_recast and model_obstacle(RECAST_MODEL, settings.engine.weights) is None
        name = RECAST_MODEL if takes_recast else PLAIN_MODEL
        if takes_recast:
            notes = (
                f"Model: {name} ({settings.liveportrait.recast}), for the {settings.motion.region} of a filmed source; "
                "--model liveportrait takes the other.",
            )
    elif published_model(name).is_for_stills and is_filmed:
        raise SettingError(f"The model {name} draws stills only, and the source is filmed; give a still.")
    return replace(settings, engine=replace(settings.engine, model=name)), notes


def published_model(name: str) -> Any:  # noqa: ANN401 - a row of the neural engine's table, imported on use
    """The row of a published model; see ``lp_core.engines.liveportrait.table``.

    Raises:
        SettingError: there is none.
    """
    return import_module("lp_core.engines.liveportrait.table").published_model(name)


def model_obstacle(name: str, folder: str | None) -> LpError | None:
    """Why a published model cannot be used, None when it can; see ``lp_core.engines.liveportrait.installed``."""
    installed = import_module("lp_core.engines.liveportrait.installed")
    obstacle: LpError | None = installed.model_obstacle(published_model(name), folder)
    return obstacle


class WarmEngines:
    """Keeps the last engine of every device, so that the next work finds its networks loaded.

    ``make`` replaces ``make_engine``; it may be called from several threads, one for each device.
    """

    def __init__(self, make: MakeEngine = make_engine) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._kept: dict[str, Engine] = {}

    def make(self, name: str, settings: RenderSettings) -> Engine:
        """The engine of a name for these settings; nothing is loaded twice in a row on a device."""
        device = settings.engine.device
        with self._lock:
            kept = self._kept.pop(device, None)
        if kept is not None and kept.info.name != name:
            kept = None  # its memory is free before the other one is loaded
        engine = self._make(name, settings) if kept is None else kept.with_settings(settings)
        with self._lock:
            self._kept[device] = engine
        return engine
