"""The virtual camera: frames handed to another program, which shows them as a camera."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.errors import SettingError, UnreadableMedia, missing_extra
from lp_core.link.runtime import without_token

VARIABLE = "LPSUITE_CAMERA"
"""Environment variable: the command of another program in place of lp_core/media/camera_program.py."""
_BEGIN_S = 20.0
_END_S = 5.0


class VirtualCamera(ClosesOnExit):
    """A camera that other programs see; fed with RGB images of one size.

    Raises:
        MissingDependency: the program's library is not installed.
        UnreadableMedia: the system has no virtual camera; the message says each way that was tried.
        SettingError: the program that LPSUITE_CAMERA names cannot be started.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        device: str | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """Opens it.

        Args:
            width: pixels.
            height: pixels.
            fps: rate that is announced.
            device: its name; None: the first free one.
            command: the program; None: that of LPSUITE_CAMERA, else the one that comes along.
        """
        self._shape = (height, width, 3)
        self._frames: Queue[bytes | None] = Queue(1)
        self._program = _started(list(command or _command()))
        self._feeder = threading.Thread(target=self._feed, name="virtual-camera", daemon=True)
        try:
            self.device = self._opened({"width": width, "height": height, "fps": fps, "device": device})
        except BaseException:
            self._end()
            raise
        self._feeder.start()

    def send(self, picture: NDArray[np.uint8]) -> None:
        """Shows an image: (height, width, 3) uint8 RGB. One that the program has not taken yet is left out.

        Raises:
            UnreadableMedia: the program has ended.
        """
        if picture.shape != self._shape:
            raise ValueError(f"an image of {picture.shape}, not {self._shape}")
        if self._program.poll() is not None:
            raise UnreadableMedia(
                f"The virtual camera has ended (code {self._program.returncode}); start the command again."
            )
        self._hand_over(np.ascontiguousarray(picture).tobytes())

    def _hand_over(self, data: bytes | None) -> None:
        """Gives the feeder a frame, or the end, in place of one that it has not taken."""
        with contextlib.suppress(Empty):
            self._frames.get_nowait()
        with contextlib.suppress(Full):
            self._frames.put_nowait(data)

    def close(self) -> None:
        """Ends it; may be called twice."""
        if self._feeder.is_alive():
            self._hand_over(None)
            self._feeder.join(_END_S)
        self._end()
        if self._feeder.ident is not None:
            self._feeder.join()

    def _opened(self, wanted: dict[str, Any]) -> str:
        """Tells the program what is wanted; returns the camera's name."""
        limit = threading.Timer(_BEGIN_S, self._program.kill)
        limit.start()
        try:
            _input(self._program).write(json.dumps(wanted).encode() + b"\n")
            _input(self._program).flush()
            line = b"" if self._program.stdout is None else self._program.stdout.readline(1 << 16)
            said = json.loads(line)
            if not isinstance(said, dict):
                raise ValueError(line)
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableMedia("The program of the virtual camera does not answer; check it.") from error
        finally:
            limit.cancel()
            limit.join()
        if "missing" in said:
            raise missing_extra("The virtual camera", "live")
        if "device" not in said:
            raise UnreadableMedia(
                f"No virtual camera can be opened ({' '.join(str(said.get('error')).split())}); on Linux load "
                "v4l2loopback, on Windows and macOS install OBS, which brings one."
            )
        return str(said["device"])

    def _feed(self) -> None:
        with contextlib.suppress(OSError):  # the program has ended, which ``send`` reports
            while (data := self._frames.get()) is not None:
                _input(self._program).write(data)
                _input(self._program).flush()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            _input(self._program).close()
        try:
            self._program.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        if self._program.stdout is not None:
            self._program.stdout.close()


def _command() -> list[str]:
    named = shlex.split(os.environ.get(VARIABLE, ""))
    return named or [sys.executable, "-P", str(Path(__file__).with_name("camera_program.py"))]


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - this program's own Python, or the user's own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=without_token(),
            start_new_session=True,  # Ctrl-C goes to this process, which ends the other
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise SettingError(
            f"{command[0]} cannot be started ({error.strerror}); correct {VARIABLE}."
        ) from error


def _input(program: subprocess.Popen[bytes]) -> Any:  # noqa: ANN401 - a binary pipe, always there
    return program.stdin
