"""Cameras that are not there, and a network stream that is."""

import http.server
import threading
from functools import partial

import numpy as np
import pytest

from lp_core.errors import SettingError, UnreadableMedia
from lp_core.media.camera import Camera, is_stream_address


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """(folder, its address)"""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_network_stream_gives_rgb_pictures_and_tells_its_end(served):
    import cv2

    folder, address = served
    writer = cv2.VideoWriter(str(folder / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), (0, 0, 250), np.uint8))  # OpenCV: blue, green, red
    writer.release()
    with Camera(f"{address}/a.avi") as camera:
        pictures = [camera.read() for _ in range(3)]
        assert pictures[0].shape == (48, 64, 3)
        assert np.abs(pictures[0][24, 32].astype(int) - (250, 0, 0)).max() < 12
        with pytest.raises(UnreadableMedia, match="no more images"):
            camera.read()
        camera.close()


@pytest.mark.parametrize("name", ["99", "/dev/video99", "http://127.0.0.1:9/none"])
def test_what_is_not_there_is_told(name):
    with pytest.raises(UnreadableMedia, match="cannot be opened"):
        Camera(name)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "/dev/video0/../sda", "file:///etc/passwd", "-1", "gopher://x"]
)
def test_what_is_no_camera_is_refused(name):
    with pytest.raises(SettingError, match="not a camera"):
        Camera(name)


def test_addresses_of_streams():
    assert is_stream_address("rtsp://host/1")
    assert is_stream_address("UDP://127.0.0.1:5000")
    assert not is_stream_address("concat:/a|/b")
    assert not is_stream_address("file:///a")
    assert not is_stream_address("/a/b.mp4")
