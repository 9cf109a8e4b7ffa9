"""A window for a live stream, without OBS."""

from __future__ import annotations

from dataclasses import replace

import cv2

from lp_core.errors import MissingDependency
from lp_core.live.scenes import Rgba, over_color
from lp_core.live.stream import LiveStream

TITLE = "LP Suite"
_GROUND = "#2b2b2b"
_ESCAPE = 27


class PreviewWindow:
    """Shows images and obeys keys: space, r, n, q."""

    def __init__(self, stream: LiveStream) -> None:
        """Opens it.

        Raises:
            MissingDependency: there is no screen, or OpenCV was built without windows.
        """
        self._stream = stream
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise MissingDependency(
                "No window can be opened: this OpenCV has no windows or there is no screen; use --virtual-camera, or "
                "the worker's page (lpsuite serve --open)."
            ) from error

    def show(self, picture: Rgba) -> bool:
        """Shows an image; False once the user wants to end."""
        cv2.imshow(TITLE, cv2.cvtColor(over_color(picture, _GROUND), cv2.COLOR_RGBA2BGR))
        key = cv2.waitKey(1) & 0xFF
        config = self._stream.config
        if key == ord(" "):
            self._stream.update(replace(config, freeze=not config.freeze))
        elif key == ord("n"):
            self._stream.update(replace(config, portrait_step=config.portrait_step + 1))
        elif key == ord("r"):
            self._stream.recentre()
        return key not in (ord("q"), _ESCAPE) and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 0

    def close(self) -> None:
        """Closes it."""
        cv2.destroyAllWindows()
