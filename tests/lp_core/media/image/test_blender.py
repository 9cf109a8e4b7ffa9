"""Blender's compositor, an independent program, reads the layers of our EXR files as they are.

Needs a Python with the package bpy (4.2 to 5.0 for Python 3.11) in an environment for itself, because bpy is GPL:
``LPSUITE_TEST_BPY=/path/to/python``.
"""

import os
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lp_core.frame import Frame
from lp_core.media.open import open_sink

oiio = pytest.importorskip("OpenImageIO", reason="the extra vfx is not installed")
PYTHON = os.environ.get("LPSUITE_TEST_BPY")
READER = Path(__file__).resolve().parents[3] / "fakes" / "blender_reads.py"
WIDTH, HEIGHT = 48, 32


def read(path):
    file = oiio.ImageInput.open(str(path))
    pixels = file.read_image(0, 0, 0, file.spec().nchannels, oiio.FLOAT)
    file.close()
    return pixels


@pytest.mark.skipif(not PYTHON, reason="LPSUITE_TEST_BPY names no Python with bpy")
def test_blender_reads_every_layer(tmp_path, spec):
    rng = np.random.default_rng(3)
    pixels = rng.random((HEIGHT, WIDTH, 4)).astype(np.float32)
    pixels[..., 3] = 1
    sizes = {"stmap": 3, "regions": 3, "matte": 1}
    layers = {name: rng.random((HEIGHT, WIDTH, size)).astype(np.float32) for name, size in sizes.items()}
    layers["stmap"][..., 2] = 1
    told = replace(spec(WIDTH, HEIGHT, has_alpha=True, alpha="premultiplied", bit_depth=32), sample_type="float",
                   start_number=1)  # fmt: skip
    with open_sink(tmp_path / "in.%04d.exr", told) as sink:
        sink.write(Frame(pixels, 0, Fraction(0), layers=layers, alpha="premultiplied"))
        sink.commit()
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run([PYTHON, READER, tmp_path / "in.0001.exr", out, f"{WIDTH}x{HEIGHT}"], check=False, timeout=120,
                   capture_output=True)  # fmt: skip
    found = {path.stem: read(path) for path in out.glob("*.exr")}
    assert {"Combined", "stmap", "regions", "matte"} <= set(found)
    np.testing.assert_allclose(found["Combined"][..., :3], pixels[..., :3], atol=2e-3)
    for name in ("stmap", "regions"):
        np.testing.assert_allclose(found[name][..., :3], layers[name], atol=2e-3)
    np.testing.assert_allclose(found["matte"][..., 0], layers["matte"][..., 0], atol=2e-3)
