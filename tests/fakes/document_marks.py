"""Which documented commands no test can run, and why; and what others get so that they stay small."""

import re
from enum import Enum

from lp_core.errors import NoWatermark


class Reason(Enum):
    """Why a command is not run. A new one is added here only when none of these is true."""

    INSTALLS = "installs packages or programs"
    DOWNLOADS = "downloads a model"
    OTHER_PROGRAM = "belongs to, or needs, a program that LP Suite does not bring"
    OTHER_SYSTEM = "is for another operating system"
    CAMERA = "needs a camera"
    MICROPHONE = "needs a microphone"
    DISPLAY = "needs a display, and goes on until its window is closed"
    MEASURES = "measures for minutes and prints figures"
    SUITE = "is run by the suite itself or runs it"
    FIGURES = "heads a table of figures"


MARKED = {
    r"(pip|pipx|uv tool) install .*": Reason.INSTALLS,
    r"make (demo|system)": Reason.INSTALLS,
    r"python -m venv .*": Reason.INSTALLS,
    r"make (test|check)": Reason.SUITE,
    r"git grep .*": Reason.SUITE,
    r"python docs/generate\.py": Reason.SUITE,
    r"python -m hosts\.(nuke\.lp_nuke\.gizmo|davinci\.lp_resolve\.macro)": Reason.SUITE,
    r"python -m lp_core\.cli\.licenses": Reason.SUITE,
    r"python -m lp_core\.engines\.liveportrait\.synth DIR": Reason.SUITE,
    r"python hosts/client\.py": Reason.SUITE,
    r"schemathesis run .*": Reason.SUITE,
    r"torchrun .*": Reason.SUITE,
    r"python benchmarks/.*": Reason.MEASURES,
    r"(py|&) .*": Reason.OTHER_SYSTEM,
    r"(nuke|deadline|openjd)( .*)?": Reason.OTHER_PROGRAM,
    r"lpsuite (say|dub) .* --voice espeak:.*": Reason.OTHER_PROGRAM,
    r"lpsuite animate .* --transcript-language de": Reason.OTHER_PROGRAM,
    r"lpsuite models fetch .*": Reason.DOWNLOADS,
    r"lpsuite models import performrecast .*": Reason.DOWNLOADS,
    r"lpsuite live portrait\.png camera:0 .*": Reason.CAMERA,
    r"lpsuite live portrait\.jpg microphone.*": Reason.MICROPHONE,
    r"lpsuite live portrait\.jpg talk\.wav --window": Reason.DISPLAY,
    r"lpsuite animate +frames +seconds .*": Reason.FIGURES,
}
"""Pattern of whole commands -> why they are not run."""

PLACEHOLDERS = {
    "FILE": "film.mp4", "FILM": "in.mov", "TIMELINE": "cut.otio", "FOLDER": "folder", "SET": "SET",
    "BASE": "weights", "RUN": "weights", "WEIGHTS": "weights", "OUT": "out", "CLIPS...": "film.mp4",
}  # fmt: skip
"""Word of a document -> the file that a reader names in its place."""

ADDED = {
    r"lpsuite train adapt .*": ("--allow-little", "--steps", "2", "--evaluate-every", "2"),
    r"lpsuite train prepare .*": ("--face-px", "100"),
    r"lpsuite train evaluate .*": ("--part", "held-out", "--every", "4"),
    r"lpsuite train stitch .*": ("--steps", "2", "--batch", "2"),
}
"""Pattern -> options that keep it short."""


FIRST = {
    r"lpsuite provenance pack .*": "animate portrait.png talk.lpmotion -o shot.%04d.exr",
}
"""Pattern -> what a reader has done before, in words of the command line."""

CODES = {
    r"lpsuite provenance detect FILM": NoWatermark.exit_code,
}
"""Pattern -> the exit code that the document promises for the small file."""


def found(table, text, default):
    """The row of a table that fits a command."""
    return next((row for pattern, row in table.items() if re.fullmatch(pattern, text)), default)
