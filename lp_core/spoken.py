"""A voice stored as a performance: motion of a rig, Live Link Face CSV, or visemes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lp_core.engines.registry import choose_engine, published_model
from lp_core.errors import SettingError
from lp_core.files import check_folder, refuse_existing
from lp_core.motion.builtin import CODED_RIGS
from lp_core.motion.files.lpmotion import MotionWriter
from lp_core.motion.files.template_writer import PklWriter
from lp_core.performance_name import MOTION_SUFFIX, TEMPLATE_SUFFIX, speech_file
from lp_core.render.report import Listener, Meter, Summary
from lp_core.settings import RenderSettings
from lp_core.settings.reach import RunFacts, unused_notes
from lp_core.speech.exports import CSV_RATE, write_csv, write_visemes
from lp_core.speech.performance import (
    DEFAULT_RATE,
    Spoken,
    SpokenMotion,
    check_rig,
    check_voice,
    spoken_motion,
)
from lp_core.timing import FrameRate

FORMATS: Mapping[str, str] = {
    MOTION_SUFFIX: "motion file", TEMPLATE_SUFFIX: "LivePortrait template", ".csv": "Live Link Face CSV",
    ".json": "visemes",
}  # fmt: skip
"""Suffix -> what is written."""
_TABLES = {".csv": write_csv, ".json": write_visemes}
"""Suffix -> what writes a table; JoyVASA's motion has none."""
_BLOCK = 64


@dataclass(frozen=True)
class SpeechExtraction:
    """One extraction of a voice; ``run`` may be called once."""

    path: Path
    """File with the voice."""
    output: str
    """File that is written; its suffix is a key of FORMATS."""
    settings: RenderSettings
    """How the face moves."""
    rate: FrameRate
    """Frames or rows per second."""
    rig: str
    """Kind of rig of a motion file."""
    notes: tuple[str, ...] = ()
    """Sentences for the summary that were known before."""
    clock: Callable[[], float] = time.perf_counter

    def run(self, listener: Listener | None = None) -> Summary:
        """Analyzes the whole voice; the file is under its name only when this returns.

        Raises:
            LpError: whatever a part has to say; nothing is left behind then.
        """
        start = self.clock()
        meter = Meter("analyse", 100, listener, self.clock)

        def step(share: float) -> None:
            while meter.frame < int(100 * share):
                meter.step()

        motion = spoken_motion(self.path, self.settings, self.rate, self.rig, step)
        count = self._write(motion)
        if listener is not None:
            meter.finish()
        notes = list(self.notes)
        if isinstance(motion, SpokenMotion) and not motion.motion.phones:
            notes.append(f"{self.path} holds no speech, so the mouth rests.")
        return Summary(
            output=self.output,
            frames=count,
            rate=str(self.rate if Path(self.output).suffix.lower() in _TABLES else motion.rate),
            engine="speech",
            seconds=round(self.clock() - start, 3),
            audio="none",
            lost_driving_frames=(),
            lost_source_frames=(),
            notes=tuple(notes),
        )

    def _write(self, motion: Spoken) -> int:
        path, overwrite = Path(self.output), self.settings.output.overwrite
        suffix = path.suffix.lower()
        if isinstance(motion, SpokenMotion) and suffix in _TABLES:
            return _TABLES[suffix](motion.motion, path)
        writer = PklWriter if suffix == TEMPLATE_SUFFIX else MotionWriter
        with writer(
            self.output, motion.rate, self.rig, motion.origin, motion.metadata, overwrite=overwrite
        ) as file:
            for first in range(0, len(motion), _BLOCK):
                file.extend(motion.rows(first, min(first + _BLOCK, len(motion))))
            file.commit()
        return len(motion)


def assemble_speech(driving: str, output: str, settings: RenderSettings) -> SpeechExtraction:
    """Checks what an extraction of a voice names.

    Args:
        driving: name of the voice.
        output: file to write; its suffix is a key of FORMATS.
        settings: of the extraction.

    Raises:
        LpError: something cannot be used; nothing has been written.
    """
    suffix = Path(output).suffix.lower()
    if suffix not in FORMATS:
        endings = ", ".join(f"{ending} ({what})" for ending, what in FORMATS.items())
        raise SettingError(f"{output} cannot hold a voice's motion; let its name end in {endings}.")
    path = Path(output)
    check_folder(path)
    refuse_existing(path, settings.output.overwrite)
    check_voice(Path(speech_file(driving)), settings.speech)
    engine, note = choose_engine(settings)
    is_rigged = suffix in (MOTION_SUFFIX, TEMPLATE_SUFFIX)
    rig = str(published_model(settings.engine.model).rig.name) if engine == "liveportrait" else "mesh478"
    if not is_rigged and settings.speech.speech_driver != "map":
        raise SettingError(
            f"JoyVASA's motion has no curves for {output}; use --speech-driver map, or write .lpmotion."
        )
    if is_rigged:
        check_rig(settings.speech, rig)
    if is_rigged and rig not in CODED_RIGS:
        raise SettingError(
            f"A voice cannot play the model {settings.engine.model}; choose --model liveportrait."
        )
    if suffix == TEMPLATE_SUFFIX and rig != "liveportrait21":
        raise SettingError(
            f"{output} holds motion of the liveportrait engine alone; add --engine liveportrait."
        )
    wanted = settings.output.fps
    rate = CSV_RATE if suffix == ".csv" else DEFAULT_RATE if wanted is None else FrameRate.parse(wanted)
    notes = unused_notes(settings, RunFacts("extract", engine, driving="speech"))
    if note and is_rigged:
        notes.append(note)
    return SpeechExtraction(Path(speech_file(driving)), output, settings, rate, rig, tuple(notes))
