"""Cameras and network streams as sources of frames that cannot wait."""

from __future__ import annotations

import os
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lp_core.contexts import ClosesOnExit
from lp_core.errors import SettingError, UnreadableMedia
from lp_core.media.bounds import check_size
from lp_core.timing import whole_number

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp", "srt")
"""Schemes of stream addresses that are opened."""
_TIMEOUT_MS = 5000


class Camera(ClosesOnExit):
    """Frames of a camera or a network stream, as they come.

    Raises:
        UnreadableMedia: it cannot be opened.
        SettingError: the words name neither.
    """

    def __init__(self, name: str) -> None:
        """Opens it.

        Args:
            name: index of a camera (``0``), its device (``/dev/video0``), or the address of a stream.
        """
        self._name = name
        self._capture = _open(name)
        if not self._capture.isOpened():
            self._capture.release()
            raise UnreadableMedia(
                f"{name} cannot be opened; check that it is plugged in or reachable, and that no other program uses it."
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> NDArray[np.uint8]:
        """The next image: (H, W, 3) uint8 RGB; waits for it.

        Raises:
            UnreadableMedia: there are no more.
        """
        there, picture = self._capture.read()
        if not there or picture is None:
            raise UnreadableMedia(f"{self._name} gives no more images; check the connection.")
        check_size(self._name, picture.shape[1], picture.shape[0])
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        """Lets go of it; may be called twice."""
        self._capture.release()


def is_stream_address(name: str) -> bool:
    """Whether a name is the address of a network stream."""
    scheme, found, _ = name.partition("://")
    return bool(found) and scheme.lower() in SCHEMES


def _open(name: str) -> Any:  # noqa: ANN401 - cv2 ships no type for it
    number = whole_number(name)
    if number is not None or re.fullmatch(r"/dev/video[0-9]+", name):
        os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
        return cv2.VideoCapture(name if number is None else number)
    if is_stream_address(name):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS]
        return cv2.VideoCapture(name, cv2.CAP_FFMPEG, limits)
    raise SettingError(
        f"{name} is not a camera; write its index such as 0, its device such as /dev/video0, or a stream's "
        f"address ({', '.join(SCHEMES)})."
    )
