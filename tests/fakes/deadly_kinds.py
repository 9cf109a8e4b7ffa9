"""Kinds of jobs that end the process which does them, for tests of what survives that."""

import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path

from lp_core.errors import SettingError
from lp_core.render.report import Progress


class Deadly:
    """Reports, then ends its process as told; with 'frames' it gets that much further each time."""

    def run(self, parameters, context):
        how = parameters["how"]
        mark = context.folder / "frame"
        frame = int(mark.read_text()) + 1 if parameters.get("gains") and mark.exists() else 1
        mark.write_text(str(frame))
        if frame > 4:
            return {"pid": os.getpid()}
        context.progress(Progress("render", frame, 200, 1.0, None))
        if how == "abort":
            os.abort()
        if how == "fault":
            ctypes.string_at(0)
        os._exit(3)

    def abandon(self, context):
        Path(context.folder).with_suffix(".abandoned").touch()


def _eat():
    """Takes memory until the system refuses it; the process keeps room for what comes after."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), hard))
    held = []
    try:
        while True:
            held.append(bytearray(4 << 20))
    finally:
        held.clear()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class Plain:
    """Says a sentence and names the process; or fails; or waits until it must stop; or does not hear."""

    def run(self, parameters, context):
        how = parameters["how"]
        if how == "fails":
            raise SettingError("A sentence.")
        if how == "defect":
            raise KeyError("a key")
        if how == "hungry":
            _eat()
        if how == "prints":
            os.write(1, b"not a line of the protocol\n")
            sys.stdout.write("nor this\n")
        if how == "waits":
            while True:
                context.progress(Progress("render", 1, 2, 1.0, None))
                time.sleep(0.02)
        if how == "deaf":
            context.progress(Progress("render", 1, 2, 1.0, None))
            time.sleep(600)
        return {"pid": os.getpid(), "token": os.environ.get("LPSUITE_TOKEN"), "notes": ["A note."]}

    def abandon(self, context):
        pass


class _Saying(Plain):
    def __init__(self, says):
        self._says = says

    def run(self, parameters, context):
        return {**super().run(parameters, context), "notes": [self._says]}


def added_kinds(_folders, says):
    """Kinds of a program that has more to know."""
    return {"plain": _Saying(says)}


def kinds(_folders, killed_at_start=None, deaths=0):
    """The kinds; the first ``deaths`` processes that ask for them are killed, as counted in a file."""
    if killed_at_start is not None:
        starts = Path(killed_at_start)
        count = len(starts.read_text()) if starts.exists() else 0
        if count < deaths:
            starts.write_text("." * (count + 1))
            os.kill(os.getpid(), signal.SIGKILL)
    return {"deadly": Deadly(), "plain": Plain()}
