"""``lpsuite doctor``: what works on this machine, and how to get what does not."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import click

from lp_core.cli.extras import PACKAGE, PURPOSES, installed_extras
from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.errors import LpError
from lp_core.leftovers import temporary_prefix
from lp_core.version import __version__

_PIP = "get it with: pip install '{}'"
_TINY_SIZE = 256  # no codec needs more
_SIGNS = {"ok": "ok      ", "absent": "absent  ", "broken": "broken  "}


@dataclass(frozen=True)
class DoctorFinding:
    """One line of the report."""

    area: str
    """What it belongs to: program, device, face analysis, model, codec, color, extra."""
    name: str
    """What was looked at."""
    state: str
    """'ok', 'absent' (optional, not there) or 'broken' (needed, does not work)."""
    detail: str
    """What was found, or the sentence that says how to get it."""


@click.command(short_help="Show what works on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--speed", is_flag=True, help="Draw three frames with every model that is ready, and time them."
)
@click.option(
    "--licenses", is_flag=True, help="List the licenses of all packages that are installed instead."
)
@debug_option
def doctor(as_json: bool, speed: bool, licenses: bool) -> int:
    """Shows what works here: devices, models, codecs, color, extras; and how to get what does not.

    The exit code is 0 when the main job works: reading faces, the mesh engine, and writing h264.
    """
    if licenses:
        return _show_licenses(as_json)
    findings = list(examine(speed))
    works = all(finding.state != "broken" for finding in findings)
    if as_json:
        values = {"works": works, "findings": [asdict(finding) for finding in findings]}
        say(json.dumps(values, indent=2))
        return 0 if works else 1
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            say(area)
        say(f"  {_SIGNS[finding.state]}{finding.name}: {finding.detail}")
    say("The main job works." if works else "The main job does not work; see the lines marked broken.")
    return 0 if works else 1


def _show_licenses(as_json: bool) -> int:
    from lp_core.cli.licenses import installed_components, said

    found = installed_components()
    if as_json:
        say(json.dumps({"components": [{**asdict(item), "duties": item.duties} for item in found]}, indent=2))
        return 0
    for line in said(found):
        say(line)
    say("What anyone who passes these on must do is in docs/licenses.md.")
    return 0


def examine(tests_speed: bool = False) -> Iterator[DoctorFinding]:
    """Everything that is looked at, in the order of the report.

    Args:
        tests_speed: True: each published model that is ready draws three frames.
    """
    yield from _program()
    yield from _devices()
    yield _face_analysis()
    yield from _models()
    yield from _published_models(tests_speed)
    yield from _codecs()
    yield _color()
    yield from _extras()


def _program() -> Iterator[DoctorFinding]:
    yield DoctorFinding("program", "LP Suite", "ok", f"{__version__} in {Path(__file__).parents[1]}")
    yield DoctorFinding("program", "Python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield DoctorFinding("program", "system", "ok", f"{platform.platform()}, {platform.machine()}")


def _devices() -> Iterator[DoctorFinding]:
    yield DoctorFinding("devices", "CPU", "ok", f"{os.cpu_count()} cores; the mesh engine needs nothing else")
    if find_spec("torch") is None:
        yield DoctorFinding("devices", "GPU", "absent", _extra_command("neural", "needed to use one"))
    else:
        detail = f"PyTorch {_version('torch')} is installed and is asked when the LivePortrait engine starts"
        yield DoctorFinding("devices", "GPU", "ok", detail)


def _face_analysis() -> DoctorFinding:
    from lp_core.faces.open import open_analyzer

    try:
        open_analyzer(is_video=False).close()
    except LpError as error:
        return DoctorFinding("face analysis", "MediaPipe", "broken", str(error))
    detail = f"{_version('mediapipe')}, 478 landmarks and 52 blendshapes"
    return DoctorFinding("face analysis", "MediaPipe", "ok", detail)


def _models() -> Iterator[DoctorFinding]:
    from lp_core.models.store import cache_dir, statuses

    yield DoctorFinding("models", "folder", "ok", f"{cache_dir()} (LPSUITE_MODELS changes it)")
    for row in statuses():
        if row.is_usable:
            yield DoctorFinding("models", row.model.name, "ok", f"{row.state.value}, {row.path}")
        else:
            yield DoctorFinding("models", row.model.name, "absent", row.reason)


def _published_models(tests_speed: bool) -> Iterator[DoctorFinding]:
    """The published models of the neural engine: where each would run, how fast, or what is missing."""
    from lp_core.engines.liveportrait.installed import model_obstacle
    from lp_core.engines.liveportrait.table import PUBLISHED_MODELS
    from lp_core.engines.registry import liveportrait_obstacle

    for row in PUBLISHED_MODELS.values():
        obstacle = liveportrait_obstacle() or model_obstacle(row, None)
        if obstacle is not None:
            yield DoctorFinding("neural engine", row.name, "absent", str(obstacle))
            continue
        try:
            detail = _timed(row.name) if tests_speed else _place(row.name)
        except LpError as error:
            yield DoctorFinding("neural engine", row.name, "absent", str(error))
        else:
            yield DoctorFinding("neural engine", row.name, "ok", detail)


def _place(name: str) -> str:
    """Where a model would run, without loading it."""
    from lp_core.models.device import choose_device, choose_dtype

    device = choose_device("auto")
    precision = str(choose_dtype("auto", device)).removeprefix("torch.")
    return f"runs on {device} in {precision}; lpsuite doctor --speed times it ({name})"


def _timed(name: str) -> str:
    from lp_core.engines.liveportrait.self_test import self_test
    from lp_core.settings import EngineSettings

    return str(self_test(EngineSettings(model=name)))


def _codecs() -> Iterator[DoctorFinding]:
    from lp_core.settings import VIDEO_CODECS

    for codec in VIDEO_CODECS:
        try:
            _write_tiny_film(codec)
        except LpError as error:
            state = "broken" if codec == VIDEO_CODECS[0] else "absent"
            yield DoctorFinding("codecs", codec, state, str(error))
        else:
            yield DoctorFinding("codecs", codec, "ok", "a test video was written")


def _write_tiny_film(codec: str) -> None:
    """Writes two frames with a codec, the only proof that it can be opened."""
    import numpy as np

    from lp_core.frame import ColorTags, Frame
    from lp_core.media.base import SinkSpec
    from lp_core.media.open import open_sink
    from lp_core.media.video.codecs import CODECS
    from lp_core.timing import FrameRate

    rate = FrameRate.parse(25)
    spec = SinkSpec(
        width=_TINY_SIZE,
        height=_TINY_SIZE,
        rate=rate,
        bit_depth=8,
        has_alpha=False,
        color=ColorTags(),
        codec=codec,
        quality=30,
        overwrite=False,
    )
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=temporary_prefix()))
        sink = stack.enter_context(open_sink(Path(folder) / f"a{CODECS[codec].suffixes[0]}", spec))
        for index in range(2):
            sink.write(Frame(np.zeros((_TINY_SIZE, _TINY_SIZE, 3), np.uint8), index, rate.time_s(index)))
        sink.commit()


def _color() -> DoctorFinding:
    name = os.environ.get("OCIO")
    if not name:
        return DoctorFinding(
            "color", "OCIO", "absent", "no configuration; videos and stills keep their own tags"
        )
    if not name.startswith("ocio://") and not Path(name).is_file():
        detail = f"the environment variable OCIO names {name}, which is not a file; correct or unset it"
        return DoctorFinding("color", "OCIO", "absent", detail)
    return DoctorFinding("color", "OCIO", "ok", name)


def _extras() -> Iterator[DoctorFinding]:
    extras = installed_extras()
    if not extras:
        detail = f"LP Suite runs without being installed, so its extras are not known; {_PIP.format(PACKAGE)}"
        yield DoctorFinding("extras", "all", "absent", detail)
    for extra in extras:
        purpose = PURPOSES.get(extra.name, "")
        if extra.missing:
            lacking = f"{purpose or extra.name} (not installed: {', '.join(extra.missing)})"
            yield DoctorFinding("extras", extra.name, "absent", _extra_command(extra.name, lacking))
        else:
            held = ", ".join(extra.present)
            yield DoctorFinding("extras", extra.name, "ok", f"{purpose}: {held}" if purpose else held)


def _extra_command(extra: str, purpose: str) -> str:
    return f"{purpose}; {_PIP.format(f'{PACKAGE}[{extra}]')}"


def _version(module: str) -> str:
    try:
        return version(module.replace("_", "-"))
    except PackageNotFoundError:
        return "of unknown version"
