"""Which track of a video is read, and with what alpha."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from lp_core.media.video.reader import VideoSource


def read(path):
    """Source and frames, as many as promised."""
    with VideoSource(path) as source:
        frames = list(source)
    assert len(frames) == source.info.frame_count
    return source, frames


class TestTracks:
    def test_a_preview_before_the_video_is_passed_over(self, tmp_path):
        path = _two_tracks(tmp_path / "v.mov", (16, 12), (64, 48))
        with VideoSource(path) as source:
            assert (source.info.width, source.info.height) == (64, 48)
            assert any("2 video tracks; track 1 (64x48" in note for note in source.notes)
            assert len(list(source)) == 5

    def test_the_default_one_of_two_alike(self, tmp_path):
        path = _two_tracks(tmp_path / "v.mkv", (48, 32), (64, 48), default=0)
        with VideoSource(path) as source:
            assert (source.info.width, source.info.height) == (48, 32)
            assert any("the default one" in note for note in source.notes)

    def test_the_mark_counts_more_than_the_place(self, tmp_path):
        path = _two_tracks(tmp_path / "v.mkv", (64, 48), (48, 32), default=1)
        with VideoSource(path) as source:
            assert (source.info.width, source.info.height) == (48, 32)

    def test_a_default_preview_is_passed_over(self, tmp_path):
        path = _two_tracks(tmp_path / "v.mkv", (16, 12), (64, 48), default=0)
        with VideoSource(path) as source:
            assert (source.info.width, source.info.height) == (64, 48)
            assert any("the largest one" in note for note in source.notes)


def _two_tracks(path, *sizes, default=None):
    with av.open(str(path), "w") as container:
        streams = []
        for index, (width, height) in enumerate(sizes):
            stream = container.add_stream("mjpeg" if index == 0 else "libx264", rate=25)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj420p" if index == 0 else "yuv420p"
            if default is not None:
                stream.disposition = 1 if index == default else 0
            streams.append(stream)
        for k in range(5):
            for stream in streams:
                pixels = np.full((stream.height, stream.width, 3), 10 + 5 * k, np.uint8)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = k, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("encoder", ["libvpx", "libvpx-vp9"])
def test_alpha_of_webm(tmp_path, ffmpeg, encoder):
    path = tmp_path / "a.webm"
    graph = (
        "testsrc=s=64x48:r=25:d=0.4,format=yuva420p,geq=lum='lum(X,Y)':cb=128:cr=128:a='if(lt(X,32),0,255)'"
    )
    extra = ["-auto-alt-ref", "0"] if encoder == "libvpx" else []
    ffmpeg("-f", "lavfi", "-i", graph, "-c:v", encoder, *extra, "-pix_fmt", "yuva420p", path)
    source, frames = read(path)
    assert source.info.has_alpha
    assert len(frames) == 10
    for frame in frames:
        assert frame.pixels.shape == (48, 64, 4)
        assert frame.pixels[:, :28, 3].max() < 20
        assert frame.pixels[:, 36:, 3].min() > 235


def test_webm_without_alpha_stays_opaque(make_film):
    source, frames = read(make_film("o.webm", encoder="libvpx-vp9"))
    assert not source.info.has_alpha
    assert frames[0].pixels.shape[2] == 3


@pytest.mark.parametrize(
    ("encoder", "pixel_format", "name"),
    [
        ("prores_ks", "yuva444p10le", "a.mov"),
        ("png", "rgba", "a.mov"),
        ("qtrle", "argb", "a.mov"),
        ("ffv1", "bgra", "a.mkv"),
    ],
)
def test_alpha_of_masters(make_film, encoder, pixel_format, name):
    source, frames = read(make_film(name, 3, encoder=encoder, pixel_format=pixel_format))
    assert source.info.has_alpha
    assert (frames[2].pixels[..., 3] == np.iinfo(frames[2].pixels.dtype).max).all()
