"""Outside the matte the result is the source, bit for bit, in every format that keeps all bits."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.films import read_pictures

from lp_core.engines.mesh.engine import MeshEngine
from lp_core.frame import ColorTags, Frame
from lp_core.media.base import SinkSpec
from lp_core.media.color_tags import SRGB
from lp_core.media.open import open_sink, open_source
from lp_core.timing import FrameRate

RATE = FrameRate.parse("30000/1001")
LINEAR = ColorTags("bt709", "linear", "gbr", True)

FORMATS = {  # name of source and result -> bits, alpha, type of samples, more flags
    "png8/{}.%04d.png": (8, False, "int", ()),
    "png16/{}.%04d.png": (16, True, "int", ()),
    "tiff8/{}.%04d.tif": (8, True, "int", ()),
    "tiff16/{}.%04d.tif": (16, False, "int", ()),
    "dpx8/{}.%04d.dpx": (8, False, "int", ()),
    "dpx16/{}.%04d.dpx": (16, False, "int", ()),
    "half ü/{}.%04d.exr": (32, True, "half", ()),
    "float/{}.%04d.exr": (32, False, "float", ("--exr-compression", "piz")),
    "ffv1_8/{}.mkv": (8, False, "int", ("--codec", "ffv1")),
    "ffv1_16/{}.mkv": (16, True, "int", ("--codec", "ffv1")),
}


def plate(path, portrait, bits, has_alpha, sample_type, codec="ffv1"):
    """Three frames of the portrait with noise in the lowest bits, in a format."""
    pixels = read_pictures(portrait)[0]
    spec = SinkSpec(
        width=pixels.shape[1],
        height=pixels.shape[0],
        rate=RATE,
        bit_depth=bits,
        has_alpha=has_alpha,
        color=LINEAR if bits == 32 else SRGB,
        codec=codec,
        quality=0,
        overwrite=True,
        start_number=1001,
        alpha="premultiplied" if bits == 32 else "straight",
        sample_type=sample_type,
    )
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    pixels = np.concatenate([pixels, alpha], axis=2) if has_alpha else pixels
    noise = np.random.default_rng(1)
    with open_sink(path, spec) as sink:
        for index in range(3):
            if bits == 8:
                shown = pixels ^ noise.integers(0, 2, pixels.shape, np.uint8)
            elif bits == 16:
                shown = pixels.astype(np.uint16) * 257 ^ noise.integers(0, 64, pixels.shape, np.uint16)
            else:
                shown = (pixels / np.float32(200)).astype(np.float32) - np.float32(0.1)
            if has_alpha:
                shown[..., 3] = np.iinfo(shown.dtype).max if bits < 32 else 1
                shown[:20, :, 3] = 7  # see-through at the top
            sink.write(Frame(shown, index, RATE.time_s(index)))
        sink.commit()
    return path


@pytest.fixture
def mattes(monkeypatch):
    """The mattes of all images that the mesh engine draws, in order."""
    kept = []
    animate_all = MeshEngine.animate_all

    def recorded(self, acts, reference):
        drawn = animate_all(self, acts, reference)
        kept.extend(animation.matte for animation in drawn)
        return drawn

    monkeypatch.setattr(MeshEngine, "animate_all", recorded)
    return kept


@pytest.mark.parametrize("name", FORMATS)
def test_every_bit_outside_the_matte(lpsuite, portrait, motion, tmp_path, mattes, name):
    bits, has_alpha, sample_type, flags = FORMATS[name]
    if name.endswith((".exr", ".dpx", ".tif")):
        pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
    source = plate(tmp_path / name.format("in"), portrait, bits, has_alpha, sample_type)
    out = tmp_path / name.format("out")
    common = ("--engine", "mesh", "--calibration", "off", "--fps", "30000/1001")
    code, lines = lpsuite("animate", source, motion, "-o", out, *common, *flags)
    assert (code, lines[-1]["frames"]) == (0, 3), lines
    assert len(mattes) == 3
    with open_source(source) as before, open_source(out) as after:
        assert (after.info.bit_depth, after.info.has_alpha) == (bits, has_alpha)
        assert after.info.sample_type == sample_type
        for old, new, matte in zip(before, after, mattes, strict=True):
            assert 0.05 < (matte == 0).mean() < 0.95
            same = (old.pixels == new.pixels).all(axis=2)
            assert same[matte == 0].all()
        assert not same.all(), "the face does not move"
