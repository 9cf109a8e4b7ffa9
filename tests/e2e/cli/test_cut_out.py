"""A cut-out portrait, animated to ProRes 4444 and EXR: read back by independent decoders, laid over black and white."""

import subprocess

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own short name
import pytest

from lp_core.color.encoding import encoding_of
from lp_core.frame import ColorTags
from lp_core.media.image.stills import write_image

SRGB = encoding_of(ColorTags(transfer="iec61966-2-1"))


@pytest.fixture(scope="module")
def cut_out(astronaut, tmp_path_factory):
    """The head in an ellipse with a soft edge; what the alpha hides is bright green."""
    rgb = cv2.resize(np.asarray(astronaut)[0:300, 80:380], (256, 256), interpolation=cv2.INTER_AREA)
    mask = np.zeros((256, 256), np.float32)
    cv2.ellipse(mask, (((125, 110)), (150, 190), 0), 1, -1)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.5)
    alpha[alpha < 0.02] = 0
    rgb = np.where((alpha > 0)[..., None], rgb, (0, 255, 0)).astype(np.uint8)
    path = tmp_path_factory.mktemp("cut") / "cut.png"
    write_image(path, np.dstack([rgb, np.rint(alpha * 255).astype(np.uint8)]))
    return path, rgb[alpha > 0].astype(np.float32) / 255


def greenest(colors):
    """How much more green than anything else the greenest of (N, 3) colors is."""
    return float((colors[:, 1] - colors[:, [0, 2]].max(axis=1)).max())


def test_exr_is_premultiplied_and_has_no_fringe(lpsuite, cut_out, motion, tmp_path):
    path, visible = cut_out
    common = ("--engine", "mesh", "--calibration", "off", "--frames", "3-4", "--no-sign")
    code, lines = lpsuite("animate", path, motion, "-o", tmp_path / "a.%04d.exr", *common)
    assert code == 0, lines
    for number in (3, 4):
        got = oiio.ImageBuf(str(tmp_path / f"a.{number:04d}.exr")).get_pixels(oiio.FLOAT)
        alpha = got[..., 3]
        assert not got[alpha == 0].any(), "light without alpha"
        edge = (alpha > 0.05) & (alpha < 0.95)
        assert edge.any()
        colors = SRGB.from_linear(np.ascontiguousarray(got[edge][:, :3] / alpha[edge][:, None]))
        assert greenest(colors) < greenest(visible) + 0.06
        black, white = (got[..., :3] + (1 - alpha[..., None]) * ground for ground in (0.0, 1.0))
        assert black.max() <= 1.001
        assert (white >= black - 1e-6).all()
        limits = SRGB.to_linear(visible).min(axis=0), SRGB.to_linear(visible).max(axis=0)
        for laid, ground in ((black, 0.0), (white, 1.0)):
            least, most = (limit * alpha[..., None] + (1 - alpha[..., None]) * ground for limit in limits)
            assert (laid[edge] >= least[edge] - 0.02).all()
            assert (laid[edge] <= most[edge] + 0.02).all()


def test_prores_4444_keeps_the_alpha_and_has_no_fringe(lpsuite, cut_out, motion, tmp_path):
    path, visible = cut_out
    common = ("--engine", "mesh", "--calibration", "off", "--frames", "3-4", "--no-sign")
    out = tmp_path / "a.mov"
    code, lines = lpsuite("animate", path, motion, "-o", out, *common, "--codec", "prores4444")
    assert code == 0, lines
    told = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", out, "-f", "rawvideo", "-pix_fmt", "rgba", "-"],
        capture_output=True,
        check=True,
    )
    frames = np.frombuffer(told.stdout, np.uint8).reshape(-1, 256, 256, 4).astype(np.float32) / 255
    assert len(frames) == 2
    for got in frames:
        alpha = got[..., 3]
        assert (alpha[:5] < 0.01).all()
        assert alpha[110, 125] > 0.99
        edge = (alpha > 0.3) & (alpha < 0.95)
        share = alpha[edge][:, None]
        black = got[edge][:, :3] * share
        assert greenest(black) < greenest(visible) + 0.08
        for ground, laid in ((0.0, black), (1.0, black + 1 - share)):
            assert (laid >= visible.min(axis=0) * share + ground * (1 - share) - 0.03).all()
            assert (laid <= visible.max(axis=0) * share + ground * (1 - share) + 0.03).all()
