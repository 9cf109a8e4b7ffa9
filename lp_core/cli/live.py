"""``lpsuite live``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lp_core.cli.flags import settings_from, settings_options
from lp_core.cli.main import debug_option
from lp_core.cli.output import say
from lp_core.errors import SettingError
from lp_core.leftovers import temporary_prefix
from lp_core.settings.live import BACKGROUNDS, LiveSettings
from lp_core.settings.reach import USES

if TYPE_CHECKING:
    from lp_core.live.scenes import Rgba
    from lp_core.live.stream import LiveStream

_DEFAULTS = LiveSettings()
_START_S = 60.0
_FPS = 30.0
_KEYS = "space: freeze, r: reset the reference, n: next portrait, q or Esc: end"


@click.command(short_help="Drive a portrait live, into a window or a virtual camera.")
@click.argument("portrait")
@click.argument("driver")
@click.option(
    "--virtual-camera", is_flag=True, help="Show it as a camera that other programs can choose (extra: live)."
)
@click.option("--camera-device", metavar="NAME", help="Which virtual camera. Default: the first free one.")
@click.option("--window", is_flag=True, help=f"Show it in a window; {_KEYS}.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End after so long. Default: run on.")
@click.option("--mirror/--no-mirror", default=_DEFAULTS.mirror, help="Mirror the performer.")
@click.option(
    "--background", default=_DEFAULTS.background, show_default=True, metavar="[" + "|".join(BACKGROUNDS) + "]",
    help="What stands behind the head.",
)  # fmt: skip
@click.option("--background-color", default=_DEFAULTS.background_color, show_default=True, metavar="#RRGGBB")
@click.option(
    "--longest-side", type=click.INT, default=_DEFAULTS.longest_side, show_default=True, metavar="PIXELS"
)
@settings_options(*sorted(USES["live"]))
@debug_option
def live(
    portrait: str,
    driver: str,
    virtual_camera: bool,
    camera_device: str | None,
    window: bool,
    seconds: float | None,
    **values: Any,  # noqa: ANN401
) -> None:
    """Drives PORTRAIT by DRIVER until Ctrl-C.

    DRIVER is camera:0, camera:/dev/video0, the address of a stream (rtsp, http, udp, ...), a video (looped), a motion
    or demo:NAME.
    """
    if not (virtual_camera or window):
        raise SettingError("Nothing would show the image; give --window or --virtual-camera.")
    from lp_core.live.config import StreamConfig
    from lp_core.live.drivers import check_driver
    from lp_core.live.streams import LiveStreams

    names = ("mirror", "background", "background_color", "longest_side")
    chosen = LiveSettings(**{name: values.pop(name) for name in names})
    config = StreamConfig(
        str(Path(portrait).resolve()),
        check_driver(driver, lambda name: str(Path(name).resolve())),
        settings_from(values),
        chosen,
    )
    with (
        tempfile.TemporaryDirectory(prefix=temporary_prefix()) as folder,
        LiveStreams(Path(folder)) as streams,
    ):
        stream = streams.create(config)
        for note in config.notes():
            say(note, err=True)
        first = _first(stream)
        shows: list[Callable[[Rgba], bool]] = []
        closes: list[Callable[[], None]] = []
        try:
            if virtual_camera:
                _open_camera(first, camera_device, shows, closes)
            if window:
                _open_window(stream, shows, closes)
            _play(stream, shows, None if seconds is None else time.monotonic() + seconds)
        finally:
            for close in closes:
                close()


def _first(stream: LiveStream) -> Rgba:
    """Waits for the first image; raises what keeps it from coming."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        picture, status = stream.picture, stream.status()
        if picture is not None:
            return picture
        if status["state"] == "failed":
            raise SettingError(status["message"])
        time.sleep(0.02)
    raise SettingError("No image came within a minute; check the driver.")


def _open_camera(first: Rgba, device: str | None, shows: list[Any], closes: list[Any]) -> None:
    from lp_core.live.scenes import over_color
    from lp_core.media.virtual_camera import VirtualCamera

    height, width = (side // 2 * 2 for side in first.shape[:2])  # cameras carry even sizes
    camera = VirtualCamera(width, height, _FPS, device)
    closes.append(camera.close)
    say(f"The image is on the camera {camera.device}, {width}x{height}.")

    def show(picture: Rgba) -> bool:
        solid = over_color(picture[:height, :width], "#000000")[..., :3]
        if solid.shape[:2] == (height, width):
            camera.send(solid.copy())
        return True

    shows.append(show)


def _open_window(stream: LiveStream, shows: list[Any], closes: list[Any]) -> None:
    from lp_core.live.preview_window import PreviewWindow

    window = PreviewWindow(stream)
    closes.append(window.close)
    say(_KEYS)
    shows.append(window.show)


def _play(stream: LiveStream, shows: list[Callable[[Rgba], bool]], until: float | None) -> None:
    said = ""
    while until is None or time.monotonic() < until:
        status = stream.status()
        if status["message"] != said:
            said = status["message"]
            say(said or "Running.", err=True)
        picture = stream.picture
        if picture is not None:
            is_open = [show(picture) for show in shows]
            if not all(is_open):
                return
        time.sleep(1 / _FPS / 2)
